//! Targets: rows into files, partitions and columns into the catalogue.
//!
//! A run's files bear the run's name. A run that is taken up after a crash removes those of its earlier life first, so
//! that no row is there twice; the catalogue learns of the files when they are all there.

use boathouse_trino::catalog::{ColumnDefinition, Format};
use boathouse_trino::engine;
use boathouse_trino::hive::classes;
use boathouse_trino::write::{Begun, Compression, WriteFormat, WriteTarget, Written};
use boathouse_trino_functions::types::Type;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use serde_json::{Value, json};

use super::compile::{Column, Columns, Compiler};
use super::glue::{Glue, GlueTable};
use super::graph::{Graph, columns as named};
use super::nodes::{DirectSchemaChangePolicy, FieldPath, Node, UpdateBehavior};
use super::transform::quoted;
use crate::failure::Failure;
use crate::s3::{Buckets, Place};
use crate::worker::Attempt;

/// How many partitions a run may write: AWS has no limit but the cluster's memory.
const MAX_PARTITIONS: usize = 10_000;

/// A target's options, whatever its kind.
struct Options<'a> {
    input: &'a str,
    keys: Vec<&'a str>,
    place: To<'a>,
    updates: Option<UpdateBehavior>,
}

enum To<'a> {
    /// Files at a path, and the table that is kept in step with them, if any.
    Path { path: &'a str, format: WriteFormat, compression: Compression, table: Option<(&'a str, &'a str)> },
    /// The files of a table that is there.
    Table { database: &'a str, table: &'a str },
}

/// Checks a target's options.
pub(super) fn check(node: &Node) -> Result<(), String> {
    options(node).map(drop)
}

fn options(node: &Node) -> Result<Options<'_>, String> {
    match node {
        Node::S3DirectTarget(node) => {
            let format = match node.format.as_str() {
                "parquet" => WriteFormat::Parquet,
                "json" => WriteFormat::Json,
                "orc" => WriteFormat::Orc,
                "avro" => WriteFormat::Avro,
                other => return Err(format!("Boathouse does not implement the target format {other} yet")),
            };
            let compression = compression(node.compression.as_deref(), &format)?;
            direct(
                &node.inputs,
                &node.partition_keys,
                &node.path,
                format,
                compression,
                node.schema_change_policy.as_ref(),
            )
        }
        Node::S3GlueParquetTarget(node) => {
            let compression = compression(node.compression.as_deref(), &WriteFormat::Parquet)?;
            let policy = node.schema_change_policy.as_ref();
            direct(&node.inputs, &node.partition_keys, &node.path, WriteFormat::Parquet, compression, policy)
        }
        Node::S3CatalogTarget(node) => {
            let policy = node.schema_change_policy.as_ref();
            let updates = policy.filter(|policy| policy.enable_update_catalog == Some(true));
            Ok(Options {
                input: &node.inputs[0],
                keys: keys(&node.partition_keys)?,
                place: To::Table { database: &node.database, table: &node.table },
                updates: updates.map(|policy| policy.update_behavior.unwrap_or(UpdateBehavior::UpdateInDatabase)),
            })
        }
        _ => Err("it is no target".to_owned()),
    }
}

fn direct<'a>(
    inputs: &'a [String],
    partition_keys: &'a Option<Vec<FieldPath>>,
    path: &'a str,
    format: WriteFormat,
    compression: Compression,
    policy: Option<&'a DirectSchemaChangePolicy>,
) -> Result<Options<'a>, String> {
    if Place::parse(path).is_none_or(|place| place.key.is_empty()) {
        return Err(format!("Path must be s3://bucket/prefix/, not {path}"));
    }
    let policy = policy.filter(|policy| policy.enable_update_catalog == Some(true));
    let table = match policy {
        Some(policy) => match (&policy.database, &policy.table) {
            (Some(database), Some(table)) => Some((database.as_str(), table.as_str())),
            _ => return Err("SchemaChangePolicy needs Database and Table to update the catalogue".to_owned()),
        },
        None => None,
    };
    Ok(Options {
        input: &inputs[0],
        keys: keys(partition_keys)?,
        place: To::Path { path, format, compression, table },
        updates: policy.map(|policy| policy.update_behavior.unwrap_or(UpdateBehavior::UpdateInDatabase)),
    })
}

