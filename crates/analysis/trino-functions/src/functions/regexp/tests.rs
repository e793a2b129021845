use crate::functions::testing::{check, eval, type_of};

#[test]
fn finding() {
    check(&[
        (r"regexp_like('1a 2b 14m', '\d+b')", "true"),
        ("regexp_like('abc', '^b')", "false"),
        (r"regexp_like('٣', '\d')", "false"),
        ("regexp_like('foobar', 'foo(?=bar)')", "true"),
        ("regexp_like('foobaz', 'foo(?!baz)')", "false"),
        (r"regexp_like('abab', '^(ab)\1$')", "true"),
        (r"regexp_like('a.b', '\Qa.b\E')", "true"),
        (r"regexp_like('axb', '\Qa.b\E')", "false"),
        (r"regexp_like('É', '\p{Lu}') AND regexp_like('x', '\p{Alpha}')", "true"),
        (r"regexp_like('x', '\P{Alpha}')", "false"),
        (r"regexp_like('a-1', '^[\w-]+$')", "true"),
        ("regexp_like('AB', '(?i)ab')", "true"),
        ("regexp_like(NULL, 'a')", "NULL"),
    ]);
    let message = eval("regexp_like('a', '(')");
    assert_eq!(message, "INVALID_FUNCTION_ARGUMENT: end pattern with unmatched parenthesis");
}

#[test]
fn extracting() {
    check(&[
        (r"regexp_extract('1a 2b 14m', '\d+')", "1"),
        (r"regexp_extract('1a 2b 14m', '(\d+)([a-z]+)', 2)", "a"),
        ("regexp_extract('abc', 'x')", "NULL"),
        ("regexp_extract('ac', 'a(b)?c', 1)", "NULL"),
        ("regexp_extract('a', 'a', 1)", "INVALID_FUNCTION_ARGUMENT: Pattern has 0 groups. Cannot access group 1"),
        ("regexp_extract('a', 'a', -1)", "INVALID_FUNCTION_ARGUMENT: Group cannot be negative"),
        (r"regexp_extract_all('1a 2b 14m', '\d+')", "[1, 2, 14]"),
        (r"regexp_extract_all('1a 2b 14m', '(\d+)([a-z]+)', 2)", "[a, b, m]"),
        ("regexp_extract_all('abc', 'x')", "[]"),
        ("regexp_extract_all('äb', '')", "[, , ]"),
    ]);
    assert_eq!(type_of("regexp_extract('abc', 'x')"), "varchar(3)");
}

#[test]
fn replacing() {
    check(&[
        (r"regexp_replace('1a 2b 14m', '\d+[ab] ')", "14m"),
        (r"regexp_replace('1a 2b 14m', '(\d+)([ab]) ', '3c$2 ')", "3ca 3cb 14m"),
        (r"regexp_replace('new york', '(?<first>\w)(\w*)', '${first}-$2')", "n-ew y-ork"),
        (r"regexp_replace('a', 'a', '\$1')", "$1"),
        ("regexp_replace('abc', '(b)', '$12')", "ab2c"),
        ("regexp_replace('ab', '', '-')", "-a-b-"),
        ("regexp_replace('a', 'a', '$1')", "INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: unknown group 1"),
        (r"regexp_replace('new york', '(\w)(\w*)', x -> upper(x[1]) || lower(x[2]))", "New York"),
        ("regexp_replace('abc', 'x', x -> 'y')", "abc"),
        ("regexp_replace(NULL, 'x', 'y')", "NULL"),
    ]);
}

#[test]
fn counting_and_splitting() {
    check(&[
        (r"regexp_split('1a 2b 14m', '\s*[a-z]+\s*')", "[1, 2, 14, ]"),
        ("regexp_split('abc', 'x')", "[abc]"),
        (r"regexp_count('1a 2b 14m', '\s*[a-z]+\s*')", "3"),
        ("regexp_count('ab', '')", "3"),
        (r"regexp_position('I have 23 apples, 5 pears and 13 oranges', '\b\d+\b')", "8"),
        (r"regexp_position('I have 23 apples, 5 pears and 13 oranges', '\b\d+\b', 5)", "8"),
        (r"regexp_position('I have 23 apples, 5 pears and 13 oranges', '\b\d+\b', 12, 2)", "31"),
        ("regexp_position('äöb', 'b')", "3"),
        ("regexp_position('a', 'b')", "-1"),
        ("regexp_position('a', 'a', 0)", "INVALID_FUNCTION_ARGUMENT: start position cannot be smaller than 1"),
        ("regexp_position('a', 'a', 1, 0)", "INVALID_FUNCTION_ARGUMENT: occurrence cannot be smaller than 1"),
    ]);
}
