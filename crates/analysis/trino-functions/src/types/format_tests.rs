use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, DurationMillisecondArray, Float32Array, Float64Array,
    Int32Array, ListArray, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow::datatypes::Int32Type;

use super::*;
use crate::types::RowField;

fn texts(array: impl Array + 'static, ty: &Type) -> Vec<String> {
    let array: ArrayRef = Arc::new(array);
    let text = |row| {
        let mut out = String::new();
        write_value(&mut out, &array, row, ty);
        out
    };
    (0..array.len()).map(text).collect()
}

#[test]
fn doubles_look_like_javas() {
    let values = vec![1.0, 0.1, -0.001, 0.000_9, 9_999_999.5, 1e7, 1.5e10, -0.0, 123_456.75, f64::NAN, f64::INFINITY];
    let expected =
        ["1.0", "0.1", "-0.001", "9.0E-4", "9999999.5", "1.0E7", "1.5E10", "-0.0", "123456.75", "NaN", "Infinity"];
    assert_eq!(texts(Float64Array::from(values), &Type::Double), expected);
    assert_eq!(texts(Float32Array::from(vec![0.1, 1e10]), &Type::Real), ["0.1", "1.0E10"]);
}

#[test]
fn exact_numbers_dates_and_intervals() {
    let decimals = Decimal128Array::from(vec![5, -105, 12_345]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(texts(decimals, &Type::Decimal(10, 2)), ["0.05", "-1.05", "123.45"]);
    let dates = Date32Array::from(vec![0, -1, 15_706, 11_016]);
    assert_eq!(texts(dates, &Type::Date), ["1970-01-01", "1969-12-31", "2013-01-01", "2000-02-29"]);
    let instants = TimestampMillisecondArray::from(vec![1_357_017_420_000, -1]);
    assert_eq!(texts(instants, &Type::Timestamp(3)), ["2013-01-01 05:17:00.000", "1969-12-31 23:59:59.999"]);
    let spans = DurationMillisecondArray::from(vec![90_061_001, -1_000]);
    assert_eq!(texts(spans, &Type::IntervalDayTime), ["1 01:01:01.001", "-0 00:00:01.000"]);
}

#[test]
fn text_bytes_and_nested_values() {
    assert_eq!(texts(StringArray::from(vec!["é"]), &Type::Char(3)), ["é  "]);
    assert_eq!(texts(BinaryArray::from_vec(vec![&[10, 11], &[]]), &Type::Varbinary), ["0a 0b", ""]);
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None, Some(vec![])]);
    assert_eq!(texts(lists, &Type::array(Type::Integer)), ["[1, null]", "null", "[]"]);
    let ty = Type::Row(Arc::from(vec![
        RowField { name: Some("a".into()), ty: Type::Integer },
        RowField { name: None, ty: Type::VARCHAR },
    ]));
    let arrow::datatypes::DataType::Struct(fields) = ty.to_arrow() else { panic!("a row is a struct") };
    let columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![1])), Arc::new(StringArray::from(vec!["x"]))];
    assert_eq!(texts(StructArray::new(fields, columns, None), &ty), ["{a=1, field1=x}"]);
}

#[test]
fn a_zoned_timestamp_shows_its_own_clock() {
    let ty = Type::TimestampTz(3);
    let arrow::datatypes::DataType::Struct(fields) = ty.to_arrow() else { panic!("it is a struct") };
    let instants = TimestampMillisecondArray::from(vec![1_357_017_420_000; 3]).with_timezone("UTC");
    let zones = StringArray::from(vec!["UTC", "America/New_York", "+05:30"]);
    let columns: Vec<ArrayRef> = vec![Arc::new(instants), Arc::new(zones)];
    let expected =
        ["2013-01-01 05:17:00.000 UTC", "2013-01-01 00:17:00.000 America/New_York", "2013-01-01 10:47:00.000 +05:30"];
    assert_eq!(texts(StructArray::new(fields, columns, None), &ty), expected);
}