fn keys(paths: &Option<Vec<FieldPath>>) -> Result<Vec<&str>, String> {
    named(paths.as_deref().unwrap_or_default())
}

fn compression(name: Option<&str>, format: &WriteFormat) -> Result<Compression, String> {
    Ok(match (name.unwrap_or_default(), format) {
        ("", WriteFormat::Parquet | WriteFormat::Orc) => Compression::Snappy,
        ("snappy" | "zstd", WriteFormat::Parquet | WriteFormat::Orc | WriteFormat::Avro) => match name {
            Some("zstd") => Compression::Zstd,
            _ => Compression::Snappy,
        },
        ("lz4", WriteFormat::Parquet | WriteFormat::Orc) => Compression::Lz4,
        ("zlib" | "gzip", WriteFormat::Orc) => Compression::Zlib,
        ("deflate" | "gzip", WriteFormat::Avro) => Compression::Deflate,
        ("bzip2", WriteFormat::Avro) => Compression::Bzip2,
        ("gzip", _) => Compression::Gzip,
        ("" | "none" | "uncompressed", _) => Compression::None,
        (other, _) => return Err(format!("Boathouse does not implement the compression {other} for that format yet")),
    })
}

/// The start of the names of a run's files: all attempts of a run share it.
fn prefix(attempt: &Attempt<'_>) -> String {
    let first = attempt.run.id().split("_attempt_").next().unwrap_or_default();
    format!("run-{}", first.trim_start_matches("jr_"))
}

async fn table_of(glue: &Glue, database: &str, table: &str) -> Result<Option<GlueTable>, Failure> {
    glue.table(&database.to_lowercase(), &table.to_lowercase()).await
}

/// Runs the target's query into files, and brings the catalogue in step.
pub(super) async fn write(
    attempt: &Attempt<'_>,
    graph: &Graph,
    compiler: &Compiler<'_>,
    id: &str,
) -> Result<(), Failure> {
    let at = |failure: Failure| failure.at(&graph.title(id));
    let options = options(graph.node(id)).map_err(|message| at(Failure::new(message)))?;
    let target = Target { attempt, compiler, glue: Glue::new(&attempt.ctx), options };
    let written = target.write().await.map_err(at)?;
    let mut text = format!(
        "{}: {} rows in {} files, {} bytes, {} partitions",
        graph.title(id),
        written.rows,
        written.files.len(),
        written.bytes,
        written.partitions.len()
    );
    if written.skipped_lines > 0 {
        text.push_str(&format!("; {} lines were no JSON objects and are left out", written.skipped_lines));
    }
    attempt.log.say(text).await;
    Ok(())
}

/// Removes the files of the run at a target.
pub(super) async fn clean(attempt: &Attempt<'_>, graph: &Graph, buckets: &Buckets, id: &str) -> Result<(), Failure> {
    let options = options(graph.node(id)).map_err(Failure::new)?;
    let location = match options.place {
        To::Path { path, .. } => path.to_owned(),
        To::Table { database, table } => match table_of(&Glue::new(&attempt.ctx), database, table).await? {
            Some(table) => table.location()?,
            None => return Ok(()),
        },
    };
    let Some(place) = Place::parse(&location) else { return Ok(()) };
    let (store, path, prefix) = (buckets.open(&place.bucket)?, place.path()?, prefix(attempt));
    let mut found = store.list(Some(&path)).boxed();
    while let Some(object) = found.try_next().await? {
        if object.location.filename().is_some_and(|name| name.starts_with(&prefix)) {
            store.delete(&object.location).await?;
        }
    }
    Ok(())
}

struct Target<'a> {
    attempt: &'a Attempt<'a>,
    compiler: &'a Compiler<'a>,
    glue: Glue,
    options: Options<'a>,
}

