//! One file while it is written: rows go in, bytes go up in parts.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use tokio::io::AsyncWriteExt;

use super::avro::AvroFile;
use super::orc::OrcFile;
use super::{Compression, WriteFormat, WriteTarget, encode};
use crate::catalog::TextFormat;
use crate::codec::Encoder;
use crate::error::{internal, of_datafusion, of_object_store};

/// The size of the parts of an upload: the least that S3 allows.
pub(crate) const PART: usize = 5 << 20;

/// A file of one of the formats.
pub(super) struct OutputFile {
    path: Path,
    rows: u64,
    content: Content,
}

#[allow(clippy::large_enum_variant, reason = "there is one for each open file, at most a few hundred")]
enum Content {
    Parquet(Box<AsyncArrowWriter<BufWriter>>),
    Avro { file: Box<AvroFile>, upload: BufWriter },
    Orc { file: Box<OrcFile>, upload: BufWriter },
    Lines { text: Option<TextFormat>, types: Vec<Type>, names: Vec<String>, encoder: Encoder, upload: BufWriter },
}

impl OutputFile {
    pub(super) fn open(
        target: &WriteTarget,
        schema: SchemaRef,
        types: Vec<Type>,
        store: &Arc<dyn ObjectStore>,
        path: Path,
    ) -> Result<Self, TrinoError> {
        let upload = BufWriter::with_capacity(Arc::clone(store), path.clone(), PART).with_max_concurrency(2);
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let content = match &target.format {
            WriteFormat::Parquet => {
                let properties =
                    WriterProperties::builder().set_compression(parquet_codec(target.compression)?).build();
                let writer = AsyncArrowWriter::try_new(upload, schema, Some(properties)).map_err(of_parquet)?;
                Content::Parquet(Box::new(writer))
            }
            WriteFormat::Orc => {
                Content::Orc { file: Box::new(OrcFile::new(schema, &names, types, target.compression)?), upload }
            }
            WriteFormat::Avro => Content::Avro { file: Box::new(AvroFile::new(&schema, target.compression)?), upload },
            format => {
                let text = match format {
                    WriteFormat::Text(text) => Some(text.clone()),
                    _ => None,
                };
                let encoder = Encoder::new(target.compression.of_lines()).map_err(of_io)?;
                Content::Lines { text, types, names, encoder, upload }
            }
        };
        Ok(Self { path, rows: 0, content })
    }

    /// How many rows the file has.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many bytes wait in memory.
    pub(super) fn memory(&self) -> usize {
        match &self.content {
            Content::Parquet(writer) => writer.memory_size() + PART,
            Content::Orc { file, .. } => file.memory() + PART,
            Content::Lines { .. } | Content::Avro { .. } => PART,
        }
    }

    pub(super) async fn write(&mut self, rows: &RecordBatch) -> Result<(), TrinoError> {
        self.rows += rows.num_rows() as u64;
        match &mut self.content {
            Content::Parquet(writer) => writer.write(rows).await.map_err(of_parquet),
            Content::Avro { file, upload } => {
                upload.put(file.write(rows)?.into()).await.map_err(|error| of_object_store(&error))
            }
            Content::Orc { file, upload } => {
                upload.put(file.write(rows)?.into()).await.map_err(|error| of_object_store(&error))
            }
            Content::Lines { text, types, names, encoder, upload } => {
                let mut lines = Vec::new();
                for row in 0..rows.num_rows() {
                    match text {
                        Some(format) => encode::text_line(&mut lines, format, rows, row, types),
                        None => encode::json_line(&mut lines, rows, row, types, names)?,
                    }
                }
                encoder.add(&lines).map_err(of_io)?;
                upload.put(encoder.take().into()).await.map_err(|error| of_object_store(&error))
            }
        }
    }

    /// Gives up what waits in memory, as far as the format allows.
    pub(super) async fn flush(&mut self) -> Result<(), TrinoError> {
        match &mut self.content {
            Content::Parquet(writer) => writer.flush().await.map_err(of_parquet),
            Content::Orc { file, upload } => {
                upload.put(file.flush()?.into()).await.map_err(|error| of_object_store(&error))
            }
            Content::Lines { .. } | Content::Avro { .. } => Ok(()),
        }
    }

    /// Ends the file and makes it visible.
    pub(super) async fn close(self) -> Result<Path, TrinoError> {
        match self.content {
            Content::Parquet(mut writer) => {
                writer.finish().await.map_err(of_parquet)?;
            }
            Content::Avro { file, mut upload } => {
                upload.put(file.finish()?.into()).await.map_err(|error| of_object_store(&error))?;
                upload.shutdown().await.map_err(of_io)?;
            }
            Content::Orc { file, mut upload } => {
                upload.put(file.finish()?.into()).await.map_err(|error| of_object_store(&error))?;
                upload.shutdown().await.map_err(of_io)?;
            }
            Content::Lines { encoder, mut upload, .. } => {
                upload.put(encoder.finish().map_err(of_io)?.into()).await.map_err(|error| of_object_store(&error))?;
                upload.shutdown().await.map_err(of_io)?;
            }
        }
        Ok(self.path)
    }
}

/// Parquet's codec of that name, if it has one.
pub(crate) fn parquet_codec(compression: Compression) -> Result<Codec, TrinoError> {
    Ok(match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Gzip => Codec::GZIP(GzipLevel::default()),
        Compression::Zstd => Codec::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()),
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Deflate | Compression::Bzip2 | Compression::Zlib => {
            let message = format!("Writing Parquet with the compression {compression:?} is not supported");
            return Err(TrinoError::new(ErrorCode::NotSupported, message));
        }
    })
}

/// What Parquet's writer says.
pub(crate) fn of_parquet(error: ParquetError) -> TrinoError {
    of_datafusion(error.into())
}

/// What goes wrong with an upload.
pub(crate) fn of_io(error: std::io::Error) -> TrinoError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<object_store::Error>()) {
        Some(error) => of_object_store(error),
        None => internal(format!("A file can't be written: {error}")),
    }
}
