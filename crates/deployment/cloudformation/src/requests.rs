//! From what a caller sends to a checked definition: template, parameters, tags, capabilities, role.

use std::collections::BTreeMap;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{Arn, Ctx};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::{Value, json};

use crate::api::{StackInput, Tag};
use crate::engine::SERVICE;
use crate::error::StackError;
use crate::resources;
use crate::store::{Definition, Stack, Stacks};
use crate::template::functions::{Pseudo, References, Symbolic};
use crate::template::{Plan, Template, TemplateError};

/// Bytes of a template in the request itself.
const MAX_BODY: usize = 51_200;
/// Bytes of a template in S3.
const MAX_OBJECT: u64 = 1_048_576;
/// Tags that a stack may have.
const MAX_TAGS: usize = 50;

/// A definition that can be carried out.
pub(crate) struct Checked {
    pub(crate) definition: Definition,
    pub(crate) plan: Plan,
    pub(crate) description: Option<String>,
}

fn invalid(message: impl Into<String>) -> StackError {
    StackError::Validation(message.into())
}

/// A stack's name.
///
/// # Errors
/// In the words of AWS's request validation.
pub(crate) fn valid_name(name: &str) -> Result<(), StackError> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(letters) && name.len() <= 128 {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    )))
}

/// Refuses what Boathouse does not do, by name.
pub(crate) fn refuse_options(input: &StackInput) -> Result<(), StackError> {
    let rollback = input.rollback_configuration.as_ref().is_some_and(|it| {
        it.get("RollbackTriggers").is_some_and(|triggers| !triggers.as_array().is_some_and(Vec::is_empty))
            || it.get("MonitoringTimeInMinutes").is_some_and(|minutes| *minutes != 0 && *minutes != "0")
    });
    let options = [
        (input.timeout_in_minutes.is_some(), "TimeoutInMinutes"),
        (!input.notification_arns.is_empty(), "NotificationARNs"),
        (!input.resource_types.is_empty(), "ResourceTypes"),
        (rollback, "RollbackConfiguration"),
        (input.stack_policy_body.is_some(), "StackPolicyBody"),
        (input.stack_policy_url.is_some(), "StackPolicyURL"),
        (input.retain_except_on_create == Some(true), "RetainExceptOnCreate"),
        (input.include_nested_stacks == Some(true), "IncludeNestedStacks"),
        (input.resources_to_import.is_some(), "ResourcesToImport"),
        (input.import_existing_resources == Some(true), "ImportExistingResources"),
        (input.deployment_mode.is_some(), "DeploymentMode"),
    ];
    match options.iter().find(|(given, _)| *given) {
        Some((_, name)) => Err(StackError::NotImplemented((*name).to_owned())),
        None => Ok(()),
    }
}

/// The text of a template that is given or said to be in S3.
pub(crate) async fn template_text(
    ctx: &Ctx,
    state: &Stacks,
    body: Option<&str>,
    url: Option<&str>,
) -> Result<Option<String>, StackError> {
    match (body, url) {
        (Some(_), Some(_)) => Err(invalid("Either Template URL or Template Body must be specified, not both.")),
        (None, None) => Ok(None),
        (Some(body), None) if body.len() > MAX_BODY => Err(invalid(format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length \
             less than or equal to {MAX_BODY}"
        ))),
        (Some(body), None) => Ok(Some(body.to_owned())),
        (None, Some(url)) => object_text(ctx, state, url).await.map(Some),
    }
}

async fn object_text(ctx: &Ctx, state: &Stacks, url: &str) -> Result<String, StackError> {
    let (bucket, key) = s3_location(url)
        .ok_or_else(|| invalid("TemplateURL must reference a valid S3 object to which you have access."))?;
    let unreadable = |cause: &dyn std::fmt::Display| invalid(format!("S3 error: {cause} ({url})"));
    let store = state.stores.bucket(ctx, &bucket).map_err(|error| unreadable(&error.message))?;
    let path = Path::parse(&key).map_err(|error| unreadable(&error))?;
    let found = store.get(&path).await.map_err(|error| unreadable(&error))?;
    if found.meta.size > MAX_OBJECT {
        return Err(invalid(format!("Template may not exceed {MAX_OBJECT} bytes in size.")));
    }
    let bytes = found.bytes().await.map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| invalid("Template format error: the template is not UTF-8 text."))
}

