//! Parquet: the footer says it all.

use arrow::datatypes::{DataType, Field, Fields, Schema};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::schema::{Column, HiveType};

/// Bytes of a file's end that usually hold the whole footer.
const FOOTER: u64 = 64 * 1024;

/// The columns and the number of rows of a file, from its footer.
///
/// # Errors
/// The footer is broken, or can't be read.
pub(crate) async fn infer(store: &dyn ObjectStore, file: &ObjectMeta) -> Result<(Vec<Column>, u64), ParquetError> {
    let footer = footer(store, file).await?;
    let metadata = footer.file_metadata();
    let schema = parquet_to_arrow_schema(metadata.schema_descr(), metadata.key_value_metadata())?;
    Ok((columns(&schema), u64::try_from(metadata.num_rows()).unwrap_or_default()))
}

async fn footer(store: &dyn ObjectStore, file: &ObjectMeta) -> Result<ParquetMetaData, ParquetError> {
    let mut length = FOOTER.min(file.size);
    loop {
        let tail = store.get_range(&file.location, file.size - length..file.size).await?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&tail, file.size) {
            Ok(()) => return reader.finish(),
            Err(ParquetError::NeedMoreData(needed)) if needed as u64 > length && needed as u64 <= file.size => {
                length = needed as u64;
            }
            Err(error) => return Err(error),
        }
    }
}

fn columns(schema: &Schema) -> Vec<Column> {
    first_of_each(schema.fields())
}

/// Names that differ in case only are one name to the catalog; the first column has it, as for a reader of the file.
fn first_of_each(fields: &Fields) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for column in fields.iter().map(|field| column(field)) {
        if !columns.iter().any(|known| known.name == column.name) {
            columns.push(column);
        }
    }
    columns
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
        DataType::Struct(fields) => HiveType::Struct(first_of_each(fields)),
        DataType::Dictionary(_, value) => kind_of(value),
        _ => HiveType::String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_are_one_column() {
        let field = |name: &str, kind| Field::new(name, kind, true);
        let fields =
            Fields::from(vec![field("A", DataType::Int32), field("a", DataType::Utf8), field("b", DataType::Utf8)]);
        let schema = Schema::new(vec![
            field("Id", DataType::Int64),
            field("ID", DataType::Utf8),
            field("x", DataType::Struct(fields)),
        ]);
        let shown: Vec<String> = columns(&schema).iter().map(|it| format!("{} {}", it.name, it.kind)).collect();
        assert_eq!(shown, ["id bigint", "x struct<a:int,b:string>"]);
    }
}
