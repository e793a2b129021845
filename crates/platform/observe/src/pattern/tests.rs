use proptest::prelude::*;

use super::{Pattern, wildcard};
use crate::error::LogsError;

fn matches(pattern: &str, message: &str) -> bool {
    Pattern::parse(pattern).unwrap().matches(message)
}

#[test]
fn terms() {
    let message = "[ERROR 400] BAD REQUEST: user \"bob\"";
    for pattern in ["", "  ", "ERROR", "ERROR REQUEST", "\"BAD REQUEST\"", "?nothing ?400", "ERROR -INFO", "%4[0-9]+%"]
    {
        assert!(matches(pattern, message), "{pattern}");
    }
    for pattern in ["error", "ERROR INFO", "\"REQUEST BAD\"", "?x ?y", "ERROR -BAD", "-ERROR", "%^4[0-9]+%", "?ERROR x"]
    {
        assert!(!matches(pattern, message), "{pattern}");
    }
    assert!(matches(r#""\"bob\"""#, message));
}

#[test]
fn json_conditions() {
    let message = r#"{"level":"ERROR","ms":120.5,"user":{"name":"bob","id":null},"ok":true,"tags":["a","b"],
        "list":[{"flag":false},{"flag":true}],"a.b":"dotted","ip":"10.1.2.3","code":-3}"#;
    for pattern in [
        r#"{ $.level = "ERROR" }"#,
        "{$.level=ERROR}",
        r#"{ $.level = "ERR*" && $.ms > 100 }"#,
        r#"{ ($.level = "INFO" || $.ms >= 1.205e2) && $.ok IS TRUE }"#,
        r#"{ $.user.id IS NULL }"#,
        "{ $.user.email NOT EXISTS }",
        r#"{ $.tags[1] = "b" }"#,
        r#"{ $.tags[*] = "b" }"#,
        "{ $.list[*].flag IS TRUE }",
        r#"{ $.['a.b'] = "dotted" }"#,
        r#"{ $["a.b"] != "other" }"#,
        "{ $.ip = 10.1.* }",
        "{ $.ip = %10\\.1\\.2\\.[0-9]% }",
        "{ $.code = -3 }",
        r#"{ $.level = "INFO" && $.ms > 1 || $.code < 0 }"#,
    ] {
        assert!(matches(pattern, message), "{pattern}");
    }
    for pattern in [
        r#"{ $.level = "INFO" }"#,
        r#"{ $.level != "ERROR" }"#,
        r#"{ $.missing != "x" }"#,
        r#"{ $.level = "INFO" && ($.ms > 1 || $.code < 0) }"#,
        "{ $.ms > 120.5 }",
        "{ $.user.name NOT EXISTS }",
        "{ $.ok IS FALSE }",
        r#"{ $.tags = "b" }"#,
    ] {
        assert!(!matches(pattern, message), "{pattern}");
    }
    assert!(!matches("{ $.a NOT EXISTS }", "no json"));
}

#[test]
fn what_is_no_pattern_is_refused() {
    for pattern in [
        "a-b",
        "\"open",
        "%open",
        "%(a)%",
        "\"a\"b",
        "?",
        "-",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a = 1",
        "{ a = 1 }",
        "{ $ = 1 }",
        "{ $.a < \"x\" }",
        "{ $.a IS MAYBE }",
        "{ ($.a = 1 }",
        "{ $.a = 1 $.b = 2 }",
        "{ $.a[x] = 1 }",
        "{ $.a = (1) }",
        "{ $.a NOT NULL }",
        "%[%",
        "{}",
    ] {
        assert!(matches!(Pattern::parse(pattern), Err(LogsError::InvalidParameter(_))), "{pattern}");
    }
    assert!(matches!(Pattern::parse("[a, b]"), Err(LogsError::NotImplemented(_))));
    assert!(Pattern::parse(&"a".repeat(1025)).is_err());
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(pattern in "[{(\\[]?[$.a=!<>&|()\"%*? \\[\\]1{}\\\\é-]{0,24}[})]?", message in "\\PC{0,12}") {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            pattern.matches(&message);
        }
    }

    #[test]
    fn wildcards_agree_with_regular_expressions(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
        let expression = regex::Regex::new(&format!("^{}$", pattern.replace('*', ".*"))).unwrap();
        prop_assert_eq!(wildcard(&pattern, &text), expression.is_match(&text));
    }
}
