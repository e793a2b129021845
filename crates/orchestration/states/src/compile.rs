//! A definition's text → a [`Machine`], or what is wrong with it in AWS's words ("ValidateStateMachineDefinition").

mod fields;
mod flow;
mod json;
mod states;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};

use crate::definition::{Language, Machine, Resource};

pub use json::json_problem;

/// The largest definition, in bytes.
pub const MAX_DEFINITION: usize = 1_048_576;
/// Diagnostics that are collected at most.
const MAX_DIAGNOSTICS: usize = 100;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The machine can't be created.
    Error,
    /// It can, but should be looked at.
    Warning,
}

/// One thing that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// AWS's code, such as `SCHEMA_VALIDATION_FAILED`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where: a pointer into the definition, such as `/States/Load/Next`.
    pub location: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match &self.location {
            Some(location) if self.code != json::CODE => write!(f, " at {location}"),
            _ => Ok(()),
        }
    }
}

/// What the machine is made for.
pub trait Platform {
    /// Whether it is an express machine, which can't wait for jobs, tokens or activities.
    fn express(&self) -> bool;

    /// Why tasks of this resource can't be run here, if they can't.
    fn refuse(&self, resource: &Resource) -> Option<String>;
}

/// Compiles and validates.
///
/// # Errors
/// Every error found. Warnings alone refuse nothing; [`diagnose`] gives them.
pub fn compile(text: &str, platform: &dyn Platform) -> Result<Machine, Vec<Diagnostic>> {
    let (machine, diagnostics) = diagnose(text, platform);
    let errors: Vec<Diagnostic> = diagnostics.into_iter().filter(|found| found.severity == Severity::Error).collect();
    match machine {
        Some(machine) if errors.is_empty() => Ok(machine),
        _ => Err(errors),
    }
}

/// Compiles as far as possible, with all diagnostics.
pub fn diagnose(text: &str, platform: &dyn Platform) -> (Option<Machine>, Vec<Diagnostic>) {
    let mut compiler = Compiler { platform, diagnostics: Vec::new(), machine_language: Language::JsonPath };
    let machine = compiler.machine(text);
    (machine, compiler.diagnostics)
}

/// Compiles one state alone, as TestState does.
///
/// # Errors
/// Every error found.
pub fn compile_state(
    name: &str,
    definition: &Value,
    platform: &dyn Platform,
) -> Result<crate::definition::State, Vec<Diagnostic>> {
    let mut compiler = Compiler { platform, diagnostics: Vec::new(), machine_language: Language::JsonPath };
    let state = compiler.state(name, definition, "");
    match state {
        Some(state) if compiler.diagnostics.is_empty() => Ok(state),
        _ => Err(compiler.diagnostics),
    }
}

struct Compiler<'p> {
    platform: &'p dyn Platform,
    diagnostics: Vec<Diagnostic>,
    machine_language: Language,
}

impl Compiler<'_> {
    fn report(&mut self, code: &'static str, message: impl Into<String>, location: Option<&str>) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            let location = location.map(|at| if at.is_empty() { "/".to_owned() } else { at.to_owned() });
            self.diagnostics.push(Diagnostic { severity: Severity::Error, code, message: message.into(), location });
        }
    }

    /// Most diagnostics are of this code.
    fn schema(&mut self, message: impl Into<String>, location: &str) {
        self.report("SCHEMA_VALIDATION_FAILED", message, Some(location));
    }

    fn machine(&mut self, text: &str) -> Option<Machine> {
        if text.trim().is_empty() {
            self.report("SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object", None);
            return None;
        }
        if text.len() > MAX_DEFINITION {
            let message = format!("The definition is larger than {MAX_DEFINITION} bytes");
            self.report("SCHEMA_VALIDATION_FAILED", message, None);
            return None;
        }
        let definition: Value = match serde_json::from_str(text) {
            Ok(definition) => definition,
            Err(error) => {
                let problem = json_problem(text, &error);
                let message = format!("{}\n at {}", problem.message, problem.location);
                self.report(json::CODE, message, Some(&problem.location));
                return None;
            }
        };
        let Some(members) = definition.as_object() else {
            self.report("SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object", None);
            return None;
        };
        self.machine_language = self.language(members, Language::JsonPath, "");
        self.allow(members, &["Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"], "");
        if let Some(version) = members.get("Version").filter(|version| version.as_str() != Some("1.0")) {
            self.schema(format!("The field 'Version' must be '1.0', not {version}"), "/Version");
        }
        let timeout = self.whole(members, "TimeoutSeconds", "", 1, 99_999_999);
        let root = self.graph(members, "")?;
        self.unique_names(&root);
        Some(Machine { root, timeout })
    }

    /// Refuses members that nobody knows.
    fn allow(&mut self, members: &Map<String, Value>, known: &[&str], at: &str) {
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            self.schema(format!("Field '{name}' is not supported"), at);
        }
    }

    fn language(&mut self, members: &Map<String, Value>, default: Language, at: &str) -> Language {
        match members.get("QueryLanguage").map(|language| language.as_str()) {
            None => default,
            Some(Some("JSONPath")) => Language::JsonPath,
            Some(Some("JSONata")) => Language::Jsonata,
            Some(_) => {
                let message = "The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata]";
                self.schema(message, &format!("{at}/QueryLanguage"));
                default
            }
        }
    }
}
