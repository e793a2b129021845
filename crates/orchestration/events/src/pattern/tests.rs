use proptest::prelude::*;
use serde_json::{Value, json};

use super::EventPattern;

fn matches(pattern: Value, event: &Value) -> bool {
    EventPattern::parse(&pattern.to_string()).unwrap().matches(event)
}

fn event() -> Value {
    json!({
        "source": "aws.s3", "detail-type": "Object Created", "account": "000000000000",
        "resources": ["arn:aws:s3:::raw", "arn:aws:s3:::landing"],
        "detail": {
            "bucket": {"name": "Raw"}, "key": "uploads/2026/weather.csv", "size": 1024.0, "ip": "10.1.2.3", "six": "2001:db8::5",
            "empty": "", "none": null, "yes": true, "list": [], "object": {},
            "items": [{"name": "a", "n": 1}, {"name": "b", "n": 2, "deep": [{"x": 9}]}],
        },
    })
}

#[test]
fn patterns_that_match() {
    let event = event();
    for detail in [
        json!({"key": [{"prefix": "uploads/"}]}),
        json!({"key": [{"prefix": {"equals-ignore-case": "UPLOADS/"}}]}),
        json!({"key": ["other", {"suffix": ".csv"}]}),
        json!({"key": [{"suffix": {"equals-ignore-case": ".CSV"}}]}),
        json!({"key": [{"wildcard": "uploads/*/*.csv"}]}),
        json!({"key": [{"anything-but": {"wildcard": "*/lib/*"}}]}),
        json!({"key": [{"anything-but": {"prefix": ["landing/", "raw/"]}}]}),
        json!({"key": [{"anything-but": {"suffix": ".json"}}]}),
        json!({"bucket": {"name": [{"equals-ignore-case": "rAW"}]}}),
        json!({"bucket": {"name": [{"anything-but": {"equals-ignore-case": ["landing", "master"]}}]}}),
        json!({"bucket": {"name": [{"anything-but": ["landing", "raw"]}]}}),
        json!({"size": [1024]}),
        json!({"size": [{"numeric": ["=", 1.024e3]}]}),
        json!({"size": [{"numeric": [">", 0, "<=", 1024]}]}),
        json!({"size": [{"anything-but": [1, 2]}]}),
        json!({"ip": [{"cidr": "10.1.0.0/16"}]}),
        json!({"six": [{"cidr": "2001:db8::/32"}]}),
        json!({"empty": [""], "none": [null], "yes": [true]}),
        json!({"none": [{"exists": true}], "missing": [{"exists": false}], "list": [{"exists": false}]}),
        json!({"object": [{"exists": false}], "a": {"b": {"c": [{"exists": false}]}}}),
        json!({"items": {"name": ["b"], "n": [2]}}),
        json!({"items": {"deep": {"x": [9]}}}),
        json!({"$or": [{"key": ["none"]}, {"size": [{"numeric": ["<", 2000]}]}]}),
        json!({"$or": [{"missing": [1]}, {"$or": [{"missing": [2]}, {"yes": [true]}]}], "none": [null]}),
    ] {
        assert!(matches(json!({"source": ["aws.s3"], "detail": detail}), &event), "{detail}");
    }
    assert!(matches(json!({"resources": ["arn:aws:s3:::landing"]}), &event));
    assert!(matches(json!({"resources": [{"anything-but": "arn:aws:s3:::raw"}]}), &event));
}

#[test]
fn patterns_that_do_not_match() {
    let event = event();
    for detail in [
        json!({"key": ["uploads"]}),
        json!({"key": [{"prefix": "Uploads/"}]}),
        json!({"key": [{"wildcard": "*.json"}]}),
        json!({"key": [{"anything-but": {"wildcard": ["*.parquet", "*.csv"]}}]}),
        json!({"size": ["1024"]}),
        json!({"size": [{"numeric": [">", 0, "<", 1024]}]}),
        json!({"size": [{"prefix": "10"}]}),
        json!({"ip": [{"cidr": "10.2.0.0/16"}]}),
        json!({"ip": [{"cidr": "::/0"}]}),
        json!({"none": [{"exists": false}]}),
        json!({"missing": [{"exists": true}]}),
        json!({"missing": [{"anything-but": "x"}]}),
        json!({"bucket": ["Raw"]}),
        json!({"items": {"name": ["a"], "n": [2]}}),
        json!({"items": {"deep": {"x": [{"exists": false}]}}}),
        json!({"$or": [{"key": ["none"]}, {"size": [1]}]}),
    ] {
        assert!(!matches(json!({"detail": detail}), &event), "{detail}");
    }
}

