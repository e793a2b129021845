//! Apache ORC: rows are kept until they make a stripe, whose columns become streams.
//!
//! The crate that reads the format writes no decimals, lists, maps and structs, so files are written here as a whole.

mod bounds;
mod columns;
mod runs;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use boathouse_orc::blocks::{self, BLOCK, Codec};
use boathouse_orc::proto::{
    self, CompressionKind, Footer, Metadata, PostScript, Stream, StringPair, StripeFooter, StripeInformation,
    StripeStatistics,
};
use boathouse_orc::tail::MAGIC;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;
use prost::Message;

pub(crate) use self::bounds::{Bounds, Known};
use self::columns::Streams;
use super::Compression;
use crate::error::{internal, unsupported};

/// How much rows hold that make a stripe, in bytes of memory.
const STRIPE: usize = 64 << 20;
/// The version of the format.
const VERSION: [u32; 2] = [0, 12];
/// The first version of writers whose statistics of timestamps are in UTC.
const WRITER_VERSION: u32 = 6;
/// A writer that has no number of its own.
const WRITER: u32 = u32::MAX;

/// A file while it is written; its bytes are taken as they come.
pub(crate) struct OrcFile {
    schema: SchemaRef,
    columns: Vec<Type>,
    types: Vec<proto::Type>,
    codec: Option<Codec>,
    /// Rows that are no stripe yet, and how much they hold.
    waiting: Vec<RecordBatch>,
    waiting_bytes: usize,
    /// How many bytes were given away.
    written: u64,
    stripes: Vec<StripeInformation>,
    statistics: Vec<StripeStatistics>,
    /// For each column what is known of all stripes.
    known: Vec<(Known, Type)>,
    /// For each column how many bytes its streams have.
    sizes: Vec<u64>,
}

/// What a file holds, for who keeps its statistics elsewhere too.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Where its stripes begin.
    pub(crate) stripes: Vec<u64>,
    /// For each of the table's columns what is known of its values, and how many bytes it has.
    pub(crate) columns: Vec<(Known, u64)>,
}

/// ORC's codec of that name, if it has one.
pub(super) fn codec(compression: Compression) -> Result<Option<Codec>, TrinoError> {
    Ok(Some(match compression {
        Compression::None => return Ok(None),
        Compression::Zlib => Codec::Zlib,
        Compression::Snappy => Codec::Snappy,
        Compression::Lz4 => Codec::Lz4,
        Compression::Zstd => Codec::Zstd,
        Compression::Gzip | Compression::Deflate | Compression::Bzip2 => {
            return Err(unsupported(format!("Writing ORC with the compression {compression:?} is not supported")));
        }
    }))
}

impl OrcFile {
    /// A file of Hive's, whose instants have no zone.
    pub(super) fn new(
        schema: SchemaRef,
        names: &[String],
        columns: Vec<Type>,
        compression: Compression,
    ) -> Result<Self, TrinoError> {
        if let Some(zoned) = columns.iter().find_map(columns::zoned) {
            return Err(unsupported(format!("Writing columns of type {zoned} as ORC is not supported")));
        }
        Self::described(schema, names, columns, Vec::new(), compression)
    }

    /// A file in whose types stands more than that: for each of them, a parent before its children.
    pub(crate) fn described(
        schema: SchemaRef,
        names: &[String],
        columns: Vec<Type>,
        attributes: Vec<Vec<StringPair>>,
        compression: Compression,
    ) -> Result<Self, TrinoError> {
        let mut types = columns::types(names, &columns)?;
        for (ty, attributes) in types.iter_mut().zip(attributes) {
            ty.attributes = attributes;
        }
        let (codec, sizes) = (codec(compression)?, vec![0; types.len()]);
        let (waiting, stripes, statistics, known) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (waiting_bytes, written) = (0, 0);
        Ok(Self { schema, columns, types, codec, waiting, waiting_bytes, written, stripes, statistics, known, sizes })
    }

    /// How many bytes wait in memory.
    pub(crate) fn memory(&self) -> usize {
        self.waiting_bytes
    }

