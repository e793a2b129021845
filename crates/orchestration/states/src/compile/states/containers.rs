//! Parallel and Map: the graphs inside of them.

use serde_json::Value;

use super::types::DISTRIBUTED;
use super::{Compiler, Members};
use crate::definition::{Items, Kind, Language, MapState};

impl Compiler<'_> {
    pub(super) fn parallel(&mut self, members: &Members, at: &str) -> Option<Kind> {
        if !self.require(members, "Branches", at) {
            return None;
        }
        let place = format!("{at}/Branches");
        let Some(branches) = members.get("Branches").and_then(Value::as_array).filter(|list| !list.is_empty()) else {
            self.schema("The field 'Branches' must be a non-empty array", &place);
            return None;
        };
        let compiled: Vec<_> = branches
            .iter()
            .enumerate()
            .map(|(index, branch)| {
                let at = format!("{place}[{index}]");
                let Some(members) = branch.as_object() else {
                    self.schema("A branch must be an object", &at);
                    return None;
                };
                self.allow(members, &["Comment", "StartAt", "States"], &at);
                self.graph(members, &at)
            })
            .collect();
        Some(Kind::Parallel { branches: compiled.into_iter().collect::<Option<_>>()? })
    }

    pub(super) fn map(&mut self, members: &Members, language: Language, at: &str) -> Option<MapState> {
        self.either(members, &["ItemProcessor", "Iterator"], at);
        self.either(members, &["ItemSelector", "Parameters"], at);
        let name = if members.contains_key("Iterator") { "Iterator" } else { "ItemProcessor" };
        if !self.require(members, name, at) {
            return None;
        }
        self.refuse_distributed(members, name, at);
        let place = format!("{at}/{name}");
        let Some(processor) = members.get(name).and_then(Value::as_object) else {
            self.schema("An item processor must be an object", &place);
            return None;
        };
        self.allow(processor, &["Comment", "StartAt", "States", "ProcessorConfig"], &place);
        let selector = if members.contains_key("Parameters") { "Parameters" } else { "ItemSelector" };
        Some(MapState {
            items: self.items(members, language, at)?,
            selector: self.template(members, selector, language, at),
            max_concurrency: self.amount(
                members,
                ("MaxConcurrency", "MaxConcurrencyPath"),
                language,
                at,
                (0, u64::MAX),
            ),
            processor: self.graph(processor, &place)?,
        })
    }

    fn refuse_distributed(&mut self, members: &Members, processor: &str, at: &str) {
        let mode = members.get(processor).and_then(|processor| processor.pointer("/ProcessorConfig/Mode"));
        if mode.and_then(Value::as_str) == Some("DISTRIBUTED") {
            let message = "Boathouse does not implement Distributed Map (ProcessorConfig.Mode 'DISTRIBUTED') yet";
            self.schema(message, &format!("{at}/{processor}/ProcessorConfig/Mode"));
        }
        for name in DISTRIBUTED.iter().filter(|name| members.contains_key(**name)) {
            let message =
                format!("Boathouse does not implement Distributed Map, which the field '{name}' belongs to, yet");
            self.schema(message, at);
        }
    }

    fn items(&mut self, members: &Members, language: Language, at: &str) -> Option<Items> {
        if language == Language::JsonPath {
            return match members.get("ItemsPath") {
                None => Some(Items::Input),
                Some(_) => self.path(members, "ItemsPath", at).map(Items::Path),
            };
        }
        match members.get("Items") {
            None => Some(Items::Input),
            Some(Value::String(text)) => self.query(text, "Items", at).map(Items::Jsonata),
            Some(_) => self.template(members, "Items", language, at).map(Items::Template),
        }
    }
}
