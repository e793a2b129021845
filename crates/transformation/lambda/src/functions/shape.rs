//! A function as the API shows it: `FunctionConfiguration`.

use serde_json::{Value, json};

use crate::code::shown_digest;
use crate::names::function_arn;
use crate::store::{Alias, Function, timestamp};

/// The configuration under its unqualified ARN, or under that of its version.
pub(crate) fn configuration(region: &str, function: &Function) -> Value {
    let mut shown = json!({
        "FunctionName": function.name,
        "FunctionArn": function.arn(region),
        "Runtime": function.runtime,
        "Role": function.role,
        "Handler": function.handler,
        "CodeSize": function.code_size,
        "Description": function.description,
        "Timeout": function.timeout,
        "MemorySize": function.memory,
        "LastModified": timestamp(function.last_modified),
        "CodeSha256": shown_digest(&function.digest),
        "Version": function.version,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": function.revision,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [function.architecture],
        "EphemeralStorage": function.ephemeral_storage,
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": function.log_group()},
    });
    if let Some(queue) = &function.dead_letters {
        shown["DeadLetterConfig"] = json!({"TargetArn": queue});
    }
    if !function.environment.is_empty() {
        shown["Environment"] = json!({"Variables": function.environment});
    }
    if !function.layers.is_empty() {
        let layers: Vec<Value> =
            function.layers.iter().map(|layer| json!({"Arn": layer.arn, "CodeSize": layer.size})).collect();
        shown["Layers"] = layers.into();
    }
    shown
}

/// The same, with the ARN that ends in `$LATEST` or a number, as lists of versions have it.
pub(crate) fn with_version(region: &str, function: &Function) -> Value {
    let mut shown = configuration(region, function);
    shown["FunctionArn"] = function_arn(region, &function.name, Some(&function.version)).into();
    shown
}

/// `AliasConfiguration`.
pub(crate) fn alias(region: &str, function: &str, alias: &Alias) -> Value {
    let mut shown = json!({
        "AliasArn": function_arn(region, function, Some(&alias.name)),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    });
    if let Some((version, share)) = &alias.second {
        shown["RoutingConfig"] = json!({"AdditionalVersionWeights": {version: share}});
    }
    shown
}
