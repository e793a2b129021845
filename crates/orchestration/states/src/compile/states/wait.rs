//! Wait: until when.

use super::{Compiler, MAX_SECONDS, Members};
use crate::choice::timestamp;
use crate::definition::{Language, Text, Until};

impl Compiler<'_> {
    pub(super) fn wait(&mut self, members: &Members, language: Language, at: &str) -> Option<Until> {
        let names = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        let given: Vec<&str> = names.into_iter().filter(|name| members.contains_key(*name)).collect();
        let [name] = given.as_slice() else {
            let message = format!("There should be exactly one of the following fields: [{}]", names.join(", "));
            self.schema(message, at);
            return None;
        };
        Some(match *name {
            "Seconds" => {
                Until::Seconds(self.amount(members, ("Seconds", "SecondsPath"), language, at, (0, MAX_SECONDS))?)
            }
            "SecondsPath" => Until::SecondsPath(self.path(members, "SecondsPath", at)?),
            "TimestampPath" => Until::TimestampPath(self.path(members, "TimestampPath", at)?),
            _ => {
                let text = self.text(members, ("Timestamp", "TimestampPath"), language, at)?;
                if let Text::Literal(literal) = &text
                    && timestamp(literal).is_none()
                {
                    let message =
                        "The value for the field 'Timestamp' must be a valid ISO-8601 extended offset date-time";
                    self.schema(message, &format!("{at}/Timestamp"));
                }
                Until::Timestamp(text)
            }
        })
    }
}
