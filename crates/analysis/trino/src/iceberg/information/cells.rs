//! Single values, and the columns that they make.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Int32Array, Int64Array, ListArray, MapArray, StringArray, StructArray,
    TimestampMillisecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use boathouse_iceberg::Datum;
use boathouse_trino_functions::types::Type;
use datafusion::common::ScalarValue;

/// A value of any type.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Null,
    Boolean(bool),
    Int(i64),
    Text(String),
    /// Milliseconds since 1970, in UTC.
    Instant(i64),
    /// A value of Iceberg's.
    Value(Datum),
    Array(Vec<Cell>),
    Map(Vec<(Cell, Cell)>),
    Row(Vec<Cell>),
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<Option<i64>> for Cell {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Int)
    }
}

/// The array of cells of a type. A cell of another type is NULL.
pub(super) fn array(cells: Vec<Cell>, ty: &Type) -> Result<ArrayRef, ArrowError> {
    let to = ty.to_arrow();
    let nulls: NullBuffer = cells.iter().map(|cell| !cell.is_null()).collect();
    let nulls = Some(nulls);
    Ok(match (ty, &to) {
        (Type::Array(element), DataType::List(field)) => {
            let items = |cell: &Cell| if let Cell::Array(items) = cell { items.clone() } else { Vec::new() };
            let lists: Vec<Vec<Cell>> = cells.iter().map(items).collect();
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(Vec::len));
            let values = array(lists.into_iter().flatten().collect(), element)?;
            Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, nulls)?)
        }
        (Type::Map(key, value), DataType::Map(field, _)) => {
            let entries = |cell: &Cell| if let Cell::Map(entries) = cell { entries.clone() } else { Vec::new() };
            let maps: Vec<Vec<(Cell, Cell)>> = cells.iter().map(entries).collect();
            let offsets = OffsetBuffer::from_lengths(maps.iter().map(Vec::len));
            let (keys, values): (Vec<Cell>, Vec<Cell>) = maps.into_iter().flatten().unzip();
            let DataType::Struct(parts) = field.data_type() else {
                return Err(ArrowError::SchemaError("a map without entries".to_owned()));
            };
            let entries = StructArray::try_new(parts.clone(), vec![array(keys, key)?, array(values, value)?], None)?;
            Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, false)?)
        }
        (Type::Row(types), DataType::Struct(fields)) => {
            let column = |index: usize| {
                let part = |cell: &Cell| match cell {
                    Cell::Row(parts) => parts.get(index).cloned().unwrap_or(Cell::Null),
                    _ => Cell::Null,
                };
                array(cells.iter().map(part).collect(), &types[index].ty)
            };
            let columns = (0..types.len()).map(column).collect::<Result<Vec<_>, _>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, cells.len())?)
        }
        (Type::TimestampTz(_), DataType::Struct(fields)) => {
            let instant = |cell: &Cell| match cell {
                Cell::Instant(millis) => Some(*millis),
                Cell::Value(Datum::Timestamptz(micros)) => Some(micros.div_euclid(1000)),
                _ => None,
            };
            let instants = cells.iter().map(instant).collect::<TimestampMillisecondArray>().with_timezone("UTC");
            let instants = arrow::compute::cast(&instants, fields[0].data_type())?;
            let zones: StringArray = cells.iter().map(|_| Some("UTC")).collect();
            Arc::new(StructArray::try_new(fields.clone(), vec![instants, Arc::new(zones)], nulls)?)
        }
        _ => plain(cells, &to)?,
    })
}

