//! Sources: which objects a run reads, what columns they have, and the queries that read them.

use std::collections::HashMap;

use boathouse_aws::Ctx;
use boathouse_trino::catalog::{ColumnDefinition, Format, JsonFormat, PartitionDefinition};
use boathouse_trino_functions::types::Type;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::casts::type_of;
use super::compile::{Column, Columns, DATABASE};
use super::files::SourceFiles;
use super::glue::{Glue, JobTable};
use super::graph::Graph;
use super::nodes::{CatalogSource, GlueSchema, Node, S3CsvSource, S3JsonSource};
use super::transform::quoted;
use super::{csv, json, parquet};
use crate::bookmarks::Marks;
use crate::failure::Failure;
use crate::logs::Log;
use crate::s3::{Buckets, Place};

/// How many objects are looked into at the same time.
const CONCURRENCY: usize = 16;

/// All sources of a job.
#[derive(Default)]
pub(super) struct Sources {
    /// The tables that the queries read, by name.
    pub(super) catalog: HashMap<String, JobTable>,
    /// By node: the query that reads it, and its columns.
    pub(super) reading: HashMap<String, (String, Columns)>,
    pub(super) files: SourceFiles,
}

/// An object and its bucket.
type Object = (String, ObjectMeta);

/// Lists the objects of every source, leaves out what the bookmark knows, and finds the columns.
pub(super) async fn open(
    ctx: &Ctx,
    buckets: &Buckets,
    graph: &Graph,
    marks: &mut Marks,
    log: Option<&Log>,
) -> Result<Sources, Failure> {
    let mut sources = Sources::default();
    for id in graph.order().iter().filter(|id| graph.node(id).is_source()) {
        let opening = Opening { ctx, buckets, id, sources: &mut sources, marks };
        let (read, known) = opening.open(graph.node(id)).await.map_err(|failure| failure.at(&graph.title(id)))?;
        if let Some(log) = log {
            log.say(format!("{}: {read} objects to read, {known} known from earlier runs", graph.title(id))).await;
        }
    }
    Ok(sources)
}

struct Opening<'a> {
    ctx: &'a Ctx,
    buckets: &'a Buckets,
    id: &'a str,
    sources: &'a mut Sources,
    marks: &'a mut Marks,
}

/// Objects, and their columns where they are not everybody's.
type Group = (Vec<Object>, Option<Vec<(String, Type)>>);

