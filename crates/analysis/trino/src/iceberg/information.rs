//! What a table's metadata says of itself, as tables: `"t$history"`, `"t$snapshots"`, `"t$files"` and their kin.

mod cells;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use boathouse_iceberg::Datum;
use boathouse_iceberg::manifest::{DataContent, DataFile, ManifestFile};
use boathouse_iceberg::metadata::{PartitionColumn, RefKind, TableMetadata};
use boathouse_iceberg::schema::{NestedField, PrimitiveType};
use boathouse_iceberg::table::Table;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::{RowField, Type};

use self::cells::Cell;
use super::of_iceberg;
use super::types::of_primitive;
use crate::scan::Rows;

/// A table about a table.
#[derive(Debug)]
pub(crate) struct Information {
    kind: Kind,
    table: Arc<Table>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    History,
    MetadataLogEntries,
    Snapshots,
    Manifests,
    Partitions,
    Files,
    Refs,
    Properties,
}

impl Kind {
    fn named(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "history" => Self::History,
            "metadata_log_entries" => Self::MetadataLogEntries,
            "snapshots" => Self::Snapshots,
            "manifests" => Self::Manifests,
            "partitions" => Self::Partitions,
            "files" => Self::Files,
            "refs" => Self::Refs,
            "properties" => Self::Properties,
            _ => return None,
        })
    }
}

const INSTANT: Type = Type::TimestampTz(3);

fn columns_of(list: &[(&str, Type)]) -> Vec<(String, Type)> {
    list.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect()
}

fn row(fields: impl IntoIterator<Item = (String, Type)>) -> Type {
    Type::Row(fields.into_iter().map(|(name, ty)| RowField { name: Some(name), ty }).collect())
}

fn by_field(value: Type) -> Type {
    Type::map(Type::Integer, value)
}

impl Information {
    /// The table of that suffix; none if there is none of that name.
    pub(crate) fn named(suffix: &str, table: Arc<Table>) -> Option<Self> {
        Some(Self { kind: Kind::named(suffix)?, table })
    }

    /// The columns, as Trino's connector has them.
    pub(crate) fn columns(&self) -> Vec<(String, Type)> {
        let text = || Type::VARCHAR;
        match self.kind {
            Kind::History => columns_of(&[
                ("made_current_at", INSTANT),
                ("snapshot_id", Type::Bigint),
                ("parent_id", Type::Bigint),
                ("is_current_ancestor", Type::Boolean),
            ]),
            Kind::MetadataLogEntries => columns_of(&[
                ("timestamp", INSTANT),
                ("file", text()),
                ("latest_snapshot_id", Type::Bigint),
                ("latest_schema_id", Type::Integer),
                ("latest_sequence_number", Type::Bigint),
            ]),
            Kind::Snapshots => columns_of(&[
                ("committed_at", INSTANT),
                ("snapshot_id", Type::Bigint),
                ("parent_id", Type::Bigint),
                ("operation", text()),
                ("manifest_list", text()),
                ("summary", Type::map(text(), text())),
            ]),
            Kind::Manifests => columns_of(&[
                ("path", text()),
                ("length", Type::Bigint),
                ("partition_spec_id", Type::Integer),
                ("added_snapshot_id", Type::Bigint),
                ("added_data_files_count", Type::Integer),
                ("added_rows_count", Type::Bigint),
                ("existing_data_files_count", Type::Integer),
                ("existing_rows_count", Type::Bigint),
                ("deleted_data_files_count", Type::Integer),
                ("deleted_rows_count", Type::Bigint),
                ("partition_summaries", Type::array(summary_type())),
            ]),
            Kind::Partitions => self.partition_columns(),
            Kind::Files => columns_of(&[
                ("content", Type::Integer),
                ("file_path", text()),
                ("file_format", text()),
                ("record_count", Type::Bigint),
                ("file_size_in_bytes", Type::Bigint),
                ("column_sizes", by_field(Type::Bigint)),
                ("value_counts", by_field(Type::Bigint)),
                ("null_value_counts", by_field(Type::Bigint)),
                ("nan_value_counts", by_field(Type::Bigint)),
                ("lower_bounds", by_field(text())),
                ("upper_bounds", by_field(text())),
                ("key_metadata", Type::Varbinary),
                ("split_offsets", Type::array(Type::Bigint)),
                ("equality_ids", Type::array(Type::Integer)),
            ]),
            Kind::Refs => columns_of(&[
                ("name", text()),
                ("type", text()),
                ("snapshot_id", Type::Bigint),
                ("max_reference_age_in_ms", Type::Bigint),
                ("min_snapshots_to_keep", Type::Integer),
                ("max_snapshot_age_in_ms", Type::Bigint),
            ]),
            Kind::Properties => columns_of(&[("key", text()), ("value", text())]),
        }
    }

