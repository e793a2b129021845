//! A bucket's notification configuration.

use std::collections::BTreeSet;

use boathouse_aws::{Arn, AwsError};
use boathouse_objects::ChangeKind;
use s3s::dto::{
    Event, EventBridgeConfiguration, FilterRule, FilterRuleName, LambdaFunctionConfiguration,
    NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Result, invalid_argument};

/// The most configurations of one bucket.
const MAX_CONFIGURATIONS: usize = 100;
/// The longest value of a filter rule, in characters.
const MAX_FILTER: usize = 1024;

/// What is told to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Configuration {
    /// Whether EventBridge hears of everything.
    pub(crate) event_bridge: bool,
    pub(crate) functions: Vec<Target>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) queues: Vec<Target>,
}

/// Which changes a function or queue hears of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) arn: String,
    events: Vec<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suffix: Option<String>,
}

/// The kinds of event that a bucket tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "s3:ObjectCreated:*")]
    Created,
    #[serde(rename = "s3:ObjectCreated:Put")]
    Put,
    #[serde(rename = "s3:ObjectCreated:Post")]
    Post,
    #[serde(rename = "s3:ObjectCreated:Copy")]
    Copy,
    #[serde(rename = "s3:ObjectCreated:CompleteMultipartUpload")]
    CompleteMultipartUpload,
    #[serde(rename = "s3:ObjectRemoved:*")]
    Removed,
    #[serde(rename = "s3:ObjectRemoved:Delete")]
    Delete,
    #[serde(rename = "s3:ObjectRemoved:DeleteMarkerCreated")]
    DeleteMarker,
    #[serde(rename = "s3:LifecycleExpiration:*")]
    Expired,
    #[serde(rename = "s3:LifecycleExpiration:Delete")]
    Expire,
    #[serde(rename = "s3:LifecycleExpiration:DeleteMarkerCreated")]
    ExpireToMarker,
}

const KINDS: [(Kind, &str); 11] = [
    (Kind::Created, "s3:ObjectCreated:*"),
    (Kind::Put, "s3:ObjectCreated:Put"),
    (Kind::Post, "s3:ObjectCreated:Post"),
    (Kind::Copy, "s3:ObjectCreated:Copy"),
    (Kind::CompleteMultipartUpload, "s3:ObjectCreated:CompleteMultipartUpload"),
    (Kind::Removed, "s3:ObjectRemoved:*"),
    (Kind::Delete, "s3:ObjectRemoved:Delete"),
    (Kind::DeleteMarker, "s3:ObjectRemoved:DeleteMarkerCreated"),
    (Kind::Expired, "s3:LifecycleExpiration:*"),
    (Kind::Expire, "s3:LifecycleExpiration:Delete"),
    (Kind::ExpireToMarker, "s3:LifecycleExpiration:DeleteMarkerCreated"),
];

/// Kinds that AWS has and that never happen here, because what causes them is not implemented.
const ELSEWHERE: [&str; 7] = [
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectRestore:",
    "s3:Replication:",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectTagging:",
    "s3:ObjectAcl:",
];

impl Kind {
    fn parse(text: &str) -> Result<Self> {
        if let Some((kind, _)) = KINDS.iter().find(|(_, name)| *name == text) {
            return Ok(*kind);
        }
        if ELSEWHERE.iter().any(|prefix| text.starts_with(prefix)) {
            return Err(AwsError::not_implemented(format!("notifications of the event {text}")));
        }
        Err(invalid_argument("A specified event is not supported for notifications."))
    }

    fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map(|(_, name)| *name).expect("invariant: the table has all kinds")
    }

    /// Whether an event can be of both kinds.
    fn meets(self, other: Self) -> bool {
        let group = |kind| match kind {
            Self::Created | Self::Put | Self::Post | Self::Copy | Self::CompleteMultipartUpload => 0,
            Self::Removed | Self::Delete | Self::DeleteMarker => 1,
            Self::Expired | Self::Expire | Self::ExpireToMarker => 2,
        };
        let general = |kind| matches!(kind, Self::Created | Self::Removed | Self::Expired);
        group(self) == group(other) && (self == other || general(self) || general(other))
    }

    fn of(change: ChangeKind) -> Self {
        match change {
            ChangeKind::Put => Self::Put,
            ChangeKind::Post => Self::Post,
            ChangeKind::Copy => Self::Copy,
            ChangeKind::CompleteUpload => Self::CompleteMultipartUpload,
            ChangeKind::Delete => Self::Delete,
            ChangeKind::DeleteMarker => Self::DeleteMarker,
            ChangeKind::Expire => Self::Expire,
            ChangeKind::ExpireToMarker => Self::ExpireToMarker,
        }
    }
}

