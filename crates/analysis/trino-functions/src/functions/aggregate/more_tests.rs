//! The rarer aggregates, over the rows of `tests`.

use datafusion::logical_expr::{col, lit};

use super::super::testing;
use super::tests::{as_type, d, n, over, t};
use crate::Typed;
use crate::testing::value;
use crate::types::Type;

fn get(name: &str, args: Vec<Typed>) -> String {
    over(name, args, false).unwrap_or_else(|error| error.to_string())
}

fn int(value: i64) -> Typed {
    (lit(value), Type::Bigint)
}

#[test]
fn several_values() {
    assert_eq!(get("max", vec![n(), int(2)]), "[3, 1]");
    assert_eq!(get("min", vec![n(), int(9)]), "[1, 1, 3]");
    assert_eq!(get("max_by", vec![t(), n(), int(1)]), "[c]");
    assert_eq!(get("min_by", vec![d(), t(), int(2)]), "[2.0, 8.0]");
    assert_eq!(get("min", vec![n(), int(0)]), "INVALID_FUNCTION_ARGUMENT: second argument of min_n must be positive");
}

#[test]
fn distributions() {
    // Of 1, 2, 4 and 8.
    let skewness: f64 = get("skewness", vec![d()]).parse().unwrap();
    assert!((skewness - 0.656_5).abs() < 0.01, "{skewness}");
    let kurtosis: f64 = get("kurtosis", vec![d()]).parse().unwrap();
    assert!((kurtosis - 0.757_7).abs() < 0.01, "{kurtosis}");
    assert_eq!(get("kurtosis", vec![as_type(n(), "double")]), "null");
    assert_eq!(get("numeric_histogram", vec![int(2), d()]), "{2.3333333333333335=3.0, 8.0=1.0}");
    assert_eq!(get("numeric_histogram", vec![int(9), as_type(n(), "real")]), "{1.0=2.0, 3.0=1.0}");
    assert_eq!(get("approx_most_frequent", vec![int(2), n(), int(10)]), "{1=2, 3=1}");
    assert_eq!(get("approx_most_frequent", vec![int(3), t(), int(10)]), "{a=1, b=1, c=1}");
}

#[test]
fn percentiles() {
    assert_eq!(get("approx_percentile", vec![d(), value("0.5", "double")]), "4.0");
    assert_eq!(get("approx_percentile", vec![n(), int(2), value("1", "double")]), "3");
    let several = crate::cast::cast(
        (datafusion::functions_nested::expr_fn::make_array(vec![lit(0.0), lit(1.0)]), Type::array(Type::Double)),
        &Type::array(Type::Double),
    );
    assert_eq!(get("approx_percentile", vec![d(), several.unwrap()]), "[1.0, 8.0]");
    assert_eq!(
        get("approx_percentile", vec![d(), value("1.5", "double")]),
        "INVALID_FUNCTION_ARGUMENT: Percentile must be between 0 and 1"
    );
}

#[test]
fn sketches() {
    for (name, args) in [("approx_set", vec![t()]), ("make_set_digest", vec![n()]), ("tdigest_agg", vec![d()])] {
        assert!(get(name, args).len() > 16, "{name}");
    }
    assert!(get("qdigest_agg", vec![n()]).starts_with("02 00"));
    testing::check(&[("cardinality(empty_approx_set())", "0")]);
    assert_eq!(get("approx_distinct", vec![d()]), "4");
    assert_eq!(get("approx_distinct", vec![(col("n").is_null(), Type::Boolean)]), "2");
}

#[test]
fn checksums_do_not_depend_on_order() {
    let one = get("checksum", vec![n()]);
    assert_eq!(one.len(), 23, "{one}");
    assert_ne!(one, get("checksum", vec![t()]));
    assert_ne!(one, over("checksum", vec![n()], true).unwrap());
}

#[test]
fn intervals_and_reals() {
    let interval = (datafusion::logical_expr::cast(col("n"), Type::IntervalDayTime.to_arrow()), Type::IntervalDayTime);
    assert_eq!(get("sum", vec![interval.clone()]), "0 00:00:00.005");
    assert_eq!(get("avg", vec![interval]), "0 00:00:00.002");
    assert_eq!(get("regr_slope", vec![as_type(d(), "real"), as_type(d(), "real")]), "1.0");
}

#[test]
fn texts_are_cut_off() {
    let text = get("listagg", vec![t(), value(",", "varchar"), value("...", "varchar"), value("true", "boolean")]);
    assert_eq!(text.len(), 5, "{text}");
}
