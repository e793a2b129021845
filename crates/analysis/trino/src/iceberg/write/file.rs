//! A data file while it is written.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use boathouse_iceberg::manifest::{DataFile, FileFormat};
use boathouse_iceberg::schema::{NestedField, Schema};
use boathouse_trino_functions::error::TrinoError;
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use parquet::file::properties::WriterProperties;
use tokio::io::AsyncWriteExt;

use super::super::metrics;
use super::rows::Rows;
use crate::error::{internal, of_object_store};
use crate::write::{Compression, PART, of_io, of_parquet, parquet_codec};

/// A file of one partition.
pub(super) struct Writing {
    file: DataFile,
    content: Content,
}

enum Content {
    Parquet(Box<AsyncArrowWriter<BufWriter>>),
    Other { rows: Rows, upload: Box<BufWriter>, written: u64 },
}

/// The table's columns, and the same as data files hold them.
pub(super) struct Columns<'a> {
    pub(super) fields: &'a [NestedField],
    pub(super) schema: &'a SchemaRef,
}

impl Writing {
    pub(super) fn begin(
        file: DataFile,
        columns: &Columns<'_>,
        compression: Compression,
        store: &Arc<dyn ObjectStore>,
        key: &str,
    ) -> Result<Self, TrinoError> {
        let path = Path::parse(key).map_err(|error| internal(error.to_string()))?;
        let upload = BufWriter::with_capacity(Arc::clone(store), path, PART).with_max_concurrency(2);
        let content = match file.file_format {
            FileFormat::Parquet => {
                let properties = WriterProperties::builder().set_compression(parquet_codec(compression)?).build();
                let writer = AsyncArrowWriter::try_new(upload, Arc::clone(columns.schema), Some(properties));
                Content::Parquet(Box::new(writer.map_err(of_parquet)?))
            }
            other => {
                let rows = Rows::new(other, columns.fields, compression)?;
                Content::Other { rows, upload: Box::new(upload), written: 0 }
            }
        };
        Ok(Self { file, content })
    }

    pub(super) async fn write(&mut self, stored: &RecordBatch) -> Result<(), TrinoError> {
        self.file.record_count += stored.num_rows() as i64;
        match &mut self.content {
            Content::Parquet(writer) => writer.write(stored).await.map_err(of_parquet),
            Content::Other { rows, upload, written } => put(upload, written, rows.write(stored)?).await,
        }
    }

    /// About how large the file would be if it ended here, in bytes.
    pub(super) fn size(&self) -> u64 {
        match &self.content {
            Content::Parquet(writer) => (writer.bytes_written() + writer.in_progress_size()) as u64,
            Content::Other { rows, written, .. } => *written + rows.memory() as u64,
        }
    }

    /// How many bytes wait in memory.
    pub(super) fn memory(&self) -> usize {
        match &self.content {
            Content::Parquet(writer) => writer.memory_size() + PART,
            Content::Other { rows, .. } => rows.memory() + PART,
        }
    }

    pub(super) async fn flush(&mut self) -> Result<(), TrinoError> {
        match &mut self.content {
            Content::Parquet(writer) => writer.flush().await.map_err(of_parquet),
            Content::Other { rows, upload, written } => put(upload, written, rows.flush()?).await,
        }
    }

    /// Ends the file, which is visible then, and describes it.
    pub(super) async fn finish(self, schema: &Schema) -> Result<DataFile, TrinoError> {
        let mut file = self.file;
        match self.content {
            Content::Parquet(mut writer) => {
                let metadata = writer.finish().await.map_err(of_parquet)?;
                file.file_size_in_bytes = writer.bytes_written() as i64;
                metrics::measure(&mut file, &metadata, schema);
            }
            Content::Other { rows, mut upload, mut written } => {
                let (rest, measured) = rows.finish()?;
                put(&mut upload, &mut written, rest).await?;
                upload.shutdown().await.map_err(of_io)?;
                file.file_size_in_bytes = written as i64;
                if let Some(measured) = measured {
                    metrics::measure_orc(&mut file, &measured, schema);
                }
            }
        }
        Ok(file)
    }
}

async fn put(upload: &mut BufWriter, written: &mut u64, bytes: Vec<u8>) -> Result<(), TrinoError> {
    *written += bytes.len() as u64;
    upload.put(bytes.into()).await.map_err(|error| of_object_store(&error))
}
