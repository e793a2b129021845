//! Input templates: text in which `<name>` stands for a part of the event.
//!
//! Between double quotes a part is inserted as text, escaped, without quotes of its own; elsewhere as JSON. A part that the
//! event does not have is nothing between quotes, and `null` elsewhere.

use serde_json::Value;

use super::{Path, Surroundings};

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Part { source: Source, quoted: bool },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Path(Path),
    RuleArn,
    RuleName,
    IngestionTime,
    /// The event without its detail.
    Envelope,
    Event,
}

impl Template {
    /// Reads a template whose variables are named by `paths`.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse<'a>(
        paths: impl Iterator<Item = (&'a String, &'a String)> + Clone,
        text: &str,
    ) -> Result<Self, String> {
        for (name, path) in paths.clone() {
            if name.starts_with("AWS") || name.is_empty() {
                return Err(format!("InputPathsMap: {name:?} can't be the name of a variable"));
            }
            Path::parse(path).ok_or_else(|| format!("InputPathsMap: {path} is not a JSON path"))?;
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut quoted = false;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if character == '<'
                && let Some((name, after)) = placeholder(rest)
            {
                let known = paths.clone().find(|(known, _)| *known == name).and_then(|(_, path)| Path::parse(path));
                let source = source(name).or_else(|| known.map(Source::Path));
                let source = source.ok_or_else(|| format!("InputTemplate: <{name}> is not in InputPathsMap"))?;
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(Piece::Part { source, quoted });
                rest = after;
                continue;
            }
            plain.push(character);
            rest = &rest[character.len_utf8()..];
            match character {
                '"' => quoted = !quoted,
                '\\' => {
                    // What follows a backslash has no meaning of its own.
                    let escaped = rest.chars().next();
                    plain.extend(escaped);
                    rest = &rest[escaped.map_or(0, char::len_utf8)..];
                }
                _ => {}
            }
        }
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    pub(super) fn fill(&self, event: &Value, json: &str, around: Surroundings<'_>) -> String {
        self.0.iter().fold(String::new(), |mut text, piece| {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Part { source, quoted: true } => text.push_str(&unquoted(source.value(event, json, around))),
                Piece::Part { source, .. } => {
                    let value = source.value(event, json, around);
                    text.push_str(&value.unwrap_or_default().to_string());
                }
            }
            text
        })
    }
}

/// The name of the placeholder at the start of a text, and what follows it. Other `<` are plain text.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('<')?.split_once('>')?;
    let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    (!name.is_empty() && name.chars().all(plain)).then_some((name, rest))
}

fn source(name: &str) -> Option<Source> {
    Some(match name {
        "aws.events.rule-arn" => Source::RuleArn,
        "aws.events.rule-name" => Source::RuleName,
        "aws.events.event.ingestion-time" => Source::IngestionTime,
        "aws.events.event" => Source::Envelope,
        "aws.events.event.json" => Source::Event,
        _ => return None,
    })
}

impl Source {
    fn value(&self, event: &Value, json: &str, around: Surroundings<'_>) -> Option<Value> {
        match self {
            Self::Path(path) => path.find(event),
            Self::RuleArn => Some(around.rule_arn.into()),
            Self::RuleName => Some(around.rule_name.into()),
            Self::IngestionTime => Some(around.ingestion_time.into()),
            Self::Event => serde_json::from_str(json).ok(),
            Self::Envelope => {
                let mut envelope = event.clone();
                envelope.as_object_mut()?.remove("detail");
                Some(envelope)
            }
        }
    }
}

/// A value as it stands inside a JSON text's quotes.
fn unquoted(value: Option<Value>) -> String {
    let text = match value {
        None => return String::new(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    };
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
