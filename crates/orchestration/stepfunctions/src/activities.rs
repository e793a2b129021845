//! Activities: tasks that workers poll for.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use boathouse_states::Call;
use boathouse_states::execution::Happening;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::api::{CreateActivity, Empty, GetActivityTask, ListAll, OfActivity};
use crate::error::SfnError;
use crate::machines::{tags_of, with_token};
use crate::names::{self, activity_arn};
use crate::runner::tell_durably;
use crate::store::{ACTIVITIES, StepFunctions, StoredActivity, now, page};

/// How long a worker's poll waits for a task.
const POLL: Duration = Duration::from_secs(60);

struct Waiting {
    execution: String,
    call: Arc<Call>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
    arrived: Notify,
}

/// Tasks that wait for a worker, by activity ARN. After a restart the executions put theirs in again.
#[derive(Default)]
pub(crate) struct Queues(Mutex<HashMap<String, Arc<Queue>>>);

impl Queues {
    fn queue(&self, activity: &str) -> Arc<Queue> {
        Arc::clone(self.0.lock().entry(activity.to_owned()).or_default())
    }

    pub(crate) fn put(&self, activity: &str, execution: &str, call: Arc<Call>) {
        let queue = self.queue(activity);
        queue.waiting.lock().push_back(Waiting { execution: execution.to_owned(), call });
        queue.arrived.notify_one();
    }

    /// The task is not wanted any more.
    pub(crate) fn forget(&self, execution: &str, task: u64) {
        let queues: Vec<Arc<Queue>> = self.0.lock().values().cloned().collect();
        for queue in queues {
            queue.waiting.lock().retain(|waiting| waiting.execution != execution || waiting.call.task != task);
        }
    }
}

pub(crate) async fn create(ctx: Ctx, state: Arc<StepFunctions>, input: CreateActivity) -> Result<Value, SfnError> {
    names::check(&input.name)?;
    if input.encryption_configuration.is_some_and(|encryption| encryption["type"] == "CUSTOMER_MANAGED_KMS_KEY") {
        let message = "Boathouse does not implement customer managed keys (encryptionConfiguration) yet";
        return Err(SfnError::InvalidEncryptionConfiguration(message.into()));
    }
    let activity =
        StoredActivity { name: input.name, created: now(&ctx), tags: tags_of(input.tags.unwrap_or_default())? };
    let arn = activity_arn(&ctx, &activity.name);
    let created = state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&activity.name]);
            // Creating it again is no mistake.
            if let Some(found) = tx.get_json::<StoredActivity>(ACTIVITIES, &key)? {
                return Ok(found.created);
            }
            tx.put_json(ACTIVITIES, &key, &activity)?;
            Ok::<_, SfnError>(activity.created)
        })
        .await?;
    Ok(json!({"activityArn": arn, "creationDate": created}))
}

fn find(state: &StepFunctions, arn: &str) -> Result<StoredActivity, SfnError> {
    let name = names::activity(arn)?;
    let found = state.metadata.get_json(ACTIVITIES, &Key::new([name]))?;
    found.ok_or_else(|| SfnError::ActivityDoesNotExist(arn.to_owned()))
}

pub(crate) async fn describe(_: Ctx, state: Arc<StepFunctions>, input: OfActivity) -> Result<Value, SfnError> {
    let activity = find(&state, &input.activity_arn)?;
    Ok(json!({
        "activityArn": input.activity_arn,
        "name": activity.name,
        "creationDate": activity.created,
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }))
}

pub(crate) async fn list(ctx: Ctx, state: Arc<StepFunctions>, input: ListAll) -> Result<Value, SfnError> {
    let (found, next): (Vec<StoredActivity>, _) =
        page(&state, ACTIVITIES, &Key::default(), input.max_results, input.next_token.as_deref())?;
    let activities: Vec<Value> = found
        .iter()
        .map(|activity| {
            let arn = activity_arn(&ctx, &activity.name);
            json!({"activityArn": arn, "name": activity.name, "creationDate": activity.created})
        })
        .collect();
    Ok(with_token(json!({"activities": activities}), next))
}

pub(crate) async fn delete(_: Ctx, state: Arc<StepFunctions>, input: OfActivity) -> Result<Empty, SfnError> {
    let name = names::activity(&input.activity_arn)?;
    state
        .metadata
        .transaction(move |tx| {
            tx.delete(ACTIVITIES, &Key::new([name]))?;
            Ok(Empty {})
        })
        .await
}

/// Waits up to a minute for a task; without one the answer has no token.
pub(crate) async fn get_task(_: Ctx, state: Arc<StepFunctions>, input: GetActivityTask) -> Result<Value, SfnError> {
    find(&state, &input.activity_arn)?;
    let queue = state.queues.queue(&input.activity_arn);
    let poll = async {
        loop {
            let next = queue.waiting.lock().pop_front();
            let Some(waiting) = next else {
                queue.arrived.notified().await;
                continue;
            };
            if !queue.waiting.lock().is_empty() {
                queue.arrived.notify_one();
            }
            let what = Happening::ActivityStarted { task: waiting.call.task, worker: input.worker_name.clone() };
            if tell_durably(&state, &waiting.execution, what.into()).await {
                return waiting.call;
            }
        }
    };
    match tokio::time::timeout(POLL, poll).await {
        Ok(call) => Ok(json!({"taskToken": call.token, "input": call.parameters.text().as_str()})),
        Err(_) => Ok(json!({})),
    }
}
