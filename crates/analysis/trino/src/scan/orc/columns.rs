//! Which columns of a file are read, and how their values become the table's.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StructArray};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use boathouse_orc::tail::Tail;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::metadata::FileMetadata;
use orc_rust::schema::{DataType, NamedColumn, RootDataType};

use super::{Layout, Matching};
use crate::adapt::{NANOSECONDS, adapted};
use crate::iceberg::labels::Labels;
use crate::scan::DataFile;

/// The columns of a file that are read.
#[derive(Debug)]
pub(super) struct Columns {
    /// For each column of the output its place among those that are read; none if it is not in the file.
    pub(super) places: Vec<Option<usize>>,
    /// The types of the columns that are read.
    pub(super) read: RootDataType,
    /// What they are decoded as.
    pub(super) hints: SchemaRef,
    /// For each column of the table what it is in the file.
    pub(super) found: Vec<Option<DataType>>,
}

impl Columns {
    pub(super) fn new(
        layout: &Layout,
        metadata: &FileMetadata,
        tail: &Tail,
        file: &DataFile,
    ) -> Result<Self, TrinoError> {
        let root = metadata.root_data_type();
        let columns = layout.columns.iter().enumerate();
        let found: Vec<Option<&NamedColumn>> = match &layout.matching {
            Matching::Id(by_id) => {
                let hints = hints(root.children(), tail);
                by_id.check_needed(hints.fields(), file)?;
                let place = |(index, _)| by_id.place(index, hints.fields());
                columns.map(place).map(|place| root.children().get(place?)).collect()
            }
            other => columns.map(|(index, column)| find(root.children(), index, &column.name, other)).collect(),
        };
        let output = |index: &usize| found.get(*index).copied().flatten();
        let wanted: Vec<Option<&NamedColumn>> = layout.outputs.iter().map(output).collect();
        for (index, found) in layout.outputs.iter().zip(&wanted) {
            if let Some(found) = found {
                check(&layout.columns[*index].ty, found, &layout.matching, file)?;
            }
        }
        let indices = wanted.iter().flatten().map(|found| found.data_type().column_index());
        let read = root.project(&ProjectionMask::roots(root, indices));
        let place = |wanted: &Option<&NamedColumn>| {
            let index = wanted.as_ref()?.data_type().column_index();
            read.children().iter().position(|column| column.data_type().column_index() == index)
        };
        let places = wanted.iter().map(place).collect();
        let hints = hints(read.children(), tail);
        let found = found.into_iter().map(|found| found.map(|found| found.data_type().clone())).collect();
        Ok(Self { places, read, hints, found })
    }

    /// Whether nothing of the file is read but how many rows it has.
    pub(super) fn is_empty(&self) -> bool {
        self.read.children().is_empty()
    }

    /// Whether the streams of a column are needed.
    pub(super) fn reads(&self, column: u32) -> bool {
        self.read.contains_column_index(column as usize)
    }
}

/// What columns are decoded as, with the field ids that the file gives them.
pub(super) fn hints(columns: &[NamedColumn], tail: &Tail) -> SchemaRef {
    let field = |column: &NamedColumn| {
        let labels = Labels::of_orc(&tail.footer.types, column.data_type().column_index());
        labels.put_on(&Field::new(column.name(), hint(column.data_type()), true))
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

fn find<'a>(children: &'a [NamedColumn], index: usize, name: &str, matching: &Matching) -> Option<&'a NamedColumn> {
    match matching {
        Matching::Place => children.get(index),
        Matching::Name | Matching::Id(_) => {
            let exact = children.iter().find(|child| child.name() == name);
            exact.or_else(|| children.iter().find(|child| child.name().to_lowercase() == name.to_lowercase()))
        }
    }
}

/// Refuses what Trino's reader refuses.
fn check(wanted: &Type, found: &NamedColumn, matching: &Matching, file: &DataFile) -> Result<(), TrinoError> {
    let by_id = matches!(matching, Matching::Id(_));
    if is_readable_as(found.data_type(), wanted, by_id) {
        return Ok(());
    }
    let kind = kind(found.data_type());
    let path = format!("s3://{}/{}", file.location.bucket, file.meta.location);
    let message = format!(
        "Malformed ORC file. Cannot read SQL type '{wanted}' from ORC stream '.{}' of type {kind} [{path}]",
        found.name()
    );
    Err(TrinoError::new(ErrorCode::HiveBadData, message))
}

