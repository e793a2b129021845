//! Attributes of queues: their rules, GetQueueAttributes and SetQueueAttributes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use boathouse_aws::Ctx;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Empty, GetQueueAttributes, SetQueueAttributes};
use crate::error::SqsError;
use crate::permissions;
use crate::redrive::{self, RedriveAllow, RedrivePolicy};
use crate::shelf;
use crate::store::{Queue, Sqs};

/// What can be set of a queue ("CreateQueue").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    pub(crate) delay_seconds: u32,
    pub(crate) maximum_message_size: u32,
    pub(crate) message_retention_period: u32,
    pub(crate) receive_message_wait_time_seconds: u32,
    pub(crate) visibility_timeout: u32,
    /// The resource policy, as JSON text.
    pub(crate) policy: Option<String>,
    pub(crate) redrive_policy: Option<RedrivePolicy>,
    pub(crate) redrive_allow_policy: Option<RedriveAllow>,
    /// None for standard queues.
    pub(crate) fifo: Option<Fifo>,
}

/// What FIFO queues have besides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fifo {
    pub(crate) content_based_deduplication: bool,
    /// Whether deduplication ids belong to a group instead of the queue.
    pub(crate) deduplicates_by_group: bool,
    /// Whether the throughput's limit would be each group's. There are no such limits here.
    pub(crate) throughput_per_group: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            delay_seconds: 0,
            maximum_message_size: 1_048_576,
            message_retention_period: 345_600,
            receive_message_wait_time_seconds: 0,
            visibility_timeout: 30,
            policy: None,
            redrive_policy: None,
            redrive_allow_policy: None,
            fifo: None,
        }
    }
}

