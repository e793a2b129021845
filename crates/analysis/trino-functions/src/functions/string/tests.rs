use crate::functions::testing::{check, type_of};

#[test]
fn characters() {
    check(&[
        ("chr(65)", "A"),
        ("chr(128512)", "😀"),
        ("chr(-1)", "INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: -1"),
        ("chr(1114112)", "INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: 1114112"),
        ("codepoint('ä')", "228"),
        ("codepoint(CAST(NULL AS varchar(1)))", "NULL"),
        ("length('häuser😀')", "7"),
        ("length(CAST('ab' AS char(5)))", "5"),
        ("length('')", "0"),
        ("reverse('añ😀')", "😀ña"),
        ("lower('ÄÖ ΑΣ İ')", "äö ας i".replace('ς', "σ").as_str()),
        ("upper('straße é')", "STRAßE É"),
    ]);
    assert_eq!(type_of("lower('abc')"), "varchar(3)");
    assert_eq!(type_of("chr(65)"), "varchar(1)");
}

#[test]
fn putting_together() {
    check(&[
        ("concat('a', 'ß', '')", "aß"),
        ("concat('a', NULL)", "NULL"),
        ("concat('a')", "INVALID_FUNCTION_ARGUMENT: There must be two or more concatenation arguments"),
        ("concat_ws(',', 'a', NULL, 'b')", "a,b"),
        ("concat_ws(CAST(NULL AS varchar), 'a', 'b')", "NULL"),
        ("concat_ws('-', ARRAY['x', NULL, 'y', ''])", "x-y-"),
        ("replace('banana', 'an', '<>')", "b<><>a"),
        ("replace('banana', 'an')", "ba"),
        ("replace('ab', '', '-')", "-a-b-"),
        ("translate('Palhoça', 'ç', 'c')", "Palhoca"),
        ("translate('abcd', 'abb', 'zy')", "zycd"),
        ("translate('abc', 'a', '')", "bc"),
        ("normalize('e\u{301}')", "é"),
        ("length(normalize('é', NFD))", "2"),
    ]);
}

#[test]
fn padding_and_trimming() {
    check(&[
        ("lpad('x', 5, 'äb')", "äbäbx"),
        ("rpad('x', 4, 'äb')", "xäbä"),
        ("lpad('händel', 3, ' ')", "hän"),
        ("rpad('abc', 0, ' ')", ""),
        ("rpad('abc', -1, ' ')", "INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]"),
        ("lpad('abc', 5, '')", "INVALID_FUNCTION_ARGUMENT: Padding string must not be empty"),
        ("trim('  a\t')", "a"),
        ("ltrim('  a ')", "a "),
        ("rtrim(' a  ')", " a"),
        ("trim('\u{a0}a\u{a0}')", "\u{a0}a\u{a0}"),
        ("trim(BOTH 'xy' FROM 'xyaxyy')", "a"),
        ("trim(LEADING 'x' FROM 'xax')", "ax"),
        ("trim(TRAILING 'x' FROM 'xax')", "xa"),
        ("trim(CAST(NULL AS varchar))", "NULL"),
    ]);
}

#[test]
fn pieces() {
    check(&[
        ("substr('häuser', 2)", "äuser"),
        ("substr('häuser', -3)", "ser"),
        ("substr('häuser', 2, 2)", "äu"),
        ("substr('abc', 0)", ""),
        ("substr('abc', -4)", ""),
        ("substr('abc', 4)", ""),
        ("substr('abc', 2, -1)", ""),
        ("substr('abc', 2, 99)", "bc"),
        ("substring('abc', -2, 1)", "b"),
        ("substr('abc', NULL)", "NULL"),
        ("split('a,b,,c', ',')", "[a, b, , c]"),
        ("split('a,b,c', ',', 2)", "[a, b,c]"),
        ("split('', ',')", "[]"),
        ("split('a', '')", "INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string"),
        ("split('a', ',', 0)", "INVALID_FUNCTION_ARGUMENT: Limit must be positive"),
        ("split_part('a::b::c', '::', 2)", "b"),
        ("split_part('a,b', ',', 3)", "NULL"),
        ("split_part('abc', '', 2)", "b"),
        ("split_part('abc', '', 4)", "NULL"),
        ("split_part('a,b', ',', 0)", "INVALID_FUNCTION_ARGUMENT: Index must be greater than zero"),
    ]);
}

#[test]
fn maps_from_text() {
    check(&[
        ("split_to_map('a=1,b=2,', ',', '=')", "{a=1, b=2}"),
        ("split_to_map('', ',', '=')", "{}"),
        ("split_to_map(CAST(NULL AS varchar), ',', '=')", "NULL"),
        ("split_to_map('a=1,a=2', ',', '=')", "INVALID_FUNCTION_ARGUMENT: Duplicate keys (a) are not allowed"),
        (
            "split_to_map('a=1=2', ',', '=')",
            "INVALID_FUNCTION_ARGUMENT: Key-value delimiter must appear exactly once in each entry. Bad input: 'a=1=2'",
        ),
        (
            "split_to_map('a', '=', '=')",
            "INVALID_FUNCTION_ARGUMENT: entryDelimiter and keyValueDelimiter must not be the same",
        ),
        ("split_to_multimap('a=1,b=2,a=3', ',', '=')", "{a=[1, 3], b=[2]}"),
    ]);
}

