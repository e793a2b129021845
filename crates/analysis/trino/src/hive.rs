//! Hive's classes and the formats that they stand for, as catalogs of tables write them.

use std::collections::BTreeMap;

use crate::catalog::{AvroFormat, Format, GrokFormat, JsonFormat, RegexFormat, TextFormat};

type Parameters = BTreeMap<String, String>;

/// The classes of a format, as `STORED AS` and CTAS write them into the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classes {
    /// The input format.
    pub input: &'static str,
    /// The output format.
    pub output: &'static str,
    /// The SerDe.
    pub serde: &'static str,
    /// What crawlers call the format.
    pub classification: Option<&'static str>,
}

/// Hive's own text format.
pub const LAZY_SIMPLE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
const OPEN_CSV: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
const OPENX_JSON: &str = "org.openx.data.jsonserde.JsonSerDe";
const HIVE_JSON: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
const HIVE_JSON_LATER: &str = "org.apache.hadoop.hive.serde2.JsonSerDe";
const REGEX: [&str; 2] =
    ["org.apache.hadoop.hive.serde2.RegexSerDe", "org.apache.hadoop.hive.contrib.serde2.RegexSerDe"];
const GROK: &str = "com.amazonaws.glue.serde.GrokSerDe";
const AVRO: &str = "org.apache.hadoop.hive.serde2.avro.AvroSerDe";
const PARQUET: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
const ORC: &str = "org.apache.hadoop.hive.ql.io.orc.OrcSerde";

const TEXT: Classes = Classes {
    input: "org.apache.hadoop.mapred.TextInputFormat",
    output: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    serde: LAZY_SIMPLE,
    classification: None,
};

/// The classes of a format's name in SQL.
pub fn classes(name: &str) -> Option<Classes> {
    Some(match name.to_ascii_uppercase().as_str() {
        "TEXTFILE" => TEXT,
        "JSON" | "JSONFILE" => Classes { serde: HIVE_JSON, classification: Some("json"), ..TEXT },
        "PARQUET" => Classes {
            input: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            serde: PARQUET,
            classification: Some("parquet"),
        },
        "ORC" => Classes {
            input: "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
            output: "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
            serde: ORC,
            classification: Some("orc"),
        },
        "AVRO" => Classes {
            input: "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
            output: "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
            serde: AVRO,
            classification: Some("avro"),
        },
        "SEQUENCEFILE" => Classes {
            input: "org.apache.hadoop.mapred.SequenceFileInputFormat",
            output: "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
            serde: LAZY_SIMPLE,
            classification: None,
        },
        "RCFILE" => Classes {
            input: "org.apache.hadoop.hive.ql.io.RCFileInputFormat",
            output: "org.apache.hadoop.hive.ql.io.RCFileOutputFormat",
            serde: "org.apache.hadoop.hive.serde2.columnar.LazyBinaryColumnarSerDe",
            classification: None,
        },
        "ION" => Classes {
            input: "com.amazon.ionhiveserde.formats.IonInputFormat",
            output: "com.amazon.ionhiveserde.formats.IonOutputFormat",
            serde: "com.amazon.ionhiveserde.IonHiveSerDe",
            classification: None,
        },
        _ => return None,
    })
}

/// What a catalog says about how files are stored.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// The SerDe's class; empty if there is none.
    pub library: &'a str,
    /// The input format's class.
    pub input_format: Option<&'a str>,
    /// The SerDe's properties.
    pub serde: &'a BTreeMap<String, String>,
    /// The table's properties.
    pub table: &'a BTreeMap<String, String>,
}

impl Stored<'_> {
    /// How the engine reads such files.
    pub fn format(&self) -> Format {
        let Self { library, input_format, serde, table } = *self;
        let skip_lines = ["skip.header.line.count"]
            .into_iter()
            .find_map(|name| serde.get(name).or_else(|| table.get(name)))
            .and_then(|count| count.trim().parse().ok())
            .unwrap_or(0);
        match library {
            PARQUET if is_true(serde, "parquet.column.index.access") => Format::ParquetByPlace,
            PARQUET => Format::Parquet,
            ORC if serde.get("orc.column.index.access").is_some_and(|value| value.eq_ignore_ascii_case("false")) => {
                Format::OrcByName
            }
            ORC => Format::Orc,
            AVRO => Format::Avro(avro(serde, table)),
            LAZY_SIMPLE if input_format.is_none_or(|input| input.contains("TextInputFormat")) => {
                Format::Text(TextFormat { skip_lines, ..lazy_simple(serde) })
            }
            OPEN_CSV => Format::Text(TextFormat { skip_lines, ..open_csv(serde) }),
            OPENX_JSON | HIVE_JSON | HIVE_JSON_LATER => Format::Json(json(serde)),
            GROK => match serde.get("input.format") {
                Some(pattern) => Format::Grok(GrokFormat { pattern: pattern.clone(), custom: custom(serde) }),
                None => Format::Unsupported(format!("{GROK} without input.format")),
            },
            other if REGEX.contains(&other) => match serde.get("input.regex") {
                Some(pattern) => {
                    let ignores_case = is_true(serde, "input.regex.case.insensitive");
                    Format::Regex(RegexFormat { pattern: pattern.clone(), ignores_case })
                }
                None => Format::Unsupported(format!("{other} without input.regex")),
            },
            "" => Format::Unsupported(input_format.unwrap_or("without a SerDe").to_owned()),
            other => Format::Unsupported(other.to_owned()),
        }
    }
}

