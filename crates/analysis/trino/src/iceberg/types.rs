//! Iceberg's types, ours, and Glue's.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use boathouse_iceberg::schema::{ListType, MapType, NestedField, PrimitiveType, StructType, Type as IcebergType};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::{RowField, Type};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

/// A column's type in queries.
pub fn to_trino(ty: &IcebergType) -> Type {
    match ty {
        IcebergType::Primitive(primitive) => of_primitive(*primitive),
        IcebergType::Struct(inner) => {
            let field =
                |field: &NestedField| RowField { name: Some(field.name.to_lowercase()), ty: to_trino(&field.ty) };
            Type::Row(inner.fields.iter().map(field).collect())
        }
        IcebergType::List(list) => Type::array(to_trino(&list.element)),
        IcebergType::Map(map) => Type::map(to_trino(&map.key), to_trino(&map.value)),
    }
}

/// A single value's type in queries.
pub fn of_primitive(primitive: PrimitiveType) -> Type {
    match primitive {
        PrimitiveType::Boolean => Type::Boolean,
        PrimitiveType::Int => Type::Integer,
        PrimitiveType::Long => Type::Bigint,
        PrimitiveType::Float => Type::Real,
        PrimitiveType::Double => Type::Double,
        PrimitiveType::Decimal { precision, scale } => Type::Decimal(precision, scale),
        PrimitiveType::Date => Type::Date,
        PrimitiveType::Time => Type::Time(6),
        PrimitiveType::Timestamp => Type::Timestamp(6),
        PrimitiveType::Timestamptz => Type::TimestampTz(6),
        PrimitiveType::String => Type::VARCHAR,
        PrimitiveType::Uuid => Type::Uuid,
        PrimitiveType::Fixed(_) | PrimitiveType::Binary => Type::Varbinary,
    }
}

