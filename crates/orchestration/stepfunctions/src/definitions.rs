//! Definitions: compiled for this installation, and ValidateStateMachineDefinition.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_states::compile::{self, Diagnostic, Severity};
use boathouse_states::definition::{Machine, Resource};
use serde_json::{Value, json};

use crate::api::{MachineType, ValidateDefinition};
use crate::error::SfnError;
use crate::integrations::catalog;
use crate::store::StepFunctions;

/// What this installation can run.
pub(crate) struct Here<'s> {
    pub(crate) state: &'s StepFunctions,
    pub(crate) kind: MachineType,
}

impl compile::Platform for Here<'_> {
    fn express(&self) -> bool {
        self.kind == MachineType::Express
    }

    fn refuse(&self, resource: &Resource) -> Option<String> {
        catalog::refuse(&self.state.platform.dispatcher, resource)
    }
}

/// Compiles a definition.
///
/// # Errors
/// `InvalidDefinition` with every diagnostic.
pub(crate) fn compile(state: &StepFunctions, text: &str, kind: MachineType) -> Result<Machine, SfnError> {
    compile::compile(text, &Here { state, kind })
        .map_err(|diagnostics| SfnError::InvalidDefinition(invalid(&diagnostics)))
}

/// The message of an invalid definition.
pub(crate) fn invalid(diagnostics: &[Diagnostic]) -> String {
    let all: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    format!("Invalid State Machine Definition: '{}'", all.join(", "))
}

pub(crate) async fn validate(_: Ctx, state: Arc<StepFunctions>, input: ValidateDefinition) -> Result<Value, SfnError> {
    let kind = input.r#type.unwrap_or_default();
    let (_, found) = compile::diagnose(&input.definition, &Here { state: &state, kind });
    let warnings = input.severity.as_deref() == Some("WARNING");
    let most = match input.max_results.unwrap_or(0) {
        0 => 100,
        most => usize::try_from(most).unwrap_or(100).min(100),
    };
    let errors = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let shown: Vec<&Diagnostic> =
        found.iter().filter(|diagnostic| warnings || diagnostic.severity == Severity::Error).collect();
    let diagnostics: Vec<Value> = shown.iter().take(most).map(|diagnostic| describe(diagnostic)).collect();
    Ok(json!({
        "result": if errors { "FAIL" } else { "OK" },
        "diagnostics": diagnostics,
        "truncated": shown.len() > most,
    }))
}

fn describe(diagnostic: &Diagnostic) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
    };
    let mut described = json!({"severity": severity, "code": diagnostic.code, "message": diagnostic.message});
    if let Some(location) = &diagnostic.location {
        described["location"] = location.as_str().into();
    }
    described
}
