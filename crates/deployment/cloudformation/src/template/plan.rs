//! A template for one stack: parameters set, conditions decided, dependencies found, their order checked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::TemplateError;
use super::declaration::{Output, Resource, Template};
use super::functions::{Piece, Pseudo, References, Scope, Symbolic, call_of, chosen, pieces, substitution, unresolved};
use super::parameters;

/// A template with everything decided that can be decided before a resource exists.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) pseudo: Pseudo,
    pub(crate) parameters: BTreeMap<String, Value>,
    mappings: Map<String, Value>,
    conditions: BTreeMap<String, bool>,
    /// The resources whose condition holds.
    pub(crate) resources: BTreeMap<String, Resource>,
    /// For each of them, the ones that must exist before it.
    pub(crate) dependencies: BTreeMap<String, BTreeSet<String>>,
    /// The outputs whose condition holds.
    pub(crate) outputs: BTreeMap<String, Output>,
}

impl Plan {
    /// Decides what can be decided.
    ///
    /// # Errors
    /// Parameters against their constraints, names that nothing has, circles.
    pub(crate) fn new(
        template: Template,
        given: &BTreeMap<String, String>,
        pseudo: Pseudo,
    ) -> Result<Self, TemplateError> {
        check_references(&template)?;
        let parameters = parameters::resolve(&template.parameters, given)?;
        let conditions = decide(&template, &parameters, &pseudo)?;
        let holds = |condition: &Option<String>| match condition {
            None => Ok(true),
            Some(name) => conditions.get(name).copied().ok_or_else(|| unresolved(name)),
        };
        let (mut resources, mut excluded) = (BTreeMap::new(), BTreeSet::new());
        for (name, resource) in template.resources {
            if holds(&resource.condition)? {
                resources.insert(name, resource);
            } else {
                excluded.insert(name);
            }
        }
        let mut outputs = BTreeMap::new();
        for (name, output) in template.outputs {
            if holds(&output.condition)? {
                outputs.insert(name, output);
            }
        }
        let mut plan = Self {
            pseudo,
            parameters,
            mappings: template.mappings,
            conditions,
            resources,
            dependencies: BTreeMap::new(),
            outputs,
        };
        plan.dependencies = plan.find_dependencies(&excluded)?;
        plan.check_outputs()?;
        refuse_circles(&plan.dependencies)?;
        Ok(plan)
    }

    /// What expressions see.
    pub(crate) fn scope<'a>(&'a self, references: &'a dyn References) -> Scope<'a> {
        Scope {
            pseudo: &self.pseudo,
            parameters: &self.parameters,
            mappings: &self.mappings,
            conditions: &self.conditions,
            references,
        }
    }

    /// The properties of a resource as far as they are known before anything exists.
    pub(crate) fn symbolic(&self, resource: &Resource) -> Value {
        // Functions that need what is not known yet stay as they are: they still tell one template from another.
        let evaluated = self.scope(&Symbolic).evaluate(&resource.properties);
        evaluated.ok().flatten().unwrap_or_else(|| resource.properties.clone())
    }

