//! Temporary credentials of execution roles, from STS, as Lambda itself gets them.

use std::collections::HashMap;
use std::sync::Arc;

use boathouse_aws::{Platform, Principal};
use chrono::TimeDelta;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::SERVICE;
use crate::error::LambdaError;
use crate::runtime::environment::Credentials;

/// Seconds that credentials live: every role allows an hour.
const LIFETIME: i64 = 3600;
/// Seconds for which the same ones are given to new instances.
const REUSED: i64 = 300;
/// Seconds before their end at which no invocation may begin any more: one may take 15 minutes.
const MARGIN: i64 = 960;

/// Credentials by role and session.
#[derive(Default)]
pub(crate) struct Vault {
    given: Mutex<HashMap<(String, String), Credentials>>,
}

impl Vault {
    /// Credentials of a session of the role, named after the function.
    ///
    /// # Errors
    /// The role is gone, or does not trust Lambda any more.
    pub(crate) async fn get(
        &self,
        platform: &Platform,
        role: &str,
        function: &str,
    ) -> Result<Credentials, LambdaError> {
        let key = (role.to_owned(), function.to_owned());
        let now = platform.clock.now();
        let fresh =
            |credentials: &Credentials| credentials.usable_until > now + TimeDelta::seconds(LIFETIME - MARGIN - REUSED);
        if let Some(credentials) = self.given.lock().get(&key).filter(|credentials| fresh(credentials)) {
            return Ok(credentials.clone());
        }
        let ctx = platform.context(Arc::new(Principal::service(SERVICE)));
        // A session's name has at least two characters, a function's at least one.
        let session = if function.len() < 2 { format!("{function}-lambda") } else { function.to_owned() };
        let input = json!({"RoleArn": role, "RoleSessionName": session, "DurationSeconds": LIFETIME});
        let answer = ctx.call("sts", "AssumeRole", input).await.map_err(|error| {
            tracing::warn!(%error, role, function, "an execution role can't be assumed");
            LambdaError::InvalidParameter("The role defined for the function cannot be assumed by Lambda.".into())
        })?;
        let text = |name: &str| answer["Credentials"][name].as_str().map(str::to_owned).unwrap_or_default();
        debug_assert_ne!(answer["Credentials"], Value::Null);
        let credentials = Credentials {
            key: text("AccessKeyId"),
            secret: text("SecretAccessKey"),
            token: text("SessionToken"),
            usable_until: now + TimeDelta::seconds(LIFETIME - MARGIN),
        };
        let mut given = self.given.lock();
        given.retain(|_, credentials| fresh(credentials));
        given.insert(key, credentials.clone());
        Ok(credentials)
    }
}
