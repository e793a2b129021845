//! Columns of a file as columns of a table: found by name, with all that is nested in them.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, StructArray, new_null_array};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Decimal128Type, Field, Fields, Int64Type, Schema, TimeUnit};
use arrow::error::ArrowError;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

/// Instants of any year as nanoseconds, as ORC's decoder gives them.
pub(crate) const NANOSECONDS: DataType = DataType::Decimal128(38, 9);

/// The place of a column, whatever the case of its name.
pub(crate) fn place(fields: &Fields, name: &str) -> Option<usize> {
    let exact = fields.iter().position(|field| field.name() == name);
    exact.or_else(|| fields.iter().position(|field| field.name().to_lowercase() == name.to_lowercase()))
}

/// Values as another type: rows by their fields' names (missing ones are NULL), lists and maps by their elements.
///
/// # Errors
/// A value is out of the type's range, or the types have nothing to do with each other.
pub(crate) fn adapted(array: &ArrayRef, to: &DataType) -> std::result::Result<ArrayRef, ArrowError> {
    match (array.data_type(), to) {
        (from, to) if from == to => Ok(Arc::clone(array)),
        (DataType::Dictionary(_, values), _) => adapted(&cast(array, values)?, to),
        (DataType::Struct(from), DataType::Struct(fields)) => {
            let rows = array.as_struct();
            let column = |field: &Arc<Field>| match place(from, field.name()) {
                Some(index) => adapted(rows.column(index), field.data_type()),
                None => Ok(new_null_array(field.data_type(), rows.len())),
            };
            let columns = fields.iter().map(column).collect::<std::result::Result<Vec<_>, _>>()?;
            let nulls = rows.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, rows.len())?))
        }
        (DataType::List(_), DataType::List(field)) => {
            let lists = array.as_list::<i32>();
            let values = adapted(lists.values(), field.data_type())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, nulls)?))
        }
        (DataType::Map(..), DataType::Map(field, sorted)) => {
            let DataType::Struct(entry) = field.data_type() else {
                return Err(ArrowError::SchemaError("a map without entries".to_owned()));
            };
            let maps = array.as_map();
            let parts = [maps.keys(), maps.values()];
            let parts = parts.into_iter().zip(entry).map(|(part, field)| adapted(part, field.data_type()));
            let entries =
                StructArray::try_new(entry.clone(), parts.collect::<std::result::Result<Vec<_>, _>>()?, None)?;
            let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *sorted)?))
        }
        (from, DataType::Timestamp(unit, None)) if *from == NANOSECONDS => instants(array, *unit),
        (from, to) if from.is_nested() != to.is_nested() => {
            Err(ArrowError::CastError(format!("{from} can't be read as {to}")))
        }
        _ => cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() }),
    }
}

/// Nanoseconds as timestamps, rounded as Trino does.
fn instants(array: &ArrayRef, unit: TimeUnit) -> std::result::Result<ArrayRef, ArrowError> {
    let size = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    let rounded = array.as_primitive::<Decimal128Type>().try_unary::<_, Int64Type, ArrowError>(|nanoseconds| {
        let rounded = (nanoseconds + size / 2).div_euclid(size);
        i64::try_from(rounded).map_err(|_| ArrowError::CastError(format!("{nanoseconds} ns are out of range")))
    })?;
    cast(&rounded, &DataType::Timestamp(unit, None))
}

/// Whether a nested name of the table is written in another case in the file.
pub(crate) fn differs_in_case(found: &DataType, wanted: &DataType) -> bool {
    match (found, wanted) {
        (DataType::Struct(found), DataType::Struct(wanted)) => wanted.iter().any(|field| {
            let other = place(found, field.name()).map(|place| &found[place]);
            other.is_some_and(|other| {
                other.name() != field.name() || differs_in_case(other.data_type(), field.data_type())
            })
        }),
        (DataType::List(found), DataType::List(wanted)) | (DataType::Map(found, _), DataType::Map(wanted, _)) => {
            differs_in_case(found.data_type(), wanted.data_type())
        }
        _ => false,
    }
}

/// A column of a file as a column of a table.
#[derive(Debug, Eq)]
pub(crate) struct Adapted {
    stored: Arc<dyn PhysicalExpr>,
    to: DataType,
}

impl PartialEq for Adapted {
    fn eq(&self, other: &Self) -> bool {
        self.stored.eq(&other.stored) && self.to == other.to
    }
}

impl std::hash::Hash for Adapted {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.stored.hash(state);
        self.to.hash(state);
    }
}

impl Adapted {
    pub(crate) fn new(stored: Arc<dyn PhysicalExpr>, to: DataType) -> Self {
        Self { stored, to }
    }
}

impl fmt::Display for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.stored, self.to)
    }
}

impl PhysicalExpr for Adapted {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let stored = self.stored.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(ColumnarValue::Array(adapted(&stored, &self.to)?))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.stored]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self::new(children.swap_remove(0), self.to.clone())))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A type whose timestamps are instants of UTC, as formats with zones write them.
pub(crate) fn in_utc(ty: &DataType) -> DataType {
    let field = |field: &Arc<Field>| Arc::new(field.as_ref().clone().with_data_type(in_utc(field.data_type())));
    match ty {
        DataType::Timestamp(TimeUnit::Second, None) => {
            DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
        }
        DataType::Timestamp(unit, None) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::List(element) => DataType::List(field(element)),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, Int64Array, StringArray};
    use boathouse_trino_functions::types::Type;

    use super::*;

    #[test]
    fn rows_go_by_name_and_lists_by_element() {
        let fields = Fields::from(vec![Field::new("B", DataType::Int32, true), Field::new("x", DataType::Utf8, true)]);
        let columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![7])), Arc::new(StringArray::from(vec!["y"]))];
        let rows: ArrayRef = Arc::new(StructArray::new(fields, columns, None));
        let to = Type::parse_trino("row(a varchar, b bigint)").unwrap().to_arrow();
        let adapted = adapted(&rows, &to).unwrap();
        let rows = adapted.as_struct();
        assert!(rows.column(0).is_null(0));
        assert_eq!(rows.column(1).as_primitive(), &Int64Array::from(vec![7]));
    }

    #[test]
    fn case_counts_only_where_names_meet() {
        let ty = |text: &str| Type::parse_trino(text).unwrap().to_arrow();
        let upper = DataType::Struct(Fields::from(vec![Field::new("A", DataType::Utf8, true)]));
        assert!(differs_in_case(&upper, &ty("row(a varchar)")));
        assert!(!differs_in_case(&upper, &ty("row(b varchar)")));
        assert!(!differs_in_case(&ty("array(row(a varchar))"), &ty("array(row(a bigint, b bigint))")));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let large: ArrayRef = Arc::new(Int64Array::from(vec![1 << 40]));
        assert!(adapted(&large, &DataType::Int32).is_err());
        assert!(adapted(&large, &Type::array(Type::Bigint).to_arrow()).is_err());
    }
}
