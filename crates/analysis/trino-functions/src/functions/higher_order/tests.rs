use crate::functions::testing::{check, type_of};

#[test]
fn over_elements() {
    check(&[
        ("transform(ARRAY[1, 2, NULL], x -> x + 10)", "[11, 12, null]"),
        ("transform(ARRAY[], x -> 1)", "[]"),
        ("transform(CAST(NULL AS array(bigint)), x -> x + 1)", "NULL"),
        ("transform(ARRAY['a', 'b'], x -> upper(x) || '!')", "[A!, B!]"),
        ("transform(ARRAY[1, 2], x -> 'k')", "[k, k]"),
        ("transform(ARRAY[ARRAY[1, 2], ARRAY[3]], x -> transform(x, y -> y * cardinality(x)))", "[[2, 4], [3]]"),
        ("transform(ARRAY[1, 0], x -> 1 / x)", "DIVISION_BY_ZERO: Division by zero"),
        ("filter(ARRAY[5, NULL, 7, 1], x -> x > 4)", "[5, 7]"),
        ("filter(ARRAY['a', NULL], x -> x IS NULL)", "[null]"),
        ("any_match(ARRAY[1, 2], x -> x = 2)", "true"),
        ("any_match(ARRAY[1, NULL], x -> x = 2)", "NULL"),
        ("any_match(ARRAY[], x -> true)", "false"),
        ("all_match(ARRAY[2, 4], x -> x % 2 = 0)", "true"),
        ("all_match(ARRAY[2, NULL], x -> x % 2 = 0)", "NULL"),
        ("all_match(ARRAY[1, NULL], x -> x % 2 = 0)", "false"),
        ("none_match(ARRAY[1, 3], x -> x = 2)", "true"),
        ("none_match(ARRAY[1, 2], x -> x = 2)", "false"),
        ("zip_with(ARRAY[1, 2], ARRAY[10, 20, 30], (x, y) -> x + y)", "[11, 22, null]"),
        ("zip_with(ARRAY['a'], ARRAY[1], (x, y) -> ROW(y, x))", "[{field0=1, field1=a}]"),
    ]);
    assert_eq!(type_of("transform(ARRAY[1], x -> x * 1e0)"), "array(double)");
}

#[test]
fn reducing() {
    check(&[
        ("reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s)", "75"),
        ("reduce(ARRAY[], 7, (s, x) -> s, s -> s * 2)", "14"),
        ("reduce(ARRAY[5, NULL], 0, (s, x) -> s + x, s -> s)", "NULL"),
        ("reduce(ARRAY['a', 'b'], CAST('' AS varchar), (s, x) -> x || s, s -> length(s))", "2"),
        ("reduce(CAST(NULL AS array(bigint)), 0, (s, x) -> s, s -> s)", "NULL"),
        ("transform(ARRAY[ARRAY[1, 2], ARRAY[3]], a -> reduce(a, 0, (s, x) -> s + x, s -> s))", "[3, 3]"),
    ]);
}

#[test]
fn sorting() {
    check(&[
        ("array_sort(ARRAY[3, 2, 5, 1, 2], (x, y) -> IF(x < y, 1, IF(x = y, 0, -1)))", "[5, 3, 2, 2, 1]"),
        (
            "array_sort(ARRAY['bc', 'ab', 'dc', 'a'], (x, y) -> IF(length(x) < length(y), -1, IF(length(x) = length(y), 0, 1)))",
            "[a, bc, ab, dc]",
        ),
        ("array_sort(ARRAY[1], (x, y) -> 5)", "[1]"),
        (
            "array_sort(ARRAY[1, 2], (x, y) -> 5)",
            "INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1",
        ),
    ]);
}

#[test]
fn over_maps() {
    check(&[
        ("map_filter(map(ARRAY[1, 2], ARRAY['a', NULL]), (k, v) -> v IS NOT NULL)", "{1=a}"),
        ("transform_values(map(ARRAY[1, 2], ARRAY[10, 20]), (k, v) -> k + v)", "{1=11, 2=22}"),
        ("transform_keys(map(ARRAY[1, 2], ARRAY['a', 'b']), (k, v) -> v || 'x')", "{ax=a, bx=b}"),
        (
            "transform_keys(map(ARRAY[1, 2], ARRAY['a', 'b']), (k, v) -> 7)",
            "INVALID_FUNCTION_ARGUMENT: Duplicate map keys (7) are not allowed",
        ),
        (
            "map_zip_with(map(ARRAY['a', 'b'], ARRAY[1, 2]), map(ARRAY['b', 'c'], ARRAY[20, 30]), (k, x, y) -> ROW(x, y))",
            "{a={field0=1, field1=null}, b={field0=2, field1=20}, c={field0=null, field1=30}}",
        ),
        ("transform_values(CAST(NULL AS map(bigint, bigint)), (k, v) -> v)", "NULL"),
    ]);
}
