//! The variables that a function sees ("Working with Lambda environment variables: Defined runtime environment variables").

use chrono::{DateTime, Utc};

use crate::store::Function;

/// Where the function asks for work.
pub(crate) const RUNTIME_API: ([u8; 4], u16) = ([127, 0, 0, 1], 9001);
/// Where the function finds the platform's own APIs.
pub(crate) const PLATFORM: ([u8; 4], u16) = ([127, 0, 0, 1], 4566);

/// Temporary credentials of the execution role.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    /// When no invocation may begin with them any more.
    pub(crate) usable_until: DateTime<Utc>,
}

/// All variables of an instance; the function's own come last, but can't have the names of the others.
pub(crate) fn variables(
    function: &Function,
    region: &str,
    log_stream: &str,
    credentials: &Credentials,
) -> Vec<(String, String)> {
    let address = |([a, b, c, d], port): ([u8; 4], u16)| format!("{a}.{b}.{c}.{d}:{port}");
    let node = format!("node{}", function.runtime.trim_start_matches("nodejs").trim_end_matches(".x"));
    let set = [
        ("_HANDLER", function.handler.clone()),
        ("AWS_REGION", region.to_owned()),
        ("AWS_DEFAULT_REGION", region.to_owned()),
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", function.runtime)),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", function.version.clone()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_ACCESS_KEY_ID", credentials.key.clone()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret.clone()),
        ("AWS_SESSION_TOKEN", credentials.token.clone()),
        ("AWS_LAMBDA_RUNTIME_API", address(RUNTIME_API)),
        ("AWS_ENDPOINT_URL", format!("http://{}", address(PLATFORM))),
        ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("HOME", "/tmp".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ("LD_LIBRARY_PATH", "/var/task:/var/task/lib:/opt/lib".to_owned()),
        ("NODE_PATH", format!("/opt/nodejs/{node}/node_modules:/opt/nodejs/node_modules")),
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
    ];
    let own = function.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    let kept = set.into_iter().filter(|(name, _)| !function.environment.contains_key(*name));
    kept.map(|(name, value)| (name.to_owned(), value)).chain(own).collect()
}
