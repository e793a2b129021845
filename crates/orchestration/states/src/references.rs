//! Which variables the states of a definition read ("variableReferences" of DescribeStateMachine).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::template::delimited;

/// Members that hold paths although their names do not say so.
const PATHS: [&str; 2] = ["Variable", "ItemsPath"];

/// The names of the variables that each state reads, of states that read any.
pub fn variable_references(definition: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    if let Ok(definition) = serde_json::from_str::<Value>(definition) {
        let jsonata = definition["QueryLanguage"] == "JSONata";
        graph(&definition, jsonata, &mut found);
    }
    found
}

fn graph(definition: &Value, jsonata: bool, found: &mut BTreeMap<String, Vec<String>>) {
    for (name, state) in definition["States"].as_object().into_iter().flatten() {
        let jsonata = match state["QueryLanguage"].as_str() {
            Some(language) => language == "JSONata",
            None => jsonata,
        };
        let mut names = BTreeSet::new();
        for (field, value) in state.as_object().into_iter().flatten() {
            match field.as_str() {
                "ItemProcessor" | "Iterator" => graph(value, jsonata, found),
                "Branches" => value.as_array().into_iter().flatten().for_each(|branch| graph(branch, jsonata, found)),
                _ => read(field, value, jsonata, &mut names),
            }
        }
        if !names.is_empty() {
            found.insert(name.clone(), names.into_iter().collect());
        }
    }
}

fn read(field: &str, value: &Value, jsonata: bool, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| read(name, value, jsonata, names)),
        Value::Array(elements) => elements.iter().for_each(|element| read(field, element, jsonata, names)),
        Value::String(text) if jsonata => {
            if let Some(expression) = delimited(text) {
                variables(expression, true, names);
            }
        }
        Value::String(text) if field.ends_with(".$") || field.ends_with("Path") || PATHS.contains(&field) => {
            variables(text, false, names);
        }
        _ => {}
    }
}

/// Every `$name` in the text that is not in quotes. In JSONata, functions that are called and `$states` are no variables.
fn variables(text: &str, jsonata: bool, names: &mut BTreeSet<String>) {
    let mut quote = None;
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open && previous != '\\' => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '$' && previous != '$' => {
                let rest = &text[at + 1..];
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                let called = jsonata && (after.trim_start().starts_with('(') || after.trim_start().starts_with(":="));
                if !(name.is_empty() || called || jsonata && name == "states") {
                    names.insert(name.to_owned());
                }
            }
            None => {}
        }
        previous = c;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn states_name_the_variables_that_they_read() {
        let definition = json!({"StartAt": "A", "States": {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
            "B": {"Type": "Choice", "Choices": [{"Variable": "$x", "StringEqualsPath": "$y.z", "Next": "C"}]},
            "C": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $sum($x) + $states.input.n & '$no' %}", "Next": "M"},
            "M": {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {
                "I": {"Type": "Pass", "Parameters": {"p.$": "States.Format('{}', $x, $$.State.Name)"}, "End": true}}}, "End": true}}});
        let found = variable_references(&definition.to_string());
        let names = |state: &str| found.get(state).map(|names| names.join(","));
        assert_eq!(names("A"), None);
        assert_eq!(names("B").as_deref(), Some("x,y"));
        assert_eq!(names("C").as_deref(), Some("x"));
        assert_eq!(names("I").as_deref(), Some("x"));
    }
}
