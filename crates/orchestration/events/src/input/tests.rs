use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Input, InputTransformer, Path, Surroundings};

const AROUND: Surroundings<'static> = Surroundings {
    rule_arn: "arn:aws:events:us-east-1:000000000000:rule/daily",
    rule_name: "daily",
    ingestion_time: "2026-03-01T00:00:00Z",
};

fn event() -> Value {
    json!({"id": "1", "detail-type": "T", "detail": {
        "name": "a \"b\"", "n": 5, "list": [{"x": 1}, {"x": 2}], "two words": true, "object": {"k": "v"}}})
}

fn made(paths: &[(&str, &str)], template: &str) -> Result<String, String> {
    let paths: BTreeMap<String, String> = paths.iter().map(|(name, path)| ((*name).into(), (*path).into())).collect();
    let transformer = InputTransformer { input_paths_map: Some(paths), input_template: template.into() };
    let input = Input::parse(None, None, Some(&transformer))?;
    Ok(input.apply(&event(), &event().to_string(), AROUND))
}

#[test]
fn paths_lead_to_parts() {
    let find = |path: &str| Path::parse(path).unwrap().find(&event());
    assert_eq!(find("$"), Some(event()));
    assert_eq!(find("$.detail-type"), Some(json!("T")));
    assert_eq!(find("$.detail.list[1].x"), Some(json!(2)));
    assert_eq!(find("$.detail.list[*].x"), Some(json!([1, 2])));
    assert_eq!(find("$['detail']['two words']"), Some(json!(true)));
    assert_eq!(find("$.detail.missing"), None);
    for wrong in ["", "detail", "$detail", "$.", "$.a b", "$.a[", "$.a[x]", "$..a", "$['a'"] {
        assert!(Path::parse(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_target_is_given_what_its_input_says() {
    let apply = |input: Result<Input, String>| input.unwrap().apply(&event(), &event().to_string(), AROUND);
    assert_eq!(apply(Input::parse(None, None, None)), event().to_string());
    assert_eq!(apply(Input::parse(Some("{\"a\": 1}"), None, None)), "{\"a\": 1}");
    assert_eq!(apply(Input::parse(None, Some("$.detail.n"), None)), "5");
    assert_eq!(apply(Input::parse(None, Some("$.detail.missing"), None)), "null");
    assert!(Input::parse(Some("no json"), None, None).is_err());
    assert!(Input::parse(None, Some("detail"), None).is_err());
    assert!(Input::parse(Some("1"), Some("$"), None).is_err());
}

#[test]
fn templates_are_filled() {
    let paths = [("name", "$.detail.name"), ("n", "$.detail.n"), ("o", "$.detail.object"), ("none", "$.detail.none")];
    for (template, expected) in [
        ("{\"who\": <name>, \"n\": <n>}", r#"{"who": "a \"b\"", "n": 5}"#),
        ("{\"who\": \"it is <name>!\"}", r#"{"who": "it is a \"b\"!"}"#),
        ("\"<n> of <o>\"", r#""5 of {\"k\":\"v\"}""#),
        ("{\"o\": <o>, \"none\": <none>, \"x\": \"<none>\"}", r#"{"o": {"k":"v"}, "none": null, "x": ""}"#),
        ("\"<aws.events.rule-name> at <aws.events.event.ingestion-time>\"", "\"daily at 2026-03-01T00:00:00Z\""),
        ("{\"e\": <aws.events.event>}", r#"{"e": {"detail-type":"T","id":"1"}}"#),
        ("\"a < b\\\" <n>\"", "\"a < b\\\" 5\""),
    ] {
        let filled = made(&paths, template).unwrap();
        assert_eq!(filled, expected);
        assert!(serde_json::from_str::<Value>(&filled).is_ok(), "{filled}");
    }
    let whole: Value = serde_json::from_str(&made(&[], "<aws.events.event.json>").unwrap()).unwrap();
    assert_eq!(whole, event());
    assert!(made(&paths, "<unknown>").is_err());
    assert!(made(&[("x", "detail")], "<x>").is_err());
}

proptest! {
    #[test]
    fn nothing_panics(path in "[$.\\['\"*0-9a-z\\] -]{0,16}", template in "[<>a.\"\\\\{}: é]{0,24}") {
        let _ = Path::parse(&path).map(|path| path.find(&event()));
        let _ = made(&[("a", "$.detail.name")], &template);
    }

    #[test]
    fn texts_stay_texts(text in "\\PC{0,12}") {
        let event = json!({"detail": text});
        let transformer = InputTransformer {
            input_paths_map: Some([("t".to_owned(), "$.detail".to_owned())].into()),
            input_template: "[\"<t>\", <t>]".into(),
        };
        let filled = Input::parse(None, None, Some(&transformer)).unwrap().apply(&event, "", AROUND);
        let value: Value = serde_json::from_str(&filled).unwrap();
        prop_assert_eq!(value, json!([text, text]));
    }
}
