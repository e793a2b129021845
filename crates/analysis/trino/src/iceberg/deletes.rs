//! Files of deletes: which rows of which files they name.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, Schema};
use arrow::row::{RowConverter, SortField};
use boathouse_iceberg::manifest::DataFile;
use boathouse_iceberg::schema::{NestedField, PrimitiveType};
use boathouse_iceberg::table::{DELETE_FILE_PATH, DELETE_FILE_POS, ScanFile};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::Result as PlanResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;

use super::convert;
use super::types::to_trino;
use crate::error::{of_datafusion, of_object_store, unsupported};
use crate::storage::Location;

/// How many files of deletes are read at the same time.
const CONCURRENCY: usize = 8;

/// Opens the store that holds a location.
type Open<'a> = &'a (dyn Fn(&Location) -> Result<Arc<dyn ObjectStore>, TrinoError> + Sync);

fn bad(file: &DataFile, what: impl fmt::Display) -> TrinoError {
    TrinoError::new(ErrorCode::IcebergBadData, format!("The file of deletes {} can't be read: {what}", file.file_path))
}

async fn batches(file: &DataFile, open: Open<'_>) -> Result<Vec<RecordBatch>, TrinoError> {
    let location = Location::parse(&file.file_path)?;
    let read = open(&location)?.get(&location.prefix).await.map_err(|error| of_object_store(&error))?;
    let bytes = read.bytes().await.map_err(|error| of_object_store(&error))?;
    crate::scan::whole(file.file_format, bytes).map_err(|error| bad(file, error))
}

async fn read_one<'a>(file: &'a DataFile, open: Open<'_>) -> Result<(&'a DataFile, Vec<RecordBatch>), TrinoError> {
    Ok((file, batches(file, open).await?))
}

fn column(batch: &RecordBatch, wanted: &NestedField) -> Option<ArrayRef> {
    let place = convert::place(batch.schema_ref().fields(), wanted)?;
    convert::read(batch.column(place), &wanted.ty).ok()
}

/// The places of deleted rows by the path of their file.
#[derive(Debug, Default)]
pub(crate) struct Positions(HashMap<String, BTreeSet<u64>>);

impl Positions {
    /// Reads all files of position deletes that apply to some files, each once.
    pub(crate) async fn read(files: &[ScanFile], open: Open<'_>) -> Result<Self, TrinoError> {
        let mut all: HashMap<&str, &DataFile> = HashMap::new();
        for delete in files.iter().flat_map(|file| &file.position_deletes) {
            all.insert(&delete.file_path, delete);
        }
        let wanted: HashSet<&str> = files.iter().map(|file| file.data_file.file_path.as_str()).collect();
        let mut positions = Self::default();
        let reads: Vec<_> = all.into_values().map(|file| read_one(file, open)).collect();
        let mut read = futures::stream::iter(reads).buffer_unordered(CONCURRENCY);
        while let Some((file, batches)) = read.try_next().await? {
            for batch in batches {
                positions.add(&batch, &wanted).ok_or_else(|| bad(file, "it lacks file_path and pos"))?;
            }
        }
        Ok(positions)
    }

    fn add(&mut self, batch: &RecordBatch, wanted: &HashSet<&str>) -> Option<()> {
        let paths = column(batch, &NestedField::required(DELETE_FILE_PATH, "file_path", PrimitiveType::String))?;
        let places = column(batch, &NestedField::required(DELETE_FILE_POS, "pos", PrimitiveType::Long))?;
        let (paths, places) = (paths.as_string_opt::<i32>()?, places.as_primitive_opt::<Int64Type>()?);
        for (path, place) in paths.iter().zip(places) {
            let (path, place) = (path?, u64::try_from(place?).ok()?);
            if let Some(places) = self.0.get_mut(path) {
                places.insert(place);
            } else if wanted.contains(path) {
                self.0.insert(path.to_owned(), BTreeSet::from([place]));
            }
        }
        Some(())
    }

    /// The deleted rows of a file, in order.
    pub(crate) fn of(&self, path: &str) -> Arc<[u64]> {
        self.0.get(path).map(|places| places.iter().copied().collect()).unwrap_or_default()
    }
}