impl Opening<'_> {
    /// Answers how many objects will be read, and how many will not because they were before.
    async fn open(mut self, node: &Node) -> Result<(usize, usize), Failure> {
        match node {
            Node::S3CsvSource(node) => {
                let (all, new) = self.objects(&node.paths, node.recurse).await?;
                self.compressed_as(node.compression_type.as_deref(), &new)?;
                self.csv(node, &all, new.clone()).await?;
                Ok((new.len(), all.len() - new.len()))
            }
            Node::S3JsonSource(node) => {
                let (all, new) = self.objects(&node.paths, node.recurse).await?;
                self.compressed_as(node.compression_type.as_deref(), &new)?;
                let columns = self.json_columns(node, &all, &new).await?;
                let format = Format::Json(JsonFormat { skip_malformed: true, ..JsonFormat::default() });
                self.add(columns, vec![(new.clone(), None)], format)?;
                Ok((new.len(), all.len() - new.len()))
            }
            Node::S3ParquetSource(node) => {
                let (all, new) = self.objects(&node.paths, node.recurse).await?;
                let looked = if new.is_empty() { last(&all) } else { new.clone() };
                let buckets = self.buckets;
                let files: Vec<_> = futures::stream::iter(looked)
                    .map(|(bucket, meta)| async move {
                        let columns = parquet::columns(&buckets.open(&bucket)?, &meta).await?;
                        Ok::<_, Failure>((columns, meta))
                    })
                    .buffered(CONCURRENCY)
                    .try_collect()
                    .await?;
                let mut columns = Vec::new();
                files.into_iter().try_for_each(|(file, meta)| parquet::merge(&mut columns, file, &meta))?;
                self.add(columns, vec![(new.clone(), None)], Format::Parquet)?;
                Ok((new.len(), all.len() - new.len()))
            }
            Node::CatalogSource(node) => self.catalog(node).await,
            _ => Err(Failure::new("Internal service error : the node is no source")),
        }
    }

    /// All objects of the paths, and those of them that the run reads.
    async fn objects(
        &mut self,
        paths: &[String],
        recurse: Option<bool>,
    ) -> Result<(Vec<Object>, Vec<Object>), Failure> {
        let mut all = Vec::new();
        for path in paths {
            let place = Place::parse(path).ok_or_else(|| Failure::new(format!("{path} is not an S3 path")))?;
            all.extend(self.list(&place, recurse == Some(true)).await?);
        }
        if all.is_empty() {
            return Err(Failure::new(format!("there are no objects at {}", paths.join(", "))));
        }
        let new = self.marks.unread(self.id, all.clone())?;
        Ok((all, new))
    }

    async fn list(&self, place: &Place, recurse: bool) -> Result<Vec<Object>, Failure> {
        let (store, prefix) = (self.buckets.open(&place.bucket)?, place.path()?);
        let below = Some(&prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let mut found: Vec<ObjectMeta> = if recurse {
            store.list(below).try_collect().await?
        } else {
            store.list_with_delimiter(below).await?.objects
        };
        let hidden = |meta: &ObjectMeta| {
            let mut parts = meta.location.prefix_match(&prefix).into_iter().flatten();
            parts.any(|part| part.as_ref().starts_with(['_', '.']))
        };
        found.retain(|meta| meta.size > 0 && !hidden(meta));
        if found.is_empty() && below.is_some() {
            match store.head(&prefix).await {
                Ok(meta) if meta.size > 0 => found.push(meta),
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        found.sort_by(|one, other| one.location.cmp(&other.location));
        Ok(found.into_iter().map(|meta| (place.bucket.clone(), meta)).collect())
    }

    fn compressed_as(&self, kind: Option<&str>, objects: &[Object]) -> Result<(), Failure> {
        let plain = |(_, meta): &&Object| meta.location.filename().is_none_or(|name| !name.ends_with(".gz"));
        match objects.iter().find(plain).filter(|_| kind == Some("gzip")) {
            Some((_, meta)) => Err(Failure::new(format!(
                "CompressionType is gzip, and {} does not end in .gz: only such objects are read as gzip",
                meta.location
            ))),
            None => Ok(()),
        }
    }

    async fn csv(&mut self, node: &S3CsvSource, all: &[Object], new: Vec<Object>) -> Result<(), Failure> {
        let nothing_new = new.is_empty();
        let looked = if nothing_new { last(all) } else { new };
        let buckets = self.buckets;
        let headers: Vec<_> = futures::stream::iter(looked)
            .map(|(bucket, meta)| async move {
                let header = csv::header(node, &buckets.open(&bucket)?, &meta).await?;
                Ok::<_, Failure>(header.map(|header| (header, (bucket, meta))))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        // Files with the same first line are read together.
        let mut groups: Vec<(Vec<String>, Vec<Object>)> = Vec::new();
        for (header, object) in headers.into_iter().flatten() {
            let object = if nothing_new { None } else { Some(object) };
            match groups.iter_mut().find(|(known, _)| *known == header) {
                Some((_, objects)) => objects.extend(object),
                None => groups.push((header, object.into_iter().collect())),
            }
        }
        let mut names: Vec<String> = Vec::new();
        for name in groups.iter().flat_map(|(header, _)| header) {
            if !names.iter().any(|known| known.to_lowercase() == name.to_lowercase()) {
                names.push(name.clone());
            }
        }
        if names.is_empty() {
            return Err(Failure::new("its files are empty"));
        }
        let columns = names.into_iter().map(|name| (name, Type::VARCHAR)).collect();
        let groups = groups.into_iter().map(|(header, objects)| {
            let own = header.into_iter().map(|name| (name, Type::VARCHAR)).collect();
            (objects, Some(own))
        });
        self.add(columns, groups.collect(), Format::Text(csv::format(node)))
    }

    async fn json_columns(
        &self,
        node: &S3JsonSource,
        all: &[Object],
        new: &[Object],
    ) -> Result<Vec<(String, Type)>, Failure> {
        if let Some(columns) = said(node.output_schemas.as_deref().unwrap_or_default())? {
            return Ok(columns);
        }
        let looked = if new.is_empty() { last(all) } else { new.to_vec() };
        let buckets = self.buckets;
        let files: Vec<json::Fields> = futures::stream::iter(looked)
            .map(|(bucket, meta)| async move { json::fields(&buckets.open(&bucket)?, &meta).await })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let columns = files.into_iter().fold(json::Fields::default(), json::Fields::merge).columns();
        if columns.is_empty() { Err(Failure::new("its files hold no JSON object")) } else { Ok(columns) }
    }

    /// Makes tables of objects: one for each group with columns of its own and for each bucket.
    fn add(&mut self, columns: Vec<(String, Type)>, groups: Vec<Group>, format: Format) -> Result<(), Failure> {
        let mut parts = Vec::new();
        for (objects, own) in groups {
            let own = own.unwrap_or_else(|| columns.clone());
            let definitions = definitions(&own)?;
            for (bucket, objects) in by_bucket(objects) {
                let shown = self.sources.files.show(&bucket, objects);
                let table = JobTable {
                    columns: definitions.clone(),
                    partition_keys: Vec::new(),
                    location: format!("s3://{shown}/"),
                    format: format.clone(),
                    partitions: Vec::new(),
                };
                parts.push((self.table(table), own.clone()));
            }
        }
        let columns = Columns::new(columns.into_iter().map(|(name, ty)| Column::new(name, ty)).collect());
        let columns = columns.map_err(Failure::new)?;
        let sql = if parts.is_empty() { nothing(&columns) } else { parts_sql(&parts, &columns) };
        self.sources.reading.insert(self.id.to_owned(), (sql, columns));
        Ok(())
    }

    fn table(&mut self, table: JobTable) -> String {
        let name = format!("s{}", self.sources.catalog.len());
        self.sources.catalog.insert(name.clone(), table);
        name
    }

    async fn catalog(&mut self, node: &CatalogSource) -> Result<(usize, usize), Failure> {
        let glue = Glue::new(self.ctx);
        let (database, name) = (node.database.to_lowercase(), node.table.to_lowercase());
        let table = glue.table(&database, &name).await?;
        let table =
            table.ok_or_else(|| Failure::new(format!("Entity Not Found: there is no table {database}.{name}")))?;
        let (format, keys) = (table.format()?, table.partition_keys()?);
        let predicate = node.partition_predicate.as_deref().filter(|predicate| !predicate.trim().is_empty());
        let mut folders = Vec::new();
        if keys.is_empty() {
            if predicate.is_some() {
                return Err(Failure::new(format!("PartitionPredicate: {database}.{name} is not partitioned")));
            }
            folders.push((Vec::new(), table.location()?, None));
        } else {
            for partition in glue.partitions(&database, &name, predicate).await? {
                folders.push((partition.values(), partition.location()?, partition.format(&table)?));
            }
        }
        let (mut read, mut known, mut partitions) = (0, 0, Vec::new());
        for (values, location, format) in folders {
            let place = Place::parse(&location).ok_or_else(|| Failure::new(format!("{location} is not an S3 path")))?;
            let all = self.list(&place, true).await?;
            let new = self.marks.unread(&format!("{}/{location}", self.id), all.clone())?;
            read += new.len();
            known += all.len() - new.len();
            let objects = new.into_iter().map(|(_, meta)| meta).collect();
            let location = format!("s3://{}/", self.sources.files.show(&place.bucket, objects));
            partitions.push(PartitionDefinition { values, location, format });
        }
        let location = partitions.first().map(|partition| partition.location.clone()).unwrap_or_default();
        let all: Vec<ColumnDefinition> = table.columns()?.into_iter().chain(keys.iter().cloned()).collect();
        let table = JobTable { columns: table.columns()?, partition_keys: keys, location, format, partitions };
        let columns = Columns::new(all.into_iter().map(|column| Column::new(column.name, column.ty)).collect());
        let columns = columns.map_err(Failure::new)?;
        let table = self.table(table);
        let items: Vec<String> = columns.iter().map(Column::quoted).collect();
        let sql = format!("SELECT {} FROM {DATABASE}.{table}", items.join(", "));
        self.sources.reading.insert(self.id.to_owned(), (sql, columns));
        Ok((read, known))
    }
}

/// The youngest object: it says what columns there would be.
fn last(objects: &[Object]) -> Vec<Object> {
    objects.iter().max_by_key(|(_, meta)| meta.last_modified).cloned().into_iter().collect()
}

fn by_bucket(objects: Vec<Object>) -> Vec<(String, Vec<ObjectMeta>)> {
    let mut buckets: Vec<(String, Vec<ObjectMeta>)> = Vec::new();
    for (bucket, meta) in objects {
        match buckets.iter_mut().find(|(known, _)| *known == bucket) {
            Some((_, objects)) => objects.push(meta),
            None => buckets.push((bucket, vec![meta])),
        }
    }
    buckets
}

fn definitions(columns: &[(String, Type)]) -> Result<Vec<ColumnDefinition>, Failure> {
    let named = Columns::new(columns.iter().map(|(name, ty)| Column::new(name.clone(), ty.clone())).collect());
    let named = named.map_err(Failure::new)?;
    Ok(named.iter().map(|column| ColumnDefinition::new(column.name.to_lowercase(), column.ty.clone())).collect())
}

/// Columns as the node's maker says they are.
fn said(schemas: &[GlueSchema]) -> Result<Option<Vec<(String, Type)>>, Failure> {
    let columns = schemas.iter().flat_map(|schema| schema.columns.iter().flatten());
    let column = |column: &super::nodes::GlueStudioSchemaColumn| {
        let ty = type_of(column.ty.as_deref().unwrap_or("string"));
        Ok((column.name.clone(), ty.map_err(|message| Failure::new(format!("OutputSchemas: {message}")))?))
    };
    let columns = columns.map(column).collect::<Result<Vec<_>, Failure>>()?;
    Ok((!columns.is_empty()).then_some(columns))
}

/// The rows of all parts, with NULL where a part lacks a column.
fn parts_sql(parts: &[(String, Vec<(String, Type)>)], columns: &Columns) -> String {
    let part = |(table, own): &(String, Vec<(String, Type)>)| {
        let items = columns.iter().map(|column| {
            let has = own.iter().any(|(name, _)| name.to_lowercase() == column.name.to_lowercase());
            let value = if has { column.quoted() } else { format!("CAST(NULL AS {})", column.ty) };
            format!("{value} AS {}", quoted(&column.name))
        });
        format!("SELECT {} FROM {DATABASE}.{table}", items.collect::<Vec<_>>().join(", "))
    };
    parts.iter().map(part).collect::<Vec<_>>().join(" UNION ALL ")
}

/// No rows of these columns.
fn nothing(columns: &Columns) -> String {
    let items = columns.iter().map(|column| format!("CAST(NULL AS {}) AS {}", column.ty, column.quoted()));
    format!("SELECT {} WHERE false", items.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_united_by_name() {
        let columns = vec![Column::new("A", Type::VARCHAR), Column::new("b", Type::Integer)];
        let columns = Columns::new(columns).unwrap();
        let parts = [
            ("s0".to_owned(), vec![("b".to_owned(), Type::Integer), ("a".to_owned(), Type::VARCHAR)]),
            ("s1".to_owned(), vec![("A".to_owned(), Type::VARCHAR)]),
        ];
        let expected = "SELECT \"a\" AS \"a\", \"b\" AS \"b\" FROM job.s0 UNION ALL \
                        SELECT \"a\" AS \"a\", CAST(NULL AS integer) AS \"b\" FROM job.s1";
        assert_eq!(parts_sql(&parts, &columns), expected);
        assert!(boathouse_trino_parser::parse_statement(&nothing(&columns)).is_ok());
    }
}
