use proptest::prelude::*;

use super::ast::*;
use super::parse_expression;

/// The tree with every operation in brackets.
fn shape(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(shape).collect::<Vec<_>>().join(" ");
    match &expr.kind {
        ExprKind::Identifier(ident) => ident.value.clone(),
        ExprKind::Integer(value) => value.to_string(),
        ExprKind::Decimal(text) | ExprKind::Double(text) => text.clone(),
        ExprKind::String(text) => format!("'{text}'"),
        ExprKind::TypedLiteral { type_name, value } => format!("{type_name}'{value}'"),
        ExprKind::Parameter(index) => format!("?{index}"),
        ExprKind::Unary { op, expr } => format!("({op:?} {})", shape(expr)),
        ExprKind::Binary { op, left, right } => format!("({op:?} {} {})", shape(left), shape(right)),
        ExprKind::Comparison { op, left, right } => format!("({op:?} {} {})", shape(left), shape(right)),
        ExprKind::Logical { op, terms } => format!("({op:?} {})", list(terms)),
        ExprKind::Not(term) => format!("(Not {})", shape(term)),
        ExprKind::Row(items) => format!("(Row {})", list(items)),
        ExprKind::Subscript { base, index } => format!("{}[{}]", shape(base), shape(index)),
        ExprKind::Dereference { base, field } => format!("{}.{}", shape(base), field.value),
        other => format!("{other:?}"),
    }
}

fn parsed(text: &str) -> String {
    shape(&parse_expression(text).unwrap())
}

fn failure(text: &str) -> String {
    parse_expression(text).unwrap_err().to_string()
}

#[test]
fn operators_bind_as_in_trino() {
    assert_eq!(parsed("1 + 2 * 3 - 4"), "(Subtract (Add 1 (Multiply 2 3)) 4)");
    assert_eq!(parsed("a || b || c"), "(Concat (Concat a b) c)");
    assert_eq!(parsed("'a' || 1 + 2"), "(Concat 'a' (Add 1 2))");
    assert_eq!(parsed("-a * b AND NOT c"), "(And (Multiply (Minus a) b) (Not c))");
    assert_eq!(parsed("a = 1 AND NOT b < 2 OR c <> ?"), "(Or (And (Equal a 1) (Not (Less b 2))) (NotEqual c ?0))");
    assert_eq!(parsed("a OR b OR c"), "(Or a b c)");
    assert_eq!(parsed("1 - -1"), "(Subtract 1 -1)");
    assert_eq!(parsed("2-1"), "(Subtract 2 1)");
    assert_eq!(parsed("-a.b[1] % (2 + x)"), "(Modulus (Minus a.b[1]) (Add 2 x))");
}

#[test]
fn literals_keep_their_kinds() {
    assert_eq!(parsed("(1, 1.5, 1e0, 'x')"), "(Row 1 1.5 1e0 'x')");
    assert_eq!(parsed("DATE '2020-01-01'"), "DATE'2020-01-01'");
    assert_eq!(parsed("-9223372036854775808"), "-9223372036854775808");
    assert_eq!(failure("9223372036854775808"), "line 1:1: Invalid numeric literal: 9223372036854775808");
    let interval = parse_expression("INTERVAL '3' DAY TO SECOND").unwrap().kind;
    let (from, to) = (IntervalField::Day, Some(IntervalField::Second));
    assert_eq!(interval, ExprKind::Interval { negative: false, value: "3".into(), from, to });
}

#[test]
fn predicates_hold_their_parts() {
    let ExprKind::Between { negated: true, low, high, .. } =
        parse_expression("a NOT BETWEEN 1 AND 2 + 3").unwrap().kind
    else {
        panic!("not a BETWEEN");
    };
    assert_eq!((shape(&low), shape(&high)), ("1".into(), "(Add 2 3)".into()));
    let ExprKind::InList { list, negated: false, .. } = parse_expression("a IN (1, 2)").unwrap().kind else {
        panic!("not an IN");
    };
    assert_eq!(list.len(), 2);
    assert!(matches!(parse_expression("a IS NOT NULL").unwrap().kind, ExprKind::IsNull { negated: true, .. }));
    assert!(matches!(parse_expression("a LIKE 'x' ESCAPE '!'").unwrap().kind, ExprKind::Like { escape: Some(_), .. }));
    assert_eq!(failure("a NOT 1"), "line 1:7: mismatched input '1'. Expecting: 'BETWEEN', 'IN', 'LIKE'");
    assert!(failure("a = b = c").starts_with("line 1:7: mismatched input '='. Expecting: '%', '*', "));
    assert!(failure("a IS NULL IS NULL").starts_with("line 1:11: mismatched input 'IS'"));
}