impl Target<'_> {
    async fn write(&self) -> Result<Written, Failure> {
        let columns = self.compiler.columns(self.options.input);
        match &self.options.place {
            To::Path { path, format, compression, table } => {
                let ordered = ordered(columns, &self.options.keys).map_err(Failure::new)?;
                storable(&ordered)?;
                let present = match table {
                    Some((database, table)) => table_of(&self.glue, database, table).await?,
                    None => None,
                };
                if let Some(present) = &present {
                    fits(present, path, &ordered, self.options.keys.len())?;
                }
                let written = self.run(&ordered, path, format.clone(), *compression).await?;
                if let Some((database, table)) = table {
                    self.keep_in_step(database, table, present, path, &ordered, format, &written).await?;
                }
                Ok(written)
            }
            To::Table { database, table } => self.fill_table(database, table, columns).await,
        }
    }

    /// Runs the query for these columns, the partition keys last, into files below a path.
    async fn run(
        &self,
        ordered: &[Column],
        path: &str,
        format: WriteFormat,
        compression: Compression,
    ) -> Result<Written, Failure> {
        let has = |column: &Column| self.compiler.columns(self.options.input).find(&column.name).is_ok();
        let items: Vec<String> = ordered
            .iter()
            .map(|column| {
                let value = if has(column) { column.quoted() } else { format!("CAST(NULL AS {})", column.ty) };
                format!("{value} AS {}", quoted(&column.name))
            })
            .collect();
        let select = |relation: &str| format!("SELECT {} FROM {relation}", items.join(", "));
        let query = self.compiler.query(self.options.input, select)?;
        let own = ordered.iter().map(|column| engine::Column { name: column.name.clone(), ty: column.ty.clone() });
        let target = WriteTarget {
            location: path.to_owned(),
            format,
            compression,
            columns: Some(own.collect()),
            partition_keys: self.options.keys.len(),
            known_partitions: Vec::new(),
            max_new_partitions: MAX_PARTITIONS,
            file_prefix: Some(prefix(self.attempt)),
            buckets: None,
            begun: Begun::default(),
        };
        let written = self.compiler.engine().write(self.compiler.session(), &query, target).await;
        written.map_err(|error| Failure::new(self.compiler.real(&Failure::from(error).to_string())))
    }

    /// Writes into a table that is there: columns go by name.
    async fn fill_table(&self, database: &str, name: &str, columns: &Columns) -> Result<Written, Failure> {
        let found = table_of(&self.glue, database, name).await?;
        let table =
            found.ok_or_else(|| Failure::new(format!("Entity Not Found: there is no table {database}.{name}")))?;
        let format = match table.format()? {
            Format::Parquet => WriteFormat::Parquet,
            Format::Orc | Format::OrcByName => WriteFormat::Orc,
            Format::Avro(_) => WriteFormat::Avro,
            Format::Json(_) => WriteFormat::Json,
            Format::Text(text) if text.quote.is_none() => WriteFormat::Text(text),
            _ => return Err(Failure::new(format!("Boathouse can't write the format of {database}.{name} yet"))),
        };
        let (own, keys) = (table.columns()?, table.partition_keys()?);
        same_keys(&keys, &self.options.keys)?;
        let extra: Vec<Column> = columns
            .iter()
            .filter(|column| !own.iter().chain(&keys).any(|known| known.name == column.name.to_lowercase()))
            .cloned()
            .collect();
        let grows = self.options.updates == Some(UpdateBehavior::UpdateInDatabase);
        if let (Some(column), false) = (extra.first(), grows) {
            return Err(Failure::new(format!(
                "column '{}' is not one of {database}.{name}, and the SchemaChangePolicy adds none",
                column.name
            )));
        }
        if let Some(key) = keys.iter().find(|key| columns.find(&key.name).is_err()) {
            return Err(Failure::new(format!("the partition key '{}' is not among its columns ({columns})", key.name)));
        }
        storable(&extra)?;
        let known = |column: &ColumnDefinition| Column::new(column.name.clone(), column.ty.clone());
        let ordered: Vec<Column> =
            own.iter().map(known).chain(extra.iter().cloned()).chain(keys.iter().map(known)).collect();
        let location = table.location()?;
        let codec = match format {
            WriteFormat::Orc => "orc.compress",
            WriteFormat::Avro => "avro.compression",
            _ => "parquet.compression",
        };
        let codec = table.parameters()?.get(codec).map(|name| name.to_lowercase());
        let compression = compression(codec.as_deref(), &format).map_err(Failure::new)?;
        let written = self.run(&ordered, &location, format, compression).await?;
        if self.options.updates.is_some() {
            self.register(database, name, &table, &written).await?;
            if !extra.is_empty() {
                self.add_columns(database, table, &extra).await?;
            }
        }
        Ok(written)
    }

    /// Makes the table or brings its columns and partitions in step with what was written.
    #[allow(clippy::too_many_arguments, reason = "it is all that a table is made of")]
    async fn keep_in_step(
        &self,
        database: &str,
        name: &str,
        present: Option<GlueTable>,
        path: &str,
        ordered: &[Column],
        format: &WriteFormat,
        written: &Written,
    ) -> Result<(), Failure> {
        let table = match present {
            Some(table) => {
                let known: Vec<String> =
                    table.columns()?.into_iter().chain(table.partition_keys()?).map(|column| column.name).collect();
                let extra: Vec<Column> =
                    ordered.iter().filter(|column| !known.contains(&column.name.to_lowercase())).cloned().collect();
                if self.options.updates == Some(UpdateBehavior::UpdateInDatabase) && !extra.is_empty() {
                    self.add_columns(database, table.clone(), &extra).await?;
                }
                table
            }
            None => {
                let input = table_input(name, path, ordered, self.options.keys.len(), format)?;
                self.glue.create_table(&database.to_lowercase(), input.clone()).await?;
                GlueTable(input)
            }
        };
        self.register(database, name, &table, written).await
    }

    async fn add_columns(&self, database: &str, mut table: GlueTable, extra: &[Column]) -> Result<(), Failure> {
        let added = extra.iter().map(glue_column).collect::<Result<Vec<_>, _>>()?;
        if let Some(columns) = table.0["StorageDescriptor"]["Columns"].as_array_mut() {
            columns.extend(added);
        }
        self.glue.update_table(&database.to_lowercase(), table).await
    }

    async fn register(&self, database: &str, name: &str, table: &GlueTable, written: &Written) -> Result<(), Failure> {
        let partition = |(values, location): &(Vec<String>, String)| {
            let mut storage = table.0["StorageDescriptor"].clone();
            storage["Location"] = json!(format!("{location}/"));
            json!({"Values": values, "StorageDescriptor": storage})
        };
        let new: Vec<Value> = written.partitions.iter().map(partition).collect();
        self.glue.create_partitions(&database.to_lowercase(), &name.to_lowercase(), &new).await
    }
}

