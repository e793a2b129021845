//! What a target gets of an event: all of it, a part, a constant, or a text made of parts ("Amazon EventBridge input
//! transformation").

mod path;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use path::Path;
pub use template::Template;

/// Variables of a transformer.
const MAX_VARIABLES: usize = 100;
/// Characters of a path.
const MAX_PATH: usize = 256;
/// Bytes of a constant or template.
const MAX_TEXT: usize = 8192;

/// InputTransformer of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InputTransformer {
    /// Names of parts of the event, such as `{"bucket": "$.detail.bucket.name"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_paths_map: Option<BTreeMap<String, String>>,
    /// The text, in which `<bucket>` stands for a part.
    pub input_template: String,
}

/// What a target is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Input {
    /// The whole event.
    #[default]
    Event,
    /// This JSON text.
    Constant(String),
    /// A part of the event.
    Part(Path),
    /// A text made of parts.
    Made(Template),
}

/// What a template can say beside parts of the event.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// `aws.events.rule-arn`
    pub rule_arn: &'a str,
    /// `aws.events.rule-name`
    pub rule_name: &'a str,
    /// `aws.events.event.ingestion-time`
    pub ingestion_time: &'a str,
}

impl Input {
    /// Reads a target's input members, of which at most one may be given.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse(
        constant: Option<&str>,
        path: Option<&str>,
        transformer: Option<&InputTransformer>,
    ) -> Result<Self, String> {
        match (constant, path, transformer) {
            (None, None, None) => Ok(Self::Event),
            (Some(text), None, None) => {
                check_length("Input", text, MAX_TEXT)?;
                serde_json::from_str::<Value>(text).map_err(|_| "Input is not valid JSON".to_owned())?;
                Ok(Self::Constant(text.to_owned()))
            }
            (None, Some(path), None) => {
                check_length("InputPath", path, MAX_PATH)?;
                Path::parse(path).map(Self::Part).ok_or_else(|| format!("InputPath {path} is not a JSON path"))
            }
            (None, None, Some(transformer)) => {
                let paths = transformer.input_paths_map.iter().flatten();
                if paths.clone().count() > MAX_VARIABLES {
                    return Err(format!("InputPathsMap has more than {MAX_VARIABLES} variables"));
                }
                check_length("InputTemplate", &transformer.input_template, MAX_TEXT)?;
                Template::parse(paths, &transformer.input_template).map(Self::Made)
            }
            _ => Err("Only one of Input, InputPath and InputTransformer can be given".into()),
        }
    }

    /// What the target is given for this event, which `json` is the text of.
    pub fn apply(&self, event: &Value, json: &str, around: Surroundings<'_>) -> String {
        match self {
            Self::Event => json.to_owned(),
            Self::Constant(text) => text.clone(),
            Self::Part(path) => path.find(event).unwrap_or_default().to_string(),
            Self::Made(template) => template.fill(event, json, around),
        }
    }
}

fn check_length(name: &str, text: &str, most: usize) -> Result<(), String> {
    if text.len() <= most { Ok(()) } else { Err(format!("{name} is longer than {most} bytes")) }
}