/// The name that an event message gives to a change, such as `ObjectCreated:Put`.
pub(crate) fn event_name(change: ChangeKind) -> &'static str {
    Kind::of(change).name().trim_start_matches("s3:")
}

impl Configuration {
    /// Checks what a client sent.
    ///
    /// # Errors
    /// `InvalidArgument` in S3's words; `NotImplemented` for topics and events that never happen here.
    pub(crate) fn from_wire(wire: NotificationConfiguration) -> Result<Self> {
        if wire.topic_configurations.is_some_and(|it| !it.is_empty()) {
            let what = "SNS topics (TopicConfiguration) as destinations of bucket notifications";
            return Err(AwsError::not_implemented(what));
        }
        let functions = wire.lambda_function_configurations.unwrap_or_default();
        let queues = wire.queue_configurations.unwrap_or_default();
        if functions.len() + queues.len() > MAX_CONFIGURATIONS {
            return Err(invalid_argument(
                "The number of notification configurations exceeds the maximum allowed number: 100",
            ));
        }
        let functions = functions.into_iter().map(Target::function).collect::<Result<Vec<_>>>()?;
        let queues = queues.into_iter().map(Target::queue).collect::<Result<Vec<_>>>()?;
        let targets: Vec<&Target> = functions.iter().chain(&queues).collect();
        let mut ids = BTreeSet::new();
        if let Some(twice) = targets.iter().find(|target| !ids.insert(&target.id)) {
            return Err(invalid_argument(format!("Same ID used for multiple configurations: {}", twice.id)));
        }
        for (at, target) in targets.iter().enumerate() {
            targets[..at].iter().try_for_each(|other| target.check_apart_from(other))?;
        }
        Ok(Self { event_bridge: wire.event_bridge_configuration.is_some(), functions, queues })
    }

