//! Checks of a function's settings: limits ("Lambda quotas"), reserved variables, and what is not implemented.

use serde_json::Value;

use crate::api::{Environment, EphemeralStorage, LoggingConfig, Settings};
use crate::dead_letters::DeadLetterConfig;
use crate::error::LambdaError;

/// Seconds that an invocation may take.
const LONGEST_TIMEOUT: i64 = 900;
/// MB of memory.
const MEMORY: std::ops::RangeInclusive<i64> = 128..=10_240;
/// MB of `/tmp`.
const EPHEMERAL: std::ops::RangeInclusive<u64> = 512..=10_240;
/// Bytes of all environment variables together.
const ENVIRONMENT: usize = 4096;
/// Layers of a function.
const LAYERS: usize = 5;

/// Runtimes that Boathouse serves.
const RUNTIMES: [&str; 12] = [
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "provided.al2",
    "provided.al2023",
];

/// Variables that the runtime sets.
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// Checks everything that was given.
pub(crate) fn check(settings: &Settings) -> Result<(), LambdaError> {
    refuse_unimplemented(settings)?;
    if let Some(runtime) = &settings.runtime {
        check_runtime(runtime)?;
    }
    if let Some(role) = &settings.role {
        check_role_arn(role)?;
    }
    let is_handler = |text: &str| text.chars().count() <= 128 && !text.chars().any(char::is_whitespace);
    if let Some(handler) = settings.handler.as_deref().filter(|handler| !is_handler(handler)) {
        let constraint =
            "Member must have length less than or equal to 128 and satisfy regular expression pattern: [^\\s]+";
        return Err(LambdaError::constraint(handler, "handler", constraint));
    }
    if let Some(description) = settings.description.as_deref().filter(|text| text.chars().count() > 256) {
        let constraint = "Member must have length less than or equal to 256";
        return Err(LambdaError::constraint(description, "description", constraint));
    }
    if let Some(timeout) = settings.timeout.filter(|timeout| !(1..=LONGEST_TIMEOUT).contains(timeout)) {
        let constraint = if timeout < 1 {
            "Member must have value greater than or equal to 1".to_owned()
        } else {
            format!("Member must have value less than or equal to {LONGEST_TIMEOUT}")
        };
        return Err(LambdaError::constraint(timeout, "timeout", &constraint));
    }
    if let Some(memory) = settings.memory_size.filter(|memory| !MEMORY.contains(memory)) {
        let constraint = if memory < *MEMORY.start() {
            format!("Member must have value greater than or equal to {}", MEMORY.start())
        } else {
            format!("Member must have value less than or equal to {}", MEMORY.end())
        };
        return Err(LambdaError::constraint(memory, "memorySize", &constraint));
    }
    settings.dead_letter_config.as_ref().map_or(Ok(()), DeadLetterConfig::check)?;
    settings.environment.as_ref().map_or(Ok(()), check_environment)?;
    settings.ephemeral_storage.map_or(Ok(()), check_ephemeral)?;
    settings.logging_config.as_ref().map_or(Ok(()), check_logging)?;
    if settings.layers.as_ref().is_some_and(|layers| layers.len() > LAYERS) {
        let message = format!("A function can't have more than {LAYERS} layers.");
        return Err(LambdaError::InvalidParameter(message));
    }
    Ok(())
}

fn check_runtime(runtime: &str) -> Result<(), LambdaError> {
    if RUNTIMES.contains(&runtime) {
        return Ok(());
    }
    let message =
        format!("The runtime parameter of {runtime} is not one that Boathouse serves: [{}]", RUNTIMES.join(", "));
    Err(LambdaError::InvalidParameter(message))
}

fn check_role_arn(role: &str) -> Result<(), LambdaError> {
    let is_arn = role.split_once(":iam::").and_then(|(start, rest)| {
        let (account, name) = rest.split_once(":role/")?;
        Some(start.starts_with("arn:") && account.len() == 12 && !name.is_empty())
    });
    if is_arn == Some(true) {
        return Ok(());
    }
    let constraint = r"Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
    Err(LambdaError::constraint(role, "role", constraint))
}

fn check_environment(environment: &Environment) -> Result<(), LambdaError> {
    let variables = &environment.variables;
    let reserved: Vec<&str> = variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        let message = format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: {}",
            reserved.join(", ")
        );
        return Err(LambdaError::InvalidParameter(message));
    }
    let is_name = |name: &str| {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some(name) = variables.keys().find(|name| !is_name(name)) {
        let constraint = "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]";
        return Err(LambdaError::constraint(name, "environment.variables", constraint));
    }
    if variables.values().any(|value| value.contains('\0')) {
        return Err(LambdaError::InvalidParameter("Environment variables can't hold NUL characters.".into()));
    }
    let size = serde_json::to_string(variables).map_or(usize::MAX, |text| text.len());
    if size > ENVIRONMENT {
        let message = format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit. String measured: {}",
            serde_json::to_string(variables).unwrap_or_default()
        );
        return Err(LambdaError::InvalidParameter(message));
    }
    Ok(())
}

