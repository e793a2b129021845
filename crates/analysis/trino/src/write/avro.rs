//! Avro's container files.

use std::io;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow_avro::compression::{CODEC_METADATA_KEY, CompressionCodec};
use arrow_avro::schema::SCHEMA_METADATA_KEY;
use arrow_avro::writer::format::AvroOcfFormat;
use arrow_avro::writer::{AvroWriter, WriterBuilder};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use parking_lot::Mutex;

use super::Compression;
use crate::adapt::{adapted, in_utc};
use crate::error::internal;

/// What files begin with.
const MAGIC: &[u8] = b"Obj\x01";
/// How many random bytes stand between blocks.
const SYNC: usize = 16;

/// A file while it is written; its bytes are taken as they come.
pub(crate) struct AvroFile {
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

/// The codec's name in the format.
fn codec_name(compression: Compression) -> &'static str {
    match compression {
        Compression::Deflate | Compression::Gzip | Compression::Zlib => "deflate",
        Compression::Snappy => "snappy",
        Compression::Zstd => "zstandard",
        Compression::Bzip2 => "bzip2",
        Compression::None | Compression::Lz4 => "null",
    }
}

/// Appends a number that isn't negative.
fn long(out: &mut Vec<u8>, value: usize) {
    let mut rest = (value as u64) << 1;
    while rest > 0x7f {
        out.push(rest as u8 & 0x7f | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

impl AvroFile {
    /// A file of Hive's, with the schema that the columns' types are.
    pub(super) fn new(schema: &Schema, compression: Compression) -> Result<Self, TrinoError> {
        let field = |field: &Arc<Field>| field.as_ref().clone().with_data_type(in_utc(field.data_type()));
        Self::begun(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()), compression)
    }

    /// A file with a schema of Avro's own, whose names are those of the columns.
    pub(crate) fn described(schema: Schema, described: &str, compression: Compression) -> Result<Self, TrinoError> {
        let metadata = [(SCHEMA_METADATA_KEY.to_owned(), described.to_owned())];
        let file = Self::begun(schema.with_metadata(metadata.into()), compression)?;
        // The library encodes by this schema, and writes another one that it makes of the columns.
        let begin = file.take();
        let sync = begin.len().checked_sub(SYNC).map(|end| &begin[end..]);
        let sync = sync.ok_or_else(|| internal("a file of Avro has no beginning"))?;
        let codec = codec_name(compression);
        let mut header = MAGIC.to_vec();
        long(&mut header, 2);
        for text in [SCHEMA_METADATA_KEY, described, CODEC_METADATA_KEY, codec] {
            long(&mut header, text.len());
            header.extend_from_slice(text.as_bytes());
        }
        long(&mut header, 0);
        header.extend_from_slice(sync);
        *file.ready.0.lock() = header;
        Ok(file)
    }

    fn begun(schema: Schema, compression: Compression) -> Result<Self, TrinoError> {
        let ready = Sink::default();
        let builder = WriterBuilder::new(schema.clone()).with_compression(codec(compression)?);
        let writer = builder.build::<_, AvroOcfFormat>(ready.clone()).map_err(|error| {
            TrinoError::new(ErrorCode::NotSupported, format!("These columns can't be written as Avro: {error}"))
        })?;
        Ok(Self { writer, ready, schema: schema.into() })
    }

    /// Adds rows, and gives the bytes that are ready.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<Vec<u8>, TrinoError> {
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
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, TrinoError> {
        self.writer.finish().map_err(|error| internal(format!("an Avro file can't be ended: {error}")))?;
        Ok(self.take())
    }
}
