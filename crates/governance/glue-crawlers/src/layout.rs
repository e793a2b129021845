//! Which folders are tables, and which are partitions of one?
//!
//! Follows "How does a crawler determine when to create partitions?" in the Glue guide: where all files below a folder
//! have similar schemas, the folder is a table and the folders within it are its partitions (`k=v` folders name their
//! keys, others are `partition_0`, `partition_1` …); where they differ, each folder, and each file beside it, is a table
//! of its own.

use std::collections::BTreeMap;

use crate::schema::FileSchema;

/// A folder with what the crawl learnt of its files.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, FileSchema>,
}

/// A table that the catalog should have.
#[derive(Debug, PartialEq)]
pub(crate) struct FoundTable {
    /// The path from the bucket's root to the table: a folder with `/` at its end, or one file.
    pub(crate) path: String,
    /// All its files' schemas in one.
    pub(crate) schema: FileSchema,
    /// The partition keys, from the outside in.
    pub(crate) keys: Vec<String>,
    /// The partitions; empty for an unpartitioned table.
    pub(crate) partitions: Vec<FoundPartition>,
}

/// A partition of such a table.
#[derive(Debug, PartialEq)]
pub(crate) struct FoundPartition {
    /// One value for each key.
    pub(crate) values: Vec<String>,
    /// Its folder, with `/` at its end.
    pub(crate) path: String,
    /// Its files' schemas in one.
    pub(crate) schema: FileSchema,
}

impl Folder {
    /// Adds a file by its path from this folder.
    pub(crate) fn add(&mut self, path: &str, schema: FileSchema) {
        match path.split_once('/') {
            Some((folder, rest)) => self.folders.entry(folder.to_owned()).or_default().add(rest, schema),
            None => {
                self.files.insert(path.to_owned(), schema);
            }
        }
    }

    /// The tables of this folder, whose own path is `path` (with `/` at its end, or empty for a whole bucket).
    pub(crate) fn tables(&self, path: &str) -> Vec<FoundTable> {
        if let Some(table) = self.as_table(path) {
            return vec![table];
        }
        let files = self.files.iter().map(|(name, schema)| FoundTable {
            path: format!("{path}{name}"),
            schema: schema.clone(),
            keys: Vec::new(),
            partitions: Vec::new(),
        });
        let folders = self.folders.iter().flat_map(|(name, folder)| folder.tables(&format!("{path}{name}/")));
        files.chain(folders).collect()
    }

    /// This folder as one table, if all its files are alike and lie equally deep.
    fn as_table(&self, path: &str) -> Option<FoundTable> {
        let depth = self.depth()?;
        let schemas = self.schemas();
        let first = (*schemas.first()?).clone();
        let schema = schemas[1..]
            .iter()
            .try_fold(first, |table, next| table.is_similar(next).then(|| table.merged((*next).clone())))?;
        let mut partitions = Vec::new();
        self.collect_partitions(path, &mut Vec::new(), &mut partitions);
        if depth == 0 {
            partitions.clear();
        }
        let keys = self.keys(depth)?;
        // A file without a name is the target itself.
        let path = if self.files.contains_key("") { path.trim_end_matches('/') } else { path };
        Some(FoundTable { path: path.to_owned(), schema, keys, partitions })
    }

    /// How many folders lie above every file, if it is the same number for all.
    fn depth(&self) -> Option<usize> {
        let mut depths = self.folders.values().map(Self::depth);
        let below = match depths.next() {
            None => return Some(0),
            Some(first) => depths.try_fold(first?, |depth, next| (next? == depth).then_some(depth))?,
        };
        self.files.is_empty().then_some(below + 1)
    }

    fn schemas(&self) -> Vec<&FileSchema> {
        let mut schemas: Vec<&FileSchema> = self.files.values().collect();
        schemas.extend(self.folders.values().flat_map(Self::schemas));
        schemas
    }

