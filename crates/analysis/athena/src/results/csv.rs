//! The CSV of results: every value in quotes, NULL as nothing, so that it differs from the empty text.

use arrow::array::RecordBatch;
use boathouse_trino_functions::types::{RowField, Type, format};

/// Appends the header.
pub(crate) fn write_header<'a>(out: &mut String, names: impl Iterator<Item = &'a str>) {
    for (index, name) in names.enumerate() {
        separate(out, index);
        write_quoted(out, name);
    }
    out.push('\n');
}

/// A type as it is shown: timestamps have three digits behind the second at least, which their values have anyway.
pub(crate) fn shown(ty: &Type) -> Type {
    match ty {
        Type::Timestamp(precision) => Type::Timestamp((*precision).max(3)),
        Type::TimestampTz(precision) => Type::TimestampTz((*precision).max(3)),
        Type::Array(element) => Type::array(shown(element)),
        Type::Map(key, value) => Type::map(shown(key), shown(value)),
        Type::Row(fields) => {
            let field = |field: &RowField| RowField { name: field.name.clone(), ty: shown(&field.ty) };
            Type::Row(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// Appends a batch's rows of columns that are [`shown`] with these types.
pub(crate) fn write_batch(out: &mut String, batch: &RecordBatch, types: &[Type]) {
    let mut value = String::new();
    for row in 0..batch.num_rows() {
        for (index, (column, ty)) in batch.columns().iter().zip(types).enumerate() {
            separate(out, index);
            if column.is_null(row) || *ty == Type::Unknown {
                continue;
            }
            value.clear();
            format::write_value(&mut value, column, row, ty);
            write_quoted(out, &value);
        }
        out.push('\n');
    }
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push(',');
    }
}

fn write_quoted(out: &mut String, value: &str) {
    out.push('"');
    for (index, piece) in value.split('"').enumerate() {
        if index > 0 {
            out.push_str("\"\"");
        }
        out.push_str(piece);
    }
    out.push('"');
}

/// Reads rows back from a text that arrives in pieces.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    row: Vec<Option<String>>,
    value: Option<Vec<u8>>,
    state: Place,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    Quoted,
    /// After a quote inside quotes: the value's end, or the first half of an escaped quote.
    Quote,
}

impl Reader {
    /// Takes one byte; gives a row when it ends one.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Vec<Option<String>>> {
        match (self.state, byte) {
            (Place::Quoted, b'"') => self.state = Place::Quote,
            (Place::Quoted, byte) => self.value.get_or_insert_default().push(byte),
            (Place::Quote, b'"') => {
                self.value.get_or_insert_default().push(b'"');
                self.state = Place::Quoted;
            }
            (_, b'"') => {
                self.value = Some(Vec::new());
                self.state = Place::Quoted;
            }
            (_, b',') => self.end_value(),
            (_, b'\n') => {
                self.end_value();
                return Some(std::mem::take(&mut self.row));
            }
            (_, byte) => self.value.get_or_insert_default().push(byte),
        }
        None
    }

    fn end_value(&mut self) {
        self.state = Place::Outside;
        let value = self.value.take().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        self.row.push(value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<Vec<Option<String>>> {
        let mut reader = Reader::default();
        text.bytes().filter_map(|byte| reader.push(byte)).collect()
    }

    #[test]
    fn null_differs_from_the_empty_text() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some(""), Some("a\"b\nc")]));
        let batch = RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap();
        let mut out = String::new();
        write_header(&mut out, ["n", "t"].into_iter());
        write_batch(&mut out, &batch, &[Type::Bigint, Type::VARCHAR]);
        assert_eq!(out, "\"n\",\"t\"\n\"1\",\"\"\n,\"a\"\"b\nc\"\n");
        let rows = read(&out);
        assert_eq!(rows[1], [Some("1".to_owned()), Some(String::new())]);
        assert_eq!(rows[2], [None, Some("a\"b\nc".to_owned())]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in proptest::collection::vec(proptest::option::of("[a,\"\n\u{e9}]{0,6}"), 1..20)) {
            let column: ArrayRef = Arc::new(StringArray::from(values.clone()));
            let batch = RecordBatch::try_from_iter([("t", column)]).unwrap();
            let mut out = String::new();
            write_batch(&mut out, &batch, &[Type::VARCHAR]);
            let rows: Vec<_> = read(&out).into_iter().map(|mut row| row.remove(0)).collect();
            prop_assert_eq!(rows, values);
        }
    }
}