#[test]
fn searching_and_comparing() {
    check(&[
        ("starts_with('häuser', 'hä')", "true"),
        ("starts_with('a', 'ab')", "false"),
        ("strpos('äbcbc', 'bc')", "2"),
        ("strpos('abc', 'x')", "0"),
        ("strpos('abc', '')", "1"),
        ("strpos('abababab', 'ab', 3)", "5"),
        ("strpos('abababab', 'ab', -1)", "7"),
        ("strpos('aaaa', 'aa', 2)", "2"),
        ("strpos('aaaa', 'aa', -2)", "2"),
        ("strpos('äaäa', 'äa', -2)", "1"),
        ("strpos('aaa', 'a', -4)", "0"),
        ("strpos('abc', 'a', 0)", "INVALID_FUNCTION_ARGUMENT: 'instance' must be a positive or negative number."),
        ("position('c' IN 'abc')", "3"),
        ("hamming_distance('karolin', 'kathrin')", "3"),
        (
            "hamming_distance('a', 'ab')",
            "INVALID_FUNCTION_ARGUMENT: The input strings to hamming_distance function must have the same length",
        ),
        ("levenshtein_distance('kitten', 'sitting')", "3"),
        ("levenshtein_distance('', 'äöü')", "3"),
        ("luhn_check('79927398713')", "true"),
        ("luhn_check('79927398714')", "false"),
        ("luhn_check('')", "false"),
        ("luhn_check('12a')", "INVALID_FUNCTION_ARGUMENT: Input contains non-digit character"),
        ("soundex('Robert')", "R163"),
        ("soundex('Ashcraft')", "A261"),
        ("soundex('Tymczak')", "T522"),
        ("soundex('Lee')", "L000"),
        ("soundex('')", ""),
        ("soundex('jąmes')", "INVALID_FUNCTION_ARGUMENT: The character is not mapped: Ą (index=195)"),
    ]);
}

#[test]
fn bytes_to_text() {
    check(&[
        ("from_utf8(X'68c3a4')", "hä"),
        ("from_utf8(X'58bf')", "X\u{fffd}"),
        ("from_utf8(X'58bf', '#')", "X#"),
        ("from_utf8(X'58bf', '')", "X"),
        ("from_utf8(X'58bf', 35)", "X#"),
        (
            "from_utf8(X'58', 'ab')",
            "INVALID_FUNCTION_ARGUMENT: Replacement character string must empty or a single character",
        ),
    ]);
}

#[test]
fn formatting() {
    check(&[
        ("format('%s%%', 123)", "123%"),
        ("format('%.4f', 3.141592653589793e0)", "3.1416"),
        ("format('%03d', 8)", "008"),
        ("format('%-7s,%7s', 'hello', 'world')", "hello  ,  world"),
        ("format('%b %B %b', true, false, null)", "true FALSE false"),
        ("format('%s %S', null, true)", "null TRUE"),
        ("format('%2$s %s %<s %s', 'a', 'b')", "b a a b"),
        ("format('%,.2f', 1234567.89)", "1,234,567.89"),
        ("format('%,d|%+d|%(d', -1234567, 5, -3)", "-1,234,567|+5|(3)"),
        ("format('%1$s %1$f %1$.2f', 9.12345678)", "9.12345678 9.123457 9.12"),
        ("format('%1$d %1$x %1$X %1$o', 1234)", "1234 4d2 4D2 2322"),
        ("format('%08.2f|%e', -3.14159e0, 12345.678e0)", "-0003.14|1.234568e+04"),
        (
            "format('%1$s %1$tF %1$tY-%1$tm-%1$td %1$tA', DATE '2001-08-22')",
            "2001-08-22 2001-08-22 2001-08-22 Wednesday",
        ),
        ("format('%s', TIMESTAMP '1969-07-20 16:17:00')", "1969-07-20T16:17"),
        ("format(CAST(NULL AS varchar), 1)", "NULL"),
        ("format('%.4d', 8)", "INVALID_FUNCTION_ARGUMENT: Invalid format string: %.4d (IllegalFormatPrecision: 4)"),
        (
            "format('%-02d', 8)",
            "INVALID_FUNCTION_ARGUMENT: Invalid format string: %-02d (IllegalFormatFlags: Flags = '-0')",
        ),
        ("format('%-s', 8)", "INVALID_FUNCTION_ARGUMENT: Invalid format string: %-s (MissingFormatWidth: %-s)"),
        (
            "format('%s %d', 8)",
            "INVALID_FUNCTION_ARGUMENT: Invalid format string: %s %d (MissingFormatArgument: Format specifier '%d')",
        ),
        (
            "format('%d', 8.0)",
            "INVALID_FUNCTION_ARGUMENT: Invalid format string: %d (IllegalFormatConversion: d != java.math.BigDecimal)",
        ),
        (
            "format('%y', 8)",
            "INVALID_FUNCTION_ARGUMENT: Invalid format string: %y (UnknownFormatConversion: Conversion = 'y')",
        ),
        ("format('%s', ARRAY[8])", "NOT_SUPPORTED: Type not supported for formatting: array(integer)"),
    ]);
}
