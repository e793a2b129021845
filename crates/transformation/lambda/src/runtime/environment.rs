//! The variables that a function sees ("Working with Lambda environment variables: Defined runtime environment variables").

use std::net::SocketAddr;

use chrono::{DateTime, Utc};

use crate::store::Function;

/// Where the function asks for work.
pub(crate) const RUNTIME_API: ([u8; 4], u16) = ([127, 0, 0, 1], 9001);
/// The port of the platform's own APIs while nothing else is known.
const PLATFORM_PORT: u16 = 4566;

/// Where the function finds the platform's own APIs: at the port where everybody does, so that an address that a function
/// signs for somebody else is good outside, too.
pub(crate) fn platform(endpoint: Option<&str>) -> SocketAddr {
    let port = endpoint.and_then(|url| url.trim_end_matches('/').rsplit(':').next()?.parse().ok());
    let port = port.filter(|port| *port != RUNTIME_API.1).unwrap_or(PLATFORM_PORT);
    SocketAddr::from(([127, 0, 0, 1], port))
}

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
    (region, platform): (&str, SocketAddr),
    log_stream: &str,
    credentials: &Credentials,
) -> Vec<(String, String)> {
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
        ("AWS_LAMBDA_RUNTIME_API", SocketAddr::from(RUNTIME_API).to_string()),
        ("AWS_ENDPOINT_URL", format!("http://{platform}")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_find_the_platform_where_everybody_does() {
        assert_eq!(platform(Some("http://127.0.0.1:5000")).to_string(), "127.0.0.1:5000");
        assert_eq!(platform(Some("https://0.0.0.0:443/")).to_string(), "127.0.0.1:443");
        for without_port in [None, Some("http://host"), Some("http://127.0.0.1:9001")] {
            assert_eq!(platform(without_port).to_string(), "127.0.0.1:4566");
        }
    }
}
