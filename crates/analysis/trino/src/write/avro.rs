//! Avro's container files.

use std::io;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow_avro::compression::CompressionCodec;
use arrow_avro::writer::format::AvroOcfFormat;
use arrow_avro::writer::{AvroWriter, WriterBuilder};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};

use parking_lot::Mutex;

use super::Compression;
use crate::adapt::{adapted, in_utc};
use crate::error::internal;

/// A file while it is written; its bytes are taken as they come.
pub(super) struct AvroFile {
    writer: AvroWriter<Sink>,
    ready: Sink,
    schema: SchemaRef,
}

/// Where the writer leaves its bytes.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Avro's codec of that name, if it has one.
pub(super) fn codec(compression: Compression) -> Result<Option<CompressionCodec>, TrinoError> {
    Ok(Some(match compression {
        Compression::None => return Ok(None),
        Compression::Deflate => CompressionCodec::Deflate,
        Compression::Snappy => CompressionCodec::Snappy,
        Compression::Zstd => CompressionCodec::ZStandard,
        Compression::Bzip2 => CompressionCodec::Bzip2,
        Compression::Gzip | Compression::Lz4 | Compression::Zlib => {
            let message = format!("Writing Avro with the compression {compression:?} is not supported");
            return Err(TrinoError::new(ErrorCode::NotSupported, message));
        }
    }))
}

impl AvroFile {
    pub(super) fn new(schema: &Schema, compression: Compression) -> Result<Self, TrinoError> {
        let field = |field: &Arc<Field>| field.as_ref().clone().with_data_type(in_utc(field.data_type()));
        let schema = Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>());
        let ready = Sink::default();
        let builder = WriterBuilder::new(schema.clone()).with_compression(codec(compression)?);
        let writer = builder.build::<_, AvroOcfFormat>(ready.clone()).map_err(|error| {
            TrinoError::new(ErrorCode::NotSupported, format!("These columns can't be written as Avro: {error}"))
        })?;
        Ok(Self { writer, ready, schema: schema.into() })
    }

    /// Adds rows, and gives the bytes that are ready.
    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<Vec<u8>, TrinoError> {
        let columns = rows.columns().iter().zip(self.schema.fields());
        let columns =
            columns.map(|(column, field)| adapted(column, field.data_type())).collect::<Result<Vec<_>, _>>()?;
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.writer.write(&rows).map_err(|error| internal(format!("rows can't be written as Avro: {error}")))?;
        Ok(self.take())
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.ready.0.lock())
    }

    /// What is left.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, TrinoError> {
        self.writer.finish().map_err(|error| internal(format!("an Avro file can't be ended: {error}")))?;
        Ok(self.take())
    }
}
