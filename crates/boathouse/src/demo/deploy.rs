//! The reference architecture, deployed through CloudFormation as on AWS: scripts into a bucket, then the stack.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;

use super::DemoError;
use super::client::{Client, Fields, POLL};

const STACK: &str = "flights";
const TEMPLATE: &str = include_str!("../../../../examples/serverless-data-platform/template.yaml");
const JOBS: [(&str, &str); 2] = [
    ("clean.py", include_str!("../../../../examples/serverless-data-platform/jobs/clean.py")),
    ("master.py", include_str!("../../../../examples/serverless-data-platform/jobs/master.py")),
];
const ARTIFACTS: &str = "flights-artifacts";
/// What differs from the template's defaults: nobody wants to wait here.
const PARAMETERS: [(&str, &str); 3] = [("ArtifactsBucket", ARTIFACTS), ("BufferSeconds", "1"), ("PollSeconds", "1")];

/// What the stack says of itself.
pub(super) struct Stack {
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// An output of the template.
    pub(super) fn output(&self, name: &str) -> Result<&str, DemoError> {
        let missing = || DemoError::Client(format!("the stack has no output {name}"));
        self.outputs.get(name).map(String::as_str).ok_or_else(missing)
    }

    /// What there is to look at.
    pub(super) fn addresses(&self, server: SocketAddr) -> Vec<(String, String)> {
        let outputs = self.outputs.iter().map(|(name, value)| (name.clone(), value.clone()));
        [("Endpoint".to_owned(), format!("http://{server}"))].into_iter().chain(outputs).collect()
    }
}

/// Deploys the template, or finds it deployed.
pub(super) async fn deploy(client: &Client) -> Result<(Stack, String), DemoError> {
    client.put(ARTIFACTS, Bytes::new()).await?;
    for (name, script) in JOBS {
        let path = format!("{ARTIFACTS}/serverless-data-platform/jobs/{name}");
        client.put(&path, Bytes::from_static(script.as_bytes())).await?;
    }
    let known = client.cloudformation("DescribeStacks", &[("StackName", STACK)]).await.is_ok();
    if !known {
        create(client).await?;
    }
    let resources = client.cloudformation("DescribeStackResources", &[("StackName", STACK)]).await?;
    let count = resources.iter().filter(|fields| fields.contains_key("LogicalResourceId")).count();
    let stacks = client.cloudformation("DescribeStacks", &[("StackName", STACK)]).await?;
    let outputs = stacks
        .iter()
        .filter_map(|fields| Some((fields.get("OutputKey")?.clone(), fields.get("OutputValue")?.clone())))
        .collect();
    let how = if known { "found" } else { "created" };
    Ok((Stack { outputs }, format!("stack {STACK}: {count} resources {how}")))
}

async fn create(client: &Client) -> Result<(), DemoError> {
    let mut form = vec![
        ("StackName".to_owned(), STACK),
        ("TemplateBody".to_owned(), TEMPLATE),
        ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM"),
    ];
    for (number, (name, value)) in PARAMETERS.iter().enumerate() {
        form.push((format!("Parameters.member.{}.ParameterKey", number + 1), name));
        form.push((format!("Parameters.member.{}.ParameterValue", number + 1), value));
    }
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    client.cloudformation("CreateStack", &form).await?;
    loop {
        let stacks = client.cloudformation("DescribeStacks", &[("StackName", STACK)]).await?;
        let status = stacks.iter().find_map(|fields| fields.get("StackStatus")).cloned().unwrap_or_default();
        match status.as_str() {
            "CREATE_COMPLETE" => return Ok(()),
            "CREATE_IN_PROGRESS" | "ROLLBACK_IN_PROGRESS" => tokio::time::sleep(POLL).await,
            _ => return Err(DemoError::Failed { what: format!("stack {STACK}"), reason: cause(client).await? }),
        }
    }
}

/// The first resource that failed, and why.
async fn cause(client: &Client) -> Result<String, DemoError> {
    let events = client.cloudformation("DescribeStackEvents", &[("StackName", STACK)]).await?;
    let failed = |fields: &&Fields| fields.get("ResourceStatus").is_some_and(|status| status.ends_with("_FAILED"));
    let first = events.iter().rev().find(failed);
    Ok(first.map_or_else(String::new, |fields| {
        let field = |name| fields.get(name).map_or("", String::as_str);
        format!("{}: {}", field("LogicalResourceId"), field("ResourceStatusReason"))
    }))
}
