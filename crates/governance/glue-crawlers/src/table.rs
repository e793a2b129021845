//! What a found table looks like in the Data Catalog: name, storage descriptor, properties.

use serde_json::{Map, Value, json};

use crate::layout::{FoundPartition, FoundTable};
use crate::schema::{Column, FileSchema, Format, HiveType};

/// The crawler's mark on its tables.
pub(crate) const OWNER_MARK: &str = "UPDATED_BY_CRAWLER";
/// The mark of a table or partition whose files are gone.
pub(crate) const DEPRECATED_MARK: &str = "DEPRECATED_BY_CRAWLER";

/// What all tables of a crawl share.
pub(crate) struct Naming<'a> {
    pub(crate) crawler: &'a str,
    pub(crate) bucket: &'a str,
    pub(crate) prefix: &'a str,
}

impl Naming<'_> {
    /// The table's name: the last part of its path in lower case, signs as `_`, after the crawler's prefix.
    pub(crate) fn table(&self, found: &FoundTable) -> String {
        let last = found.path.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty());
        let name = last.unwrap_or(self.bucket).to_lowercase();
        let plain: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        format!("{}{plain}", self.prefix)
    }

    pub(crate) fn location(&self, path: &str) -> String {
        format!("s3://{}/{path}", self.bucket)
    }

    /// The `TableInput` for CreateTable and UpdateTable.
    pub(crate) fn table_input(&self, name: &str, found: &FoundTable) -> Value {
        // Keys are text, as AWS's crawlers make them.
        let keys: Vec<Value> = found.keys.iter().map(|key| json!({"Name": key, "Type": "string"})).collect();
        let mut parameters = self.parameters(&found.schema);
        if !keys.is_empty() {
            parameters.insert("partition_filtering.enabled".into(), "true".into());
        }
        json!({
            "Name": name,
            "Owner": "owner",
            "Retention": 0,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": self.descriptor(&found.path, &found.schema),
            "PartitionKeys": keys,
            "Parameters": parameters,
        })
    }

    /// The `PartitionInput` of a partition.
    pub(crate) fn partition_input(&self, found: &FoundPartition) -> Value {
        json!({
            "Values": found.values,
            "StorageDescriptor": self.descriptor(&found.path, &found.schema),
            "Parameters": self.parameters(&found.schema),
        })
    }

    fn descriptor(&self, path: &str, schema: &FileSchema) -> Value {
        let (input, output) = formats(&schema.format);
        json!({
            "Columns": columns(schema),
            "Location": self.location(path),
            "InputFormat": input,
            "OutputFormat": output,
            "Compressed": schema.gzip,
            "NumberOfBuckets": -1,
            "SerdeInfo": serde_info(schema),
            "BucketColumns": [],
            "SortColumns": [],
            "Parameters": self.parameters(schema),
            "StoredAsSubDirectories": false,
        })
    }

    fn parameters(&self, schema: &FileSchema) -> Map<String, Value> {
        let mut parameters = Map::new();
        let mut set = |name: &str, value: String| parameters.insert(name.to_owned(), value.into());
        set("classification", schema.format.classification().into());
        set("compressionType", if schema.gzip { "gzip" } else { "none" }.into());
        set("typeOfData", "file".into());
        set("objectCount", schema.files.to_string());
        set("sizeKey", schema.bytes.to_string());
        set("recordCount", schema.records.to_string());
        set("averageRecordSize", (schema.bytes / schema.records.max(1)).to_string());
        set("CrawlerSchemaSerializerVersion", "1.0".into());
        set("CrawlerSchemaDeserializerVersion", "1.0".into());
        set(OWNER_MARK, self.crawler.into());
        if let Format::Csv(shape) = &schema.format {
            set("delimiter", shape.delimiter.into());
            set("columnsOrdered", "true".into());
            set("areColumnsQuoted", shape.quote.is_some().to_string());
            if shape.header {
                set("skip.header.line.count", "1".into());
            }
        }
        parameters
    }
}

