//! The sections of a template ("Template anatomy"), read and checked one by one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TemplateError;
use super::parameters::Declaration as Parameter;
use super::yaml;

/// Resources that a template may have.
const MAX_RESOURCES: usize = 500;
/// Parameters and outputs that a template may have.
const MAX_OTHERS: usize = 200;

/// A template's parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    pub(crate) description: Option<String>,
    pub(crate) metadata: Option<Value>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) mappings: Map<String, Value>,
    pub(crate) conditions: BTreeMap<String, Value>,
    pub(crate) resources: BTreeMap<String, Resource>,
    pub(crate) outputs: BTreeMap<String, Output>,
}

/// What becomes of a resource when its stack or its declaration goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RemovalPolicy {
    #[default]
    Delete,
    Retain,
    /// Kept, unless it was made by the very operation that fails.
    RetainExceptOnCreate,
}

/// A declared resource.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) properties: Value,
    pub(crate) depends_on: Vec<String>,
    pub(crate) condition: Option<String>,
    pub(crate) deletion_policy: RemovalPolicy,
    pub(crate) update_replace_policy: RemovalPolicy,
}

/// A declared output.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) description: Option<String>,
    pub(crate) value: Value,
    pub(crate) condition: Option<String>,
    /// The expression of the export's name.
    pub(crate) export: Option<Value>,
}

impl Template {
    /// Reads a template's text.
    ///
    /// # Errors
    /// Whatever is malformed, in CloudFormation's words.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let Value::Object(sections) = yaml::read(text)? else {
            return Err(TemplateError::new("Template format error: unsupported structure."));
        };
        refuse_unknown(&sections)?;
        let template = Self {
            description: description(&sections)?,
            metadata: sections.get("Metadata").cloned(),
            parameters: section(&sections, "Parameters", Parameter::read)?,
            mappings: object(&sections, "Mappings")?.cloned().unwrap_or_default(),
            conditions: section(&sections, "Conditions", |_, value| Ok(value.clone()))?,
            resources: section(&sections, "Resources", resource)?,
            outputs: section(&sections, "Outputs", output)?,
        };
        if template.resources.is_empty() {
            return Err(format_error("At least one Resources member must be defined."));
        }
        let limits = [
            ("Resources", template.resources.len(), MAX_RESOURCES),
            ("Parameters", template.parameters.len(), MAX_OTHERS),
            ("Outputs", template.outputs.len(), MAX_OTHERS),
        ];
        for (name, count, limit) in limits {
            if count > limit {
                return Err(format_error(&format!(
                    "Number of {name}, {count}, is greater than maximum allowed, {limit}"
                )));
            }
        }
        Ok(template)
    }

    /// Which capabilities a caller has to acknowledge, and because of which resource types.
    pub(crate) fn capabilities(&self) -> (Vec<&'static str>, Vec<String>) {
        let iam: Vec<&Resource> =
            self.resources.values().filter(|resource| changes_permissions(&resource.kind)).collect();
        let named = iam.iter().any(|resource| names_itself(resource));
        let mut kinds: Vec<String> = iam.iter().map(|resource| resource.kind.clone()).collect();
        kinds.sort();
        kinds.dedup();
        match (kinds.is_empty(), named) {
            (true, _) => (Vec::new(), kinds),
            (false, true) => (vec!["CAPABILITY_NAMED_IAM"], kinds),
            (false, false) => (vec!["CAPABILITY_IAM"], kinds),
        }
    }
}

/// Types whose creation gives permissions ("Acknowledging IAM resources in CloudFormation templates").
fn changes_permissions(kind: &str) -> bool {
    matches!(
        kind,
        "AWS::IAM::AccessKey"
            | "AWS::IAM::Group"
            | "AWS::IAM::InstanceProfile"
            | "AWS::IAM::ManagedPolicy"
            | "AWS::IAM::Policy"
            | "AWS::IAM::Role"
            | "AWS::IAM::RolePolicy"
            | "AWS::IAM::User"
            | "AWS::IAM::UserPolicy"
            | "AWS::IAM::GroupPolicy"
            | "AWS::IAM::UserToGroupAddition"
    )
}

fn names_itself(resource: &Resource) -> bool {
    ["RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName"].iter().any(|name| {
        let is_own_name = resource.kind.ends_with(name.trim_end_matches("Name"));
        is_own_name && resource.properties.get(name).is_some()
    })
}

fn format_error(message: &str) -> TemplateError {
    TemplateError(format!("Template format error: {message}"))
}

fn refuse_unknown(sections: &Map<String, Value>) -> Result<(), TemplateError> {
    const KNOWN: [&str; 7] =
        ["AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources"];
    for missing in ["Transform", "Rules", "Hooks"] {
        if sections.contains_key(missing) {
            return Err(TemplateError(format!("Boathouse does not implement the template section {missing} yet")));
        }
    }
    let unknown: Vec<&str> =
        sections.keys().map(String::as_str).filter(|name| !KNOWN.contains(name) && *name != "Outputs").collect();
    if !unknown.is_empty() {
        return Err(TemplateError(format!("Invalid template property or properties [{}]", unknown.join(", "))));
    }
    match sections.get("AWSTemplateFormatVersion").map(Value::as_str) {
        None | Some(Some("2010-09-09")) => Ok(()),
        _ => Err(format_error("unsupported template format version: it must be \"2010-09-09\"")),
    }
}

fn description(sections: &Map<String, Value>) -> Result<Option<String>, TemplateError> {
    match sections.get("Description") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= 1024 => Ok(Some(text.clone())),
        Some(Value::String(text)) => {
            let length = text.len();
            Err(format_error(&format!("Template description length, {length}, is greater than maximum allowed, 1024")))
        }
        Some(_) => Err(format_error("Every Description member must be a string.")),
    }
}

