//! Sessions of the console: what people get who sign in there.

use std::collections::BTreeMap;

use boathouse_aws::access::{SessionCredentials, SignIn};
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{AwsError, Ctx, Principal};
use chrono::TimeDelta;
use http::StatusCode;

use crate::credentials::new_secret;
use crate::error::IamError;
use crate::iam::new_key_id;
use crate::identity::Identity;
use crate::session::{Session, Subject};
use crate::store::row_name;

/// How long a session lives unless it is prolonged.
const LENGTH: TimeDelta = TimeDelta::hours(1);
/// How long after signing in people must do so again.
const LONGEST: TimeDelta = TimeDelta::hours(12);

impl SignIn for Identity {
    fn sign_in(&self, ctx: &Ctx) -> Result<SessionCredentials, AwsError> {
        let now = ctx.now();
        let signed_in = match &ctx.principal.session {
            None => now,
            Some(session) => session.signed_in.ok_or_else(not_for_sessions)?,
        };
        let expires = (now + LENGTH).min(signed_in + LONGEST);
        if expires <= now {
            let message = "The session can't be prolonged any further: sign in again";
            return Err(AwsError::new("ExpiredTokenException", StatusCode::FORBIDDEN, message));
        }
        let access_key_id = new_key_id("ASIA")?;
        let secret = new_secret().map_err(|_| IamError::Sealing("making a secret failed"))?;
        let session = Session {
            subject: subject(&ctx.principal)?,
            secret: secret.expose().to_owned(),
            issued: now.timestamp(),
            expires: expires.timestamp(),
            policy: None,
            policy_arns: Vec::new(),
            tags: BTreeMap::new(),
            source_identity: None,
            transitive_tag_keys: Vec::new(),
            federated_provider: None,
            federated_keys: BTreeMap::new(),
            signed_in: Some(signed_in.timestamp()),
        };
        let session_token = session.seal(&self.tokens, &access_key_id)?;
        Ok(SessionCredentials { access_key_id, secret, session_token, expires })
    }
}

fn subject(principal: &Principal) -> Result<Subject, AwsError> {
    match &principal.kind {
        PrincipalKind::Root => Ok(Subject::Root),
        PrincipalKind::User { name } => Ok(Subject::User { name: row_name(name), id: principal.user_id.clone() }),
        _ => Err(not_for_sessions()),
    }
}

fn not_for_sessions() -> AwsError {
    AwsError::access_denied("Only root and users sign in at the console; temporary credentials are used as they are")
}
