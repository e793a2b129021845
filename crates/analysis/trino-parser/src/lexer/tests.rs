use proptest::prelude::*;

use super::*;

fn kinds(text: &str, dialect: Dialect) -> Vec<TokenKind> {
    let mut tokens = tokenize(text, dialect).unwrap();
    assert_eq!(tokens.pop().unwrap().kind, TokenKind::End);
    tokens.into_iter().map(|token| token.kind).collect()
}

fn trino(text: &str) -> Vec<TokenKind> {
    kinds(text, Dialect::Trino)
}

fn failure(text: &str, dialect: Dialect) -> String {
    tokenize(text, dialect).unwrap_err().to_string()
}

fn string(text: &str) -> TokenKind {
    TokenKind::String(text.into())
}

#[test]
fn words_keep_their_case_and_quotes_make_identifiers() {
    let expected = vec![
        TokenKind::Word("Select".into()),
        TokenKind::Quoted("t$partitions".into()),
        TokenKind::Symbol("."),
        TokenKind::Quoted("a\"b".into()),
    ];
    assert_eq!(trino("Select \"t$partitions\".\"a\"\"b\""), expected);
    assert_eq!(kinds("`c``d`", Dialect::Hive), vec![TokenKind::Quoted("c`d".into())]);
    let message = "line 1:8: backquoted identifiers are not supported; use double quotes to quote identifiers";
    assert_eq!(failure("SELECT `a`", Dialect::Trino), message);
}

#[test]
fn numbers_are_of_three_kinds() {
    let expected = vec![
        TokenKind::Integer("1".into()),
        TokenKind::Decimal("1.5".into()),
        TokenKind::Decimal(".5".into()),
        TokenKind::Decimal("1.".into()),
        TokenKind::Double("1e0".into()),
        TokenKind::Double("1.5E-3".into()),
    ];
    assert_eq!(trino("1 1.5 .5 1. 1e0 1.5E-3"), expected);
    assert!(failure("SELECT 1e", Dialect::Trino).starts_with("line 1:8: identifiers must not start with a digit"));
}

#[test]
fn whole_numbers_have_underscores_and_other_digits() {
    for written in ["1_000", "0x1F", "0X_f", "0b1_0", "0o17"] {
        assert_eq!(trino(written), vec![TokenKind::Integer(written.into())]);
    }
    let decimals = [("1_000", "1000"), ("0x_1F", "31"), ("0b101", "5"), ("0O17", "15"), ("007", "007")];
    for (written, decimal) in decimals {
        assert_eq!(decimal_digits(written).as_deref(), Some(decimal));
    }
    assert_eq!(decimal_digits("0x8000000000000000"), None);
    assert_eq!(trino("1_0.5_0"), vec![TokenKind::Decimal("10.50".into())]);
    for wrong in ["1_", "1__0", "0x", "0xG", "0b2", "0x1Fg", "12ab", "1_0e1", "1_.5"] {
        assert!(failure(wrong, Dialect::Trino).contains("identifiers must not start with a digit"), "{wrong}");
    }
}

#[test]
fn a_name_may_follow_a_point() {
    for (written, number, name) in [("1.5x", "1.5", "x"), ("1._5", "1.", "_5"), ("1.5e", "1.5", "e")] {
        assert_eq!(trino(written), vec![TokenKind::Decimal(number.into()), TokenKind::Word(name.into())]);
    }
    assert_eq!(
        trino("1-2"),
        vec![TokenKind::Integer("1".into()), TokenKind::Symbol("-"), TokenKind::Integer("2".into())]
    );
}

#[test]
fn a_dot_after_a_name_is_no_number() {
    let expected = vec![TokenKind::Word("t".into()), TokenKind::Symbol("."), TokenKind::Word("a".into())];
    assert_eq!(trino("t.a"), expected);
}