    /// `DependsOn` may name what a condition excludes.
    fn find_dependencies(
        &self,
        excluded: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, TemplateError> {
        let mut dependencies = BTreeMap::new();
        let mut missing = BTreeSet::new();
        for (name, resource) in &self.resources {
            let mut needed = BTreeSet::new();
            self.collect(&resource.properties, &mut needed)?;
            missing.extend(needed.iter().filter(|it| !self.resources.contains_key(*it)).cloned());
            for other in &resource.depends_on {
                if self.resources.contains_key(other) {
                    needed.insert(other.clone());
                } else if !excluded.contains(other) {
                    missing.insert(other.clone());
                }
            }
            dependencies.insert(name.clone(), needed);
        }
        if missing.is_empty() { Ok(dependencies) } else { Err(unresolved_in("Resources", &missing)) }
    }

    fn check_outputs(&self) -> Result<(), TemplateError> {
        let mut missing = BTreeSet::new();
        for output in self.outputs.values() {
            let mut needed = BTreeSet::new();
            self.collect(&output.value, &mut needed)?;
            if let Some(export) = &output.export {
                self.collect(export, &mut needed)?;
            }
            missing.extend(needed.into_iter().filter(|it| !self.resources.contains_key(it)));
        }
        if missing.is_empty() { Ok(()) } else { Err(unresolved_in("Outputs", &missing)) }
    }

    /// The resources that a value refers to, in the branches that are taken.
    fn collect(&self, value: &Value, found: &mut BTreeSet<String>) -> Result<(), TemplateError> {
        match call_of(value) {
            Some(("Ref", Value::String(name))) => self.add(name, found),
            Some(("Fn::GetAtt", Value::String(text))) => self.add_attribute(text.split('.').next(), found)?,
            Some(("Fn::GetAtt", Value::Array(parts))) => {
                self.add_attribute(parts.first().and_then(Value::as_str), found)?;
                parts.iter().skip(1).try_for_each(|part| self.collect(part, found))?;
            }
            Some(("Fn::If", argument)) => self.collect(chosen(argument, &self.conditions)?, found)?,
            Some(("Fn::Sub", argument)) => {
                let Some((text, variables)) = substitution(argument) else { return Ok(()) };
                refuse_dynamic(text)?;
                for piece in pieces(text) {
                    match piece {
                        Piece::Variable(name) if !variables.is_some_and(|them| them.contains_key(name)) => {
                            self.add(name.split('.').next().unwrap_or(name), found);
                        }
                        _ => {}
                    }
                }
                variables.into_iter().flat_map(Map::values).try_for_each(|value| self.collect(value, found))?;
            }
            _ => match value {
                Value::String(text) => refuse_dynamic(text)?,
                Value::Array(items) => items.iter().try_for_each(|item| self.collect(item, found))?,
                Value::Object(members) => members.values().try_for_each(|member| self.collect(member, found))?,
                _ => {}
            },
        }
        Ok(())
    }

    fn add(&self, name: &str, found: &mut BTreeSet<String>) {
        if !name.starts_with("AWS::") && !self.parameters.contains_key(name) {
            found.insert(name.to_owned());
        }
    }

    fn add_attribute(&self, resource: Option<&str>, found: &mut BTreeSet<String>) -> Result<(), TemplateError> {
        let resource = resource.unwrap_or_default();
        if !self.resources.contains_key(resource) {
            let message = format!("Template error: instance of Fn::GetAtt references undefined resource {resource}");
            return Err(TemplateError(message));
        }
        found.insert(resource.to_owned());
        Ok(())
    }
}

/// Refuses references to what the template does not declare, whatever its conditions say.
pub(crate) fn check_references(template: &Template) -> Result<(), TemplateError> {
    let known = |name: &str| {
        name.starts_with("AWS::") || template.parameters.contains_key(name) || template.resources.contains_key(name)
    };
    let missing_in = |values: Vec<&Value>| {
        let mut named = BTreeSet::new();
        values.into_iter().for_each(|value| names_in(value, &mut named));
        named.into_iter().filter(|name| !known(name)).collect::<BTreeSet<String>>()
    };
    let depends_on = template.resources.values().flat_map(|resource| &resource.depends_on);
    let mut missing = missing_in(template.resources.values().map(|resource| &resource.properties).collect());
    missing.extend(depends_on.filter(|name| !template.resources.contains_key(*name)).cloned());
    if !missing.is_empty() {
        return Err(unresolved_in("Resources", &missing));
    }
    let missing = missing_in(template.outputs.values().map(|output| &output.value).collect());
    if !missing.is_empty() {
        return Err(unresolved_in("Outputs", &missing));
    }
    Ok(())
}

/// The names that a value refers to, in all branches.
fn names_in(value: &Value, found: &mut BTreeSet<String>) {
    match call_of(value) {
        Some(("Ref", Value::String(name))) => {
            found.insert(name.clone());
        }
        Some(("Fn::Sub", argument)) => {
            let Some((text, variables)) = substitution(argument) else { return };
            for piece in pieces(text) {
                match piece {
                    Piece::Variable(name) if !variables.is_some_and(|them| them.contains_key(name)) => {
                        found.insert(name.split('.').next().unwrap_or(name).to_owned());
                    }
                    _ => {}
                }
            }
            variables.into_iter().flat_map(Map::values).for_each(|value| names_in(value, found));
        }
        _ => match value {
            Value::Array(items) => items.iter().for_each(|item| names_in(item, found)),
            Value::Object(members) => members.values().for_each(|member| names_in(member, found)),
            _ => {}
        },
    }
}

fn unresolved_in(section: &str, names: &BTreeSet<String>) -> TemplateError {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    TemplateError(format!(
        "Template format error: Unresolved resource dependencies [{}] in the {section} block of the template",
        names.join(", ")
    ))
}

/// Decides conditions, those that others name first.
fn decide(
    template: &Template,
    parameters: &BTreeMap<String, Value>,
    pseudo: &Pseudo,
) -> Result<BTreeMap<String, bool>, TemplateError> {
    let mut decided = BTreeMap::new();
    let mut open: BTreeMap<&String, &Value> = template.conditions.iter().collect();
    while !open.is_empty() {
        let mut refusal = None;
        let before = decided.len();
        for (name, condition) in open.clone() {
            let scope = Scope {
                pseudo,
                parameters,
                mappings: &template.mappings,
                conditions: &decided,
                references: &Unresolvable,
            };
            match scope.holds(condition) {
                Ok(holds) => {
                    decided.insert(name.clone(), holds);
                    open.remove(name);
                }
                Err(error) => refusal = Some(error),
            }
        }
        // Without progress, what is left is in a circle or names what is not there.
        if let Some(error) = refusal.filter(|_| decided.len() == before) {
            return Err(error);
        }
    }
    Ok(decided)
}

/// Conditions see parameters and mappings only.
struct Unresolvable;

impl References for Unresolvable {
    fn reference(&self, resource: &str) -> Result<Value, TemplateError> {
        Err(unresolved(resource))
    }