    fn metadata(&self) -> &TableMetadata {
        self.table.metadata()
    }

    /// The columns of single values.
    fn measured(&self) -> Vec<(&NestedField, PrimitiveType)> {
        let fields = self.metadata().current_schema().fields.iter();
        fields.filter_map(|field| Some((field, field.ty.primitive()?))).collect()
    }

    /// All partition fields that the table has ever had, each once.
    fn partition_fields(&self) -> Vec<PartitionColumn> {
        let mut all: BTreeMap<i32, PartitionColumn> = BTreeMap::new();
        for spec in &self.metadata().partition_specs {
            for column in self.metadata().partition_columns(spec).unwrap_or_default() {
                all.insert(column.field_id, column);
            }
        }
        all.into_values().collect()
    }

    fn partition_columns(&self) -> Vec<(String, Type)> {
        let mut columns = Vec::new();
        let fields = self.partition_fields();
        if !fields.is_empty() {
            let fields = fields.into_iter().map(|field| (field.name, of_primitive(field.ty)));
            columns.push(("partition".to_owned(), row(fields)));
        }
        columns.extend(columns_of(&[
            ("record_count", Type::Bigint),
            ("file_count", Type::Bigint),
            ("total_size", Type::Bigint),
        ]));
        let measures = self.measured().into_iter().map(|(field, ty)| {
            let ty = of_primitive(ty);
            let parts = [("min", ty.clone()), ("max", ty), ("null_count", Type::Bigint), ("nan_count", Type::Bigint)];
            (field.name.to_lowercase(), row(parts.map(|(name, ty)| (name.to_owned(), ty))))
        });
        let measures: Vec<_> = measures.collect();
        if !measures.is_empty() {
            columns.push(("data".to_owned(), row(measures)));
        }
        columns
    }

    async fn cells(&self) -> Result<Vec<Vec<Cell>>, TrinoError> {
        match self.kind {
            Kind::History => Ok(self.history()),
            Kind::MetadataLogEntries => Ok(self.metadata_log_entries()),
            Kind::Snapshots => Ok(self.snapshots()),
            Kind::Refs => Ok(self.refs()),
            Kind::Properties => Ok(self.properties()),
            Kind::Manifests => self.manifests().await,
            Kind::Files => Ok(self.files().await?.iter().map(|file| self.file(file)).collect()),
            Kind::Partitions => Ok(self.partitions(&self.files().await?)),
        }
    }

    fn history(&self) -> Vec<Vec<Cell>> {
        let metadata = self.metadata();
        let current = metadata.current_snapshot_id;
        let ancestors: Vec<i64> = current.iter().flat_map(|id| metadata.ancestors(*id)).map(|s| s.snapshot_id).collect();
        let entry = |entry: &boathouse_iceberg::metadata::SnapshotLogEntry| {
            let parent = metadata.snapshot(entry.snapshot_id).and_then(|snapshot| snapshot.parent_snapshot_id);
            vec![
                Cell::Instant(entry.timestamp_ms),
                Cell::Int(entry.snapshot_id),
                Cell::from(parent),
                Cell::Boolean(ancestors.contains(&entry.snapshot_id)),
            ]
        };
        metadata.snapshot_log.iter().map(entry).collect()
    }

    fn metadata_log_entries(&self) -> Vec<Vec<Cell>> {
        let metadata = self.metadata();
        let earlier = metadata.metadata_log.iter().map(|entry| (entry.timestamp_ms, entry.metadata_file.as_str()));
        let all = earlier.chain([(metadata.last_updated_ms, self.table.metadata_location())]);
        let row = |(time, file): (i64, &str)| {
            let latest = metadata.select(&boathouse_iceberg::metadata::SnapshotSelector::AsOf(time));
            vec![
                Cell::Instant(time),
                Cell::text(file),
                Cell::from(latest.map(|snapshot| snapshot.snapshot_id)),
                Cell::from(latest.and_then(|snapshot| snapshot.schema_id).map(i64::from)),
                Cell::from(latest.map(|snapshot| snapshot.sequence_number)),
            ]
        };
        all.map(row).collect()
    }

    fn snapshots(&self) -> Vec<Vec<Cell>> {
        let row = |snapshot: &boathouse_iceberg::metadata::Snapshot| {
            let summary = &snapshot.summary.properties;
            vec![
                Cell::Instant(snapshot.timestamp_ms),
                Cell::Int(snapshot.snapshot_id),
                Cell::from(snapshot.parent_snapshot_id),
                Cell::text(snapshot.summary.operation.name()),
                Cell::text(&snapshot.manifest_list),
                Cell::Map(summary.iter().map(|(name, value)| (Cell::text(name), Cell::text(value))).collect()),
            ]
        };
        self.metadata().snapshots.iter().map(row).collect()
    }

