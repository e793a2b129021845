//! What columns Parquet files have: those of all their footers.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use boathouse_trino_functions::types::{RowField, Type};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::failure::Failure;

/// Bytes of a file's end that usually hold the whole footer.
const FOOTER: u64 = 64 * 1024;

/// The columns of one file.
pub(super) async fn columns(store: &Arc<dyn ObjectStore>, object: &ObjectMeta) -> Result<Vec<(String, Type)>, Failure> {
    let failed = |reason: String| Failure::new(format!("{}: {reason}", object.location));
    let footer = footer(store.as_ref(), object).await.map_err(|error| failed(error.to_string()))?;
    let metadata = footer.file_metadata();
    let schema = parquet_to_arrow_schema(metadata.schema_descr(), metadata.key_value_metadata());
    let schema = schema.map_err(|error| failed(error.to_string()))?;
    let fields = schema.fields().iter();
    let column = |field: &arrow::datatypes::FieldRef| {
        let refuse =
            || failed(format!("column '{}' has the type {}, which can't be read", field.name(), field.data_type()));
        Ok((field.name().clone(), of_arrow(field.data_type()).ok_or_else(refuse)?))
    };
    fields.map(column).collect()
}

async fn footer(store: &dyn ObjectStore, object: &ObjectMeta) -> Result<ParquetMetaData, ParquetError> {
    let mut length = FOOTER.min(object.size);
    loop {
        let tail = store.get_range(&object.location, object.size - length..object.size).await?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&tail, object.size) {
            Ok(()) => return reader.finish(),
            Err(ParquetError::NeedMoreData(needed)) if needed as u64 > length && needed as u64 <= object.size => {
                length = needed as u64;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Adds a file's columns to those that are known. Numbers may grow; other types must be the same.
pub(super) fn merge(
    known: &mut Vec<(String, Type)>,
    file: Vec<(String, Type)>,
    object: &ObjectMeta,
) -> Result<(), Failure> {
    for (name, ty) in file {
        let place = known.iter_mut().find(|(other, _)| other.to_lowercase() == name.to_lowercase());
        match place {
            None => known.push((name, ty)),
            Some((_, present)) if *present == ty => {}
            Some((_, present)) => {
                *present = wider(present, &ty).ok_or_else(|| {
                    let location = &object.location;
                    Failure::new(format!("{location}: column '{name}' is {ty} there and {present} in other files"))
                })?;
            }
        }
    }
    Ok(())
}

fn wider(one: &Type, other: &Type) -> Option<Type> {
    let rank = |ty: &Type| match ty {
        Type::Tinyint => Some(0),
        Type::Smallint => Some(1),
        Type::Integer => Some(2),
        Type::Bigint => Some(3),
        _ => None,
    };
    match (one, other) {
        (Type::Real, Type::Double) | (Type::Double, Type::Real) => Some(Type::Double),
        (Type::Timestamp(one), Type::Timestamp(other)) => Some(Type::Timestamp(*one.max(other))),
        _ => (rank(one)? >= rank(other)?).then(|| one.clone()).or_else(|| Some(other.clone())),
    }
}

fn of_arrow(ty: &DataType) -> Option<Type> {
    Some(match ty {
        DataType::Boolean => Type::Boolean,
        DataType::Int8 => Type::Tinyint,
        DataType::Int16 | DataType::UInt8 => Type::Smallint,
        DataType::Int32 | DataType::UInt16 => Type::Integer,
        DataType::Int64 | DataType::UInt32 => Type::Bigint,
        DataType::Float32 => Type::Real,
        DataType::Float64 => Type::Double,
        DataType::Decimal128(precision, scale) => Type::Decimal(*precision, u8::try_from(*scale).ok()?),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Type::VARCHAR,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Type::Varbinary
        }
        DataType::Date32 => Type::Date,
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, _) => Type::Timestamp(3),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Type::Timestamp(6),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Type::Timestamp(9),
        DataType::List(field) | DataType::LargeList(field) => Type::array(of_arrow(field.data_type())?),
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return None };
            Type::map(of_arrow(fields.first()?.data_type())?, of_arrow(fields.get(1)?.data_type())?)
        }
        DataType::Struct(fields) => {
            let field = |field: &arrow::datatypes::FieldRef| {
                Some(RowField { name: Some(field.name().to_lowercase()), ty: of_arrow(field.data_type())? })
            };
            Type::Row(fields.iter().map(field).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::*;

    #[test]
    fn columns_of_files_grow_together() {
        let object = ObjectMeta {
            location: Path::from("a.parquet"),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: 1,
            e_tag: None,
            version: None,
        };
        let mut known = vec![("a".to_owned(), Type::Integer)];
        merge(&mut known, vec![("A".to_owned(), Type::Bigint), ("b".to_owned(), Type::Date)], &object).unwrap();
        assert_eq!(known, [("a".to_owned(), Type::Bigint), ("b".to_owned(), Type::Date)]);
        let message = merge(&mut known, vec![("b".to_owned(), Type::Integer)], &object).unwrap_err().to_string();
        assert!(message.contains("a.parquet") && message.contains("'b'"), "{message}");
    }
}
