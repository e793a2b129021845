//! The order of JSON's numbers: integers are never rounded to doubles, as which some of them would look the same.

use std::cmp::Ordering;

use serde_json::Value;

/// The order of two numbers, if both are.
pub(crate) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => order_mixed(a, b.as_f64()?),
        (None, Some(b)) => order_mixed(b, a.as_f64()?).map(Ordering::reverse),
        (None, None) => match (a.as_u64(), b.as_u64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
    }
}

/// The order of an integer and a double.
pub(crate) fn order_mixed(integer: i64, double: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if double.is_nan() {
        None
    } else if double >= BEYOND {
        Some(Ordering::Less)
    } else if double < -BEYOND {
        Some(Ordering::Greater)
    } else {
        integer.cmp(&(double.trunc() as i64)).then(0.0.partial_cmp(&double.fract())?).into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integer_and_a_double_are_compared_as_they_are() {
        let odd = 9_007_199_254_740_993;
        assert_eq!(order_mixed(odd, 9_007_199_254_740_992.0), Some(Ordering::Greater));
        assert_eq!(order_mixed(odd, 9_007_199_254_740_994.0), Some(Ordering::Less));
        assert_eq!(order_mixed(1_000_000_000_000_000, 1_000_000_000_000_000.5), Some(Ordering::Less));
        assert_eq!(order_mixed(-1_000_000_000_000_000, -1_000_000_000_000_000.5), Some(Ordering::Greater));
        assert_eq!(order_mixed(i64::MAX, 9_223_372_036_854_775_808.0), Some(Ordering::Less));
        assert_eq!(order_mixed(i64::MIN, -9_223_372_036_854_775_808.0), Some(Ordering::Equal));
        assert_eq!(order_mixed(odd, f64::INFINITY), Some(Ordering::Less));
        assert_eq!(order_mixed(odd, f64::NAN), None);
    }

    #[test]
    fn numbers_of_json_have_one_order() {
        assert_eq!(order(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992.0)), Some(Ordering::Greater));
        assert_eq!(order(&json!(1.0), &json!(1)), Some(Ordering::Equal));
        assert_eq!(order(&json!(u64::MAX), &json!(u64::MAX - 1)), Some(Ordering::Greater));
        assert_eq!(order(&json!(u64::MAX), &json!(i64::MAX)), Some(Ordering::Greater));
        assert_eq!(order(&json!(1), &json!("1")), None);
    }
}