/// The columns with the partition keys at the end.
fn ordered(columns: &Columns, keys: &[&str]) -> Result<Vec<Column>, String> {
    let keys = keys.iter().map(|key| columns.find(key)).collect::<Result<Vec<_>, _>>()?;
    let others = columns.iter().filter(|column| !keys.contains(column));
    Ok(others.chain(keys.iter().copied()).cloned().collect())
}

/// Refuses columns of types that no file holds.
fn storable(columns: &[Column]) -> Result<(), Failure> {
    columns.iter().try_for_each(|column| glue_column(column).map(drop))
}

fn glue_column(column: &Column) -> Result<Value, Failure> {
    let hive = column.ty.to_hive().filter(|_| column.ty != Type::Unknown);
    let refuse = || Failure::new(format!("column '{}' has the type {}, which can't be stored", column.name, column.ty));
    Ok(json!({"Name": column.name.to_lowercase(), "Type": hive.ok_or_else(refuse)?}))
}

fn same_keys(keys: &[ColumnDefinition], wanted: &[&str]) -> Result<(), Failure> {
    let known: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    let wanted: Vec<String> = wanted.iter().map(|key| key.to_lowercase()).collect();
    if known == wanted {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the table's partition keys are [{}], and the node's [{}]",
        known.join(", "),
        wanted.join(", ")
    )))
}