#[test]
fn strings_unescape_by_dialect() {
    assert_eq!(trino(r"'it''s' 'a\n'"), vec![string("it's"), string(r"a\n")]);
    let hive = kinds(r#"'a\tb\001\u0041\%\;' "x'y""#, Dialect::Hive);
    assert_eq!(hive, vec![string("a\tb\u{1}A\\%;"), string("x'y")]);
}

#[test]
fn unicode_and_binary_strings() {
    assert_eq!(trino(r"U&'\00e9\+01f600\\' X'0a FF'"), vec![string("é😀\\"), TokenKind::Binary(vec![10, 255])]);
    assert_eq!(failure(r"U&'\12'", Dialect::Trino), "line 1:1: Incomplete escape sequence: 12");
    let surrogate = r"Invalid escaped character: d800. Escaped character is a surrogate. Use '\+123456' instead.";
    assert_eq!(failure(r"U&'\d800'", Dialect::Trino), format!("line 1:1: {surrogate}"));
    assert_eq!(failure("X'0'", Dialect::Trino), "line 1:1: Binary literal must contain an even number of digits");
    assert_eq!(failure("X'zz'", Dialect::Trino), "line 1:1: Binary literal can only contain hexadecimal digits");
}

#[test]
fn the_longest_symbol_wins() {
    let symbols = "-> => <= >= <> != || - > {- -} = <";
    let expected: Vec<_> =
        symbols.split(' ').map(|symbol| TokenKind::Symbol(SYMBOLS.iter().find(|s| **s == symbol).unwrap())).collect();
    assert_eq!(trino(symbols), expected);
    assert_eq!(trino("a->b").len(), 3);
}

#[test]
fn every_symbol_is_read_as_itself() {
    for symbol in SYMBOLS {
        assert_eq!(trino(symbol), vec![TokenKind::Symbol(symbol)]);
    }
}

#[test]
fn comments_are_blanks_and_positions_count_characters() {
    let tokens = tokenize("é -- one\n/* two\n */ 'ü' x", Dialect::Trino).unwrap();
    let places: Vec<_> = tokens.iter().map(|token| token.pos.to_string()).collect();
    assert_eq!(places, ["1:1", "3:5", "3:9", "3:10"]);
    assert_eq!(trino("1 -- the end"), vec![TokenKind::Integer("1".into())]);
}

#[test]
fn what_does_not_end_is_reported_where_it_begins() {
    for (text, odd) in [("'abc", '\''), ("\"abc", '"'), ("'it''s", '\''), ("#", '#')] {
        assert!(trino(text).contains(&TokenKind::Unrecognized(odd)), "{text}");
    }
    assert_eq!(trino("'it''s")[..2], [string("it"), TokenKind::Unrecognized('\'')]);
    let digits = "line 1:3: identifiers must not start with a digit; surround the identifier with double quotes";
    assert_eq!(failure("x'0a", Dialect::Trino), digits);
    assert_eq!(failure(r"U&'\zz'", Dialect::Trino), "line 1:1: Invalid hexadecimal digit: z");
    assert_eq!(trino("/* abc")[..2], [TokenKind::Symbol("/"), TokenKind::Symbol("*")]);
    assert_eq!(failure("SELECT \"\"", Dialect::Trino), "line 1:8: Zero-length delimited identifier not allowed");
    assert_eq!(failure("'abc", Dialect::Hive), "line 1:1: string is not terminated: the closing ' is missing");
    assert_eq!(failure("#", Dialect::Hive), "line 1:1: mismatched input '#'");
    assert_eq!(failure("'a\\", Dialect::Hive), "line 1:1: string is not terminated: the closing ' is missing");
}

proptest! {
    #[test]
    fn any_text_is_split_or_refused(text in any::<String>()) {
        for dialect in [Dialect::Trino, Dialect::Hive] {
            if let Ok(tokens) = tokenize(&text, dialect) {
                prop_assert!(tokens.windows(2).all(|pair| pair[0].pos < pair[1].pos));
            }
        }
    }

    #[test]
    fn texts_full_of_quotes_and_escapes_are_split_or_refused(text in r#"['"`\\xXuU&+0-9a-f.eE/*\- \n]{0,40}"#) {
        for dialect in [Dialect::Trino, Dialect::Hive] {
            if let Ok(tokens) = tokenize(&text, dialect) {
                prop_assert!(tokens.windows(2).all(|pair| pair[0].pos < pair[1].pos));
            }
        }
    }

    #[test]
    fn a_quoted_text_comes_back(text in any::<String>()) {
        let quoted = format!("'{}'", text.replace('\'', "''"));
        prop_assert_eq!(trino(&quoted), vec![TokenKind::String(text)]);
    }
}
