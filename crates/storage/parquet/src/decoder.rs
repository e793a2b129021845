//! The rows of one column of a row group, in order.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::schema::types::ColumnDescriptor;

use crate::error::Error;

/// Whether a chunk's values can be decoded to this Arrow type here. If not, they are the `parquet` crate's to read.
pub fn reads(_column: &ColumnDescriptor, _chunk: &ColumnChunkMetaData, _data_type: &DataType) -> bool {
    false
}

/// Decodes the rows of one column of a row group, from the first to the last.
#[derive(Debug)]
pub struct ColumnDecoder {}

impl ColumnDecoder {
    /// A decoder before the first row. `bytes` is the whole chunk: [`ColumnChunkMetaData::byte_range`].
    ///
    /// # Errors
    /// The column is not one that [`reads`] accepts.
    pub fn new(
        _bytes: Bytes,
        column: &ColumnDescriptor,
        _chunk: &ColumnChunkMetaData,
        data_type: &DataType,
    ) -> Result<Self, Error> {
        Err(Error::Unsupported(format!("Column {} is not read as {data_type} here", column.path())))
    }

    /// Of the next `rows` rows those that `wanted` names (ascending positions below `rows`), or all. Moves behind all `rows`.
    ///
    /// # Errors
    /// The bytes make no sense, or there are fewer rows.
    pub fn read(&mut self, _rows: usize, _wanted: Option<&[u32]>) -> Result<ArrayRef, Error> {
        Err(Error::Unsupported("No column is read here".to_owned()))
    }

    /// Passes over rows. Pages of which nothing is wanted are not decompressed.
    ///
    /// # Errors
    /// The bytes make no sense, or there are fewer rows.
    pub fn skip(&mut self, _rows: usize) -> Result<(), Error> {
        Err(Error::Unsupported("No column is read here".to_owned()))
    }
}