/// Whether values of a file's type become values of the table's type without loss of meaning. Iceberg writes some types as others, and
/// finds the fields of rows by their ids.
fn is_readable_as(found: &DataType, wanted: &Type, by_id: bool) -> bool {
    match (found, wanted) {
        (DataType::Long { .. }, Type::Time(_))
        | (DataType::Binary { .. }, Type::Uuid)
        | (DataType::TimestampWithLocalTimezone { .. }, Type::TimestampTz(_))
        | (DataType::Struct { .. }, Type::Row(_))
            if by_id =>
        {
            true
        }
        (DataType::Boolean { .. }, Type::Boolean)
        | (DataType::Binary { .. }, Type::Varbinary)
        | (DataType::Date { .. }, Type::Date | Type::Timestamp(_))
        | (DataType::Timestamp { .. } | DataType::TimestampWithLocalTimezone { .. }, Type::Timestamp(_))
        | (DataType::Decimal { .. }, Type::Decimal(..))
        | (DataType::Float { .. } | DataType::Double { .. }, Type::Real | Type::Double) => true,
        (DataType::String { .. } | DataType::Varchar { .. } | DataType::Char { .. }, wanted) => {
            matches!(wanted, Type::Varchar(_) | Type::Char(_))
        }
        (DataType::Byte { .. } | DataType::Short { .. } | DataType::Int { .. } | DataType::Long { .. }, wanted) => {
            wanted.is_integer()
        }
        (DataType::List { child, .. }, Type::Array(element)) => is_readable_as(child, element, by_id),
        (DataType::Map { key, value, .. }, Type::Map(wanted_key, wanted_value)) => {
            is_readable_as(key, wanted_key, by_id) && is_readable_as(value, wanted_value, by_id)
        }
        (DataType::Struct { children, .. }, Type::Row(fields)) => fields.iter().all(|field| {
            let name = field.name.as_deref().unwrap_or_default();
            let found = find(children, 0, name, &Matching::Name);
            found.is_none_or(|child| is_readable_as(child.data_type(), &field.ty, by_id))
        }),
        _ => false,
    }
}

/// The name of a type in the format's own words.
fn kind(ty: &DataType) -> String {
    let text = ty.to_string();
    text.split(['\n', '(']).next().unwrap_or_default().to_owned()
}

/// What a column is decoded as: instants as nanoseconds of any year, everything else as what it is.
fn hint(ty: &DataType) -> ArrowType {
    match ty {
        DataType::Timestamp { .. } | DataType::TimestampWithLocalTimezone { .. } => NANOSECONDS,
        DataType::List { child, .. } => ArrowType::new_list(hint(child), true),
        DataType::Struct { children, .. } => ArrowType::Struct(
            children.iter().map(|child| Field::new(child.name(), hint(child.data_type()), true)).collect(),
        ),
        DataType::Map { key, value, .. } => {
            let (key, value) = (Field::new("keys", hint(key), false), Field::new("values", hint(value), true));
            ArrowType::Map(Arc::new(Field::new_struct("entries", vec![key, value], false)), false)
        }
        other => other.to_arrow_data_type(),
    }
}

/// Decoded values as the table's: texts as long as the type says, `char` without the blanks at its end.
pub(super) fn shaped(decoded: &ArrayRef, ty: &Type) -> Result<ArrayRef, ArrowError> {
    let values = adapted(decoded, &ty.to_arrow())?;
    if has_length(ty) { cut(&values, ty) } else { Ok(values) }
}

fn has_length(ty: &Type) -> bool {
    match ty {
        Type::Varchar(Some(_)) | Type::Char(_) => true,
        Type::Array(element) => has_length(element),
        Type::Map(key, value) => has_length(key) || has_length(value),
        Type::Row(fields) => fields.iter().any(|field| has_length(&field.ty)),
        _ => false,
    }
}

fn cut(values: &ArrayRef, ty: &Type) -> Result<ArrayRef, ArrowError> {
    Ok(match ty {
        Type::Varchar(Some(length)) => texts(values, |text| first(text, *length)),
        Type::Char(length) => texts(values, |text| first(text, *length).trim_end_matches(' ')),
        Type::Array(element) => {
            let (field, offsets, values, nulls) = values.as_list::<i32>().clone().into_parts();
            Arc::new(ListArray::try_new(field, offsets, cut(&values, element)?, nulls)?)
        }
        Type::Map(key, value) => {
            let (field, offsets, entries, nulls, sorted) = values.as_map().clone().into_parts();
            let (fields, columns, _) = entries.into_parts();
            let columns = vec![cut(&columns[0], key)?, cut(&columns[1], value)?];
            let entries = StructArray::try_new(fields, columns, None)?;
            Arc::new(MapArray::try_new(field, offsets, entries, nulls, sorted)?)
        }
        Type::Row(row) => {
            let length = values.len();
            let (fields, columns, nulls) = values.as_struct().clone().into_parts();
            let columns = columns.iter().zip(row.iter()).map(|(column, field)| cut(column, &field.ty));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            Arc::new(StructArray::try_new_with_length(fields, columns, nulls, length)?)
        }
        _ => Arc::clone(values),
    })
}

fn texts(values: &ArrayRef, cut: impl Fn(&str) -> &str) -> ArrayRef {
    let values = values.as_string::<i32>();
    Arc::new(values.iter().map(|value| value.map(&cut)).collect::<StringArray>())
}

/// The first characters of a text.
fn first(text: &str, length: u32) -> &str {
    if text.len() <= length as usize {
        return text;
    }
    text.char_indices().nth(length as usize).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_wherever_they_are() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("äbc  "), None, Some("x ")]));
        let of = |ty| shaped(&texts, &ty).unwrap().as_string::<i32>().iter().flatten().collect::<Vec<_>>().join("|");
        assert_eq!(of(Type::Varchar(Some(4))), "äbc |x ");
        assert_eq!(of(Type::Char(4)), "äbc|x");
        assert_eq!(of(Type::Char(2)), "äb|x");
        let rows = StructArray::from(vec![(Arc::new(Field::new("a", ArrowType::Utf8, true)), Arc::clone(&texts))]);
        let rows = shaped(&(Arc::new(rows) as ArrayRef), &Type::parse_trino("row(a char(1))").unwrap()).unwrap();
        assert_eq!(rows.as_struct().column(0).as_string::<i32>().value(0), "ä");
    }
}
