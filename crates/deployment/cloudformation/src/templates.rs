//! GetTemplate, GetTemplateSummary, ValidateTemplate.

use std::sync::Arc;

use boathouse_aws::Ctx;
use serde::Serialize;

use crate::api::{GetTemplate, TemplateInput};
use crate::change_sets;
use crate::error::StackError;
use crate::requests::template_text;
use crate::store::Stacks;
use crate::template::Template;

/// GetTemplate's answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Text {
    template_body: String,
    stages_available: [&'static str; 2],
}

/// A declared parameter, as ValidateTemplate shows it; GetTemplateSummary shows more.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Declared {
    parameter_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_type: Option<String>,
    no_echo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_constraints: Option<Constraints>,
}

/// What a parameter may be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Constraints {
    allowed_values: Vec<String>,
}

/// The answers of ValidateTemplate and GetTemplateSummary.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    parameters: Vec<Declared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    capabilities: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities_reason: Option<String>,
    declared_transforms: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
}

pub(crate) async fn get(_: Ctx, state: Arc<Stacks>, input: GetTemplate) -> Result<Text, StackError> {
    if !matches!(input.template_stage.as_deref(), None | Some("Original" | "Processed")) {
        return Err(StackError::Validation("TemplateStage must be Original or Processed".to_owned()));
    }
    let template_body = match &input.change_set_name {
        Some(name) => change_sets::find(&state, name, input.stack_name.as_deref())?.1.definition.template,
        None => state.find(input.stack_name.as_deref().unwrap_or_default())?.definition.template,
    };
    Ok(Text { template_body, stages_available: ["Original", "Processed"] })
}

fn summary(template: &Template, detailed: bool) -> Summary {
    let declared = template.parameters.iter().map(|(key, parameter)| Declared {
        parameter_key: key.clone(),
        default_value: parameter.default.clone(),
        parameter_type: detailed.then(|| parameter.type_name.clone()),
        no_echo: parameter.no_echo,
        description: parameter.description.clone(),
        parameter_constraints: detailed.then(|| Constraints { allowed_values: parameter.allowed_values.clone() }),
    });
    let (capabilities, because) = template.capabilities();
    let mut kinds: Vec<String> = template.resources.values().map(|resource| resource.kind.clone()).collect();
    kinds.sort();
    kinds.dedup();
    let reason = format!("The following resource(s) require capabilities: [{}]", because.join(", "));
    Summary {
        parameters: declared.collect(),
        description: template.description.clone(),
        capabilities_reason: (!capabilities.is_empty()).then_some(reason),
        capabilities,
        declared_transforms: Vec::new(),
        resource_types: detailed.then_some(kinds),
        version: detailed.then_some("2010-09-09"),
        metadata: template.metadata.as_ref().filter(|_| detailed).map(ToString::to_string),
    }
}

async fn text(ctx: &Ctx, state: &Stacks, input: &TemplateInput) -> Result<String, StackError> {
    let given = template_text(ctx, state, input.template_body.as_deref(), input.template_url.as_deref()).await?;
    match (given, &input.stack_name) {
        (Some(text), None) => Ok(text),
        (None, Some(name)) => Ok(state.find(name)?.definition.template),
        (Some(_), Some(_)) => {
            Err(StackError::Validation("Specify one of StackName, TemplateBody and TemplateURL".to_owned()))
        }
        (None, None) => {
            Err(StackError::Validation("Either Template URL or Template Body must be specified.".to_owned()))
        }
    }
}

pub(crate) async fn summarize(ctx: Ctx, state: Arc<Stacks>, input: TemplateInput) -> Result<Summary, StackError> {
    Ok(summary(&Template::parse(&text(&ctx, &state, &input).await?)?, true))
}

pub(crate) async fn validate(ctx: Ctx, state: Arc<Stacks>, input: TemplateInput) -> Result<Summary, StackError> {
    let template = Template::parse(&text(&ctx, &state, &input).await?)?;
    crate::template::plan::check_references(&template)?;
    Ok(summary(&template, false))
}
