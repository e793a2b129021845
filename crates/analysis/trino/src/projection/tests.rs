use chrono::TimeZone;

use super::*;
use crate::catalog::{Format, TableKind};

fn table(key: &str, ty: Type, properties: &[(&str, &str)]) -> TableDefinition {
    let mut parameters = Properties::from([("projection.enabled".to_owned(), "TRUE".to_owned())]);
    parameters.extend(properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    TableDefinition {
        database: "db".to_owned(),
        name: "t".to_owned(),
        kind: TableKind::Table,
        columns: vec![ColumnDefinition::new("a", Type::Integer)],
        partition_keys: vec![ColumnDefinition::new(key, ty)],
        location: "s3://lake/t/".to_owned(),
        format: Format::Parquet,
        buckets: None,
        parameters,
    }
}

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2024, 5, 6, 7, 8, 9).unwrap()
}

fn kind(ty: Type, properties: &[(&str, &str)]) -> Kind {
    Projection::of(&table("k", ty, properties), now()).unwrap().unwrap().keys.remove(0)
}

fn texts(kind: &Kind) -> Vec<String> {
    kind.values().unwrap().map(|value| value.text).collect()
}

fn error(properties: &[(&str, &str)]) -> String {
    Projection::of(&table("k", Type::VARCHAR, properties), now()).unwrap_err().to_string()
}

#[test]
fn enums_keep_their_white_space() {
    let kind = kind(Type::VARCHAR, &[("projection.k.type", " ENUM "), ("projection.k.values", "a, b")]);
    assert_eq!(texts(&kind), ["a", " b"]);
    assert_eq!(kind.value("b"), None);
}

#[test]
fn integers_have_steps_and_digits() {
    let range = ("projection.k.range", " 01 , 9 ");
    let properties =
        [("projection.k.type", "integer"), range, ("projection.k.interval", "4"), ("projection.k.digits", "2")];
    let kind = kind(Type::Integer, &properties);
    assert_eq!(texts(&kind), ["01", "05", "09"]);
    assert_eq!(kind.value("5").map(|value| value.text).as_deref(), Some("05"));
    assert_eq!(kind.value("6"), None);
    let Kind::Integer(integers) = &kind else { panic!("integers expected") };
    let narrowed: Vec<_> = Kind::Integer(integers.narrowed(Some(2), Some(6)).into_owned()).values().unwrap().collect();
    assert_eq!(narrowed.len(), 1);
}

#[test]
fn dates_go_by_their_unit() {
    let date = |format, range| {
        vec![("projection.k.type", "date"), ("projection.k.format", format), ("projection.k.range", range)]
    };
    let days = kind(Type::VARCHAR, &date("yyyy/MM/dd", "NOW-2DAYS,NOW"));
    assert_eq!(texts(&days), ["2024/05/04", "2024/05/05", "2024/05/06"]);
    let months = kind(Type::VARCHAR, &date("yyyy-MM", "2023-11,2024-01"));
    assert_eq!(texts(&months), ["2023-11", "2023-12", "2024-01"]);
    assert!(months.value("2023-12").is_some() && months.value("2023-10").is_none() && months.value("x").is_none());
    let mut hours = date("yyyy-MM-dd-HH", "2024-01-01-00,2024-01-01-12");
    hours.extend([("projection.k.interval", "6"), ("projection.k.interval.unit", "Hours")]);
    let hours = kind(Type::VARCHAR, &hours);
    assert_eq!(texts(&hours), ["2024-01-01-00", "2024-01-01-06", "2024-01-01-12"]);
    assert!(hours.value("2024-01-01-06").is_some() && hours.value("2024-01-01-07").is_none());
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    assert!(error(&[]).contains("missing projection configuration: [`k`]"));
    assert!(error(&[("projection.k.type", "lunar")]).contains("'lunar' for the table property projection.k.type"));
    assert!(error(&[("projection.k.type", "enum")]).contains("needs the table property projection.k.values"));
    assert!(error(&[("projection.k.type", "integer"), ("projection.k.range", "1-5")]).contains("projection.k.range"));
    assert!(error(&[("projection.k.type", "integer"), ("projection.k.range", "5,1")]).contains("does not end before"));
    let hours =
        [("projection.k.type", "date"), ("projection.k.format", "yyyyMMddHH"), ("projection.k.range", "NOW,NOW")];
    assert!(error(&hours).starts_with("INVALID_TABLE_PROPERTY: Partition projection for column k needs"));
    let template = [("projection.k.type", "injected"), ("storage.location.template", "s3://lake/t/")];
    assert!(error(&template).contains("without a placeholder ${k}"));
}

#[test]
fn locations_are_hives_or_the_templates() {
    let injected = [("projection.k.type", "injected")];
    let hive = table("k", Type::VARCHAR, &injected);
    let projection = Projection::of(&hive, now()).unwrap().unwrap();
    assert_eq!(projection.location(&hive, &["a/b"]), "s3://lake/t/k=a%2Fb");
    assert!(check_writable(&hive, now()).is_ok());
    let template = [injected[0], ("storage.location.template", "s3://lake/x/${k}/y/")];
    let moved = table("k", Type::VARCHAR, &template);
    let projection = Projection::of(&moved, now()).unwrap().unwrap();
    assert_eq!(projection.location(&moved, &["a/b"]), "s3://lake/x/a/b/y/");
    let error = check_writable(&moved, now()).unwrap_err();
    assert!(error.message.contains("storage.location.template"), "{error}");
}
