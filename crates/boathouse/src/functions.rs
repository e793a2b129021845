//! `boathouse functions`: the table of SQL functions, for their documentation.

use serde_json::{Value, json};

use crate::say;

/// Prints every function with its kind, signatures and description as JSON.
pub(crate) fn run() {
    let functions: Vec<Value> = boathouse_trino_functions::catalogue()
        .map(|function| {
            json!({
                "name": function.name,
                "kind": format!("{:?}", function.kind).to_lowercase(),
                "signatures": function.signatures,
                "description": function.description,
            })
        })
        .collect();
    say!("{}", Value::Array(functions));
}