#[test]
fn calls_and_cases() {
    let ExprKind::Function(count) = parse_expression("count(*)").unwrap().kind else { panic!("not a call") };
    assert!(count.star && count.args.is_empty());
    let ExprKind::Function(sum) = parse_expression("sum(DISTINCT a)").unwrap().kind else { panic!("not a call") };
    assert!(sum.distinct && sum.args.len() == 1);
    let ExprKind::Case { operand, branches, otherwise } = parse_expression("CASE a WHEN 1 THEN 2 END").unwrap().kind
    else {
        panic!("not a CASE");
    };
    assert!(operand.is_some() && branches.len() == 1 && otherwise.is_none());
    assert!(failure("CASE a END").contains("Expecting: '%',"));
}

#[test]
fn equality_ignores_case_and_place() {
    assert_eq!(parse_expression("a  +  B").unwrap(), parse_expression("A + b").unwrap());
    assert_ne!(parse_expression("a + b").unwrap(), parse_expression("b + a").unwrap());
}

#[test]
fn errors_say_where() {
    assert_eq!(failure("1 +\n  FROM"), "line 2:3: mismatched input 'FROM'. Expecting: <expression>");
    let expected = "'%', ')', '*', '+', ',', '-', '.', '/', 'AND', 'AT', 'OR', '[', '||', <predicate>";
    assert_eq!(failure("(1"), format!("line 1:3: mismatched input '<EOF>'. Expecting: {expected}"));
    let expected = "'%', '*', '+', '-', '.', '/', 'AND', 'AT', 'OR', '[', '||', <EOF>, <predicate>";
    assert_eq!(failure("1 2"), format!("line 1:3: mismatched input '2'. Expecting: {expected}"));
}

/// A thread of tokio's has 2 MB; trees of any shape must be built, compared and dropped there.
#[test]
fn deep_and_long_texts_are_refused_without_overflow() {
    let deep = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    let texts = [
        deep("(", ")", 100_000),
        deep("NOT ", "", 100_000),
        deep("- ", "", 100_000),
        deep("f(", ")", 100_000),
        deep("a[", "]", 100_000),
        deep("", " + 1", 100_000),
        deep("", "[1]", 100_000),
        deep("CAST(", "", 100_000),
        deep("(SELECT ", "", 100_000),
        deep("x -> ", "", 100_000),
        deep("1 OR 1 AND NOT 1 = 1 || 1 + 1 * - (", ")", 1000),
        deep("(SELECT 1 FROM (a JOIN (SELECT ", "", 1000),
        deep("(", &format!("{})", " + 1".repeat(50)), 90),
        deep("", " || x", 260),
    ];
    for text in texts {
        assert!(failure(&text).ends_with("statement is too deeply nested"));
    }
    assert_eq!(parsed(&deep("(", ")", 90)), "1");
    let chain = parse_expression(&deep("", " || x", 240)).unwrap();
    assert_eq!(parse_expression(&chain.to_string()).unwrap(), chain.clone());
    let flat = deep("", " OR 1", 100_000);
    assert!(parse_expression(&flat).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        let result = parse_expression(&text);
        prop_assert!(result.is_ok() || !result.unwrap_err().message.is_empty());
    }

    #[test]
    fn any_words_are_parsed_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "a", "1", "'x'", "(", ")", "[", "]", ",", ".", "+", "-", "*", "NOT", "AND", "IN", "LIKE", "BETWEEN", "IS", "NULL",
        "CASE", "WHEN", "THEN", "END", "ARRAY", "INTERVAL", "DAY", "?", "=", "DISTINCT",
    ]), 0..20)) {
        let result = parse_expression(&words.join(" "));
        prop_assert!(result.is_ok() || !result.unwrap_err().message.is_empty());
    }
}
