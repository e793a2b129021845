//! Random schemas and rows, with NULLs, empty containers and all of Unicode, through every writer and back.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use boathouse_trino_functions::types::{RowField, Type};
use proptest::prelude::*;

use super::fixture::{Fixture, parsed};
use super::schemas::target;
use crate::catalog::{AvroFormat, Format, JsonFormat, TextFormat};
use crate::write::{Compression, WriteFormat};

/// A value of any type.
#[derive(Debug, Clone)]
enum Cell {
    Null,
    /// Of booleans, numbers, dates and times.
    Number(i64),
    Text(String),
    /// Elements, fields, or keys and values in turn.
    Many(Vec<Cell>),
}

fn types() -> impl Strategy<Value = Type> {
    let scalar = prop::sample::select(vec![
        Type::Boolean,
        Type::Tinyint,
        Type::Smallint,
        Type::Integer,
        Type::Bigint,
        Type::Real,
        Type::Double,
        Type::Decimal(18, 3),
        Type::Decimal(38, 0),
        Type::VARCHAR,
        Type::Varbinary,
        Type::Date,
        Type::Timestamp(3),
    ]);
    scalar.prop_recursive(3, 12, 3, |inner| {
        let field = |(name, ty): (usize, Type)| RowField { name: Some(format!("f{name}")), ty };
        prop_oneof![
            inner.clone().prop_map(Type::array),
            inner.clone().prop_map(|value| Type::map(Type::VARCHAR, value)),
            prop::collection::vec(inner, 1..4)
                .prop_map(move |fields| Type::Row(fields.into_iter().enumerate().map(field).collect())),
        ]
    })
}

/// Values of a type; texts have no control characters, which text files and JSON write in other ways.
fn cells(ty: &Type) -> BoxedStrategy<Cell> {
    let value = match ty {
        Type::Boolean => (0_i64..2).prop_map(Cell::Number).boxed(),
        Type::Tinyint => any::<i8>().prop_map(|number| Cell::Number(number.into())).boxed(),
        Type::Smallint => any::<i16>().prop_map(|number| Cell::Number(number.into())).boxed(),
        Type::Integer => any::<i32>().prop_map(|number| Cell::Number(number.into())).boxed(),
        Type::Date => (-700_000_i32..2_900_000).prop_map(|days| Cell::Number(days.into())).boxed(),
        Type::Timestamp(_) => (-60_000_000_000_000_i64..250_000_000_000_000)
            .prop_filter("ORC can't hold these", |millis| !(-999..0).contains(millis))
            .prop_map(Cell::Number)
            .boxed(),
        Type::Varchar(_) | Type::Varbinary => "\\PC{0,9}".prop_map(Cell::Text).boxed(),
        Type::Array(element) => prop::collection::vec(cells(element), 0..4).prop_map(Cell::Many).boxed(),
        Type::Map(_, value) => {
            let entries = prop::collection::btree_map("[a-zß€]{1,5}", cells(value), 0..4);
            entries
                .prop_map(|map| Cell::Many(map.into_iter().flat_map(|(key, value)| [Cell::Text(key), value]).collect()))
                .boxed()
        }
        Type::Row(fields) => {
            fields.iter().map(|field| cells(&field.ty)).collect::<Vec<_>>().prop_map(Cell::Many).boxed()
        }
        _ => any::<i64>().prop_map(Cell::Number).boxed(),
    };
    prop_oneof![1 => Just(Cell::Null), 5 => value].boxed()
}

