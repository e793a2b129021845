//! Values as files hold them ↔ values as queries compute with them. What is nested is found by field id.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, ListArray, MapArray, StringArray,
    StructArray, make_array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use arrow::error::ArrowError;
use boathouse_iceberg::schema::{NestedField, PrimitiveType, Type as IcebergType};

use super::types::{id_of, to_trino};
use crate::adapt;

/// The place of a field in a file: by id if the file has ids, else by name.
pub(super) fn place(fields: &Fields, wanted: &NestedField) -> Option<usize> {
    match fields.iter().any(|field| id_of(field).is_some()) {
        true => fields.iter().position(|field| id_of(field) == Some(wanted.id)),
        false => adapt::place(fields, &wanted.name),
    }
}

/// A file's values as a query's.
pub(super) fn read(array: &ArrayRef, ty: &IcebergType) -> Result<ArrayRef, ArrowError> {
    let to = to_trino(ty).to_arrow();
    match ty {
        IcebergType::Primitive(PrimitiveType::Timestamptz) => instants(array, &to),
        IcebergType::Primitive(PrimitiveType::Uuid) => uuid_texts(array),
        IcebergType::Primitive(PrimitiveType::Time) if *array.data_type() == DataType::Int64 => {
            cast(array, &DataType::Time64(TimeUnit::Microsecond))
        }
        IcebergType::Primitive(_) => adapt::adapted(array, &to),
        IcebergType::Struct(inner) => {
            let (DataType::Struct(from), DataType::Struct(fields)) = (array.data_type(), &to) else {
                return Err(mismatch(array.data_type(), &to));
            };
            let rows = array.as_struct();
            let column = |(wanted, field): (&NestedField, &FieldRef)| match place(from, wanted) {
                Some(index) => read(rows.column(index), &wanted.ty),
                None => Ok(new_null_array(field.data_type(), rows.len())),
            };
            let columns = inner.fields.iter().zip(fields).map(column).collect::<Result<Vec<_>, _>>()?;
            let nulls = rows.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, rows.len())?))
        }
        IcebergType::List(list) => {
            let (DataType::List(_), DataType::List(field)) = (array.data_type(), &to) else {
                return Err(mismatch(array.data_type(), &to));
            };
            let lists = array.as_list::<i32>();
            let values = read(lists.values(), &list.element)?;
            Ok(Arc::new(ListArray::try_new(
                Arc::clone(field),
                lists.offsets().clone(),
                values,
                lists.nulls().cloned(),
            )?))
        }
        IcebergType::Map(map) => {
            let DataType::Map(field, _) = &to else { return Err(mismatch(array.data_type(), &to)) };
            let maps = match array.data_type() {
                DataType::Map(..) => array.as_map().clone(),
                DataType::List(_) => pairs(array.as_list())?,
                other => return Err(mismatch(other, &to)),
            };
            let maps = &maps;
            let parts = vec![read(maps.keys(), &map.key)?, read(maps.values(), &map.value)?];
            mapped(maps, field, parts)
        }
    }
}

/// A query's values as a file's, whose field this is.
pub(super) fn write(array: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    let to = field.data_type();
    match (array.data_type(), to) {
        (DataType::Struct(_), DataType::Timestamp(..)) => {
            let values = array.as_struct();
            let instants = values.column(0);
            let nulls = NullBuffer::union(values.nulls(), instants.nulls());
            let instants = instants.to_data().into_builder().nulls(nulls).build()?;
            cast(&make_array(instants), to)
        }
        (DataType::Utf8, DataType::FixedSizeBinary(16)) => uuids(array),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let rows = array.as_struct();
            let columns = rows.columns().iter().zip(fields).map(|(column, field)| write(column, field));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, rows.nulls().cloned(), rows.len())?))
        }
        (DataType::List(_), DataType::List(element)) => {
            let lists = array.as_list::<i32>();
            let values = write(lists.values(), element)?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?))
        }
        (DataType::Map(..), DataType::Map(entries, _)) => {
            let DataType::Struct(fields) = entries.data_type() else { return Err(mismatch(array.data_type(), to)) };
            let maps = array.as_map();
            let parts = [maps.keys(), maps.values()].into_iter().zip(fields);
            let parts = parts.map(|(part, field)| write(part, field)).collect::<Result<Vec<_>, _>>()?;
            mapped(maps, entries, parts)
        }
        _ => adapt::adapted(array, to),
    }
}

/// Values of the same shape as another type: what is nested is found by its place, whatever it is called.
pub(crate) fn by_place(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    Ok(match (array.data_type(), to) {
        (from, to) if from == to => Arc::clone(array),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let rows = array.as_struct();
            let columns = rows.columns().iter().zip(fields).map(|(column, field)| by_place(column, field.data_type()));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, rows.nulls().cloned(), rows.len())?)
        }
        (DataType::List(_), DataType::List(element)) => {
            let lists = array.as_list::<i32>();
            let values = by_place(lists.values(), element.data_type())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?)
        }
        (DataType::Map(..), DataType::Map(entries, _)) => {
            let DataType::Struct(fields) = entries.data_type() else { return Err(mismatch(array.data_type(), to)) };
            let maps = array.as_map();
            let parts = [maps.keys(), maps.values()].into_iter().zip(fields);
            let parts = parts.map(|(part, field)| by_place(part, field.data_type())).collect::<Result<Vec<_>, _>>()?;
            mapped(maps, entries, parts)?
        }
        // Formats whose maps have texts as keys write others as lists of pairs.
        (DataType::Map(..), DataType::List(element)) => {
            let maps = array.as_map();
            let values: ArrayRef = Arc::new(maps.entries().clone());
            let values = by_place(&values, element.data_type())?;
            let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?)
        }
        (from, to) if from.is_nested() || to.is_nested() => return Err(mismatch(from, to)),
        _ => cast(array, to)?,
    })
}

