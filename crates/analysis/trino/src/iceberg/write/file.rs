//! A data file while it is written.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use boathouse_iceberg::manifest::DataFile;
use boathouse_iceberg::schema::Schema;
use boathouse_trino_functions::error::TrinoError;
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use parquet::file::properties::WriterProperties;

use super::super::metrics;
use crate::error::internal;
use crate::write::{Compression, PART, of_parquet, parquet_codec};

/// A file of one partition.
pub(super) struct Writing {
    file: DataFile,
    writer: AsyncArrowWriter<BufWriter>,
}

impl Writing {
    pub(super) fn begin(
        file: DataFile,
        schema: SchemaRef,
        compression: Compression,
        store: &Arc<dyn ObjectStore>,
        key: &str,
    ) -> Result<Self, TrinoError> {
        let path = Path::parse(key).map_err(|error| internal(error.to_string()))?;
        let upload = BufWriter::with_capacity(Arc::clone(store), path, PART).with_max_concurrency(2);
        let properties = WriterProperties::builder().set_compression(parquet_codec(compression)?).build();
        let writer = AsyncArrowWriter::try_new(upload, schema, Some(properties)).map_err(of_parquet)?;
        Ok(Self { file, writer })
    }

    pub(super) async fn write(&mut self, rows: &RecordBatch) -> Result<(), TrinoError> {
        self.file.record_count += rows.num_rows() as i64;
        self.writer.write(rows).await.map_err(of_parquet)
    }

    /// About how large the file would be if it ended here, in bytes.
    pub(super) fn size(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// How many bytes wait in memory.
    pub(super) fn memory(&self) -> usize {
        self.writer.memory_size() + PART
    }

    pub(super) async fn flush(&mut self) -> Result<(), TrinoError> {
        self.writer.flush().await.map_err(of_parquet)
    }

    /// Ends the file, which is visible then, and describes it.
    pub(super) async fn finish(mut self, schema: &Schema) -> Result<DataFile, TrinoError> {
        let metadata = self.writer.finish().await.map_err(of_parquet)?;
        let mut file = self.file;
        file.file_size_in_bytes = self.writer.bytes_written() as i64;
        metrics::measure(&mut file, &metadata, schema);
        Ok(file)
    }
}
