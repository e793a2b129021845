//! What the batch operations share: the rules for entries, and answers that tell the good from the bad.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::Entry;
use crate::error::SqsError;

/// Entries of a batch.
const MAX_ENTRIES: usize = 10;

/// Refuses a batch as a whole.
pub(crate) fn check<T>(entries: &[Entry<T>]) -> Result<(), SqsError> {
    if entries.is_empty() {
        return Err(SqsError::EmptyBatch);
    }
    if entries.len() > MAX_ENTRIES {
        return Err(SqsError::TooManyEntries(entries.len()));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut seen = HashSet::new();
    for Entry { id, .. } in entries {
        if !(1..=80).contains(&id.len()) || !id.chars().all(allowed) {
            return Err(SqsError::InvalidEntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::IdsNotDistinct(id.clone()));
        }
    }
    Ok(())
}

/// The answer: what became of each entry.
pub(crate) fn answer<T: Serialize>(outcomes: Vec<(String, Result<T, SqsError>)>) -> Result<Value, SqsError> {
    let mut successful = Vec::new();
    let mut failed = Vec::new();
    for (id, outcome) in outcomes {
        match outcome {
            Ok(members) => {
                let mut members = json!(members);
                members["Id"] = json!(id);
                successful.push(members);
            }
            Err(SqsError::Store(error)) => return Err(SqsError::Store(error)),
            Err(error) => failed.push(json!({
                "Id": id, "SenderFault": error.senders_fault(), "Code": error.entry_code(), "Message": error.to_string(),
            })),
        }
    }
    let lists = [("Successful", successful), ("Failed", failed)];
    let given = lists.into_iter().filter(|(_, list)| !list.is_empty());
    Ok(Value::Object(given.map(|(name, list)| (name.to_owned(), Value::Array(list))).collect::<Map<_, _>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> Result<(), SqsError> {
        let entry = |id: &&str| Entry { id: (*id).to_owned(), content: () };
        check(&ids.iter().map(entry).collect::<Vec<_>>())
    }

    #[test]
    fn batches_have_one_to_ten_entries_with_ids_of_their_own() {
        assert!(ids(&["a", "b_-9"]).is_ok());
        assert!(matches!(ids(&[]), Err(SqsError::EmptyBatch)));
        assert!(matches!(ids(&["a"; 11]), Err(SqsError::TooManyEntries(11))));
        assert!(matches!(ids(&["a", "a"]), Err(SqsError::IdsNotDistinct(_))));
        assert!(matches!(ids(&["a b"]), Err(SqsError::InvalidEntryId)));
        assert!(matches!(ids(&[""]), Err(SqsError::InvalidEntryId)));
    }
}
