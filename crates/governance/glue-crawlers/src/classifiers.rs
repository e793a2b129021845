//! Custom classifiers of CSV files: create, get, list, update, delete. Grok, XML and JSON ones are refused by name.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{ClassifierInput, CsvClassifier, Empty, Named, PageRequest};
use crate::error::CrawlerError;
use crate::store::{CLASSIFIERS, Crawlers, now, page, valid_name};

fn checked(input: ClassifierInput) -> Result<CsvClassifier, CrawlerError> {
    for (other, name) in [
        (&input.grok_classifier, "GrokClassifier"),
        (&input.xml_classifier, "XMLClassifier"),
        (&input.json_classifier, "JsonClassifier"),
    ] {
        if other.is_some() {
            return Err(CrawlerError::NotImplemented(name));
        }
    }
    let invalid = |message: &str| CrawlerError::InvalidInput(message.into());
    let csv = input.csv_classifier.ok_or_else(|| invalid("a classifier is missing"))?;
    valid_name(&csv.name)?;
    if csv.custom_datatype_configured == Some(true) || csv.custom_datatypes.is_some() {
        return Err(CrawlerError::NotImplemented("CustomDatatypes"));
    }
    if csv.disable_value_trimming == Some(true) {
        return Err(CrawlerError::NotImplemented("DisableValueTrimming"));
    }
    if csv.serde.as_deref().is_some_and(|serde| serde != "None") {
        return Err(CrawlerError::NotImplemented("CsvClassifier.Serde"));
    }
    if !matches!(csv.contains_header.as_deref(), None | Some("UNKNOWN" | "PRESENT" | "ABSENT")) {
        return Err(invalid("ContainsHeader must be UNKNOWN, PRESENT or ABSENT"));
    }
    let one_sign = |text: &Option<String>| text.as_deref().is_none_or(|text| text.len() == 1);
    if !one_sign(&csv.delimiter)
        || !one_sign(&csv.quote_symbol)
        || csv.delimiter.is_some() && csv.delimiter == csv.quote_symbol
    {
        return Err(invalid("Delimiter and QuoteSymbol must be one ASCII character each, and different"));
    }
    Ok(csv)
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Crawlers>, input: ClassifierInput) -> Result<Empty, CrawlerError> {
    let time = Some(now(&ctx));
    let csv = CsvClassifier { creation_time: time, last_updated: time, version: Some(1), ..checked(input)? };
    let taken = format!("Classifier with name {} already exists", csv.name);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&csv.name]);
            if tx.contains(CLASSIFIERS, &key)? {
                return Err(CrawlerError::AlreadyExists(taken));
            }
            tx.put_json(CLASSIFIERS, &key, &csv)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Crawlers>, input: ClassifierInput) -> Result<Empty, CrawlerError> {
    let csv = checked(input)?;
    let time = now(&ctx);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&csv.name]);
            let old: CsvClassifier = tx.get_json(CLASSIFIERS, &key)?.ok_or_else(|| missing(&csv.name))?;
            let version = old.version.map(|version| version + 1);
            let csv = CsvClassifier { creation_time: old.creation_time, last_updated: Some(time), version, ..csv };
            tx.put_json(CLASSIFIERS, &key, &csv)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn get(_: Ctx, state: Arc<Crawlers>, input: Named) -> Result<Value, CrawlerError> {
    Ok(json!({"Classifier": {"CsvClassifier": state.classifier(&input.name)?}}))
}

pub(crate) async fn list(_: Ctx, state: Arc<Crawlers>, input: PageRequest) -> Result<Value, CrawlerError> {
    let (found, next) =
        page::<CsvClassifier>(&state, CLASSIFIERS, &Key::default(), input.max_results, input.next_token)?;
    let classifiers: Vec<Value> = found.iter().map(|csv| json!({"CsvClassifier": csv})).collect();
    Ok(json!({"Classifiers": classifiers, "NextToken": next}))
}

pub(crate) async fn delete(_: Ctx, state: Arc<Crawlers>, input: Named) -> Result<Empty, CrawlerError> {
    state
        .metadata
        .transaction(move |tx| {
            if !tx.delete(CLASSIFIERS, &Key::new([&input.name]))? {
                return Err(missing(&input.name));
            }
            Ok(Empty {})
        })
        .await
}

pub(crate) fn missing(name: &str) -> CrawlerError {
    CrawlerError::NotFound(format!("Classifier entry with name {name} does not exist"))
}