/// Attributes that can be set, but for [`FIFO_QUEUE`].
const SETTABLE: [&str; 11] = [
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];
const FIFO_QUEUE: &str = "FifoQueue";
/// Messages at rest are not encrypted here, and the answer says so.
const SSE: &str = "SqsManagedSseEnabled";
const KMS: [&str; 2] = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"];
/// Attributes that only tell.
const TOLD: [&str; 6] = [
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

impl Attributes {
    /// The attributes of a queue that is to be made.
    pub(crate) fn of_new_queue(name: &str, given: &BTreeMap<String, String>) -> Result<Self, SqsError> {
        let named_fifo = name.ends_with(".fifo");
        match given.get(FIFO_QUEUE).map(String::as_str) {
            Some("true") if !named_fifo => {
                return Err(SqsError::InvalidParameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.".into()));
            }
            Some("false") | None if named_fifo => {
                return Err(SqsError::InvalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length; the suffix .fifo needs the attribute FifoQueue=true".into()));
            }
            Some("true" | "false") | None => {}
            Some(_) => return Err(wrong(FIFO_QUEUE, "it must be true or false")),
        }
        let mut attributes = Self { fifo: named_fifo.then(Fifo::default), ..Self::default() };
        for (name, value) in given.iter().filter(|(name, _)| *name != FIFO_QUEUE) {
            attributes.set(name, value)?;
        }
        attributes.check()?;
        Ok(attributes)
    }

    /// The first attribute that differs from what is asked for.
    pub(crate) fn difference(&self, given: &BTreeMap<String, String>) -> Result<Option<&'static str>, SqsError> {
        let mut wanted = self.clone();
        for (name, value) in given.iter().filter(|(name, _)| *name != FIFO_QUEUE) {
            wanted.set(name, value)?;
        }
        Ok(SETTABLE.into_iter().find(|name| wanted.shown(name) != self.shown(name)))
    }

    fn change(&mut self, given: &BTreeMap<String, String>) -> Result<(), SqsError> {
        for (name, value) in given {
            if name == FIFO_QUEUE {
                if (value == "true") != self.fifo.is_some() {
                    return Err(wrong(FIFO_QUEUE, "a queue's type can't be changed"));
                }
                continue;
            }
            self.set(name, value)?;
        }
        self.check()
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), SqsError> {
        match name {
            "DelaySeconds" => self.delay_seconds = number("DelaySeconds", value, 0..=900)?,
            "MaximumMessageSize" => {
                self.maximum_message_size = number("MaximumMessageSize", value, 1024..=1_048_576)?;
            }
            "MessageRetentionPeriod" => {
                self.message_retention_period = number("MessageRetentionPeriod", value, 60..=1_209_600)?;
            }
            "ReceiveMessageWaitTimeSeconds" => {
                self.receive_message_wait_time_seconds = number("ReceiveMessageWaitTimeSeconds", value, 0..=20)?;
            }
            "VisibilityTimeout" => self.visibility_timeout = number("VisibilityTimeout", value, 0..=43_200)?,
            "Policy" => self.policy = given(value).map(permissions::check).transpose()?,
            "RedrivePolicy" => self.redrive_policy = given(value).map(RedrivePolicy::parse).transpose()?,
            "RedriveAllowPolicy" => self.redrive_allow_policy = given(value).map(RedriveAllow::parse).transpose()?,
            "ContentBasedDeduplication" => {
                self.of_fifo(name)?.content_based_deduplication = truth("ContentBasedDeduplication", value)?;
            }
            "DeduplicationScope" => {
                let by_group = choice("DeduplicationScope", value, "queue", "messageGroup")?;
                self.of_fifo(name)?.deduplicates_by_group = by_group;
            }
            "FifoThroughputLimit" => {
                let per_group = choice("FifoThroughputLimit", value, "perQueue", "perMessageGroupId")?;
                self.of_fifo(name)?.throughput_per_group = per_group;
            }
            SSE if truth(SSE, value)? => {
                return Err(SqsError::NotImplemented(format!("{SSE} (messages at rest are not encrypted)")));
            }
            SSE => {}
            name if KMS.contains(&name) && value.is_empty() => {}
            name if KMS.contains(&name) => return Err(SqsError::NotImplemented(format!("{name} (there is no KMS)"))),
            other => return Err(SqsError::InvalidAttributeName(other.to_owned())),
        }
        Ok(())
    }

    fn of_fifo(&mut self, name: &str) -> Result<&mut Fifo, SqsError> {
        self.fifo.as_mut().ok_or_else(|| SqsError::InvalidAttributeName(format!("{name} (it is one of FIFO queues)")))
    }

    /// Rules for attributes together.
    fn check(&self) -> Result<(), SqsError> {
        match &self.fifo {
            Some(fifo) if fifo.throughput_per_group && !fifo.deduplicates_by_group => Err(wrong(
                "FifoThroughputLimit",
                "perMessageGroupId is allowed only when the value for DeduplicationScope is messageGroup",
            )),
            _ => Ok(()),
        }
    }

    /// A settable attribute as GetQueueAttributes shows it.
    fn shown(&self, name: &str) -> Option<String> {
        let fifo = |shown: fn(&Fifo) -> &'static str| self.fifo.as_ref().map(|fifo| shown(fifo).to_owned());
        match name {
            "DelaySeconds" => Some(self.delay_seconds.to_string()),
            "MaximumMessageSize" => Some(self.maximum_message_size.to_string()),
            "MessageRetentionPeriod" => Some(self.message_retention_period.to_string()),
            "ReceiveMessageWaitTimeSeconds" => Some(self.receive_message_wait_time_seconds.to_string()),
            "VisibilityTimeout" => Some(self.visibility_timeout.to_string()),
            "Policy" => self.policy.clone(),
            "RedrivePolicy" => self.redrive_policy.as_ref().map(RedrivePolicy::shown),
            "RedriveAllowPolicy" => self.redrive_allow_policy.as_ref().map(RedriveAllow::shown),
            FIFO_QUEUE => fifo(|_| "true"),
            "ContentBasedDeduplication" => fifo(|fifo| if fifo.content_based_deduplication { "true" } else { "false" }),
            "DeduplicationScope" => fifo(|fifo| if fifo.deduplicates_by_group { "messageGroup" } else { "queue" }),
            "FifoThroughputLimit" => {
                fifo(|fifo| if fifo.throughput_per_group { "perMessageGroupId" } else { "perQueue" })
            }
            SSE => Some("false".to_owned()),
            _ => None,
        }
    }
}

fn wrong(name: &'static str, reason: &str) -> SqsError {
    SqsError::InvalidAttributeValue { name, reason: reason.to_owned() }
}

fn given(value: &str) -> Option<&str> {
    Some(value).filter(|value| !value.is_empty())
}

fn number(name: &'static str, value: &str, range: RangeInclusive<u32>) -> Result<u32, SqsError> {
    value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        wrong(name, &format!("{value:?} is not an integer between {} and {}", range.start(), range.end()))
    })
}

fn truth(name: &'static str, value: &str) -> Result<bool, SqsError> {
    value.parse().map_err(|_| wrong(name, &format!("{value:?} is not true or false")))
}