    /// Adds rows, and gives the bytes that are ready.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<Vec<u8>, TrinoError> {
        let size = |column: &ArrayRef| {
            column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
        };
        self.waiting_bytes += rows.columns().iter().map(size).sum::<usize>();
        self.waiting.push(rows.clone());
        if self.waiting_bytes < STRIPE { Ok(Vec::new()) } else { self.flush() }
    }

    /// Makes a stripe of the rows that wait.
    pub(crate) fn flush(&mut self) -> Result<Vec<u8>, TrinoError> {
        let rows = concat_batches(&self.schema, &self.waiting)?;
        self.waiting.clear();
        self.waiting_bytes = 0;
        if rows.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let mut streams = Streams::root(&rows, &self.columns)?;
        let mut out = self.begun();
        let (before, mut described) = (out.len() as u64, Vec::with_capacity(streams.all.len()));
        for (column, kind, bytes) in streams.all.drain(..) {
            let packed = blocks::pack(&bytes, self.codec).map_err(of_codec)?;
            let length = Some(packed.len() as u64);
            self.sizes[column as usize] += packed.len() as u64;
            described.push(Stream { kind: Some(kind.into()), column: Some(column), length });
            out.extend(packed);
        }
        let data_length = out.len() as u64 - before;
        let encodings = streams.columns.iter().map(|(encoding, _, _)| encoding.clone()).collect();
        let writer_timezone = Some("UTC".to_owned());
        let footer =
            StripeFooter { streams: described, columns: encodings, writer_timezone, ..StripeFooter::default() };
        let footer = blocks::pack(&footer.encode_to_vec(), self.codec).map_err(of_codec)?;
        self.stripes.push(StripeInformation {
            offset: Some(self.written + before),
            index_length: Some(0),
            data_length: Some(data_length),
            footer_length: Some(footer.len() as u64),
            number_of_rows: Some(rows.num_rows() as u64),
            ..StripeInformation::default()
        });
        out.extend(footer);
        self.written += out.len() as u64;
        self.note(streams);
        Ok(out)
    }

    /// The first bytes of the file, if there were none.
    fn begun(&self) -> Vec<u8> {
        if self.written == 0 { MAGIC.to_vec() } else { Vec::new() }
    }

    fn note(&mut self, streams: Streams) {
        let col_stats = streams.columns.iter().map(|(_, known, ty)| known.to_proto(ty)).collect();
        self.statistics.push(StripeStatistics { col_stats });
        if self.known.is_empty() {
            self.known = streams.columns.iter().map(|(_, _, ty)| (Known::default(), ty.clone())).collect();
        }
        for ((known, _), (_, more, _)) in self.known.iter_mut().zip(&streams.columns) {
            known.add(more);
        }
    }

    /// What the file holds. Rows that wait are not in it yet.
    pub(crate) fn measured(&self) -> Measured {
        let stripes = self.stripes.iter().map(StripeInformation::offset).collect();
        let places = self.types.first().map(|root| root.subtypes.clone()).unwrap_or_default();
        let column = |place: u32| {
            let known = self.known.get(place as usize).map(|(known, _)| known.clone());
            (known.unwrap_or_default(), self.sizes[place as usize])
        };
        Measured { stripes, columns: places.into_iter().map(column).collect() }
    }

    /// What is left.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, TrinoError> {
        let mut out = self.flush()?;
        if self.written == 0 {
            out = self.begun();
            self.written = out.len() as u64;
        }
        let metadata = Metadata { stripe_stats: self.statistics };
        let metadata = blocks::pack(&metadata.encode_to_vec(), self.codec).map_err(of_codec)?;
        let types = self.types;
        let statistics = match self.known.is_empty() {
            true => types.iter().map(|_| Known::default().to_proto(&Type::Unknown)).collect(),
            false => self.known.iter().map(|(known, ty)| known.to_proto(ty)).collect(),
        };
        let footer = Footer {
            header_length: Some(MAGIC.len() as u64),
            content_length: Some(self.written),
            number_of_rows: Some(self.stripes.iter().map(StripeInformation::number_of_rows).sum()),
            stripes: self.stripes,
            types,
            statistics,
            row_index_stride: Some(0),
            writer: Some(WRITER),
            ..Footer::default()
        };
        let footer = blocks::pack(&footer.encode_to_vec(), self.codec).map_err(of_codec)?;
        let postscript = PostScript {
            footer_length: Some(footer.len() as u64),
            metadata_length: Some(metadata.len() as u64),
            compression: Some(kind(self.codec).into()),
            compression_block_size: Some(BLOCK as u64),
            version: VERSION.to_vec(),
            writer_version: Some(WRITER_VERSION),
            magic: Some("ORC".to_owned()),
            ..PostScript::default()
        };
        let postscript = postscript.encode_to_vec();
        out.extend(metadata);
        out.extend(footer);
        out.extend_from_slice(&postscript);
        // It has some thirty bytes.
        out.push(postscript.len() as u8);
        Ok(out)
    }
}

fn kind(codec: Option<Codec>) -> CompressionKind {
    match codec {
        None => CompressionKind::None,
        Some(Codec::Zlib) => CompressionKind::Zlib,
        Some(Codec::Snappy) => CompressionKind::Snappy,
        Some(Codec::Lz4) => CompressionKind::Lz4,
        Some(Codec::Zstd) => CompressionKind::Zstd,
    }
}

fn of_codec(error: std::io::Error) -> TrinoError {
    internal(format!("a stream of ORC can't be compressed: {error}"))
}
