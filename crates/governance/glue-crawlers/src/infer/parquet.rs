//! Parquet: the footer says it all.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::async_reader::ParquetObjectReader;
use parquet::errors::ParquetError;

use crate::schema::{Column, HiveType};

/// The columns and the number of rows of a file, from its footer.
///
/// # Errors
/// The footer is broken, or can't be read.
pub(crate) async fn infer(store: Arc<dyn ObjectStore>, file: &ObjectMeta) -> Result<(Vec<Column>, u64), ParquetError> {
    let mut reader = ParquetObjectReader::new(store, file.location.clone()).with_file_size(file.size);
    let metadata = ArrowReaderMetadata::load_async(&mut reader, Default::default()).await?;
    let rows = metadata.metadata().file_metadata().num_rows();
    Ok((columns(metadata.schema()), u64::try_from(rows).unwrap_or_default()))
}

fn columns(schema: &Schema) -> Vec<Column> {
    schema.fields().iter().map(|field| column(field)).collect()
}

fn column(field: &Field) -> Column {
    Column { name: field.name().to_lowercase(), kind: kind_of(field.data_type()) }
}

fn kind_of(kind: &DataType) -> HiveType {
    match kind {
        DataType::Null => HiveType::Unknown,
        DataType::Boolean => HiveType::Boolean,
        DataType::Int8 => HiveType::Tinyint,
        DataType::Int16 | DataType::UInt8 => HiveType::Smallint,
        DataType::Int32 | DataType::UInt16 => HiveType::Int,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => HiveType::Bigint,
        DataType::Float16 | DataType::Float32 => HiveType::Float,
        DataType::Float64 => HiveType::Double,
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => HiveType::Decimal(*p, *s),
        DataType::Date32 | DataType::Date64 => HiveType::Date,
        DataType::Timestamp(..) => HiveType::Timestamp,
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => HiveType::Binary,
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            HiveType::Array(Box::new(kind_of(element.data_type())))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                HiveType::Map(Box::new(kind_of(pair[0].data_type())), Box::new(kind_of(pair[1].data_type())))
            }
            _ => HiveType::String,
        },
        DataType::Struct(fields) => HiveType::Struct(fields.iter().map(|field| column(field)).collect()),
        DataType::Dictionary(_, value) => kind_of(value),
        _ => HiveType::String,
    }
}
