//! AWS::Lambda: functions, permissions, versions, aliases, layers, settings of asynchronous invokes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::shapes::{removed_tags, tag_map, when, with};
use super::subject::Subject;
use super::{Call, Naming, Read, ResourceType, State, archive, by_name, call, calls, plain, ready};

/// Bytes that code in a template may have.
const MAX_INLINE: usize = 4 * 1024 * 1024;

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::Lambda::Function",
        schema: "FunctionName^ Role! Code!{ZipFile S3Bucket S3Key S3ObjectVersion ImageUri SourceKMSKeyArn} Runtime Handler \
                 Description Timeout:i MemorySize:i PackageType^ Architectures[] Environment{Variables<>} Layers[] \
                 ReservedConcurrentExecutions:i TracingConfig{Mode} DeadLetterConfig{TargetArn} KmsKeyArn \
                 EphemeralStorage{Size!:i} FileSystemConfigs:j ImageConfig:j SnapStart{ApplyOn!} VpcConfig:j \
                 LoggingConfig{ApplicationLogLevel LogFormat LogGroup SystemLogLevel} RecursiveLoop \
                 RuntimeManagementConfig:j CodeSigningConfigArn Tags[{Key! Value!}]",
        naming: Naming::Property("FunctionName", plain(64)),
        create: &[
            Call { service: "lambda", operation: "CreateFunction", inputs: create_function },
            calls!("lambda", "PutFunctionConcurrency", |s| concurrency(s)),
        ],
        update: &[
            Call { service: "lambda", operation: "UpdateFunctionCode", inputs: update_code },
            calls!("lambda", "UpdateFunctionConfiguration", |s| when(s.changed(CONFIGURATION), || {
                with(configuration(s), json!({"FunctionName": s.name}))
            })),
            calls!("lambda", "PutFunctionConcurrency", |s| {
                if s.changed(&["ReservedConcurrentExecutions"]) { concurrency(s) } else { vec![] }
            }),
            calls!("lambda", "DeleteFunctionConcurrency", |s| {
                let reserved = "ReservedConcurrentExecutions";
                let gone = s.old.contains_key(reserved) && !s.properties.contains_key(reserved);
                when(gone, || json!({"FunctionName": s.name}))
            }),
            calls!("lambda", "TagResource", |s| when(s.changed(&["Tags"]) && !s.items("Tags").is_empty(), || {
                json!({"Resource": function_arn(s), "Tags": tag_map(&s.get("Tags"))})
            })),
            calls!("lambda", "UntagResource", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"Resource": function_arn(s), "TagKeys": gone}))
            }),
        ],
        delete: &[call!("lambda", "DeleteFunction", |s| json!({"FunctionName": s.name}))],
        read: Some(Read {
            service: "lambda",
            operation: "GetFunctionConfiguration",
            input: |s| json!({"FunctionName": s.name}),
            state: function_state,
        }),
        physical: by_name,
        attributes: &[("Arn", function_arn)],
    },
    ResourceType {
        name: "AWS::Lambda::Permission",
        schema: "FunctionName!^ Action!^ Principal!^ SourceArn^ SourceAccount^ EventSourceToken^ PrincipalOrgID^ \
                 FunctionUrlAuthType^ InvokedViaFunctionUrl^:b",
        naming: Naming::Generated(plain(100)),
        create: &[call!("lambda", "AddPermission", |s| with(s.properties.clone(), json!({"StatementId": s.name})))],
        update: &[],
        delete: &[call!("lambda", "RemovePermission", |s| {
            json!({"FunctionName": s.text("FunctionName"), "StatementId": s.name})
        })],
        read: None,
        physical: by_name,
        attributes: &[("Id", |s| s.name.into())],
    },
    ResourceType {
        name: "AWS::Lambda::Version",
        schema: "FunctionName!^ CodeSha256^ Description^ RuntimePolicy^:j ProvisionedConcurrencyConfig:j",
        naming: Naming::Generated(plain(64)),
        create: &[call!("lambda", "PublishVersion", |s| Value::Object(s.properties.clone()))],
        update: &[],
        delete: &[call!("lambda", "DeleteFunction", |s| {
            json!({"FunctionName": s.text("FunctionName"), "Qualifier": s.attribute("Version")})
        })],
        read: None,
        physical: |s| s.answered("/FunctionArn").as_str().map(str::to_owned),
        attributes: &[("Version", |s| s.answered("/Version")), ("FunctionArn", |s| s.answered("/FunctionArn"))],
    },
    ResourceType {
        name: "AWS::Lambda::Alias",
        schema: "FunctionName!^ Name!^ FunctionVersion! Description \
                 RoutingConfig{AdditionalVersionWeights[{FunctionVersion! FunctionWeight!:n}]} \
                 ProvisionedConcurrencyConfig:j",
        naming: Naming::Property("Name", plain(128)),
        create: &[call!("lambda", "CreateAlias", |s| alias(s))],
        update: &[call!("lambda", "UpdateAlias", |s| alias(s))],
        delete: &[call!("lambda", "DeleteAlias", |s| json!({"FunctionName": s.text("FunctionName"), "Name": s.name}))],
        read: Some(Read {
            service: "lambda",
            operation: "GetAlias",
            input: |s| json!({"FunctionName": s.text("FunctionName"), "Name": s.name}),
            state: ready,
        }),
        physical: |s| s.answered("/AliasArn").as_str().map(str::to_owned),
        attributes: &[("AliasArn", |s| s.answered("/AliasArn"))],
    },
    ResourceType {
        name: "AWS::Lambda::LayerVersion",
        schema: "LayerName^ Content!^{S3Bucket! S3Key! S3ObjectVersion} CompatibleRuntimes^[] CompatibleArchitectures^[] \
                 Description^ LicenseInfo^",
        naming: Naming::Label("LayerName", plain(140)),
        create: &[call!("lambda", "PublishLayerVersion", |s| with(
            s.without(&["LayerName"]),
            json!({"LayerName": s.name})
        ))],
        update: &[],
        delete: &[call!("lambda", "DeleteLayerVersion", |s| {
            let number = s.physical.rsplit(':').next().and_then(|version| version.parse::<u64>().ok());
            json!({"LayerName": s.name, "VersionNumber": number})
        })],
        read: None,
        physical: |s| s.answered("/LayerVersionArn").as_str().map(str::to_owned),
        attributes: &[("LayerVersionArn", |s| s.answered("/LayerVersionArn"))],
    },
    ResourceType {
        name: "AWS::Lambda::EventInvokeConfig",
        schema: "FunctionName!^ Qualifier!^ MaximumRetryAttempts:i MaximumEventAgeInSeconds:i \
                 DestinationConfig{OnSuccess{Destination!} OnFailure{Destination!}}",
        naming: Naming::Generated(plain(64)),
        create: &[call!("lambda", "PutFunctionEventInvokeConfig", |s| Value::Object(s.properties.clone()))],
        update: &[call!("lambda", "PutFunctionEventInvokeConfig", |s| Value::Object(s.properties.clone()))],
        delete: &[call!("lambda", "DeleteFunctionEventInvokeConfig", |s| Value::Object(
            s.pick(&["FunctionName", "Qualifier"])
        ))],
        read: None,
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::Lambda::EventSourceMapping",
        schema: "FunctionName! EventSourceArn^ BatchSize:i MaximumBatchingWindowInSeconds:i Enabled:b FunctionResponseTypes[] \
                 ScalingConfig{MaximumConcurrency:i} FilterCriteria:j DestinationConfig:j StartingPosition^ Topics[] Queues[] \
                 BisectBatchOnFunctionError:b MaximumRecordAgeInSeconds:i MaximumRetryAttempts:i ParallelizationFactor:i \
                 TumblingWindowInSeconds:i KmsKeyArn Tags[{Key! Value!}]",
        naming: Naming::Generated(plain(64)),
        create: &[call!("lambda", "CreateEventSourceMapping", |s| Value::Object(s.properties.clone()))],
        update: &[call!("lambda", "UpdateEventSourceMapping", |s| {
            let mut wanted = s.without(&["EventSourceArn"]);
            for (name, default) in [
                ("BatchSize", json!(10)),
                ("MaximumBatchingWindowInSeconds", json!(0)),
                ("Enabled", json!(true)),
                ("FunctionResponseTypes", json!([])),
                ("ScalingConfig", json!({})),
            ] {
                wanted.entry(name).or_insert(default);
            }
            with(wanted, json!({"UUID": s.physical}))
        })],
        delete: &[call!("lambda", "DeleteEventSourceMapping", |s| json!({"UUID": s.physical}))],
        read: None,
        physical: |s| s.answered("/UUID").as_str().map(str::to_owned),
        attributes: &[
            ("Id", |s| s.physical.into()),
            ("EventSourceMappingArn", |s| s.arn("lambda", format!("event-source-mapping:{}", s.physical))),
        ],
    },
];

