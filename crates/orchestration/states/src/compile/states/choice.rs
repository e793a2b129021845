//! Choice: its rules and their conditions.

use serde_json::Value;

use super::{Compiler, Members};
use crate::choice::{Condition, Rule, Test};
use crate::definition::{Kind, Language};

impl Compiler<'_> {
    pub(super) fn choice(&mut self, members: &Members, language: Language, at: &str) -> Option<Kind> {
        if !self.require(members, "Choices", at) {
            return None;
        }
        let place = format!("{at}/Choices");
        let Some(choices) = members.get("Choices").and_then(Value::as_array).filter(|rules| !rules.is_empty()) else {
            self.schema("The field 'Choices' must be a non-empty array", &place);
            return None;
        };
        let rules = choices.iter().enumerate();
        let rules: Vec<Option<Rule>> = rules.map(|(index, rule)| self.rule(rule, language, index, at)).collect();
        let default = self.string(members, "Default", at);
        Some(Kind::Choice { rules: rules.into_iter().collect::<Option<_>>()?, default })
    }

    fn rule(&mut self, rule: &Value, language: Language, index: usize, state: &str) -> Option<Rule> {
        let at = &format!("{state}/Choices[{index}]");
        let Some(members) = rule.as_object() else {
            self.schema("A choice rule must be an object", at);
            return None;
        };
        if !self.require(members, "Next", at) {
            return None;
        }
        let condition = match language {
            Language::Jsonata => {
                self.allow(members, &["Condition", "Next", "Assign", "Output", "Comment"], at);
                if !self.require(members, "Condition", at) {
                    return None;
                }
                let text = match members.get("Condition") {
                    Some(Value::Bool(constant)) => format!("{{% {constant} %}}"),
                    _ => self.string(members, "Condition", at)?,
                };
                self.query(&text, &format!("Choices[{index}]/Condition"), state).map(Condition::Jsonata)
            }
            Language::JsonPath => self.condition(members, at, true),
        };
        let next = self.string(members, "Next", at);
        let assign = self.assign(members, language, at);
        let output = if language == Language::Jsonata { self.template(members, "Output", language, at) } else { None };
        Some(Rule { condition: condition?, next: next?, assign, output })
    }

    fn condition(&mut self, members: &Members, at: &str, outermost: bool) -> Option<Condition> {
        let mut known = vec!["Comment"];
        if outermost {
            known.extend(["Next", "Assign"]);
        }
        for (name, many) in [("And", true), ("Or", true), ("Not", false)] {
            let Some(value) = members.get(name) else { continue };
            known.push(name);
            self.allow(members, &known, at);
            let inner = |compiler: &mut Self, value: &Value, at: &str| match value.as_object() {
                Some(members) => compiler.condition(members, at, false),
                None => {
                    compiler.schema("A choice rule must be an object", at);
                    None
                }
            };
            if !many {
                return Some(Condition::Not(Box::new(inner(self, value, &format!("{at}/{name}"))?)));
            }
            let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
                self.schema(format!("The field '{name}' must be a non-empty array"), &format!("{at}/{name}"));
                return None;
            };
            let list: Vec<Option<Condition>> = list
                .iter()
                .enumerate()
                .map(|(index, value)| inner(self, value, &format!("{at}/{name}[{index}]")))
                .collect();
            let list = list.into_iter().collect::<Option<Vec<_>>>()?;
            return Some(if name == "And" { Condition::And(list) } else { Condition::Or(list) });
        }
        self.comparison(members, known, at)
    }

    fn comparison<'m>(&mut self, members: &'m Members, mut known: Vec<&'m str>, at: &str) -> Option<Condition> {
        if !self.require(members, "Variable", at) {
            return None;
        }
        let variable = self.path(members, "Variable", at)?;
        known.push("Variable");
        let tests: Vec<(&String, Result<Test, String>)> =
            members.iter().filter_map(|(name, value)| Some((name, Test::parse(name, value)?))).collect();
        known.extend(tests.iter().map(|(name, _)| name.as_str()));
        let others: Members = members
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        self.allow(&others, &[], at);
        let count = tests.len();
        let mut tests = tests.into_iter();
        match (tests.next(), count) {
            (Some((_, Ok(test))), 1) => Some(Condition::Test(variable, test)),
            (Some((name, Err(problem))), 1) => {
                self.schema(problem, &format!("{at}/{name}"));
                None
            }
            _ => {
                self.schema("A choice rule must have exactly one comparison operator", at);
                None
            }
        }
    }
}