fn number(cell: &&Cell) -> Option<i64> {
    match cell {
        Cell::Number(number) => Some(*number),
        _ => None,
    }
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

fn array(cells: &[&Cell], ty: &Type) -> ArrayRef {
    let nulls: NullBuffer = cells.iter().map(|cell| !matches!(cell, Cell::Null)).collect::<Vec<_>>().into();
    let parts = |cell: &&Cell| match cell {
        Cell::Many(parts) => parts.len(),
        _ => 0,
    };
    let inner = || cells.iter().flat_map(|cell| if let Cell::Many(parts) = cell { parts.as_slice() } else { &[] });
    match (ty, ty.to_arrow()) {
        (Type::Boolean, _) => {
            Arc::new(cells.iter().map(|cell| number(cell).map(|bit| bit == 1)).collect::<BooleanArray>())
        }
        (Type::Real | Type::Double, to) => {
            let halves = cells.iter().map(|cell| number(cell).map(|number| (number % 1_000_000) as f64 / 2.0));
            cast(&halves.collect::<arrow::array::Float64Array>(), &to).unwrap()
        }
        (Type::Decimal(precision, scale), _) => {
            let digits = cells.iter().map(|cell| number(cell).map(|number| i128::from(number / 10)));
            let digits = digits.collect::<Decimal128Array>();
            Arc::new(digits.with_precision_and_scale(*precision, *scale as i8).unwrap())
        }
        (Type::Varchar(_), _) => Arc::new(cells.iter().map(|cell| text(cell)).collect::<StringArray>()),
        (Type::Varbinary, _) => {
            Arc::new(cells.iter().map(|cell| text(cell).map(str::as_bytes)).collect::<BinaryArray>())
        }
        (Type::Array(element), DataType::List(field)) => {
            let values = array(&inner().collect::<Vec<_>>(), element);
            let offsets = OffsetBuffer::from_lengths(cells.iter().map(parts));
            Arc::new(ListArray::new(field, offsets, values, Some(nulls)))
        }
        (Type::Map(key, value), DataType::Map(field, _)) => {
            let DataType::Struct(entry) = field.data_type().clone() else { unreachable!() };
            let keys = array(&inner().step_by(2).collect::<Vec<_>>(), key);
            let values = array(&inner().skip(1).step_by(2).collect::<Vec<_>>(), value);
            let entries = StructArray::new(entry, vec![keys, values], None);
            let offsets = OffsetBuffer::from_lengths(cells.iter().map(|cell| parts(cell) / 2));
            Arc::new(MapArray::new(field, offsets, entries, Some(nulls), false))
        }
        (Type::Row(fields), DataType::Struct(names)) => {
            let column = |(index, field): (usize, &RowField)| {
                let part = |cell: &&Cell| if let Cell::Many(parts) = cell { parts[index].clone() } else { Cell::Null };
                let parts: Vec<Cell> = cells.iter().map(part).collect();
                array(&parts.iter().collect::<Vec<_>>(), &field.ty)
            };
            let columns = fields.iter().enumerate().map(column).collect();
            Arc::new(StructArray::new(names, columns, Some(nulls)))
        }
        (Type::Date, to) => {
            let days = cells.iter().map(|cell| number(cell).map(|days| days as i32));
            cast(&days.collect::<arrow::array::Int32Array>(), &to).unwrap()
        }
        (_, to) => cast(&cells.iter().map(number).collect::<arrow::array::Int64Array>(), &to).unwrap(),
    }
}

/// A value that is not NULL, and not empty.
fn something(ty: &Type) -> Cell {
    match ty {
        Type::Varchar(_) | Type::Varbinary => Cell::Text("x".to_owned()),
        Type::Array(element) => Cell::Many(vec![something(element)]),
        Type::Map(_, value) => Cell::Many(vec![Cell::Text("k".to_owned()), something(value)]),
        Type::Row(fields) => Cell::Many(fields.iter().map(|field| something(&field.ty)).collect()),
        _ => Cell::Number(1),
    }
}

/// What delimited text holds of a value: a list of nothing but a NULL, an empty text or an empty list looks like NULL or like
/// an empty list there, so that within containers there is always something.
fn in_text(cell: &Cell, ty: &Type, within: bool) -> Cell {
    let is_nothing = match cell {
        Cell::Null => true,
        Cell::Number(_) => false,
        Cell::Text(text) => text.is_empty(),
        Cell::Many(parts) => parts.is_empty(),
    };
    match (cell, ty) {
        _ if within && is_nothing => something(ty),
        (Cell::Many(parts), Type::Array(element)) => {
            Cell::Many(parts.iter().map(|part| in_text(part, element, true)).collect())
        }
        (Cell::Many(parts), Type::Map(key, value)) => {
            let part = |(index, part): (usize, &Cell)| in_text(part, if index % 2 == 0 { key } else { value }, true);
            Cell::Many(parts.iter().enumerate().map(part).collect())
        }
        (Cell::Many(parts), Type::Row(fields)) => {
            Cell::Many(parts.iter().zip(fields.iter()).map(|(part, field)| in_text(part, &field.ty, true)).collect())
        }
        _ => cell.clone(),
    }
}

async fn put(fixture: &Fixture, table: &str, columns: &[(String, Type)], rows: &[Vec<Cell>]) {
    let column = |(index, (name, ty)): (usize, &(String, Type))| {
        let cells: Vec<&Cell> = rows.iter().map(|row| &row[index]).collect();
        (name.clone(), array(&cells, ty), true)
    };
    let batch = RecordBatch::try_from_iter_with_nullable(columns.iter().enumerate().map(column)).unwrap();
    fixture.put_parquet(&format!("{table}/f"), &batch).await;
    declare(fixture, table, columns, Format::Parquet);
}

fn declare(fixture: &Fixture, table: &str, columns: &[(String, Type)], format: Format) {
    let columns: Vec<(&str, String)> = columns.iter().map(|(name, ty)| (name.as_str(), ty.to_string())).collect();
    let columns: Vec<(&str, &str)> = columns.iter().map(|(name, ty)| (*name, ty.as_str())).collect();
    fixture.table(table, &columns, &[], format);
}

async fn come_back(types: &[Type], rows: &[Vec<Cell>]) {
    let fixture = Fixture::new();
    let columns: Vec<(String, Type)> =
        types.iter().enumerate().map(|(index, ty)| (format!("c{index}"), ty.clone())).collect();
    let of_row = |row: &Vec<Cell>| row.iter().zip(types).map(|(cell, ty)| in_text(cell, ty, false)).collect();
    let in_text: Vec<Vec<Cell>> = rows.iter().map(of_row).collect();
    put(&fixture, "source", &columns, rows).await;
    put(&fixture, "in_text", &columns, &in_text).await;
    let text = TextFormat { escape: Some(b'\\'), ..TextFormat::default() };
    for (name, source, write, compression, read) in [
        ("parquet", "source", WriteFormat::Parquet, Compression::Gzip, Format::Parquet),
        ("orc", "source", WriteFormat::Orc, Compression::Zlib, Format::Orc),
        ("named", "source", WriteFormat::Orc, Compression::Zstd, Format::OrcByName),
        ("avro", "source", WriteFormat::Avro, Compression::Snappy, Format::Avro(AvroFormat::default())),
        ("json", "source", WriteFormat::Json, Compression::Gzip, Format::Json(JsonFormat::default())),
        ("text", "in_text", WriteFormat::Text(text.clone()), Compression::None, Format::Text(text.clone())),
    ] {
        let query = parsed(&format!("SELECT * FROM {source}"));
        let written = fixture.engine.write(&fixture.session, &query, target(name, write, compression)).await;
        assert_eq!(written.unwrap().rows as usize, rows.len(), "{name}");
        declare(&fixture, name, &columns, read);
        let found = fixture.sorted(&format!("SELECT * FROM {name}")).await;
        assert_eq!(found, fixture.sorted(&format!("SELECT * FROM {source}")).await, "{name}: {types:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_rows_come_back(
        (types, rows) in prop::collection::vec(types(), 1..4).prop_flat_map(|types| {
            let row = types.iter().map(cells).collect::<Vec<_>>();
            (Just(types), prop::collection::vec(row, 1..12))
        })
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(come_back(&types, &rows));
    }
}
