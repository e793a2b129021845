//! Outputs, what is exported of them, and who imports it.

use std::collections::BTreeMap;

use boathouse_metadata::{Key, Transaction};

use super::operation::Operation;
use crate::error::StackError;
use crate::store::{ALL, EXPORTS, Export, IMPORTS, Output};
use crate::template::TemplateError;
use crate::template::functions::text_of;

/// Evaluates the outputs and publishes the exports, or says why that can't be.
pub(super) async fn publish(operation: &Operation) -> Result<Result<Vec<Output>, String>, StackError> {
    let outputs = match evaluate(operation) {
        Ok(outputs) => outputs,
        Err(error) => return Ok(Err(error.0)),
    };
    let exports: BTreeMap<String, String> =
        outputs.iter().filter_map(|output| Some((output.export_name.clone()?, output.output_value.clone()))).collect();
    let imported: Vec<String> = operation.imported.lock().iter().cloned().collect();
    let (id, uuid, name) = (operation.stack.id.clone(), operation.stack.uuid.clone(), operation.stack.name.clone());
    let kept = operation
        .state
        .metadata
        .transaction(move |tx| {
            if let Some(conflict) = exchange(tx, &id, &exports)? {
                return Ok(Err(conflict));
            }
            forget_imports(tx, &uuid)?;
            for export in imported {
                tx.put_json(IMPORTS, &Key::new([&export, &uuid]), &name)?;
            }
            Ok::<_, StackError>(Ok(()))
        })
        .await?;
    Ok(kept.map(|()| outputs))
}

fn evaluate(operation: &Operation) -> Result<Vec<Output>, TemplateError> {
    let mut outputs = Vec::new();
    for (key, declared) in &operation.plan.outputs {
        let value = operation.evaluate(&declared.value)?.as_ref().and_then(text_of).ok_or_else(|| {
            let rule = "The Value field of every Outputs member must evaluate to a String.";
            TemplateError(format!("Template format error: {rule} ({key})"))
        })?;
        let export =
            declared.export.as_ref().map(|name| operation.text(name, "The Name of every Export")).transpose()?;
        outputs.push(Output {
            output_key: key.clone(),
            output_value: value,
            description: declared.description.clone(),
            export_name: export,
        });
    }
    Ok(outputs)
}

/// Puts new exports in the place of the stack's old ones, or says what stands against it.
fn exchange(
    tx: &Transaction<'_>,
    stack: &str,
    exports: &BTreeMap<String, String>,
) -> Result<Option<String>, StackError> {
    for name in exports.keys() {
        let present: Option<Export> = tx.get_json(EXPORTS, &Key::new([name]))?;
        if let Some(other) = present.filter(|export| export.exporting_stack_id != stack) {
            let owner = other.exporting_stack_id.split('/').nth(1).unwrap_or_default().to_owned();
            return Ok(Some(format!("Export with name {name} is already exported by stack {owner}")));
        }
    }
    for entry in tx.scan(EXPORTS, &Key::default(), None, ALL)? {
        let old: Export = entry.json()?;
        if old.exporting_stack_id != stack || exports.get(&old.name) == Some(&old.value) {
            continue;
        }
        let users = tx.scan(IMPORTS, &Key::new([&old.name]), None, 1)?;
        if let Some(user) = users.first() {
            let (verb, user): (_, String) =
                (if exports.contains_key(&old.name) { "updated" } else { "deleted" }, user.json()?);
            return Ok(Some(format!("Export {} cannot be {verb} as it is in use by {user}", old.name)));
        }
        tx.delete(EXPORTS, &entry.key)?;
    }
    for (name, value) in exports {
        let export = Export { exporting_stack_id: stack.to_owned(), name: name.clone(), value: value.clone() };
        tx.put_json(EXPORTS, &Key::new([name]), &export)?;
    }
    Ok(None)
}

fn forget_imports(tx: &Transaction<'_>, uuid: &str) -> Result<(), StackError> {
    for entry in tx.scan(IMPORTS, &Key::default(), None, ALL)? {
        if entry.key.last() == uuid {
            tx.delete(IMPORTS, &entry.key)?;
        }
    }
    Ok(())
}

/// Why the stack can't go: somebody imports what it exports.
pub(super) fn in_use(operation: &Operation) -> Result<Option<String>, StackError> {
    for output in &operation.stack.outputs {
        let Some(export) = &output.export_name else { continue };
        if let Some(user) = operation.state.importers(export)?.first() {
            return Ok(Some(format!("Export {export} cannot be deleted as it is in use by {user}")));
        }
    }
    Ok(None)
}

/// Takes the stack's exports and imports back.
pub(super) async fn withdraw(operation: &Operation) -> Result<(), StackError> {
    let (id, uuid) = (operation.stack.id.clone(), operation.stack.uuid.clone());
    operation
        .state
        .metadata
        .transaction(move |tx| {
            for entry in tx.scan(EXPORTS, &Key::default(), None, ALL)? {
                let export: Export = entry.json()?;
                if export.exporting_stack_id == id {
                    tx.delete(EXPORTS, &entry.key)?;
                }
            }
            forget_imports(tx, &uuid)
        })
        .await
}