fn object<'a>(from: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, TemplateError> {
    match from.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => Err(format_error(&format!("[/{name}] '{name}' must be an object."))),
    }
}

fn section<T>(
    sections: &Map<String, Value>,
    name: &str,
    read: impl Fn(&str, &Value) -> Result<T, TemplateError>,
) -> Result<BTreeMap<String, T>, TemplateError> {
    let mut found = BTreeMap::new();
    for (member, value) in object(sections, name)?.into_iter().flatten() {
        let sort = name.trim_end_matches('s');
        if name != "Conditions" && !member.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format_error(&format!("{sort} name {member} is non alphanumeric.")));
        }
        found.insert(member.clone(), read(member, value)?);
    }
    Ok(found)
}

fn resource(name: &str, value: &Value) -> Result<Resource, TemplateError> {
    let at = |message: &str| format_error(&format!("[/Resources/{name}] {message}"));
    let Value::Object(members) = value else {
        return Err(at("Every Resources member must be an object."));
    };
    for member in members.keys() {
        match member.as_str() {
            "Type"
            | "Properties"
            | "DependsOn"
            | "Condition"
            | "DeletionPolicy"
            | "UpdateReplacePolicy"
            | "Metadata" => {}
            "CreationPolicy" | "UpdatePolicy" => {
                let message = format!("Boathouse does not implement the resource attribute {member} yet ({name})");
                return Err(TemplateError(message));
            }
            other => return Err(TemplateError(format!("Invalid template resource property '{other}'"))),
        }
    }
    let kind = members.get("Type").and_then(Value::as_str);
    let kind = kind.ok_or_else(|| at("Every Resources object must contain a Type member."))?;
    let properties = match members.get("Properties") {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(given @ Value::Object(_)) => given.clone(),
        Some(_) => return Err(at("Every Properties member must be an object.")),
    };
    let depends_on = match members.get("DependsOn") {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several
            .iter()
            .map(|it| it.as_str().map(str::to_owned).ok_or_else(|| at("Every DependsOn value must be a string.")))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(at("Every DependsOn value must be a string.")),
    };
    let condition = members.get("Condition").map(|it| it.as_str().map(str::to_owned));
    Ok(Resource {
        kind: kind.to_owned(),
        properties,
        depends_on,
        condition: condition.map(|it| it.ok_or_else(|| at("Every Condition member must be a string."))).transpose()?,
        deletion_policy: policy(members, "DeletionPolicy", name)?,
        update_replace_policy: policy(members, "UpdateReplacePolicy", name)?,
    })
}

fn policy(members: &Map<String, Value>, name: &str, resource: &str) -> Result<RemovalPolicy, TemplateError> {
    match members.get(name).map(Value::as_str) {
        None | Some(Some("Delete")) => Ok(RemovalPolicy::Delete),
        Some(Some("Retain")) => Ok(RemovalPolicy::Retain),
        Some(Some("RetainExceptOnCreate")) if name == "DeletionPolicy" => Ok(RemovalPolicy::RetainExceptOnCreate),
        Some(Some("Snapshot")) => {
            let message = format!("Boathouse does not implement {name} Snapshot yet (resource {resource})");
            Err(TemplateError(message))
        }
        Some(other) => {
            let given = other.unwrap_or("which is not text");
            Err(TemplateError(format!("Template error: {name} {given} of resource {resource} is not recognized")))
        }
    }
}

fn output(name: &str, value: &Value) -> Result<Output, TemplateError> {
    let at = |message: &str| format_error(&format!("[/Outputs/{name}] {message}"));
    let Value::Object(members) = value else {
        return Err(at("Every Outputs member must be an object."));
    };
    let value = members.get("Value").ok_or_else(|| at("Every Outputs member must contain a Value object"))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let export = match members.get("Export") {
        None => None,
        Some(export) => Some(export.get("Name").ok_or_else(|| at("Every Export member must contain a Name"))?.clone()),
    };
    Ok(Output { description: text("Description"), value: value.clone(), condition: text("Condition"), export })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read() {
        let text = "Description: d\nResources:\n  Q:\n    Type: AWS::S3::Bucket\n    DependsOn: R\n    DeletionPolicy: Retain\n  R: {Type: 'AWS::IAM::Role', Properties: {RoleName: r}}\nOutputs:\n  O: {Value: !Ref Q, Export: {Name: n}}";
        let template = Template::parse(text).unwrap();
        assert_eq!(template.resources["Q"].depends_on, ["R"]);
        assert_eq!(template.resources["Q"].deletion_policy, RemovalPolicy::Retain);
        assert_eq!(template.capabilities(), (vec!["CAPABILITY_NAMED_IAM"], vec!["AWS::IAM::Role".to_owned()]));
        assert!(template.outputs["O"].export.is_some());
    }

    #[test]
    fn mistakes_are_told_in_cloudformations_words() {
        for (text, expected) in [
            ("Resources: {}", "Template format error: At least one Resources member must be defined."),
            ("[1]", "Template format error: unsupported structure."),
            ("Foo: 1\nResources: {A: {Type: x}}", "Invalid template property or properties [Foo]"),
            (
                "Resources: {A: {}}",
                "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
            ),
            ("Resources: {A-b: {Type: x}}", "Template format error: Resource name A-b is non alphanumeric."),
            (
                "Transform: AWS::Serverless-2016-10-31",
                "Boathouse does not implement the template section Transform yet",
            ),
            ("Resources: {A: {Type: x, Foo: 1}}", "Invalid template resource property 'Foo'"),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().to_string(), expected, "{text}");
        }
    }
}