/// Lists of pairs as maps.
fn pairs(lists: &ListArray) -> Result<MapArray, ArrowError> {
    let Some(pairs) = lists.values().as_struct_opt().filter(|pairs| pairs.num_columns() == 2) else {
        return Err(ArrowError::CastError(format!("{} can't be read as a map", lists.data_type())));
    };
    let entries = StructArray::try_new(pairs.fields().clone(), pairs.columns().to_vec(), None)?;
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    MapArray::try_new(field, lists.offsets().clone(), entries, lists.nulls().cloned(), false)
}

fn mismatch(from: &DataType, to: &DataType) -> ArrowError {
    ArrowError::CastError(format!("{from} can't be read as {to}"))
}

fn mapped(maps: &MapArray, field: &FieldRef, parts: Vec<ArrayRef>) -> Result<ArrayRef, ArrowError> {
    let DataType::Struct(entry) = field.data_type() else {
        return Err(ArrowError::SchemaError("a map without entries".to_owned()));
    };
    let entries = StructArray::try_new(entry.clone(), parts, None)?;
    let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
    Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, false)?))
}

/// Instants with the zone UTC.
fn instants(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let DataType::Struct(fields) = to else { return Err(mismatch(array.data_type(), to)) };
    let microseconds = DataType::Timestamp(TimeUnit::Microsecond, None);
    let array = if *array.data_type() == adapt::NANOSECONDS { &adapt::adapted(array, &microseconds)? } else { array };
    let instants = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
    let zones: StringArray = std::iter::repeat_n(Some("UTC"), instants.len()).collect();
    let nulls = instants.nulls().cloned();
    Ok(Arc::new(StructArray::try_new(fields.clone(), vec![instants, Arc::new(zones)], nulls)?))
}

fn uuid_texts(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if *array.data_type() == DataType::Binary {
        return uuid_texts(&cast(array, &DataType::FixedSizeBinary(16))?);
    }
    let Some(values) = array.as_any().downcast_ref::<FixedSizeBinaryArray>() else {
        return cast(array, &DataType::Utf8);
    };
    let text = |bytes: Option<&[u8]>| Some(uuid::Uuid::from_slice(bytes?).ok()?.to_string());
    Ok(Arc::new(values.iter().map(text).collect::<StringArray>()))
}

fn uuids(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let texts = array.as_string::<i32>();
    let mut builder = FixedSizeBinaryBuilder::with_capacity(texts.len(), 16);
    for text in texts {
        match text {
            None => builder.append_null(),
            Some(text) => {
                let uuid = uuid::Uuid::parse_str(text).map_err(|error| ArrowError::CastError(error.to_string()))?;
                builder.append_value(uuid.as_bytes())?;
            }
        }
    }
    Ok(Arc::new(builder.finish()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, Int64Array};
    use boathouse_iceberg::schema::StructType;

    use super::super::types::{file_field, from_trino};
    use super::*;
    use boathouse_trino_functions::types::Type;

    #[test]
    fn fields_of_rows_are_found_by_id() {
        // The file was written when `b` was called `a`, an int, and came second.
        let old = StructType {
            fields: vec![
                NestedField::optional(5, "x", PrimitiveType::Int),
                NestedField::optional(6, "a", PrimitiveType::Int),
            ],
        };
        let old = file_field(&NestedField::optional(4, "r", old));
        let DataType::Struct(fields) = old.data_type() else { panic!("{old:?}") };
        let columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![1])), Arc::new(Int32Array::from(vec![2]))];
        let rows: ArrayRef = Arc::new(StructArray::new(fields.clone(), columns, None));
        let new = StructType {
            fields: vec![
                NestedField::optional(6, "b", PrimitiveType::Long),
                NestedField::optional(7, "a", PrimitiveType::String),
            ],
        };
        let converted = read(&rows, &new.into()).unwrap();
        let converted = converted.as_struct();
        assert_eq!(converted.column_names(), ["b", "a"]);
        assert_eq!(converted.column(0).as_primitive(), &Int64Array::from(vec![2]));
        assert!(converted.column(1).is_null(0));
    }

    #[test]
    fn values_survive_a_file() {
        let zoned = Type::TimestampTz(6);
        let instants: ArrayRef =
            Arc::new(arrow::array::TimestampMicrosecondArray::from(vec![Some(5), None]).with_timezone("UTC"));
        let zoned_values = super::instants(&instants, &zoned.to_arrow()).unwrap();
        let uuids: ArrayRef = Arc::new(StringArray::from(vec![Some("12151fd2-7586-11e9-8f9e-2a86e4085a59"), None]));
        for (ty, values) in [(zoned, zoned_values), (Type::Uuid, uuids)] {
            let iceberg = from_trino(&ty).unwrap();
            let field = file_field(&NestedField::optional(1, "a", iceberg.clone()));
            let written = write(&values, &field).unwrap();
            assert_eq!(written.data_type(), field.data_type());
            assert_eq!(written.null_count(), 1);
            assert_eq!(&read(&written, &iceberg).unwrap(), &values);
        }
    }
}