/// A column's type as the Glue Data Catalog writes it.
pub fn to_glue(ty: &IcebergType) -> String {
    match ty {
        IcebergType::Primitive(primitive) => match primitive {
            PrimitiveType::Long => "bigint".to_owned(),
            PrimitiveType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            PrimitiveType::Time | PrimitiveType::Uuid => "string".to_owned(),
            PrimitiveType::Timestamptz => "timestamp".to_owned(),
            PrimitiveType::Fixed(_) => "binary".to_owned(),
            other => other.to_string(),
        },
        IcebergType::Struct(inner) => {
            let field = |field: &NestedField| format!("{}:{}", field.name, to_glue(&field.ty));
            format!("struct<{}>", inner.fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        IcebergType::List(list) => format!("array<{}>", to_glue(&list.element)),
        IcebergType::Map(map) => format!("map<{},{}>", to_glue(&map.key), to_glue(&map.value)),
    }
}

fn refuse<T>(message: String) -> Result<T, TrinoError> {
    Err(TrinoError::new(ErrorCode::NotSupported, message))
}

/// The type that a column of a new table has. Ids are 0: the table gives them.
///
/// # Errors
/// Iceberg has no such type.
pub fn from_trino(ty: &Type) -> Result<IcebergType, TrinoError> {
    Ok(match ty {
        Type::Boolean => PrimitiveType::Boolean.into(),
        Type::Integer => PrimitiveType::Int.into(),
        Type::Bigint => PrimitiveType::Long.into(),
        Type::Real => PrimitiveType::Float.into(),
        Type::Double => PrimitiveType::Double.into(),
        Type::Decimal(precision, scale) => PrimitiveType::Decimal { precision: *precision, scale: *scale }.into(),
        Type::Varchar(_) => PrimitiveType::String.into(),
        Type::Varbinary => PrimitiveType::Binary.into(),
        Type::Date => PrimitiveType::Date.into(),
        Type::Uuid => PrimitiveType::Uuid.into(),
        Type::Time(6) => PrimitiveType::Time.into(),
        Type::Timestamp(6) => PrimitiveType::Timestamp.into(),
        Type::TimestampTz(6) => PrimitiveType::Timestamptz.into(),
        Type::Time(precision) => {
            return refuse(format!("Time precision ({precision}) not supported for Iceberg. Use 'time(6)' instead."));
        }
        Type::Timestamp(precision) => {
            return refuse(format!(
                "Timestamp precision ({precision}) not supported for Iceberg. Use 'timestamp(6)' instead."
            ));
        }
        Type::TimestampTz(precision) => {
            return refuse(format!(
                "Timestamp precision ({precision}) not supported for Iceberg. Use 'timestamp(6) with time zone' instead."
            ));
        }
        Type::Array(element) => {
            ListType { element_id: 0, element_required: false, element: from_trino(element)? }.into()
        }
        Type::Map(key, value) => {
            let (key, value) = (from_trino(key)?, from_trino(value)?);
            MapType { key_id: 0, key, value_id: 0, value_required: false, value }.into()
        }
        Type::Row(fields) => {
            let field = |field: &RowField| match &field.name {
                Some(name) => Ok(NestedField::optional(0, name, from_trino(&field.ty)?)),
                None => Err(TrinoError::new(ErrorCode::NotSupported, "Row type field does not have a name")),
            };
            StructType { fields: fields.iter().map(field).collect::<Result<_, _>>()? }.into()
        }
        other => return refuse(format!("Type not supported for Iceberg: {other}")),
    })
}

/// The type of a column that Hive's grammar declares: its timestamps have no precision.
///
/// # Errors
/// Iceberg has no such type.
pub fn from_hive(text: &str) -> Result<IcebergType, TrinoError> {
    from_trino(&widened(&Type::from_hive(text)?))
}

/// The type with timestamps of microseconds.
fn widened(ty: &Type) -> Type {
    match ty {
        Type::Timestamp(_) => Type::Timestamp(6),
        Type::Array(element) => Type::array(widened(element)),
        Type::Map(key, value) => Type::map(widened(key), widened(value)),
        Type::Row(fields) => {
            let field = |field: &RowField| RowField { name: field.name.clone(), ty: widened(&field.ty) };
            Type::Row(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// A field as data files hold it, with its id.
pub(crate) fn file_field(field: &NestedField) -> Field {
    with_id(Field::new(&field.name, file_type(&field.ty), !field.required), field.id)
}

fn with_id(field: Field, id: i32) -> Field {
    field.with_metadata(HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())]))
}

/// The id that a file's field bears.
pub(crate) fn id_of(field: &Field) -> Option<i32> {
    field.metadata().get(PARQUET_FIELD_ID_META_KEY)?.parse().ok()
}

fn file_type(ty: &IcebergType) -> DataType {
    match ty {
        IcebergType::Primitive(PrimitiveType::Uuid) => DataType::FixedSizeBinary(16),
        IcebergType::Primitive(PrimitiveType::Fixed(size)) => {
            DataType::FixedSizeBinary(i32::try_from(*size).unwrap_or(i32::MAX))
        }
        IcebergType::Primitive(PrimitiveType::Timestamptz) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        IcebergType::Primitive(primitive) => of_primitive(*primitive).to_arrow(),
        IcebergType::Struct(inner) => DataType::Struct(inner.fields.iter().map(file_field).collect()),
        IcebergType::List(list) => {
            let element = Field::new("element", file_type(&list.element), !list.element_required);
            DataType::List(Arc::new(with_id(element, list.element_id)))
        }
        IcebergType::Map(map) => {
            let key = with_id(Field::new("key", file_type(&map.key), false), map.key_id);
            let value = with_id(Field::new("value", file_type(&map.value), !map.value_required), map.value_id);
            let entries: FieldRef =
                Arc::new(Field::new("key_value", DataType::Struct(Fields::from(vec![key, value])), false));
            DataType::Map(entries, false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_go_there_and_back() {
        for text in ["integer", "decimal(9,2)", "timestamp(6)", "array(row(a varchar, b map(varchar, double)))", "uuid"]
        {
            let ty = Type::parse_trino(text).unwrap();
            assert_eq!(to_trino(&from_trino(&ty).unwrap()), ty);
        }
        for text in ["smallint", "timestamp(3)", "json", "row(integer)", "char(3)"] {
            assert!(from_trino(&Type::parse_trino(text).unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn hives_types_are_understood_and_written() {
        for text in
            ["int", "bigint", "string", "timestamp", "array<struct<a:int,b:map<string,double>>>", "decimal(10,2)"]
        {
            assert_eq!(to_glue(&from_hive(text).unwrap()), text);
        }
        assert!(from_hive("tinyint").unwrap_err().message.contains("not supported for Iceberg: tinyint"));
    }

    #[test]
    fn fields_of_files_bear_ids_at_every_depth() {
        let (ty, _) = from_hive("array<struct<a:int>>").unwrap().with_fresh_ids(1);
        let field = file_field(&NestedField::optional(1, "x", ty));
        assert_eq!(id_of(&field), Some(1));
        let DataType::List(element) = field.data_type() else { panic!("{field:?}") };
        let DataType::Struct(inner) = element.data_type() else { panic!("{element:?}") };
        assert_eq!((id_of(element), id_of(&inner[0])), (Some(2), Some(3)));
    }
}