/// The properties that UpdateFunctionConfiguration takes.
const CONFIGURATION: &[&str] = &[
    "Role",
    "Runtime",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "Environment",
    "Layers",
    "TracingConfig",
    "DeadLetterConfig",
    "KmsKeyArn",
    "EphemeralStorage",
    "FileSystemConfigs",
    "ImageConfig",
    "SnapStart",
    "VpcConfig",
    "LoggingConfig",
];

fn function_arn(s: &Subject<'_>) -> Value {
    s.arn("lambda", format!("function:{}", s.name))
}

/// The configuration, and what it is without for properties that are gone.
fn configuration(s: &Subject<'_>) -> Map<String, Value> {
    let mut wanted = s.pick(CONFIGURATION);
    for (name, default) in [
        ("Description", json!("")),
        ("Environment", json!({"Variables": {}})),
        ("Layers", json!([])),
        ("Timeout", json!(3)),
        ("MemorySize", json!(128)),
        ("DeadLetterConfig", json!({"TargetArn": ""})),
    ] {
        if s.old.contains_key(name) && !wanted.contains_key(name) {
            wanted.insert(name.to_owned(), default);
        }
    }
    rename_key(&mut wanted);
    wanted
}

/// The template and the operations spell one member differently.
fn rename_key(members: &mut Map<String, Value>) {
    if let Some(key) = members.remove("KmsKeyArn") {
        members.insert("KMSKeyArn".to_owned(), key);
    }
}

