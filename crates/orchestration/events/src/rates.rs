//! Since when the rates of scheduled rules count, which no call of AWS's tells: `GET /_boathouse/rules/since`, signed like
//! calls of EventBridge, for whoever may ListRules.

use std::sync::Arc;

use boathouse_aws::AwsError;
use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::http_service::ServiceAnswer;
use boathouse_aws::site::{Site, SiteRequest};
use boathouse_metadata::Key;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::error::EventsError;
use crate::store::{DEFAULT_BUS, Events, RULES, Rule};

const PATH: &str = "/_boathouse/rules/since";

/// The address.
pub struct RatesSite(Arc<Events>);

impl RatesSite {
    /// The rules of this installation.
    #[must_use]
    pub fn new(events: &Arc<Events>) -> Self {
        Self(Arc::clone(events))
    }

    fn answer(&self, request: SiteRequest) -> Result<Value, AwsError> {
        let SiteRequest { ctx, parts, signer, .. } = request;
        signer?;
        if parts.method != Method::GET {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(AwsError::new("MethodNotAllowedException", status, "Times are only read: use GET"));
        }
        let keys = ConditionKeys::new();
        self.0.authorizer.authorize(&ctx, &AccessRequest::new("events:ListRules", "*", &keys))?;
        Ok(self.scheduled()?)
    }

    /// The scheduled rules, which only the default bus has.
    fn scheduled(&self) -> Result<Value, EventsError> {
        let mut rules = Vec::new();
        for entry in self.0.metadata.scan(RULES, &Key::new([DEFAULT_BUS]), None, usize::MAX >> 1)? {
            let rule: Rule = entry.json()?;
            if rule.schedule_expression.is_some() {
                rules.push(json!({"Name": entry.key.last(), "Since": rule.since.timestamp_millis() as f64 / 1000.0}));
            }
        }
        Ok(json!({"Rules": rules}))
    }
}

impl Site for RatesSite {
    fn name(&self) -> &'static str {
        "events"
    }

    fn owns(&self, parts: &Parts) -> bool {
        parts.uri.path() == PATH
    }

    fn call(&self, request: SiteRequest) -> BoxFuture<'_, ServiceAnswer> {
        Box::pin(async move { ServiceAnswer::json("ListRates", self.answer(request)) })
    }

    fn unreadable(&self, error: &AwsError) -> ServiceAnswer {
        ServiceAnswer::json("ListRates", Err(error.clone()))
    }
}