/// Whether a table that is there can describe what will be written.
fn fits(table: &GlueTable, path: &str, ordered: &[Column], keys: usize) -> Result<(), Failure> {
    let location = table.location()?;
    if location.trim_end_matches('/') != path.trim_end_matches('/') {
        return Err(Failure::new(format!("the table's files are at {location}, and the node writes to {path}")));
    }
    let wanted: Vec<&str> = ordered[ordered.len() - keys..].iter().map(|column| column.name.as_str()).collect();
    same_keys(&table.partition_keys()?, &wanted)?;
    for known in table.columns()?.into_iter().chain(table.partition_keys()?) {
        let column = ordered.iter().find(|column| column.name.to_lowercase() == known.name);
        if let Some(column) = column.filter(|column| column.ty.to_hive() != known.ty.to_hive()) {
            return Err(Failure::new(format!(
                "column '{}' is {} in the table and {} in the node",
                column.name, known.ty, column.ty
            )));
        }
    }
    Ok(())
}

fn table_input(
    name: &str,
    path: &str,
    ordered: &[Column],
    keys: usize,
    format: &WriteFormat,
) -> Result<Value, Failure> {
    let (class, library) = match format {
        WriteFormat::Json => ("JSON", "org.openx.data.jsonserde.JsonSerDe"),
        WriteFormat::Orc => ("ORC", "org.apache.hadoop.hive.ql.io.orc.OrcSerde"),
        WriteFormat::Avro => ("AVRO", "org.apache.hadoop.hive.serde2.avro.AvroSerDe"),
        _ => ("PARQUET", "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"),
    };
    let classes =
        classes(class).ok_or_else(|| Failure::new(format!("Internal service error : no classes for {class}")))?;
    let columns = ordered.iter().map(glue_column).collect::<Result<Vec<_>, _>>()?;
    let (columns, keys) = columns.split_at(columns.len() - keys);
    Ok(json!({
        "Name": name.to_lowercase(),
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": class.to_lowercase(), "EXTERNAL": "TRUE"},
        "PartitionKeys": keys,
        "StorageDescriptor": {
            "Columns": columns,
            "Location": format!("{}/", path.trim_end_matches('/')),
            "InputFormat": classes.input,
            "OutputFormat": classes.output,
            "Compressed": false,
            "SerdeInfo": {"SerializationLibrary": library, "Parameters": {"serialization.format": "1"}},
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(kind: &str, options: Value) -> Result<(), String> {
        let mut all = json!({"Name": "t", "Inputs": ["a"], "Path": "s3://b/out/"});
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        check(&Node::read("t", &json!({kind: all})).unwrap())
    }

    #[test]
    fn formats_and_codecs_that_are_missing_are_named() {
        assert_eq!(node("S3DirectTarget", json!({"Format": "json", "Compression": "gzip"})), Ok(()));
        assert_eq!(node("S3DirectTarget", json!({"Format": "orc"})), Ok(()));
        assert_eq!(node("S3DirectTarget", json!({"Format": "avro", "Compression": "snappy"})), Ok(()));
        for (options, name) in [
            (json!({"Format": "hudi"}), "hudi"),
            (json!({"Format": "orc", "Compression": "bzip2"}), "bzip2"),
            (json!({"Format": "json", "Compression": "snappy"}), "snappy"),
            (json!({"Format": "parquet", "Compression": "brotli"}), "brotli"),
            (json!({"Format": "parquet", "SchemaChangePolicy": {"EnableUpdateCatalog": true}}), "Database and Table"),
            (json!({"Format": "parquet", "Path": "s3://b"}), "s3://bucket/prefix/"),
        ] {
            let message = node("S3DirectTarget", options).unwrap_err();
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn keys_come_last() {
        let columns = ["a", "Day", "c"].map(|name| Column::new(name, Type::Integer));
        let columns = Columns::new(columns.to_vec()).unwrap();
        let names: Vec<String> = ordered(&columns, &["day"]).unwrap().into_iter().map(|column| column.name).collect();
        assert_eq!(names, ["a", "c", "Day"]);
        assert!(ordered(&columns, &["x"]).unwrap_err().contains("'x'"));
    }
}