fn create_function(s: &Subject<'_>) -> Result<Vec<Value>, String> {
    for option in ["RecursiveLoop", "RuntimeManagementConfig", "CodeSigningConfigArn"] {
        if s.properties.contains_key(option) {
            return Err(format!("Boathouse does not implement the property {option} of AWS::Lambda::Function yet"));
        }
    }
    let mut input = s.without(&["FunctionName", "Code", "ReservedConcurrentExecutions", "Tags"]);
    rename_key(&mut input);
    input.insert("FunctionName".into(), s.name.into());
    input.insert("Code".into(), Value::Object(code(s)?));
    if !s.items("Tags").is_empty() {
        input.insert("Tags".into(), tag_map(&s.get("Tags")));
    }
    Ok(vec![Value::Object(input)])
}

fn update_code(s: &Subject<'_>) -> Result<Vec<Value>, String> {
    // Code that stands in the template is packed with the name of its language.
    let repack = s.changed(&["Runtime"]) && s.get("Code").get("ZipFile").is_some();
    if !s.changed(&["Code", "Architectures"]) && !repack {
        return Ok(Vec::new());
    }
    let mut input = code(s)?;
    input.insert("FunctionName".into(), s.name.into());
    input.extend(s.pick(&["Architectures"]));
    Ok(vec![Value::Object(input)])
}

/// Where the code is, or the code itself as an archive.
fn code(s: &Subject<'_>) -> Result<Map<String, Value>, String> {
    let code = s.get("Code");
    let mut wanted = code.as_object().cloned().unwrap_or_default();
    let Some(Value::String(text)) = wanted.remove("ZipFile") else { return Ok(wanted) };
    let file = match s.text("Runtime") {
        runtime if runtime.starts_with("python") => "index.py",
        runtime if runtime.starts_with("nodejs") => "index.js",
        _ => return Err("ZipFile can only be used when Runtime is set to either of nodejs*, python*.".to_owned()),
    };
    if text.len() > MAX_INLINE {
        return Err(format!("ZipFile has {} bytes; at most {MAX_INLINE} are allowed", text.len()));
    }
    wanted.insert("ZipFile".into(), STANDARD.encode(archive::zip(file, text.as_bytes())).into());
    Ok(wanted)
}

fn concurrency(s: &Subject<'_>) -> Vec<Value> {
    let reserved = s.get("ReservedConcurrentExecutions");
    when(!reserved.is_null(), || json!({"FunctionName": s.name, "ReservedConcurrentExecutions": reserved}))
}

fn function_state(_: &Subject<'_>, answer: &Value) -> State {
    let reason = |member: &str| answer[member].as_str().unwrap_or("the function failed").to_owned();
    match (answer["State"].as_str(), answer["LastUpdateStatus"].as_str()) {
        (Some("Failed"), _) => State::Failed(reason("StateReason")),
        (_, Some("Failed")) => State::Failed(reason("LastUpdateStatusReason")),
        (Some("Pending" | "Deleting"), _) | (_, Some("InProgress")) => State::Busy,
        _ => State::Ready,
    }
}

fn alias(s: &Subject<'_>) -> Value {
    let mut input = s.pick(&["FunctionName", "FunctionVersion", "Description"]);
    input.insert("Name".into(), s.name.into());
    let weights = s.get("RoutingConfig");
    if let Some(items) = weights["AdditionalVersionWeights"].as_array() {
        let pair = |it: &Value| Some((it["FunctionVersion"].as_str()?.to_owned(), it["FunctionWeight"].clone()));
        let map: Map<String, Value> = items.iter().filter_map(pair).collect();
        input.insert("RoutingConfig".into(), json!({"AdditionalVersionWeights": map}));
    }
    Value::Object(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_code_is_packed_for_its_language() {
        let properties = json!({"Role": "r", "Runtime": "python3.12", "Code": {"ZipFile": "x = 1"}});
        let subject = |runtime: &str| {
            let mut given = properties.clone();
            given["Runtime"] = runtime.into();
            given
        };
        let input = |given: &Value| {
            let (empty, none) = (Map::new(), Value::Null);
            let properties = given.as_object().unwrap();
            create_function(&Subject {
                properties,
                old: properties,
                name: "f",
                physical: "f",
                attributes: &empty,
                answer: &none,
                region: "us-east-1",
                token: "t",
            })
        };
        let made = input(&subject("python3.12")).unwrap();
        assert_eq!(made[0]["FunctionName"], "f");
        let archive = STANDARD.decode(made[0]["Code"]["ZipFile"].as_str().unwrap()).unwrap();
        assert!(archive.windows(8).any(|window| window == b"index.py"));
        assert!(input(&subject("java21")).unwrap_err().contains("ZipFile can only be used"));
    }
}
