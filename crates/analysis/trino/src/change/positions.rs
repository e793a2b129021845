//! Rows that go, by their places, and the files that say so ("Position Delete Files").

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use boathouse_iceberg::files::Files;
use boathouse_iceberg::manifest::{DataContent, DataFile, FileFormat};
use boathouse_iceberg::schema::{NestedField, PrimitiveType};
use boathouse_iceberg::table::{DELETE_FILE_PATH, DELETE_FILE_POS};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::execution::memory_pool::MemoryReservation;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use crate::error::{internal, of_datafusion};
use crate::iceberg::types::file_field;
use crate::iceberg::write::Rows;
use crate::write::{Compression, of_parquet, parquet_codec};

/// How many places are written at a time.
const PIECE: usize = 8192;

/// Places of rows, by the file that they are in.
#[derive(Debug)]
pub(crate) struct Gone {
    files: HashMap<String, Vec<i64>>,
    count: usize,
    reservation: MemoryReservation,
}

impl Gone {
    pub(crate) fn new(reservation: MemoryReservation) -> Self {
        Self { files: HashMap::new(), count: 0, reservation }
    }

    /// Adds rows; those without a file are none.
    pub(super) fn add(&mut self, paths: &ArrayRef, positions: &ArrayRef) -> Result<(), TrinoError> {
        let (paths, positions) = (as_type(paths, &DataType::Utf8)?, as_type(positions, &DataType::Int64)?);
        let paths = paths.as_any().downcast_ref::<StringArray>();
        let positions = positions.as_any().downcast_ref::<Int64Array>();
        let (Some(paths), Some(positions)) = (paths, positions) else {
            return Err(internal("the places of rows have other types"));
        };
        for row in (0..paths.len()).filter(|row| paths.is_valid(*row)) {
            let path = paths.value(row);
            match self.files.get_mut(path) {
                Some(places) => places.push(positions.value(row)),
                None => {
                    self.files.insert(path.to_owned(), vec![positions.value(row)]);
                }
            }
            self.count += 1;
        }
        self.reservation.try_resize(self.count * size_of::<i64>()).map_err(of_datafusion)
    }

    /// All that was added so far; nothing stays.
    pub(super) fn emptied(&mut self) -> Self {
        let (files, count) = (std::mem::take(&mut self.files), std::mem::take(&mut self.count));
        Self { files, count, reservation: self.reservation.take() }
    }

    /// The places in order.
    ///
    /// # Errors
    /// MERGE_TARGET_ROW_MULTIPLE_MATCHES: a row would go twice.
    pub(crate) fn sorted(self) -> Result<BTreeMap<String, Vec<i64>>, TrinoError> {
        let mut files = BTreeMap::new();
        for (path, mut places) in self.files {
            places.sort_unstable();
            if places.windows(2).any(|pair| pair[0] == pair[1]) {
                let message = "One MERGE target table row matched more than one source row";
                return Err(TrinoError::new(ErrorCode::MergeTargetRowMultipleMatches, message));
            }
            files.insert(path, places);
        }
        Ok(files)
    }
}

fn as_type(array: &ArrayRef, ty: &DataType) -> Result<ArrayRef, TrinoError> {
    if array.data_type() == ty {
        Ok(Arc::clone(array))
    } else {
        cast(array, ty).map_err(|error| internal(error.to_string()))
    }
}

/// Writes a file that says which rows of a data file are deleted.
///
/// # Errors
/// It can't be written.
pub(super) async fn write_deletes(
    files: &dyn Files,
    location: String,
    (file_format, compression): (FileFormat, Compression),
    data_file: &DataFile,
    places: &[i64],
) -> Result<DataFile, TrinoError> {
    let content = encoded(file_format, compression, &data_file.file_path, places)?;
    let file_size_in_bytes = content.len() as i64;
    boathouse_iceberg::files::write(files, &location, content).await.map_err(|error| match error {
        boathouse_iceberg::Error::Store(error) => crate::error::of_object_store(&error),
        other => internal(other.to_string()),
    })?;
    let bound = |place: Option<&i64>| {
        let place = place.copied().unwrap_or_default().to_le_bytes().to_vec();
        BTreeMap::from([(DELETE_FILE_PATH, data_file.file_path.clone().into_bytes()), (DELETE_FILE_POS, place)])
    };
    Ok(DataFile {
        content: DataContent::PositionDeletes,
        file_path: location,
        file_format,
        spec_id: data_file.spec_id,
        partition: data_file.partition.clone(),
        record_count: places.len() as i64,
        file_size_in_bytes,
        lower_bounds: bound(places.first()),
        upper_bounds: bound(places.last()),
        referenced_data_file: Some(data_file.file_path.clone()),
        ..DataFile::default()
    })
}