fn check_ephemeral(storage: EphemeralStorage) -> Result<(), LambdaError> {
    if EPHEMERAL.contains(&storage.size) {
        return Ok(());
    }
    let constraint = format!("Member must have value between {} and {}", EPHEMERAL.start(), EPHEMERAL.end());
    Err(LambdaError::constraint(storage.size, "ephemeralStorage.size", &constraint))
}

fn check_logging(logging: &LoggingConfig) -> Result<(), LambdaError> {
    match logging.log_format.as_deref() {
        None | Some("Text") => {}
        Some("JSON") => return Err(LambdaError::NotImplemented("LoggingConfig.LogFormat JSON")),
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [JSON, Text]";
            return Err(LambdaError::constraint(other, "loggingConfig.logFormat", constraint));
        }
    }
    if logging.application_log_level.is_some() || logging.system_log_level.is_some() {
        let message = "Log levels can be set with the log format JSON only, which Boathouse does not implement yet.";
        return Err(LambdaError::InvalidParameter(message.into()));
    }
    Ok(())
}

fn refuse_unimplemented(settings: &Settings) -> Result<(), LambdaError> {
    let set = |value: &Option<Value>, member: &str| {
        let list = value.as_ref().and_then(|value| value.get(member));
        list.is_some_and(|list| list.as_array().is_none_or(|list| !list.is_empty()) && !list.is_null() && list != "")
    };
    let refused = [
        (set(&settings.vpc_config, "SubnetIds") || set(&settings.vpc_config, "SecurityGroupIds"), "VpcConfig"),
        (settings.kms_key_arn.as_ref().is_some_and(|arn| !arn.is_empty()), "KMSKeyArn"),
        (settings.tracing_config.as_ref().is_some_and(|config| config["Mode"] == "Active"), "TracingConfig Active"),
        (settings.file_system_configs.as_ref().is_some_and(|list| !list.is_empty()), "FileSystemConfigs"),
        (settings.image_config.is_some(), "ImageConfig"),
        (settings.snap_start.as_ref().is_some_and(|config| config["ApplyOn"] == "PublishedVersions"), "SnapStart"),
        (settings.capacity_provider_config.is_some(), "CapacityProviderConfig"),
        (settings.durable_config.is_some(), "DurableConfig"),
    ];
    match refused.into_iter().find(|(given, _)| *given) {
        Some((_, name)) => Err(LambdaError::NotImplemented(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_json(value: Value) -> Result<(), String> {
        let settings: Settings = serde_json::from_value(value).unwrap();
        check(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn good_settings_pass() {
        let settings = json!({
            "Runtime": "python3.12", "Role": "arn:aws:iam::000000000000:role/r", "Handler": "app.handler",
            "Timeout": 900, "MemorySize": 10240, "Environment": {"Variables": {"A_1": "x"}},
            "EphemeralStorage": {"Size": 512}, "TracingConfig": {"Mode": "PassThrough"},
            "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"},
            "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}, "LoggingConfig": {"LogFormat": "Text"},
        });
        assert_eq!(check_json(settings), Ok(()));
    }

    #[test]
    fn every_limit_is_kept() {
        for (settings, expected) in [
            (json!({"Runtime": "cobol85"}), "cobol85"),
            (json!({"Role": "admin"}), "role"),
            (json!({"Handler": "a b"}), "handler"),
            (json!({"Timeout": 901}), "less than or equal to 900"),
            (json!({"Timeout": 0}), "greater than or equal to 1"),
            (json!({"MemorySize": 127}), "128"),
            (json!({"MemorySize": 10241}), "10240"),
            (json!({"Environment": {"Variables": {"AWS_REGION": "x"}}}), "AWS_REGION"),
            (json!({"Environment": {"Variables": {"1": "x"}}}), "Map keys"),
            (json!({"Environment": {"Variables": {"A1": "x".repeat(4096)}}}), "4KB"),
            (json!({"EphemeralStorage": {"Size": 511}}), "512"),
            (json!({"Layers": ["a", "b", "c", "d", "e", "f"]}), "5 layers"),
            (json!({"LoggingConfig": {"LogFormat": "JSON"}}), "LogFormat JSON"),
            (json!({"VpcConfig": {"SubnetIds": ["subnet-1"]}}), "VpcConfig"),
            (json!({"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:000000000000:t"}}), "DeadLetterConfig"),
            (json!({"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q.fifo"}}), "standard queue"),
            (json!({"TracingConfig": {"Mode": "Active"}}), "TracingConfig"),
            (json!({"SnapStart": {"ApplyOn": "PublishedVersions"}}), "SnapStart"),
        ] {
            let error = check_json(settings.clone()).unwrap_err();
            assert!(error.contains(expected), "{settings}: {error}");
        }
    }
}