    fn attribute(&self, _: &str, _: &str) -> Result<Value, TemplateError> {
        Err(TemplateError::new("Template error: Fn::GetAtt cannot be used in conditions"))
    }

    fn export(&self, _: &str) -> Result<Value, TemplateError> {
        Err(TemplateError::new("Template error: Fn::ImportValue cannot be used in conditions"))
    }
}

fn refuse_circles(dependencies: &BTreeMap<String, BTreeSet<String>>) -> Result<(), TemplateError> {
    let mut open = dependencies.clone();
    loop {
        let ready: Vec<String> =
            open.iter().filter(|(_, needed)| needed.is_empty()).map(|(name, _)| name.clone()).collect();
        if ready.is_empty() {
            break;
        }
        for name in ready {
            open.remove(&name);
            open.values_mut().for_each(|needed| {
                needed.remove(&name);
            });
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = open.keys().map(String::as_str).collect();
    Err(TemplateError(format!("Circular dependency between resources: [{}]", names.join(", "))))
}

/// Secrets and parameters of services that are not here would reach resources as plain text.
fn refuse_dynamic(text: &str) -> Result<(), TemplateError> {
    let Some((_, reference)) = text.split_once("{{resolve:") else { return Ok(()) };
    let service = reference.split(':').next().unwrap_or(reference);
    Err(TemplateError(format!("Boathouse does not implement dynamic references ({{{{resolve:{service}:...}}}}) yet")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Result<Plan, TemplateError> {
        let pseudo = Pseudo { region: "us-east-1".into(), ..Pseudo::default() };
        Plan::new(Template::parse(text)?, &BTreeMap::new(), pseudo)
    }

    #[test]
    fn dependencies_come_from_references() {
        let text = "Parameters: {P: {Type: String, Default: x}}\nConditions: {C: !Equals [!Ref P, y]}\nResources:\n  A: {Type: T, Properties: {x: !Sub '${B.Arn}${P}${AWS::Region}'}}\n  B: {Type: T, DependsOn: [C1, E]}\n  C1: {Type: T, Properties: {y: !If [C, !Ref A, !Ref D]}}\n  D: {Type: T}\n  E: {Type: T, Condition: C}";
        let plan = plan(text).unwrap();
        let needed = |name: &str| plan.dependencies[name].iter().cloned().collect::<Vec<_>>();
        assert_eq!(needed("A"), ["B"]);
        assert_eq!(needed("B"), ["C1"]);
        assert_eq!(needed("C1"), ["D"]);
        assert!(!plan.resources.contains_key("E"));
    }

    #[test]
    fn dynamic_references_are_refused() {
        for value in
            ["'{{resolve:ssm:/db/user}}'", "!Sub 'x{{resolve:ssm:/db/user}}'", "!Join ['', ['{{resolve:ssm:a}}']]"]
        {
            let error = plan(&format!("Resources: {{A: {{Type: T, Properties: {{x: {value}}}}}}}")).unwrap_err();
            assert_eq!(error.0, "Boathouse does not implement dynamic references ({{resolve:ssm:...}}) yet", "{value}");
        }
    }

    #[test]
    fn circles_and_unknown_names_are_refused() {
        for (text, expected) in [
            (
                "Resources: {A: {Type: T, Properties: {x: !Ref B}}, B: {Type: T, DependsOn: A}}",
                "Circular dependency between resources: [A, B]",
            ),
            (
                "Resources: {A: {Type: T, Properties: {x: !Ref Nope}}}",
                "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template",
            ),
            (
                "Resources: {A: {Type: T}}\nOutputs: {O: {Value: !Ref Nope}}",
                "Template format error: Unresolved resource dependencies [Nope] in the Outputs block of the template",
            ),
            (
                "Resources: {A: {Type: T, Properties: {x: !GetAtt Nope.Arn}}}",
                "Template error: instance of Fn::GetAtt references undefined resource Nope",
            ),
            (
                "Conditions: {A: !Not [{Condition: B}], B: !Not [{Condition: A}]}\nResources: {A: {Type: T}}",
                "Template format error: Unresolved condition dependency",
            ),
        ] {
            let error = plan(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
