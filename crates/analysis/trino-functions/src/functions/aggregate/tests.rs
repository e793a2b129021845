use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::logical_expr::col;
use datafusion::prelude::SessionContext;

use crate::error::TrinoError;
use crate::testing::value;
use crate::types::Type;
use crate::types::format::write_value;
use crate::{AggregateCall, Typed, aggregate};

/// An aggregate over these rows as Athena shows it, spread over two partitions.
pub(super) fn over(name: &str, args: Vec<Typed>, distinct: bool) -> Result<String, TrinoError> {
    let numbers: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![Some(3), Some(1), None, Some(1)]));
    let texts: ArrayRef = std::sync::Arc::new(StringArray::from(vec![Some("c"), Some("a"), None, Some("b")]));
    let doubles: ArrayRef = std::sync::Arc::new(Float64Array::from(vec![1.0, 2.0, 4.0, 8.0]));
    let batch = RecordBatch::try_from_iter([("n", numbers), ("t", texts), ("d", doubles)]).unwrap();
    let call = AggregateCall { name: name.into(), args, distinct, filter: None, order_by: Vec::new() };
    let (expr, ty) = aggregate(call)?;
    let table = datafusion::datasource::MemTable::try_new(
        batch.schema(),
        vec![vec![batch.slice(0, 2)], vec![batch.slice(2, 2)]],
    )?;
    let context = SessionContext::new();
    let frame = context.read_table(std::sync::Arc::new(table))?.aggregate(vec![], vec![expr.alias("r")])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let result = runtime.block_on(frame.collect())?;
    let array = result[0].column(0);
    assert_eq!(array.data_type(), &ty.to_arrow(), "{name}");
    let mut text = String::new();
    write_value(&mut text, array, 0, &ty);
    Ok(text)
}

pub(super) fn n() -> Typed {
    (col("n"), Type::Bigint)
}

pub(super) fn t() -> Typed {
    (col("t"), Type::VARCHAR)
}

pub(super) fn d() -> Typed {
    (col("d"), Type::Double)
}

pub(super) fn as_type(value: Typed, ty: &str) -> Typed {
    crate::cast::cast(value, &Type::parse_trino(ty).unwrap()).unwrap()
}

#[test]
fn counts_and_sums() {
    let get = |name, args| over(name, args, false).unwrap();
    assert_eq!(get("count", vec![]), "4");
    assert_eq!(get("count", vec![n()]), "3");
    assert_eq!(over("count", vec![n()], true).unwrap(), "2");
    assert_eq!(get("sum", vec![n()]), "5");
    assert_eq!(over("sum", vec![n()], true).unwrap(), "4");
    assert_eq!(get("sum", vec![as_type(n(), "decimal(10,2)")]), "5.00");
    assert_eq!(get("sum", vec![as_type(n(), "real")]), "5.0");
    assert_eq!(get("avg", vec![n()]), "1.6666666666666667");
    assert_eq!(get("avg", vec![as_type(n(), "decimal(10,2)")]), "1.67");
    assert_eq!(get("avg", vec![as_type(d(), "real")]), "3.75");
    assert_eq!(get("approx_distinct", vec![n()]), "2");
    let condition = (col("n").gt(datafusion::logical_expr::lit(1_i64)), Type::Boolean);
    assert_eq!(get("count_if", vec![condition]), "1");
}

#[test]
fn a_sum_that_does_not_fit_is_an_error() {
    let huge = (col("n") * datafusion::logical_expr::lit(i64::MAX / 3), Type::Bigint);
    let error = over("sum", vec![huge], false).unwrap_err();
    assert_eq!(error.code, crate::error::ErrorCode::NumericValueOutOfRange);
    assert!(error.message.starts_with("bigint addition overflow"));
}

#[test]
fn chosen_rows() {
    let get = |name, args| over(name, args, false).unwrap();
    assert_eq!(get("min", vec![t()]), "a");
    assert_eq!(get("max", vec![n()]), "3");
    assert_eq!(get("max_by", vec![t(), n()]), "c");
    assert_eq!(get("min_by", vec![n(), t()]), "1");
    assert!(["1", "3"].contains(&get("arbitrary", vec![n()]).as_str()));
}

#[test]
fn collections() {
    let get = |name, args| over(name, args, false).unwrap();
    let either = |text: String, options: [&str; 2]| assert!(options.contains(&text.as_str()), "{text}");
    either(get("histogram", vec![n()]), ["{3=1, 1=2}", "{1=2, 3=1}"]);
    let map = get("map_agg", vec![t(), n()]);
    assert_eq!((map.len(), map.contains("a=1"), map.contains("c=3")), (15, true, true));
    let map = get("multimap_agg", vec![n(), t()]);
    assert!(map.contains("3=[c]"), "{map}");
    let text = get("listagg", vec![t(), value("; ", "varchar")]);
    assert_eq!(text.len(), 7, "{text}");
    assert_eq!(get("geometric_mean", vec![d()]).get(..7), Some("2.82842"));
    assert_eq!(get("bitwise_or_agg", vec![n()]), "3");
    assert_eq!(get("array_agg", vec![n()]).len(), 15);
}

#[test]
fn statistics() {
    let get = |name, args| over(name, args, false).unwrap();
    assert_eq!(get("var_pop", vec![d()]), "7.1875");
    assert!(get("corr", vec![d(), d()]).starts_with("1.0"));
    assert_eq!(get("regr_slope", vec![d(), d()]), "1.0");
    assert_eq!(get("approx_percentile", vec![n(), value("0.5", "double")]), "1");
    assert_eq!(get("bool_and", vec![(col("n").is_null(), Type::Boolean)]), "false");
}

#[test]
fn wrong_arguments_are_refused_with_what_is_expected() {
    let error = over("sum", vec![t()], false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "FUNCTION_NOT_FOUND: Unexpected parameters (varchar) for function sum. \
         Expected: sum(bigint), sum(decimal(p, s)), sum(double), sum(interval day to second), \
         sum(interval year to month), sum(real)"
    );
    let error = over("nope", vec![], false).unwrap_err();
    assert_eq!(error.to_string(), "FUNCTION_NOT_FOUND: Function 'nope' not registered");
}
