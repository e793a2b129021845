//! What calls need in memory: the stages of an API with their routes understood, token buckets, kept verdicts.

use std::collections::HashMap;
use std::sync::Arc;

use boathouse_metadata::{Key, MetadataError};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use crate::api::{Api, Route, Stage};
use crate::permission::Verdict;
use crate::route_key::{RouteKey, find};
use crate::store::{ApiGateway, Deployed, EPOCHS, Resource, Snapshot};
use crate::throttle::{Buckets, Limit};

/// Verdicts that are kept before the expired ones are thrown out.
const KEPT_VERDICTS: usize = 10_000;

/// What is remembered between calls; all of it can be lost.
#[derive(Default)]
pub(crate) struct Runtime {
    /// By API: the version of its rows, and what they mean.
    compiled: Mutex<HashMap<String, (u64, Arc<Compiled>)>>,
    pub(crate) buckets: Buckets,
    /// By authorizer and identity: what it said, and until when that counts.
    verdicts: Mutex<HashMap<String, (DateTime<Utc>, Verdict)>>,
}

/// An API that can be called.
pub(crate) struct Compiled {
    pub(crate) api: Api,
    stages: HashMap<String, Arc<Served>>,
}

/// A stage that can be called.
pub(crate) struct Served {
    pub(crate) stage: Stage,
    pub(crate) snapshot: Snapshot,
    keys: Vec<RouteKey>,
}

impl Compiled {
    /// The stage of that name.
    pub(crate) fn stage(&self, name: &str) -> Option<&Arc<Served>> {
        self.stages.get(name)
    }
}

impl Served {
    fn new(stage: Stage, snapshot: Snapshot) -> Self {
        // Kept keys were checked; one that is not understood takes nothing but what `$default` would.
        let keys = snapshot.routes.iter().map(|route| RouteKey::parse(&route.route_key).unwrap_or(RouteKey::Default));
        let keys = keys.collect();
        Self { stage, snapshot, keys }
    }

    /// The route that takes a request, and the variables in its path.
    pub(crate) fn route(&self, method: &str, path: &str) -> Option<(&Route, Vec<(String, String)>)> {
        let (place, variables) = find(&self.keys, method, path)?;
        Some((&self.snapshot.routes[place], variables))
    }

    /// How much the route takes: its own settings, or the stage's; none where nothing is set.
    pub(crate) fn limit(&self, route_key: &str) -> Option<Limit> {
        let own = self.stage.route_settings.as_ref().and_then(|settings| settings.get(route_key));
        [own, self.stage.default_route_settings.as_ref()].into_iter().flatten().find_map(|settings| {
            let (rate, burst) = (settings.throttling_rate_limit?, settings.throttling_burst_limit?);
            Some(Limit { rate, burst: burst as f64 })
        })
    }
}

impl ApiGateway {
    /// The API as its stages serve it now; none if there is none of that id.
    pub(crate) fn compiled(&self, id: &str) -> Result<Option<Arc<Compiled>>, MetadataError> {
        let Some(epoch) = self.deps.metadata.get(EPOCHS, &Key::new([id]))? else {
            self.runtime.compiled.lock().remove(id);
            return Ok(None);
        };
        if let Some((version, compiled)) = self.runtime.compiled.lock().get(id)
            && *version == epoch.version
        {
            return Ok(Some(Arc::clone(compiled)));
        }
        let Some(compiled) = self.compile(id)? else { return Ok(None) };
        let compiled = Arc::new(compiled);
        // Rows that changed meanwhile have another version by now, so this is looked at once only.
        self.runtime.compiled.lock().insert(id.to_owned(), (epoch.version, Arc::clone(&compiled)));
        Ok(Some(compiled))
    }

    fn compile(&self, id: &str) -> Result<Option<Compiled>, MetadataError> {
        let metadata = &self.deps.metadata;
        let Some(api) = metadata.get_json::<Api>(Api::SPACE, &Key::new([id]))? else { return Ok(None) };
        let mut stages = HashMap::new();
        for entry in metadata.scan(Stage::SPACE, &Key::new([id]), None, usize::MAX >> 1)? {
            let stage: Stage = entry.json()?;
            let Some(deployment) = &stage.deployment_id else { continue };
            let deployed: Option<Deployed> = metadata.get_json(Deployed::SPACE, &Key::new([id, deployment]))?;
            if let Some(deployed) = deployed {
                stages.insert(stage.stage_name.clone(), Arc::new(Served::new(stage, deployed.snapshot)));
            }
        }
        Ok(Some(Compiled { api, stages }))
    }
}

impl Runtime {
    pub(crate) fn kept_verdict(&self, key: &str, now: DateTime<Utc>) -> Option<Verdict> {
        self.verdicts.lock().get(key).filter(|(until, _)| now < *until).map(|(_, verdict)| verdict.clone())
    }

    pub(crate) fn keep_verdict(&self, key: String, until: DateTime<Utc>, now: DateTime<Utc>, verdict: Verdict) {
        let mut verdicts = self.verdicts.lock();
        if verdicts.len() >= KEPT_VERDICTS {
            verdicts.retain(|_, (until, _)| now < *until);
        }
        if verdicts.len() < KEPT_VERDICTS {
            verdicts.insert(key, (until, verdict));
        }
    }
}