/// Values of some columns: rows with these values are deleted.
pub(crate) struct Values {
    /// The columns.
    pub(crate) fields: Vec<NestedField>,
    converter: Mutex<RowConverter>,
    deleted: HashSet<Box<[u8]>>,
}

impl Values {
    /// Reads files of equality deletes: one set for each choice of columns.
    pub(crate) async fn read(
        files: &[Arc<DataFile>],
        fields: &[NestedField],
        open: Open<'_>,
    ) -> Result<Vec<Arc<Self>>, TrinoError> {
        let mut choices: Vec<(Vec<i32>, Self)> = Vec::new();
        for file in files {
            let mut ids = file.equality_ids.clone();
            ids.sort_unstable();
            let index = match choices.iter().position(|(known, _)| *known == ids) {
                Some(index) => index,
                None => {
                    choices.push((ids.clone(), Self::new(&ids, fields, file)?));
                    choices.len() - 1
                }
            };
            for batch in batches(file, open).await? {
                choices[index].1.add(&batch, file)?;
            }
        }
        Ok(choices.into_iter().map(|(_, values)| Arc::new(values)).collect())
    }

    fn new(ids: &[i32], fields: &[NestedField], file: &DataFile) -> Result<Self, TrinoError> {
        let field = |id: &i32| {
            let found = fields.iter().find(|field| field.id == *id);
            found.cloned().ok_or_else(|| {
                unsupported(format!("Deletes by nested or dropped columns ({}) are not supported", file.file_path))
            })
        };
        let fields: Vec<NestedField> = ids.iter().map(field).collect::<Result<_, _>>()?;
        let sorted = fields.iter().map(|field| SortField::new(to_trino(&field.ty).to_arrow())).collect();
        let converter = RowConverter::new(sorted).map_err(|error| of_datafusion(error.into()))?;
        Ok(Self { fields, converter: Mutex::new(converter), deleted: HashSet::new() })
    }

    fn add(&mut self, batch: &RecordBatch, file: &DataFile) -> Result<(), TrinoError> {
        let columns =
            self.fields.iter().map(|field| column(batch, field).ok_or_else(|| bad(file, "it lacks a column")));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rows = self.converter.get_mut().convert_columns(&columns).map_err(|error| bad(file, error))?;
        self.deleted.extend(rows.iter().map(|row| row.as_ref().into()));
        Ok(())
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values")
            .field("fields", &self.fields)
            .field("deleted", &self.deleted.len())
            .finish_non_exhaustive()
    }
}

/// Whether a row's values are not among the deleted ones.
#[derive(Debug)]
pub(crate) struct Survives {
    values: Arc<Values>,
    columns: Vec<Arc<dyn PhysicalExpr>>,
}

impl Survives {
    pub(crate) fn new(values: Arc<Values>, columns: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Self { values, columns }
    }
}

impl PartialEq for Survives {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values) && self.columns == other.columns
    }
}

impl Eq for Survives {}

impl Hash for Survives {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.values).hash(state);
        self.columns.hash(state);
    }
}

impl fmt::Display for Survives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.values.fields.iter().map(|field| field.name.as_str()).collect();
        write!(f, "not deleted by ({})", names.join(", "))
    }
}

impl PhysicalExpr for Survives {
    fn data_type(&self, _: &Schema) -> PlanResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _: &Schema) -> PlanResult<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> PlanResult<ColumnarValue> {
        let types = self.values.fields.iter().map(|field| to_trino(&field.ty).to_arrow());
        let column = |(column, ty): (&Arc<dyn PhysicalExpr>, DataType)| {
            let array = column.evaluate(batch)?.into_array(batch.num_rows())?;
            Ok(if *array.data_type() == ty { array } else { cast(&array, &ty)? })
        };
        let columns = self.columns.iter().zip(types).map(column).collect::<PlanResult<Vec<_>>>()?;
        let rows = self.values.converter.lock().convert_columns(&columns)?;
        let survives = rows.iter().map(|row| !self.values.deleted.contains(row.as_ref()));
        Ok(ColumnarValue::Array(Arc::new(survives.map(Some).collect::<BooleanArray>())))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.columns.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, columns: Vec<Arc<dyn PhysicalExpr>>) -> PlanResult<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { values: Arc::clone(&self.values), columns }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