#[test]
fn what_is_no_pattern_is_refused_in_the_words_of_aws() {
    for (pattern, reason) in [
        (json!([1]), "Filter is not an object"),
        (json!({}), "Empty objects are not allowed"),
        (json!({"a": {}}), "Empty objects are not allowed"),
        (json!({"a": []}), "Empty arrays are not allowed"),
        (json!({"source": "aws.s3"}), "\"source\" must be an object or an array"),
        (json!({"a": [[1]]}), "Match value must be String, number, true, false, or null"),
        (json!({"a": [{}]}), "Match expression name not found"),
        (json!({"a": [{"foo": 1}]}), "Unrecognized match type foo"),
        (json!({"a": [{"prefix": 1}]}), "prefix match pattern must be a string"),
        (json!({"a": [{"prefix": {"wildcard": "x"}}]}), "Unsupported prefix pattern: wildcard"),
        (json!({"a": [{"prefix": "x", "suffix": "y"}]}), "Only one key allowed in match expression"),
        (json!({"a": [{"exists": "yes"}]}), "exists match pattern must be either true or false."),
        (json!({"a": [{"numeric": 5}]}), "Value of numeric must be an array."),
        (json!({"a": [{"numeric": [">", "x"]}]}), "Value of > must be numeric"),
        (json!({"a": [{"numeric": ["=", true]}]}), "Value of equals must be numeric"),
        (json!({"a": [{"numeric": ["~", 1]}]}), "Unrecognized numeric range operator: ~"),
        (json!({"a": [{"numeric": ["<", 1, ">", 0]}]}), "Too many elements in numeric expression"),
        (json!({"a": [{"numeric": [">", 5, "<", 1]}]}), "Bottom must be less than top"),
        (json!({"a": [{"numeric": [">", 5, "=", 7]}]}), "Bad numeric range operator: ="),
        (json!({"a": [{"numeric": [">", 1e10]}]}), "Value must be between"),
        (
            json!({"a": [{"anything-but": null}]}),
            "Value of anything-but must be an array or single string/number value.",
        ),
        (json!({"a": [{"anything-but": [true]}]}), "Inside anything but list, start|null|boolean is not supported."),
        (json!({"a": [{"anything-but": [1, "x"]}]}), "mixed type is not supported"),
        (json!({"a": [{"anything-but": {"prefix": ""}}]}), "Null prefix/suffix not allowed"),
        (json!({"a": [{"anything-but": {"numeric": [1]}}]}), "Unsupported anything-but pattern: numeric"),
        (json!({"a": [{"wildcard": "a**b"}]}), "Consecutive wildcard characters at pos 2"),
        (json!({"a": [{"wildcard": "a\\b"}]}), "Invalid escape character at pos 1"),
        (json!({"a": [{"cidr": "10.0.0.0"}]}), "Malformed CIDR, one '/' required"),
        (json!({"a": [{"cidr": "10.0.0.0/33"}]}), "Malformed CIDR, too many mask bits"),
        (json!({"$or": {"a": [1]}}), "It must be an Array followed with $or."),
        (json!({"$or": [{"a": [1]}]}), "There must have at least 2 Objects in $or relationship."),
        (json!({"$or": [{"a": [1]}, 2]}), "Only JSON object is allowed in array of $or relationship."),
        (json!({"$or": [{"prefix": [1]}, {"a": [1]}]}), "prefix is Ruler reserved fieldName"),
    ] {
        let refused = EventPattern::parse(&pattern.to_string()).unwrap_err().to_string();
        assert!(refused.starts_with("Event pattern is not valid. Reason: "), "{refused}");
        assert!(refused.contains(reason), "{pattern}: {refused}");
    }
    assert!(EventPattern::parse("{").is_err());
}

#[test]
fn escaped_stars_stand_for_themselves() {
    let pattern = json!({"a": [{"wildcard": "x\\*y*\\\\"}]});
    assert!(matches(pattern.clone(), &json!({"a": "x*y and \\"})));
    assert!(!matches(pattern, &json!({"a": "xxy and \\"})));
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-100_i64..100).prop_map(Value::from),
        "[ab*]{0,3}".prop_map(Value::from),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(
                prop_oneof![
                    "[ab]{1,2}",
                    Just("$or".to_owned()),
                    Just("prefix".to_owned()),
                    Just("anything-but".to_owned()),
                    Just("numeric".to_owned()),
                    Just("exists".to_owned()),
                    Just("wildcard".to_owned()),
                ],
                inner,
                0..4
            )
            .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The pattern that asks for exactly this event, and whether it asks for anything.
fn exact(event: &Value) -> Option<Value> {
    match event {
        Value::Object(members) => {
            let fields: serde_json::Map<String, Value> =
                members.iter().filter_map(|(name, value)| Some((name.clone(), exact(value)?))).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Value::Array(_) => None,
        scalar => Some(json!([scalar])),
    }
}

proptest! {
    #[test]
    fn nothing_panics(pattern in json_value(), event in json_value()) {
        if let Ok(pattern) = EventPattern::parse(&pattern.to_string()) {
            pattern.matches(&event);
        }
    }

    #[test]
    fn an_event_matches_its_own_values(members in proptest::collection::btree_map("[ab]{1,2}", json_value(), 0..5)) {
        let event = Value::Object(members.into_iter().collect());
        let event: Value = serde_json::from_str(&event.to_string().replace("$or", "or")).unwrap();
        if let Some(pattern) = exact(&event) {
            prop_assert!(matches(pattern, &event));
        }
    }

    #[test]
    fn anything_but_is_the_opposite(value in scalar(), others in proptest::collection::vec("[ab]{0,2}", 1..4)) {
        let event = json!({"a": value});
        let is = matches(json!({"a": others}), &event);
        let is_not = matches(json!({"a": [{"anything-but": others}]}), &event);
        prop_assert_ne!(is, is_not);
    }
}