/// The columns as the catalog writes them. OpenCSVSerDe reads text only, so its tables have text columns.
pub(crate) fn columns(schema: &FileSchema) -> Vec<Value> {
    let text_only = matches!(&schema.format, Format::Csv(shape) if shape.quote.is_some());
    let kind = |column: &Column| if text_only { HiveType::String } else { column.kind.clone() };
    schema.columns.iter().map(|column| json!({"Name": column.name, "Type": kind(column).to_string()})).collect()
}

fn formats(format: &Format) -> (&'static str, &'static str) {
    match format {
        Format::Parquet => (
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        ),
        Format::Orc => {
            ("org.apache.hadoop.hive.ql.io.orc.OrcInputFormat", "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat")
        }
        Format::Csv(_) | Format::Json => {
            ("org.apache.hadoop.mapred.TextInputFormat", "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
        }
    }
}

fn serde_info(schema: &FileSchema) -> Value {
    let (library, parameters) = match &schema.format {
        Format::Parquet => {
            ("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", json!({"serialization.format": "1"}))
        }
        Format::Orc => ("org.apache.hadoop.hive.ql.io.orc.OrcSerde", json!({"serialization.format": "1"})),
        Format::Json => {
            let paths: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
            ("org.openx.data.jsonserde.JsonSerDe", json!({"paths": paths.join(",")}))
        }
        Format::Csv(shape) => match shape.quote {
            Some(quote) => (
                "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                json!({"separatorChar": shape.delimiter.to_string(), "quoteChar": quote.to_string(), "escapeChar": "\\"}),
            ),
            None => (
                "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                json!({"field.delim": shape.delimiter.to_string()}),
            ),
        },
    };
    json!({"SerializationLibrary": library, "Parameters": parameters})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::CsvShape;

    const NAMING: Naming<'_> = Naming { crawler: "c", bucket: "my-bucket", prefix: "raw_" };

    fn found(path: &str, quote: Option<char>) -> FoundTable {
        let columns = vec![Column { name: "id".into(), kind: HiveType::Bigint }];
        let format = Format::Csv(CsvShape { delimiter: ',', quote, header: true });
        let schema = FileSchema { format, columns, gzip: false, files: 2, bytes: 40, records: 4 };
        FoundTable { path: path.into(), schema, keys: vec!["year".into()], partitions: Vec::new() }
    }

    #[test]
    fn names_come_from_the_path() {
        for (path, name) in [("data/Flights-2013/", "raw_flights_2013"), ("a.csv", "raw_a_csv"), ("", "raw_my_bucket")]
        {
            assert_eq!(NAMING.table(&found(path, None)), name);
        }
    }

    #[test]
    fn a_csv_table_says_how_it_is_read() {
        let input = NAMING.table_input("t", &found("data/", None));
        assert_eq!(input["StorageDescriptor"]["Location"], "s3://my-bucket/data/");
        assert_eq!(input["StorageDescriptor"]["SerdeInfo"]["Parameters"]["field.delim"], ",");
        assert_eq!(input["Parameters"]["skip.header.line.count"], "1");
        assert_eq!(input["Parameters"]["averageRecordSize"], "10");
        assert_eq!(input["PartitionKeys"], json!([{"Name": "year", "Type": "string"}]));
        assert_eq!(input["StorageDescriptor"]["Columns"], json!([{"Name": "id", "Type": "bigint"}]));
    }

    #[test]
    fn quoted_values_need_the_other_reader_which_knows_text_only() {
        let input = NAMING.table_input("t", &found("data/", Some('"')));
        assert_eq!(input["StorageDescriptor"]["Columns"], json!([{"Name": "id", "Type": "string"}]));
        let library = input["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"].as_str().unwrap();
        assert!(library.ends_with("OpenCSVSerde"), "{library}");
    }
}
