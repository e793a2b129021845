use crate::functions::testing::{check, eval, type_of};

#[test]
fn signs() {
    check(&[
        ("abs(-5)", "5"),
        ("abs(-1.50)", "1.50"),
        ("abs(-2.5e0)", "2.5"),
        ("abs(CAST(-128 AS tinyint))", "NUMERIC_VALUE_OUT_OF_RANGE: Value -128 is out of range for abs(tinyint)"),
        ("sign(-7)", "-1"),
        ("sign(0)", "0"),
        ("sign(-2.50)", "-1"),
        ("sign(2.5e0)", "1.0"),
        ("sign(nan())", "NaN"),
        ("abs(CAST(NULL AS bigint))", "NULL"),
    ]);
    assert_eq!(type_of("abs(CAST(1 AS smallint))"), "smallint");
    assert_eq!(type_of("sign(2.50)"), "decimal(1,0)");
}

#[test]
fn rounding() {
    check(&[
        ("round(2.5e0)", "3.0"),
        ("round(-2.5e0)", "-3.0"),
        ("round(0.49999999999999994e0)", "0.0"),
        ("round(3.14159e0, 2)", "3.14"),
        ("round(1234.5e0, -2)", "1200.0"),
        ("round(1e300, 10)", "1.0E300"),
        ("round(nan(), 2)", "NaN"),
        ("round(2.45)", "2"),
        ("round(-2.55, 1)", "-2.60"),
        ("round(149.99, -2)", "100.00"),
        ("round(99.99, -5)", "0.00"),
        ("round(155, -1)", "160"),
        ("round(-155, -1)", "-160"),
        ("round(155, 3)", "155"),
        ("round(2147483647, -1)", "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: 2147483650"),
        ("ceil(2.1)", "3"),
        ("ceiling(-2.1)", "-2"),
        ("floor(-2.1)", "-3"),
        ("floor(2.9e0)", "2.0"),
        ("floor(7)", "7"),
        ("truncate(-2.9e0)", "-2.0"),
        ("truncate(-2.99)", "-2"),
        ("truncate(12.345, 1)", "12.300"),
        ("truncate(12.345, -1)", "10.000"),
        ("round(CAST(NULL AS double), 1)", "NULL"),
    ]);
    assert_eq!(type_of("round(12.345)"), "decimal(3,0)");
    assert_eq!(type_of("round(12.345, 1)"), "decimal(6,3)");
    assert_eq!(type_of("ceil(12.345)"), "decimal(3,0)");
    assert_eq!(type_of("truncate(12.345)"), "decimal(2,0)");
}

#[test]
fn powers_and_angles() {
    check(&[
        ("power(2, 10)", "1024.0"),
        ("pow(2, -1)", "0.5"),
        ("sqrt(2.25)", "1.5"),
        ("sqrt(-1)", "NaN"),
        ("cbrt(27)", "3.0"),
        ("exp(0)", "1.0"),
        ("ln(e())", "1.0"),
        ("log2(8)", "3.0"),
        ("log10(1000)", "3.0"),
        ("log(2, 8)", "3.0"),
        ("ln(0)", "-Infinity"),
        ("degrees(pi())", "180.0"),
        ("radians(180) = pi()", "true"),
        ("atan2(0, -1) = pi()", "true"),
        ("sin(0) + cos(0) + tan(0)", "1.0"),
        ("asin(0) + acos(1) + atan(0)", "0.0"),
        ("sinh(0) + cosh(0) + tanh(0)", "1.0"),
        ("is_nan(nan())", "true"),
        ("is_finite(infinity())", "false"),
        ("is_infinite(-infinity())", "true"),
        ("sin(NULL)", "NULL"),
    ]);
}

#[test]
fn remainders() {
    check(&[
        ("mod(-7, 3)", "-1"),
        ("mod(7.5, 2)", "1.5"),
        ("mod(5, 0)", "DIVISION_BY_ZERO: Division by zero"),
        ("mod(7e0, 4)", "3.0"),
    ]);
}

#[test]
fn bases_and_buckets() {
    check(&[
        ("to_base(255, 16)", "ff"),
        ("to_base(-5, 2)", "-101"),
        ("to_base(0, 36)", "0"),
        ("to_base(1, 37)", "INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36"),
        ("from_base('-ff', 16)", "-255"),
        ("from_base('Z', 36)", "35"),
        ("from_base('8', 8)", "INVALID_FUNCTION_ARGUMENT: Not a valid base-8 number: 8"),
        ("width_bucket(3.14e0, 0, 4, 3)", "3"),
        ("width_bucket(3.14e0, 4, 0, 3)", "1"),
        ("width_bucket(5, 0, 4, 3)", "4"),
        ("width_bucket(-1, 0, 4, 3)", "0"),
        ("width_bucket(1, 4, 4, 3)", "INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other"),
        ("width_bucket(1, 0, 4, 0)", "INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0"),
        ("width_bucket(3e0, ARRAY[1e0, 2e0, 4e0])", "2"),
        (
            "width_bucket(3e0, ARRAY[2e0, 1e0])",
            "INVALID_FUNCTION_ARGUMENT: Bin values are not sorted in ascending order",
        ),
    ]);
}

#[test]
fn chance() {
    check(&[
        ("random() < 1e0 AND random(5) < 5 AND rand(3, 5) >= 3", "true"),
        ("random(0)", "INVALID_FUNCTION_ARGUMENT: bound must be positive"),
        ("random(5, 5)", "INVALID_FUNCTION_ARGUMENT: start value must be less than stop value"),
    ]);
    assert_eq!(eval("random(1)"), "0");
}
