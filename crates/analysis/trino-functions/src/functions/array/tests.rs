use crate::functions::testing::{check, type_of};

#[test]
fn elements() {
    check(&[
        ("cardinality(ARRAY[1, NULL, 3])", "3"),
        ("cardinality(ARRAY[])", "0"),
        ("cardinality(CAST(NULL AS array(bigint)))", "NULL"),
        ("element_at(ARRAY['a', 'b'], 2)", "b"),
        ("element_at(ARRAY['a', 'b'], -2)", "a"),
        ("element_at(ARRAY['a', 'b'], 3)", "NULL"),
        ("element_at(ARRAY['a', 'b'], 0)", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
        ("slice(ARRAY[1, 2, 3, 4], 2, 2)", "[2, 3]"),
        ("slice(ARRAY[1, 2, 3, 4], -2, 5)", "[3, 4]"),
        ("slice(ARRAY[1, 2], 5, 1)", "[]"),
        ("slice(ARRAY[1, 2], 0, 1)", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
        ("slice(ARRAY[1, 2], 1, -1)", "INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0"),
        ("trim_array(ARRAY[1, 2, 3], 2)", "[1]"),
        ("trim_array(ARRAY[1], 2)", "INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality 1: 2"),
        ("trim_array(ARRAY[1], -1)", "INVALID_FUNCTION_ARGUMENT: size must not be negative: -1"),
        ("repeat('x', 3)", "[x, x, x]"),
        ("repeat(NULL, 2)", "[null, null]"),
        ("repeat(1, 0)", "[]"),
        (
            "repeat(1, -1)",
            "INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal to 0",
        ),
        ("array_join(ARRAY[1, NULL, 3], '-')", "1-3"),
        ("array_join(ARRAY[1, NULL, 3], '-', '?')", "1-?-3"),
        ("array_join(ARRAY[true, false], ', ')", "true, false"),
        ("array_join(ARRAY['ä'], NULL)", "NULL"),
    ]);
}

#[test]
fn searching() {
    check(&[
        ("contains(ARRAY[1, 2], 2)", "true"),
        ("contains(ARRAY[1, NULL], 2)", "NULL"),
        ("contains(ARRAY[1, 2], 3)", "false"),
        ("contains(ARRAY[1, 2], NULL)", "NULL"),
        ("contains(ARRAY[0e0], -0e0)", "true"),
        ("contains(ARRAY[ARRAY[1], ARRAY[2, 3]], ARRAY[2, 3])", "true"),
        ("contains(ARRAY[ROW(1, 'a')], ROW(1, 'a'))", "true"),
        ("contains(ARRAY[ROW(1, 2), ROW(1, NULL)], ROW(1, 2))", "true"),
        (
            "contains(ARRAY[ROW(1, NULL)], ROW(1, 2))",
            "NOT_SUPPORTED: contains does not support arrays with elements that are null or contain null",
        ),
        (
            "array_max(ARRAY[ROW(1, NULL), ROW(1, 2)])",
            "NOT_SUPPORTED: ROW comparison not supported for fields with null elements",
        ),
        ("array_max(ARRAY[ARRAY[1, 2], ARRAY[1, 3]])", "[1, 3]"),
        ("array_sort(ARRAY[ARRAY[2, NULL], ARRAY[1, 2]])", "[[1, 2], [2, null]]"),
        ("greatest(ARRAY[2], ARRAY[1, 9])", "[2]"),
        ("contains_sequence(ARRAY[1, 2, 3], ARRAY[2, 3])", "true"),
        ("contains_sequence(ARRAY[1, 2, 3], ARRAY[1, 3])", "false"),
        ("contains_sequence(ARRAY[1], ARRAY[1, 2])", "false"),
        ("arrays_overlap(ARRAY[1, 2], ARRAY[2, 3])", "true"),
        ("arrays_overlap(ARRAY[1, NULL], ARRAY[3])", "NULL"),
        ("arrays_overlap(ARRAY[1], ARRAY[3])", "false"),
        ("array_position(ARRAY['a', 'b', 'a'], 'a')", "1"),
        ("array_position(ARRAY['a', 'b', 'a'], 'a', 2)", "3"),
        ("array_position(ARRAY['a', 'b', 'a'], 'a', -1)", "3"),
        ("array_position(ARRAY['a'], 'x')", "0"),
        (
            "array_position(ARRAY['a'], 'a', 0)",
            "INVALID_FUNCTION_ARGUMENT: array_position cannot take a 0-valued instance argument.",
        ),
        ("array_remove(ARRAY[1, NULL, 2, 1], 1)", "[null, 2]"),
        ("array_max(ARRAY[3, 9, 2])", "9"),
        ("array_min(ARRAY['b', 'a'])", "a"),
        ("array_min(ARRAY[1, NULL])", "NULL"),
        ("array_max(ARRAY[1e0, nan(), 2e0])", "2.0"),
        ("array_min(ARRAY[1e0, nan(), 2e0])", "1.0"),
    ]);
    assert_eq!(type_of("contains(ARRAY[1], 1)"), "boolean");
}

#[test]
fn reordering() {
    check(&[
        ("array_sort(ARRAY[3, NULL, 1, 2])", "[1, 2, 3, null]"),
        ("array_sort(ARRAY['b', 'ä', 'a'])", "[a, b, ä]"),
        ("array_sort(ARRAY[2e0, nan(), -1e0])", "[-1.0, 2.0, NaN]"),
        ("array_distinct(ARRAY[1, NULL, 1, NULL, 2])", "[1, null, 2]"),
        ("array_union(ARRAY[1, 2, NULL], ARRAY[2, 3, NULL])", "[1, 2, null, 3]"),
        ("array_intersect(ARRAY[1, 2, 2, NULL], ARRAY[2, NULL, 5])", "[2, null]"),
        ("array_except(ARRAY[1, 2, 2, 1], ARRAY[2])", "[1]"),
        ("reverse(ARRAY[1, 2, NULL])", "[null, 2, 1]"),
        ("array_sort(shuffle(ARRAY[3, 1, 2]))", "[1, 2, 3]"),
        ("array_distinct(CAST(NULL AS array(bigint)))", "NULL"),
    ]);
}

#[test]
fn combining() {
    check(&[
        ("concat(ARRAY[1], ARRAY[2, NULL], ARRAY[3])", "[1, 2, null, 3]"),
        ("ARRAY[1] || ARRAY[2]", "[1, 2]"),
        ("ARRAY[1] || 2", "[1, 2]"),
        ("1 || ARRAY[2]", "[1, 2]"),
        ("flatten(ARRAY[ARRAY[1], NULL, ARRAY[2, NULL]])", "[1, 2, null]"),
        ("ngrams(ARRAY['a', 'b', 'c'], 2)", "[[a, b], [b, c]]"),
        ("ngrams(ARRAY['a', 'b'], 5)", "[[a, b]]"),
        ("ngrams(ARRAY['a'], 0)", "INVALID_FUNCTION_ARGUMENT: N must be positive"),
        ("combinations(ARRAY['a', 'b', 'c'], 2)", "[[a, b], [a, c], [b, c]]"),
        ("combinations(ARRAY[1, 2, 3, 4], 3)", "[[1, 2, 3], [1, 2, 4], [1, 3, 4], [2, 3, 4]]"),
        ("combinations(ARRAY[1, 2], 0)", "[[]]"),
        ("combinations(ARRAY[1, 2], 3)", "[]"),
        ("combinations(ARRAY[1, 2], 6)", "INVALID_FUNCTION_ARGUMENT: combination size must not exceed 5: 6"),
        ("zip(ARRAY[1, 2], ARRAY['a'])", "[{field0=1, field1=a}, {field0=2, field1=null}]"),
    ]);
}

#[test]
fn sequences() {
    check(&[
        ("sequence(1, 5, 2)", "[1, 3, 5]"),
        ("sequence(3, 1)", "[3, 2, 1]"),
        ("sequence(1, NULL)", "NULL"),
        ("sequence(DATE '2024-01-30', DATE '2024-02-01')", "[2024-01-30, 2024-01-31, 2024-02-01]"),
        ("sequence(DATE '2024-01-31', DATE '2024-03-31', INTERVAL '1' MONTH)", "[2024-01-31, 2024-02-29, 2024-03-31]"),
        ("sequence(DATE '2024-01-01', DATE '2024-01-09', INTERVAL '4' DAY)", "[2024-01-01, 2024-01-05, 2024-01-09]"),
        ("sequence(1, 10, 0)", "INVALID_FUNCTION_ARGUMENT: step must not be zero"),
        (
            "sequence(1, 20000)",
            "INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries",
        ),
        (
            "sequence(DATE '2024-01-01', DATE '2024-01-02', INTERVAL '1' HOUR)",
            "INVALID_FUNCTION_ARGUMENT: sequence step must be a day interval if start and end values are dates",
        ),
    ]);
    assert!(
        crate::functions::testing::eval("sequence(1, 5, -1)").starts_with("INVALID_FUNCTION_ARGUMENT: sequence stop")
    );
}
