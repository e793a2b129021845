//! Since when the rates of scheduled rules count, which no call of AWS's tells: `GET /_boathouse/rules/since`, signed like
//! calls of EventBridge, for whoever may ListRules.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::documents::Documents;
use boathouse_aws::{AwsError, Ctx};
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::error::EventsError;
use crate::store::{DEFAULT_BUS, Events, RULES, Rule};

/// The rates of the rules of an installation.
pub struct Rates(Arc<Events>);

impl Rates {
    /// The rules of this installation.
    #[must_use]
    pub fn new(events: &Arc<Events>) -> Self {
        Self(Arc::clone(events))
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

impl Documents for Rates {
    const SERVICE: &'static str = "events";
    const OPERATION: &'static str = "ListRates";
    const PATH: &'static str = "/_boathouse/rules/since";

    async fn read(&self, ctx: Ctx, _: &str) -> Result<Value, AwsError> {
        let keys = ConditionKeys::new();
        self.0.authorizer.authorize(&ctx, &AccessRequest::new("events:ListRules", "*", &keys))?;
        Ok(self.scheduled()?)
    }
}