/// Bucket and key of an S3 URL: with the bucket in the host (`https://bucket.s3.amazonaws.com/key`) or in the path.
fn s3_location(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let rest = rest.split(['?', '#']).next()?;
    let (host, path) = rest.split_once('/')?;
    let path = percent_decoded(path);
    let (bucket, key) = match host.split_once(".s3.").or_else(|| host.split_once(".s3-")) {
        Some((bucket, _)) => (bucket.to_owned(), path),
        None => path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))?,
    };
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).filter(|_| first == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Checks everything that can be checked before a stack's operation begins. `stack` is the stack as it is, or its name and
/// id to come.
///
/// # Errors
/// Templates, parameters and tags against their rules; capabilities that are not acknowledged; a role that may not be passed.
pub(crate) async fn check(
    ctx: &Ctx,
    state: &Stacks,
    input: &StackInput,
    present: Option<&Definition>,
    (name, id): (&str, &str),
) -> Result<Checked, StackError> {
    refuse_options(input)?;
    let given = template_text(ctx, state, input.template_body.as_deref(), input.template_url.as_deref()).await?;
    let template = match (given, input.use_previous_template, present) {
        (Some(_), Some(true), _) => return Err(invalid("Specify either a template or UsePreviousTemplate, not both.")),
        (Some(text), ..) => text,
        (None, Some(true), Some(present)) => present.template.clone(),
        _ => return Err(invalid("Either Template URL or Template Body must be specified.")),
    };
    let parsed = Template::parse(&template)?;
    acknowledge(&parsed, &input.capabilities)?;
    let definition = Definition {
        parameters: parameters(input, &parsed, present)?,
        tags: tags(input, present)?,
        capabilities: input.capabilities.clone(),
        role_arn: input.role_arn.clone().or_else(|| present.and_then(|present| present.role_arn.clone())),
        notification_arns: Vec::new(),
        template,
    };
    if let Some(role) = &input.role_arn {
        check_role(ctx, state, role)?;
    }
    let description = parsed.description.clone();
    let pseudo = pseudo(ctx, name, id);
    let plan = Plan::new(parsed, &definition.parameters, pseudo)?;
    check_attributes(&plan)?;
    Ok(Checked { definition, plan, description })
}

/// The plan of a definition that has been accepted before.
pub(crate) fn plan_of(ctx: &Ctx, stack: &Stack, definition: &Definition) -> Result<Plan, StackError> {
    let template = Template::parse(&definition.template)?;
    Ok(Plan::new(template, &definition.parameters, pseudo(ctx, &stack.name, &stack.id))?)
}

fn pseudo(ctx: &Ctx, name: &str, id: &str) -> Pseudo {
    Pseudo {
        stack_name: name.to_owned(),
        stack_id: id.to_owned(),
        region: ctx.region().to_owned(),
        notification_arns: Vec::new(),
    }
}

fn acknowledge(template: &Template, acknowledged: &[String]) -> Result<(), StackError> {
    let known = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
    if let Some(unknown) = acknowledged.iter().find(|it| !known.contains(&it.as_str())) {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{unknown}]' at 'capabilities' failed to satisfy constraint: Member must \
             satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, \
             CAPABILITY_AUTO_EXPAND]]"
        )));
    }
    let has = |name: &str| acknowledged.iter().any(|it| it == name);
    let (needed, _) = template.capabilities();
    let missing = needed.iter().find(|needed| {
        let stronger = **needed == "CAPABILITY_IAM" && has("CAPABILITY_NAMED_IAM");
        !has(needed) && !stronger
    });
    missing.map_or(Ok(()), |missing| Err(StackError::Capabilities((*missing).to_owned())))
}

fn parameters(
    input: &StackInput,
    template: &Template,
    present: Option<&Definition>,
) -> Result<BTreeMap<String, String>, StackError> {
    let mut values = BTreeMap::new();
    for parameter in &input.parameters {
        let key = parameter.parameter_key.clone();
        let value = match (&parameter.parameter_value, parameter.use_previous_value) {
            (Some(_), Some(true)) => {
                return Err(invalid(format!(
                    "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )));
            }
            (Some(value), _) => value.clone(),
            (None, Some(true)) => {
                let previous = present.and_then(|present| present.parameters.get(&key).cloned());
                let default = || template.parameters.get(&key).and_then(|declared| declared.default.clone());
                let missing = || invalid(format!("Parameters: [{key}] must have values"));
                previous.or_else(default).ok_or_else(missing)?
            }
            (None, _) => return Err(invalid(format!("Parameters: [{key}] must have values"))),
        };
        if values.insert(key.clone(), value).is_some() {
            return Err(invalid(format!("Duplicate parameter key {key}")));
        }
    }
    Ok(values)
}

fn tags(input: &StackInput, present: Option<&Definition>) -> Result<Vec<Tag>, StackError> {
    let Some(tags) = input.tags.clone() else {
        return Ok(present.map(|present| present.tags.clone()).unwrap_or_default());
    };
    if tags.len() > MAX_TAGS {
        return Err(invalid(format!("A stack may have at most {MAX_TAGS} tags")));
    }
    for tag in &tags {
        if tag.key.is_empty() || tag.key.chars().count() > 128 || tag.value.chars().count() > 256 {
            return Err(invalid(format!(
                "The tag {:?} must have a key of 1 to 128 and a value of up to 256 characters",
                tag.key
            )));
        }
        if tag.key.to_lowercase().starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
        }
    }
    Ok(tags)
}

/// Whoever lets CloudFormation act as a role must be allowed to pass that role, which must trust CloudFormation.
pub(crate) fn check_role(ctx: &Ctx, state: &Stacks, role: &str) -> Result<(), StackError> {
    let is_role = role.parse::<Arn>().is_ok_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"));
    if !is_role {
        return Err(invalid(format!("RoleARN {role} is not the ARN of a role")));
    }
    let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec![SERVICE.to_owned()])]);
    state.authorizer.authorize(ctx, &AccessRequest::new("iam:PassRole", role, &keys))?;
    state
        .roles
        .assume_for_service(role, SERVICE, "AWSCloudFormation")
        .map(drop)
        .map_err(|_| invalid(format!("Role {role} is invalid or cannot be assumed")))
}