    fn refs(&self) -> Vec<Vec<Cell>> {
        let row = |(name, reference): (&String, &boathouse_iceberg::metadata::SnapshotReference)| {
            let kind = if reference.kind == RefKind::Branch { "BRANCH" } else { "TAG" };
            vec![
                Cell::text(name),
                Cell::text(kind),
                Cell::Int(reference.snapshot_id),
                Cell::from(reference.max_ref_age_ms),
                Cell::from(reference.min_snapshots_to_keep.map(i64::from)),
                Cell::from(reference.max_snapshot_age_ms),
            ]
        };
        self.metadata().refs.iter().map(row).collect()
    }

    fn properties(&self) -> Vec<Vec<Cell>> {
        self.metadata().properties.iter().map(|(key, value)| vec![Cell::text(key), Cell::text(value)]).collect()
    }

    async fn manifests(&self) -> Result<Vec<Vec<Cell>>, TrinoError> {
        let Some(snapshot) = self.metadata().current_snapshot() else { return Ok(Vec::new()) };
        let manifests = self.table.manifests(snapshot).await.map_err(of_iceberg)?;
        manifests.iter().map(|manifest| self.manifest(manifest).map_err(of_iceberg)).collect()
    }

    fn manifest(&self, manifest: &ManifestFile) -> boathouse_iceberg::Result<Vec<Cell>> {
        let columns = self.table.partition_columns(manifest.partition_spec_id)?;
        let summaries = manifest.partitions.iter().zip(&columns).map(|(summary, column)| {
            let bound = |bytes: &Option<Vec<u8>>| {
                let value = bytes.as_ref().and_then(|bytes| Datum::from_bytes(bytes, column.ty));
                value.map_or(Cell::Null, |value| Cell::Text(column.transform.shown(Some(&value))))
            };
            Cell::Row(vec![
                Cell::Boolean(summary.contains_null),
                summary.contains_nan.map_or(Cell::Null, Cell::Boolean),
                bound(&summary.lower_bound),
                bound(&summary.upper_bound),
            ])
        });
        Ok(vec![
            Cell::text(&manifest.manifest_path),
            Cell::Int(manifest.manifest_length),
            Cell::Int(manifest.partition_spec_id.into()),
            Cell::Int(manifest.added_snapshot_id),
            Cell::Int(manifest.added_files_count.into()),
            Cell::Int(manifest.added_rows_count),
            Cell::Int(manifest.existing_files_count.into()),
            Cell::Int(manifest.existing_rows_count),
            Cell::Int(manifest.deleted_files_count.into()),
            Cell::Int(manifest.deleted_rows_count),
            Cell::Array(summaries.collect()),
        ])
    }

    async fn files(&self) -> Result<Vec<DataFile>, TrinoError> {
        let Some(snapshot) = self.metadata().current_snapshot() else { return Ok(Vec::new()) };
        let entries = self.table.live_entries(snapshot).await.map_err(of_iceberg)?;
        Ok(entries.into_iter().map(|entry| entry.data_file).collect())
    }

    fn file(&self, file: &DataFile) -> Vec<Cell> {
        let schema = self.metadata().current_schema();
        let bounds = |map: &BTreeMap<i32, Vec<u8>>| {
            let bound = |(id, bytes): (&i32, &Vec<u8>)| {
                let ty = schema.type_of(*id)?.primitive()?;
                Some((Cell::Int((*id).into()), Cell::Text(Datum::from_bytes(bytes, ty)?.to_string())))
            };
            Cell::Map(map.iter().filter_map(bound).collect())
        };
        let counts = |map: &BTreeMap<i32, i64>| {
            if map.is_empty() {
                return Cell::Null;
            }
            Cell::Map(map.iter().map(|(id, count)| (Cell::Int((*id).into()), Cell::Int(*count))).collect())
        };
        let list = |items: Vec<Cell>| if items.is_empty() { Cell::Null } else { Cell::Array(items) };
        let content = match file.content {
            DataContent::Data => 0,
            DataContent::PositionDeletes => 1,
            DataContent::EqualityDeletes => 2,
        };
        vec![
            Cell::Int(content),
            Cell::text(&file.file_path),
            Cell::text(file.file_format.name()),
            Cell::Int(file.record_count),
            Cell::Int(file.file_size_in_bytes),
            counts(&file.column_sizes),
            counts(&file.value_counts),
            counts(&file.null_value_counts),
            counts(&file.nan_value_counts),
            bounds(&file.lower_bounds),
            bounds(&file.upper_bounds),
            file.key_metadata.clone().map_or(Cell::Null, |bytes| Cell::Value(Datum::Binary(bytes))),
            list(file.split_offsets.iter().map(|offset| Cell::Int(*offset)).collect()),
            list(file.equality_ids.iter().map(|id| Cell::Int((*id).into())).collect()),
        ]
    }