    pub(crate) fn to_wire(&self) -> NotificationConfiguration {
        let functions: Vec<_> = self.functions.iter().map(Target::to_function).collect();
        let queues: Vec<_> = self.queues.iter().map(Target::to_queue).collect();
        NotificationConfiguration {
            event_bridge_configuration: self.event_bridge.then(EventBridgeConfiguration::default),
            lambda_function_configurations: (!functions.is_empty()).then_some(functions),
            queue_configurations: (!queues.is_empty()).then_some(queues),
            topic_configurations: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.event_bridge && self.functions.is_empty() && self.queues.is_empty()
    }

    /// The functions that hear of a change.
    pub(crate) fn functions_for(&self, key: &str, change: ChangeKind) -> impl Iterator<Item = &Target> {
        self.functions.iter().filter(move |target| target.hears_of(key, change))
    }

    /// The queues that hear of a change.
    pub(crate) fn queues_for(&self, key: &str, change: ChangeKind) -> impl Iterator<Item = &Target> {
        self.queues.iter().filter(move |target| target.hears_of(key, change))
    }
}

impl Target {
    fn hears_of(&self, key: &str, change: ChangeKind) -> bool {
        let kind = Kind::of(change);
        self.events.iter().any(|wanted| wanted.meets(kind))
            && self.prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix))
            && self.suffix.as_ref().is_none_or(|suffix| key.ends_with(suffix))
    }

    fn function(wire: LambdaFunctionConfiguration) -> Result<Self> {
        let arn: Vec<&str> = wire.lambda_function_arn.split(':').collect();
        if !matches!(
            arn.as_slice(),
            ["arn", _, "lambda", _, _, "function", _] | ["arn", _, "lambda", _, _, "function", _, _]
        ) {
            return Err(
                invalid_argument("The ARN could not be parsed").with_detail("ArgumentValue", wire.lambda_function_arn)
            );
        }
        Self::of_any_sort(wire.id, wire.lambda_function_arn, &wire.events, wire.filter)
    }

    fn queue(wire: QueueConfiguration) -> Result<Self> {
        let arn: Option<Arn> = wire.queue_arn.parse().ok();
        let wrong = match arn.filter(|arn| arn.service == "sqs") {
            Some(arn) if arn.resource.ends_with(".fifo") => "FIFO queues can't be destinations of notifications",
            Some(_) => return Self::of_any_sort(wire.id, wire.queue_arn, &wire.events, wire.filter),
            None => "The ARN could not be parsed",
        };
        Err(invalid_argument(wrong).with_detail("ArgumentValue", wire.queue_arn))
    }

    fn of_any_sort(
        id: Option<String>,
        arn: String,
        events: &[Event],
        filter: Option<NotificationConfigurationFilter>,
    ) -> Result<Self> {
        if events.is_empty() {
            return Err(invalid_argument("A notification configuration must name at least one event"));
        }
        let events = events.iter().map(|event| Kind::parse(event.as_ref())).collect::<Result<_>>()?;
        let rules = filter.and_then(|filter| filter.key).and_then(|key| key.filter_rules).unwrap_or_default();
        let id = id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let mut target = Self { id, arn, events, prefix: None, suffix: None };
        rules.into_iter().try_for_each(|rule| target.add_rule(rule))?;
        Ok(target)
    }

    fn add_rule(&mut self, rule: FilterRule) -> Result<()> {
        let name = rule.name.map(|name| name.as_str().to_ascii_lowercase()).unwrap_or_default();
        let slot = match name.as_str() {
            FilterRuleName::PREFIX => &mut self.prefix,
            FilterRuleName::SUFFIX => &mut self.suffix,
            _ => return Err(invalid_argument("filter rule name must be either prefix or suffix")),
        };
        if slot.is_some() {
            return Err(invalid_argument(format!("Cannot specify more than one {name} rule in a filter.")));
        }
        let value = rule.value.unwrap_or_default();
        if value.chars().count() > MAX_FILTER {
            return Err(invalid_argument(format!(
                "Size of filter rule value cannot exceed {MAX_FILTER} bytes in UTF-8"
            )));
        }
        *slot = Some(value);
        Ok(())
    }

    fn to_function(&self) -> LambdaFunctionConfiguration {
        LambdaFunctionConfiguration {
            events: self.wire_events(),
            filter: self.wire_filter(),
            id: Some(self.id.clone()),
            lambda_function_arn: self.arn.clone(),
        }
    }

    fn to_queue(&self) -> QueueConfiguration {
        QueueConfiguration {
            events: self.wire_events(),
            filter: self.wire_filter(),
            id: Some(self.id.clone()),
            queue_arn: self.arn.clone(),
        }
    }

    fn wire_events(&self) -> Vec<Event> {
        self.events.iter().map(|kind| Event::from(kind.name().to_owned())).collect()
    }

    fn wire_filter(&self) -> Option<NotificationConfigurationFilter> {
        let rule = |name: &'static str, value: &Option<String>| {
            let value = value.clone()?;
            Some(FilterRule { name: Some(FilterRuleName::from_static(name)), value: Some(value) })
        };
        let rules: Vec<_> = [rule(FilterRuleName::PREFIX, &self.prefix), rule(FilterRuleName::SUFFIX, &self.suffix)]
            .into_iter()
            .flatten()
            .collect();
        (!rules.is_empty())
            .then_some(NotificationConfigurationFilter { key: Some(S3KeyFilter { filter_rules: Some(rules) }) })
    }

    /// Two configurations must not be able to hear of the same event.
    fn check_apart_from(&self, other: &Self) -> Result<()> {
        let same_kind = self.events.iter().any(|kind| other.events.iter().any(|it| kind.meets(*it)));
        let overlap = |a: &Option<String>, b: &Option<String>, begins: fn(&str, &str) -> bool| {
            let (a, b) = (a.as_deref().unwrap_or_default(), b.as_deref().unwrap_or_default());
            begins(a, b) || begins(b, a)
        };
        let prefixes = overlap(&self.prefix, &other.prefix, |a, b| a.starts_with(b));
        let suffixes = overlap(&self.suffix, &other.suffix, |a, b| a.ends_with(b));
        if same_kind && prefixes && suffixes {
            return Err(invalid_argument(
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are \
                 overlapping for the same event type.",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    fn function(events: &[&str], prefix: &str, suffix: &str) -> LambdaFunctionConfiguration {
        let rule = |name: &str, value: &str| FilterRule {
            name: Some(FilterRuleName::from(name.to_owned())),
            value: Some(value.to_owned()),
        };
        let rules = [("Prefix", prefix), ("suffix", suffix)].into_iter().filter(|(_, value)| !value.is_empty());
        let rules = rules.map(|(name, value)| rule(name, value)).collect();
        LambdaFunctionConfiguration {
            events: events.iter().map(|event| Event::from((*event).to_owned())).collect(),
            filter: Some(NotificationConfigurationFilter { key: Some(S3KeyFilter { filter_rules: Some(rules) }) }),
            id: None,
            lambda_function_arn: ARN.into(),
        }
    }

    fn of(functions: Vec<LambdaFunctionConfiguration>) -> Result<Configuration> {
        Configuration::from_wire(NotificationConfiguration {
            lambda_function_configurations: Some(functions),
            ..NotificationConfiguration::default()
        })
    }

    #[test]
    fn filters_and_kinds_decide() {
        let found = of(vec![
            function(&["s3:ObjectCreated:*"], "in/", ".csv"),
            function(&["s3:ObjectCreated:Put", "s3:ObjectRemoved:Delete"], "", ".json"),
        ])
        .unwrap();
        let heard = |key, change| found.functions_for(key, change).count();
        assert_eq!(heard("in/a.csv", ChangeKind::CompleteUpload), 1);
        assert_eq!(heard("out/a.csv", ChangeKind::Put), 0);
        assert_eq!(heard("in/a.csv", ChangeKind::Delete), 0);
        assert_eq!((heard("a.json", ChangeKind::Put), heard("a.json", ChangeKind::Copy)), (1, 0));
        assert_eq!(heard("a.json", ChangeKind::Delete), 1);
        let kept: Configuration = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
        assert_eq!(kept, found);
        assert_eq!(Configuration::from_wire(found.to_wire()).unwrap(), found);
    }

    #[test]
    fn overlaps_are_refused() {
        let apart = |a, b| of(vec![a, b]).is_ok();
        let created = |prefix, suffix| function(&["s3:ObjectCreated:*"], prefix, suffix);
        assert!(apart(created("a/", ""), created("b/", "")));
        assert!(apart(created("a/", ".csv"), created("a/b/", ".json")));
        assert!(apart(created("", ""), function(&["s3:ObjectRemoved:*"], "", "")));
        assert!(!apart(created("a/", ""), created("a/b/", "")));
        assert!(!apart(created("", ".gz"), created("x", ".csv.gz")));
        assert!(!apart(created("", ""), function(&["s3:ObjectCreated:Copy"], "", "")));
    }

    #[test]
    fn queues_share_the_rules_with_functions() {
        let queue = |arn: &str, prefix: &str| {
            let LambdaFunctionConfiguration { events, filter, .. } = function(&["s3:ObjectCreated:*"], prefix, "");
            QueueConfiguration { events, filter, id: None, queue_arn: arn.into() }
        };
        let of = |queues, functions| {
            Configuration::from_wire(NotificationConfiguration {
                queue_configurations: Some(queues),
                lambda_function_configurations: Some(functions),
                ..NotificationConfiguration::default()
            })
        };
        let arn = "arn:aws:sqs:us-east-1:000000000000:q";
        let found = of(vec![queue(arn, "in/")], vec![function(&["s3:ObjectCreated:*"], "out/", "")]).unwrap();
        let heard =
            |key| (found.queues_for(key, ChangeKind::Put).count(), found.functions_for(key, ChangeKind::Put).count());
        assert_eq!((heard("in/a"), heard("out/a")), ((1, 0), (0, 1)));
        assert_eq!(Configuration::from_wire(found.to_wire()).unwrap(), found);
        assert!(of(vec![queue(arn, "")], vec![function(&["s3:ObjectCreated:*"], "out/", "")]).is_err(), "they overlap");
        for wrong in ["q", "arn:aws:sqs:us-east-1:000000000000:q.fifo", "arn:aws:sns:us-east-1:000000000000:t"] {
            assert_eq!(of(vec![queue(wrong, "")], Vec::new()).unwrap_err().code, "InvalidArgument", "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let code = |function| of(vec![function]).unwrap_err().code.into_owned();
        assert_eq!(code(function(&["s3:ObjectMelted:*"], "", "")), "InvalidArgument");
        assert_eq!(code(function(&["s3:Replication:*"], "", "")), "NotImplemented");
        assert_eq!(code(function(&[], "", "")), "InvalidArgument");
        let arn = LambdaFunctionConfiguration {
            lambda_function_arn: "f".into(),
            ..function(&["s3:ObjectCreated:*"], "", "")
        };
        assert_eq!(code(arn), "InvalidArgument");
        let mut twice = function(&["s3:ObjectCreated:*"], "a", "");
        let rules = twice.filter.as_mut().unwrap().key.as_mut().unwrap().filter_rules.as_mut().unwrap();
        rules.push(rules[0].clone());
        assert_eq!(code(twice), "InvalidArgument");
        let long = "x".repeat(MAX_FILTER + 1);
        assert_eq!(code(function(&["s3:ObjectCreated:*"], &long, "")), "InvalidArgument");
    }
}