/// An array of single values.
fn plain(cells: Vec<Cell>, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let int = |cell: Cell| match cell {
        Cell::Int(value) | Cell::Value(Datum::Long(value)) => Some(value),
        Cell::Value(Datum::Int(value)) => Some(value.into()),
        _ => None,
    };
    let text = |cell: Cell| match cell {
        Cell::Text(text) | Cell::Value(Datum::String(text)) => Some(text),
        Cell::Value(value @ Datum::Uuid(_)) => Some(value.to_string()),
        _ => None,
    };
    let cells = cells.into_iter();
    Ok(match to {
        DataType::Int64 => Arc::new(cells.map(int).collect::<Int64Array>()),
        DataType::Int32 => {
            Arc::new(cells.map(|cell| int(cell).and_then(|value| i32::try_from(value).ok())).collect::<Int32Array>())
        }
        DataType::Utf8 => Arc::new(cells.map(text).collect::<StringArray>()),
        DataType::Boolean => {
            let boolean = |cell| match cell {
                Cell::Boolean(value) | Cell::Value(Datum::Boolean(value)) => Some(value),
                _ => None,
            };
            Arc::new(cells.map(boolean).collect::<BooleanArray>())
        }
        DataType::Binary => {
            let bytes = |cell| match cell {
                Cell::Value(Datum::Binary(bytes) | Datum::Fixed(bytes)) => Some(bytes),
                _ => None,
            };
            let bytes: Vec<Option<Vec<u8>>> = cells.map(bytes).collect();
            Arc::new(bytes.iter().map(Option::as_deref).collect::<BinaryArray>())
        }
        other => {
            let values: Vec<ScalarValue> =
                cells.map(|cell| scalar(&cell, other)).collect::<Result<_, _>>()?;
            match values.is_empty() {
                true => arrow::array::new_empty_array(other),
                false => ScalarValue::iter_to_array(values).map_err(|error| ArrowError::ExternalError(error.into()))?,
            }
        }
    })
}

/// A value of one of the remaining types.
fn scalar(cell: &Cell, to: &DataType) -> Result<ScalarValue, ArrowError> {
    let found = match (cell, to) {
        (Cell::Value(Datum::Date(days)), _) => Some(ScalarValue::Date32(Some(*days))),
        (Cell::Value(Datum::Timestamp(micros)), _) => Some(ScalarValue::TimestampMicrosecond(Some(*micros), None)),
        (Cell::Value(Datum::Time(micros)), _) => Some(ScalarValue::Time64Microsecond(Some(*micros))),
        (Cell::Value(Datum::Float(value)), _) => Some(ScalarValue::Float32(Some(*value))),
        (Cell::Value(Datum::Double(value)), _) => Some(ScalarValue::Float64(Some(*value))),
        (Cell::Value(Datum::Decimal { unscaled, .. }), DataType::Decimal128(precision, scale)) => {
            Some(ScalarValue::Decimal128(Some(*unscaled), *precision, *scale))
        }
        _ => None,
    };
    let typed = found.filter(|value| value.data_type() == *to);
    typed.map_or_else(|| ScalarValue::try_from(to).map_err(|error| ArrowError::ExternalError(error.into())), Ok)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn cells_become_columns_of_any_type() {
        let ty = Type::parse_trino("row(a array(bigint), m map(varchar, varchar), d date, n decimal(5,2))").unwrap();
        let row = Cell::Row(vec![
            Cell::Array(vec![Cell::Int(1), Cell::Null]),
            Cell::Map(vec![(Cell::text("k"), Cell::text("v"))]),
            Cell::Value(Datum::Date(3)),
            Cell::Value(Datum::Decimal { unscaled: 150, scale: 2 }),
        ]);
        let built = array(vec![row, Cell::Null], &ty).unwrap();
        assert_eq!(built.data_type(), &ty.to_arrow());
        assert_eq!((built.len(), built.is_null(1)), (2, true));
        assert_eq!(built.as_struct().column(0).as_list::<i32>().value(0).len(), 2);
        let instants = array(vec![Cell::Instant(7), Cell::Null], &Type::TimestampTz(3)).unwrap();
        assert!(instants.is_null(1));
        assert!(array(Vec::new(), &ty).unwrap().is_empty());
    }
}