/// Whether the value is the second one.
fn choice(name: &'static str, value: &str, no: &str, yes: &str) -> Result<bool, SqsError> {
    match value {
        _ if value == yes => Ok(true),
        _ if value == no => Ok(false),
        _ => Err(wrong(name, &format!("{value:?} is neither {no} nor {yes}"))),
    }
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Sqs>, input: GetQueueAttributes) -> Result<Value, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:GetQueueAttributes")?;
    let all = SETTABLE.iter().chain(&[FIFO_QUEUE, SSE]).chain(&KMS).chain(&TOLD);
    let known = |name: &str| name == "All" || all.clone().any(|known| *known == name);
    if let Some(unknown) = input.attribute_names.iter().find(|name| !known(name)) {
        return Err(SqsError::InvalidAttributeName(unknown.clone()));
    }
    let wanted = |name: &str| input.attribute_names.iter().any(|wanted| wanted == "All" || wanted == name);
    let mut shown = BTreeMap::new();
    for name in all.filter(|name| wanted(name)) {
        let value = match TOLD.contains(name) {
            true => Some(told(&ctx, &state, &queue, name)?),
            false => queue.attributes.shown(name),
        };
        shown.extend(value.map(|value| (*name, value)));
    }
    if shown.is_empty() {
        return Ok(json!({}));
    }
    Ok(json!({"Attributes": shown}))
}

fn told(ctx: &Ctx, state: &Sqs, queue: &Queue, name: &str) -> Result<String, SqsError> {
    let now = ctx.now().timestamp_micros();
    Ok(match name {
        "QueueArn" => queue.arn(ctx.region()),
        "CreatedTimestamp" => queue.created.to_string(),
        "LastModifiedTimestamp" => queue.modified.to_string(),
        "ApproximateNumberOfMessagesNotVisible" => shelf::in_flight(&state.metadata, &queue.shelf, now)?.to_string(),
        "ApproximateNumberOfMessagesDelayed" => shelf::delayed(&state.metadata, &queue.shelf, now)?.to_string(),
        _ => shelf::visible(&state.metadata, &queue.shelf, now)?.to_string(),
    })
}

pub(crate) async fn set(ctx: Ctx, state: Arc<Sqs>, input: SetQueueAttributes) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:SetQueueAttributes")?;
    let (region, now) = (ctx.region().to_owned(), ctx.now().timestamp());
    let owner = Arc::clone(&state);
    state
        .change(queue.name, move |tx, queue| {
            let delay = queue.attributes.delay_seconds;
            queue.attributes.change(&input.attributes)?;
            if input.attributes.contains_key("RedrivePolicy") {
                redrive::check_target(tx, &region, queue)?;
            }
            if queue.is_fifo() && queue.attributes.delay_seconds != delay {
                shelf::delay_anew(tx, queue)?;
            }
            queue.modified = now;
            let name = queue.name.clone();
            tx.after_commit(move || owner.bells.ring(&name));
            Ok(())
        })
        .await?;
    Ok(Empty {})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(name: &str, given: &[(&str, &str)]) -> Result<Attributes, SqsError> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Attributes::of_new_queue(name, &given)
    }

    #[test]
    fn defaults_are_those_of_aws() {
        let queue = attributes("q", &[("SqsManagedSseEnabled", "false")]).unwrap();
        let shown: Vec<_> = SETTABLE[..5].iter().map(|name| queue.shown(name).unwrap()).collect();
        assert_eq!(shown, ["0", "1048576", "345600", "0", "30"]);
        assert_eq!(queue.shown("FifoQueue"), None);
        let fifo = attributes("q.fifo", &[("FifoQueue", "true")]).unwrap();
        assert_eq!(fifo.shown("DeduplicationScope").as_deref(), Some("queue"));
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        for (name, value) in [
            ("DelaySeconds", "901"),
            ("DelaySeconds", "-1"),
            ("MaximumMessageSize", "1023"),
            ("MaximumMessageSize", "1048577"),
            ("MessageRetentionPeriod", "59"),
            ("ReceiveMessageWaitTimeSeconds", "21"),
            ("VisibilityTimeout", "43201"),
            ("VisibilityTimeout", "x"),
            ("Policy", "{}"),
            ("RedrivePolicy", "[]"),
        ] {
            let refused = attributes("q", &[(name, value)]).unwrap_err();
            assert!(
                matches!(refused, SqsError::InvalidAttributeValue { name: named, .. } if named == name),
                "{refused}"
            );
        }
    }

    #[test]
    fn what_belongs_to_fifo_queues_is_refused_elsewhere() {
        let refused = attributes("q", &[("ContentBasedDeduplication", "true")]).unwrap_err();
        assert!(matches!(refused, SqsError::InvalidAttributeName(_)));
        assert!(attributes("q", &[("FifoQueue", "true")]).is_err());
        assert!(attributes("q.fifo", &[]).is_err());
        let limit = [("FifoQueue", "true"), ("FifoThroughputLimit", "perMessageGroupId")];
        assert!(attributes("q.fifo", &limit).is_err());
        assert!(attributes("q.fifo", &[limit[0], limit[1], ("DeduplicationScope", "messageGroup")]).is_ok());
    }

    #[test]
    fn encryption_is_refused_by_name() {
        for (name, value) in [("KmsMasterKeyId", "alias/aws/sqs"), ("SqsManagedSseEnabled", "true")] {
            let refused = attributes("q", &[(name, value)]).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }
}