    /// A row for each partition that has files of rows.
    fn partitions(&self, files: &[DataFile]) -> Vec<Vec<Cell>> {
        let mut groups: BTreeMap<String, Vec<&DataFile>> = BTreeMap::new();
        for file in files.iter().filter(|file| file.content == DataContent::Data) {
            groups.entry(format!("{} {:?}", file.spec_id, file.partition)).or_default().push(file);
        }
        let fields = self.partition_fields();
        let row = |files: Vec<&DataFile>| {
            let mut cells = Vec::new();
            if !fields.is_empty() {
                cells.push(Cell::Row(fields.iter().map(|field| self.partition_value(files[0], field)).collect()));
            }
            cells.push(Cell::Int(files.iter().map(|file| file.record_count).sum()));
            cells.push(Cell::Int(files.len() as i64));
            cells.push(Cell::Int(files.iter().map(|file| file.file_size_in_bytes).sum()));
            let measured = self.measured();
            if !measured.is_empty() {
                cells.push(Cell::Row(measured.iter().map(|(field, ty)| measure(&files, field.id, *ty)).collect()));
            }
            cells
        };
        groups.into_values().map(row).collect()
    }

    fn partition_value(&self, file: &DataFile, field: &PartitionColumn) -> Cell {
        let spec = self.metadata().spec(file.spec_id);
        let place = spec.and_then(|spec| spec.fields.iter().position(|known| known.field_id == field.field_id));
        let value = place.and_then(|place| file.partition.get(place).cloned().flatten());
        value.map_or(Cell::Null, |value| Cell::Value(value.promoted(field.ty)))
    }
}

fn summary_type() -> Type {
    let fields = [
        ("contains_null", Type::Boolean),
        ("contains_nan", Type::Boolean),
        ("lower_bound", Type::VARCHAR),
        ("upper_bound", Type::VARCHAR),
    ];
    row(fields.map(|(name, ty)| (name.to_owned(), ty)))
}

/// What files say of a column together; what one doesn't say isn't known of all.
fn measure(files: &[&DataFile], id: i32, ty: PrimitiveType) -> Cell {
    use std::cmp::Ordering::{Greater, Less};
    let best = |bounds: &dyn Fn(&DataFile) -> Option<Datum>, better| {
        let mut found: Option<Datum> = None;
        for file in files {
            // A file without any value has no bounds, and changes nothing.
            let only_nulls = file.null_value_counts.get(&id) == file.value_counts.get(&id) && file.value_counts.contains_key(&id);
            match bounds(file) {
                None if only_nulls => {}
                None => return Cell::Null,
                Some(value) => {
                    if found.as_ref().is_none_or(|found| value.compare(found) == Some(better)) {
                        found = Some(value);
                    }
                }
            }
        }
        found.map_or(Cell::Null, Cell::Value)
    };
    let sum = |counts: &dyn Fn(&DataFile) -> Option<i64>| {
        files.iter().map(|file| counts(file)).sum::<Option<i64>>().map_or(Cell::Null, Cell::Int)
    };
    Cell::Row(vec![
        best(&|file| file.lower_bound(id, ty), Less),
        best(&|file| file.upper_bound(id, ty), Greater),
        sum(&|file| file.null_value_counts.get(&id).copied()),
        sum(&|file| file.nan_value_counts.get(&id).copied()),
    ])
}

#[async_trait]
impl Rows for Information {
    fn schema(&self) -> SchemaRef {
        let fields = self.columns().into_iter().map(|(name, ty)| Field::new(name, ty.to_arrow(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    async fn rows(&self) -> Result<RecordBatch, TrinoError> {
        let rows = self.cells().await?;
        let count = rows.len();
        let columns = self.columns();
        let mut cells: Vec<Vec<Cell>> = columns.iter().map(|_| Vec::with_capacity(count)).collect();
        for row in rows {
            row.into_iter().zip(&mut cells).for_each(|(cell, column)| column.push(cell));
        }
        let arrays = cells.into_iter().zip(&columns).map(|(cells, (_, ty))| cells::array(cells, ty));
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new_with_options(self.schema(), arrays, &options)?)
    }
}