fn encoded(format: FileFormat, compression: Compression, path: &str, places: &[i64]) -> Result<Vec<u8>, TrinoError> {
    let columns = [
        NestedField::required(DELETE_FILE_PATH, "file_path", PrimitiveType::String),
        NestedField::required(DELETE_FILE_POS, "pos", PrimitiveType::Long),
    ];
    let schema = Arc::new(Schema::new(columns.iter().map(file_field).collect::<Vec<_>>()));
    let pieces = places.chunks(PIECE).map(|piece| -> Result<RecordBatch, TrinoError> {
        let paths: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(path, piece.len())));
        let positions: ArrayRef = Arc::new(Int64Array::from(piece.to_vec()));
        Ok(RecordBatch::try_new(Arc::clone(&schema), vec![paths, positions])?)
    });
    if format == FileFormat::Parquet {
        let properties = WriterProperties::builder().set_compression(parquet_codec(compression)?).build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties));
        let mut writer = writer.map_err(of_parquet)?;
        for piece in pieces {
            writer.write(&piece?).map_err(of_parquet)?;
        }
        return writer.into_inner().map_err(of_parquet);
    }
    let (mut rows, mut content) = (Rows::new(format, &columns, compression)?, Vec::new());
    for piece in pieces {
        content.extend(rows.write(&piece?)?);
    }
    content.extend(rows.finish()?.0);
    Ok(content)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn gone(rows: &[(Option<&str>, i64)]) -> Result<BTreeMap<String, Vec<i64>>, TrinoError> {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 20));
        let mut gone = Gone::new(MemoryConsumer::new("test").register(&pool));
        let paths: ArrayRef = Arc::new(rows.iter().map(|(path, _)| *path).collect::<StringArray>());
        let places: ArrayRef = Arc::new(rows.iter().map(|(_, place)| *place).collect::<Int64Array>());
        gone.add(&paths, &places)?;
        gone.sorted()
    }

    #[test]
    fn places_are_sorted_and_stand_there_once() {
        let files = gone(&[(Some("b"), 3), (Some("a"), 9), (None, 0), (Some("b"), 1)]).unwrap();
        assert_eq!(files.into_iter().collect::<Vec<_>>(), [("a".to_owned(), vec![9]), ("b".to_owned(), vec![1, 3])]);
        let error = gone(&[(Some("a"), 1), (Some("b"), 1), (Some("a"), 1)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row matched more than one source row"
        );
    }

    #[test]
    fn files_of_deletes_have_the_specifications_columns() {
        let places: Vec<i64> = (0..20_000).collect();
        let path = "s3://lake/t/data/a.parquet";
        let content = encoded(FileFormat::Parquet, Compression::Zstd, path, &places).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(content)).unwrap();
        let columns = reader.parquet_schema().root_schema().get_fields().to_vec();
        let ids: Vec<_> = columns.iter().map(|field| (field.name().to_owned(), field.get_basic_info().id())).collect();
        assert_eq!(ids, [("file_path".to_owned(), DELETE_FILE_PATH), ("pos".to_owned(), DELETE_FILE_POS)]);
        let rows: usize = reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, 20_000);
        for (format, compression) in [(FileFormat::Orc, Compression::Zlib), (FileFormat::Avro, Compression::Deflate)] {
            let content = encoded(format, compression, path, &places).unwrap();
            let read = crate::scan::whole(format, content.into()).unwrap();
            assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), 20_000);
            assert!(read[0].schema_ref().field(1).metadata().values().any(|id| *id == DELETE_FILE_POS.to_string()));
        }
    }
}