/// Refuses attributes that a resource's type does not have.
pub(crate) fn check_attributes(plan: &Plan) -> Result<(), TemplateError> {
    let checking = Attributes(plan);
    let scope = plan.scope(&checking);
    let properties = plan.resources.values().map(|resource| &resource.properties);
    let outputs = plan.outputs.values().map(|output| &output.value);
    for value in properties.chain(outputs) {
        match scope.evaluate(value) {
            Err(error) if error.0.contains("in Fn::GetAtt") => return Err(error),
            // Other functions may need what is not known yet.
            _ => {}
        }
    }
    Ok(())
}

struct Attributes<'a>(&'a Plan);

impl References for Attributes<'_> {
    fn reference(&self, resource: &str) -> Result<Value, TemplateError> {
        Symbolic.reference(resource)
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value, TemplateError> {
        let declared = self.0.resources.get(resource);
        let known = declared.and_then(|declared| resources::find(&declared.kind));
        let unsupported = known.is_some_and(|known| {
            let nested = known.kind.name == "AWS::CloudFormation::Stack" && attribute.starts_with("Outputs.");
            !nested && !known.kind.attributes.iter().any(|(name, _)| *name == attribute)
        });
        if unsupported {
            return Err(TemplateError(format!(
                "Template error: resource {resource} does not support attribute type {attribute} in Fn::GetAtt"
            )));
        }
        Symbolic.attribute(resource, attribute)
    }

    fn export(&self, name: &str) -> Result<Value, TemplateError> {
        Symbolic.export(name)
    }
}

/// Whether two definitions come to the same stack.
pub(crate) fn is_same(old: (&Definition, &Plan), new: (&Definition, &Plan)) -> bool {
    old.0.tags == new.0.tags && essence(old.1) == essence(new.1)
}

/// What a plan comes to, as far as it is known before anything exists.
fn essence(plan: &Plan) -> Value {
    let resource = |(name, resource): (&String, &crate::template::declaration::Resource)| {
        let policies = (resource.deletion_policy, resource.update_replace_policy);
        json!([name, resource.kind, plan.symbolic(resource), policies, resource.depends_on])
    };
    let scope = plan.scope(&Symbolic);
    let value = |value: &Value| scope.evaluate(value).ok().flatten();
    let outputs = plan.outputs.iter().map(|(name, output)| {
        json!([name, output.description, value(&output.value), output.export.as_ref().map(value)])
    });
    json!([plan.resources.iter().map(resource).collect::<Vec<_>>(), outputs.collect::<Vec<_>>()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_urls_name_bucket_and_key() {
        let location = |url: &str| s3_location(url);
        let expected = Some(("b".to_owned(), "k/t.yaml".to_owned()));
        assert_eq!(location("https://b.s3.amazonaws.com/k/t.yaml"), expected);
        assert_eq!(location("https://b.s3.eu-west-1.amazonaws.com/k/t.yaml?versionId=1"), expected);
        assert_eq!(location("https://s3.us-east-1.amazonaws.com/b/k/t.yaml"), expected);
        assert_eq!(location("http://127.0.0.1:4566/b/k%2Ft.yaml"), expected);
        assert_eq!(location("s3://b/k"), None);
        assert_eq!(location("https://host/b"), None);
    }

    #[test]
    fn names_keep_to_the_rule() {
        assert!(valid_name("my-stack1").is_ok());
        for wrong in ["", "1a", "a_b", "-a"] {
            assert!(valid_name(wrong).is_err(), "{wrong}");
        }
    }
}