    fn collect_partitions(&self, path: &str, values: &mut Vec<String>, found: &mut Vec<FoundPartition>) {
        let schema = self.files.values().cloned().reduce(FileSchema::merged);
        found.extend(schema.map(|schema| FoundPartition { values: values.clone(), path: path.to_owned(), schema }));
        for (name, folder) in &self.folders {
            let value = name.split_once('=').map_or(name.as_str(), |(_, value)| value);
            values.push(decode(value));
            folder.collect_partitions(&format!("{path}{name}/"), values, found);
            values.pop();
        }
    }

    /// The keys of `depth` levels of folders; nothing if a level names several keys.
    fn keys(&self, depth: usize) -> Option<Vec<String>> {
        let mut level: Vec<&Self> = vec![self];
        let mut keys: Vec<String> = Vec::new();
        for index in 0..depth {
            let mut names = level.iter().flat_map(|folder| folder.folders.keys()).map(|name| key_of(name));
            let first = names.next()?;
            if names.any(|name| name != first) {
                return None;
            }
            let key = first.unwrap_or_else(|| format!("partition_{index}"));
            if keys.contains(&key) {
                return None;
            }
            keys.push(key);
            level = level.into_iter().flat_map(|folder| folder.folders.values()).collect();
        }
        Some(keys)
    }
}

fn key_of(folder: &str) -> Option<String> {
    folder.split_once('=').map(|(key, _)| decode(key).to_lowercase()).filter(|key| !key.is_empty())
}

/// Hive escapes signs in the folders of partitions as `%3A`.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Column, Format, HiveType};

    fn file(columns: &[&str]) -> FileSchema {
        let columns = columns.iter().map(|name| Column { name: (*name).into(), kind: HiveType::Int }).collect();
        FileSchema { format: Format::Json, columns, gzip: false, files: 1, bytes: 10, records: 1 }
    }

    fn tables(files: &[(&str, &[&str])]) -> Vec<(String, Vec<String>, Vec<Vec<String>>)> {
        let mut root = Folder::default();
        files.iter().for_each(|(path, columns)| root.add(path, file(columns)));
        let tables = root.tables("data/").into_iter();
        tables.map(|t| (t.path, t.keys, t.partitions.into_iter().map(|p| p.values).collect())).collect()
    }

    #[test]
    fn hive_folders_are_partitions() {
        let found = tables(&[("year=2013/month=1/a", &["x"]), ("year=2013/month=2/b", &["x"])]);
        let values = vec![vec!["2013".to_owned(), "1".to_owned()], vec!["2013".to_owned(), "2".to_owned()]];
        assert_eq!(found, [("data/".to_owned(), vec!["year".to_owned(), "month".to_owned()], values)]);
    }

    #[test]
    fn plain_folders_of_one_schema_are_positional_partitions() {
        let found = tables(&[("2013/01/a", &["x"]), ("2013/02/b", &["x"])]);
        assert_eq!(found[0].1, ["partition_0", "partition_1"]);
        assert_eq!(found[0].2.len(), 2);
    }

    #[test]
    fn different_folders_are_different_tables() {
        let found = tables(&[("flights/a", &["x"]), ("weather/b", &["y"]), ("weather/c", &["y"])]);
        let paths: Vec<&str> = found.iter().map(|table| table.0.as_str()).collect();
        assert_eq!(paths, ["data/flights/", "data/weather/"]);
        assert!(found.iter().all(|table| table.1.is_empty() && table.2.is_empty()));
    }

    #[test]
    fn different_files_in_one_folder_are_tables_of_their_own() {
        let found = tables(&[("a.json", &["x"]), ("b.json", &["y"])]);
        assert_eq!(found.iter().map(|table| table.0.as_str()).collect::<Vec<_>>(), ["data/a.json", "data/b.json"]);
    }

    #[test]
    fn files_of_different_depth_are_not_one_table() {
        assert_eq!(tables(&[("a", &["x"]), ("sub/b", &["x"])]).len(), 2);
        assert_eq!(tables(&[("x=1/a", &["x"]), ("y=1/b", &["x"])]).len(), 2);
    }

    #[test]
    fn escaped_values_are_read() {
        assert_eq!(decode("10%3A30"), "10:30");
        assert_eq!(decode("100%"), "100%");
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(Folder::default().tables("data/").is_empty());
    }
}