/// A delimiter: a character, or its number as Hive also writes it.
fn delimiter(serde: &Parameters, names: &[&str], default: u8) -> u8 {
    let Some(text) = names.iter().find_map(|name| serde.get(*name)) else { return default };
    let unescaped = match text.as_str() {
        "\\t" => "\t",
        "\\n" => "\n",
        "\\\\" => "\\",
        other => other,
    };
    match unescaped.as_bytes() {
        [byte] if !byte.is_ascii_digit() => *byte,
        _ => text.trim_start_matches("\\u").trim_start_matches('\\').parse().unwrap_or(default),
    }
}

fn is_true(properties: &Parameters, name: &str) -> bool {
    properties.get(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
}

fn avro(serde: &Parameters, table: &Parameters) -> AvroFormat {
    let schema = [serde, table].into_iter().find_map(|properties| properties.get("avro.schema.literal"));
    AvroFormat { schema: schema.cloned() }
}

/// A pattern in each line: its name, then what it stands for.
fn custom(serde: &Parameters) -> BTreeMap<String, String> {
    let lines = serde.get("input.grokCustomPatterns").map(String::as_str).unwrap_or_default().lines();
    let pattern = |line: &str| {
        let (name, pattern) = line.trim().split_once(char::is_whitespace)?;
        Some((name.to_owned(), pattern.trim_start().to_owned()))
    };
    lines.filter_map(pattern).collect()
}

fn lazy_simple(serde: &Parameters) -> TextFormat {
    let default = TextFormat::default();
    let escape = serde.contains_key("escape.delim").then(|| delimiter(serde, &["escape.delim"], b'\\'));
    TextFormat {
        delimiter: delimiter(serde, &["field.delim", "serialization.format"], default.delimiter),
        escape,
        collection_delimiter: delimiter(serde, &["collection.delim", "colelction.delim"], default.collection_delimiter),
        map_key_delimiter: delimiter(serde, &["mapkey.delim"], default.map_key_delimiter),
        null_text: serde.get("serialization.null.format").cloned().or(default.null_text.clone()),
        ..default
    }
}

fn open_csv(serde: &Parameters) -> TextFormat {
    let default = TextFormat::open_csv();
    TextFormat {
        delimiter: delimiter(serde, &["separatorChar"], default.delimiter),
        quote: Some(delimiter(serde, &["quoteChar"], b'"')),
        escape: Some(delimiter(serde, &["escapeChar"], b'\\')),
        ..default
    }
}

fn json(serde: &Parameters) -> JsonFormat {
    let mapped = |(name, key): (&String, &String)| {
        let column = name.strip_prefix("mapping.")?;
        Some((column.to_lowercase(), key.clone()))
    };
    JsonFormat {
        ignore_malformed: is_true(serde, "ignore.malformed.json"),
        case_sensitive: serde.contains_key("case.insensitive") && !is_true(serde, "case.insensitive"),
        dots_in_keys: is_true(serde, "dots.in.keys"),
        skip_malformed: false,
        mappings: serde.iter().filter_map(mapped).collect::<BTreeMap<_, _>>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(library: &str, parameters: &[(&str, &str)]) -> Format {
        let serde: Parameters =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Stored { library, input_format: None, serde: &serde, table: &Parameters::new() }.format()
    }

    #[test]
    fn every_class_that_is_written_is_known_or_named() {
        for (name, read_back) in
            [("PARQUET", true), ("TEXTFILE", true), ("JSON", true), ("ORC", true), ("AVRO", true), ("ION", false)]
        {
            let classes = classes(name).unwrap();
            let format = read(classes.serde, &[]);
            assert_eq!(!matches!(format, Format::Unsupported(_)), read_back, "{name}");
        }
        assert_eq!(classes("LANCE"), None);
    }

    #[test]
    fn serde_properties_shape_the_format() {
        let Format::Text(csv) = read(LAZY_SIMPLE, &[("field.delim", ","), ("skip.header.line.count", "1")]) else {
            panic!("text expected")
        };
        assert_eq!((csv.delimiter, csv.skip_lines, csv.quote), (b',', 1, None));
        let Format::Text(tabs) = read(LAZY_SIMPLE, &[("field.delim", "\\t"), ("serialization.format", "1")]) else {
            panic!("text expected")
        };
        assert_eq!(tabs.delimiter, b'\t');
        let Format::Text(quoted) = read(OPEN_CSV, &[("separatorChar", ";"), ("quoteChar", "'")]) else {
            panic!("text expected")
        };
        assert_eq!((quoted.delimiter, quoted.quote, quoted.escape), (b';', Some(b'\''), Some(b'\\')));
        let Format::Json(json) = read(OPENX_JSON, &[("mapping.At", "@at"), ("ignore.malformed.json", "TRUE")]) else {
            panic!("json expected")
        };
        assert!(json.ignore_malformed);
        assert_eq!(json.mappings["at"], "@at");
    }

    #[test]
    fn patterns_and_schemas_come_from_properties() {
        let grok = [("input.format", "%{A:a} %{B}"), ("input.grokCustomPatterns", "A [0-9]+\n B  x y")];
        let Format::Grok(grok) = read(GROK, &grok) else { panic!("grok expected") };
        assert_eq!(grok.custom["A"], "[0-9]+");
        assert_eq!(grok.custom["B"], "x y");
        assert!(matches!(read(REGEX[0], &[("input.regex", "(.*)")]), Format::Regex(_)));
        assert!(matches!(read(REGEX[1], &[]), Format::Unsupported(_)));
        let Format::Avro(avro) = read(AVRO, &[("avro.schema.literal", "{}")]) else { panic!("avro expected") };
        assert_eq!(avro.schema.as_deref(), Some("{}"));
        assert_eq!(read(PARQUET, &[("parquet.column.index.access", "true")]), Format::ParquetByPlace);
        assert_eq!(read(ORC, &[("orc.column.index.access", "true")]), Format::Orc);
        assert_eq!(read(ORC, &[("orc.column.index.access", "FALSE")]), Format::OrcByName);
    }
}
