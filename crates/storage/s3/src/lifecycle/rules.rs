//! What a bucket's lifecycle rules say.

use std::collections::{BTreeMap, BTreeSet};

use boathouse_aws::AwsError;
use boathouse_objects::ObjectInfo;
use s3s::dto::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator,
    LifecycleRuleFilter, NoncurrentVersionExpiration, NoncurrentVersionTransition, Tag, Timestamp,
    Transition as WireTransition, TransitionStorageClass,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Result, invalid_argument, invalid_request, malformed_xml};
use crate::operations::{moment, timestamp};
use crate::{storage_class, tags};

const MAX_RULES: usize = 1000;
const MAX_ID: usize = 255;
const MAX_NEWER: i32 = 100;
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Smaller objects are not moved, unless a rule speaks of sizes.
const LEAST_MOVED: u64 = 128 << 10;
/// The fewest days before an object may become one of these classes.
const LEAST_DAYS: [(&str, u32); 2] = [("STANDARD_IA", 30), ("ONEZONE_IA", 30)];

/// All rules of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
    /// What the client said of the least size that is moved.
    pub(crate) minimum: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    id: String,
    enabled: bool,
    filter: Filter,
    #[serde(default)]
    expiration: Option<Expiration>,
    #[serde(default)]
    transitions: Vec<Transition>,
    #[serde(default)]
    noncurrent_expiration: Option<Noncurrent>,
    #[serde(default)]
    noncurrent_transitions: Vec<NoncurrentTransition>,
    #[serde(default)]
    abort_days: Option<u32>,
}

/// How a filter is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Shape {
    /// `Prefix` beside the other members of the rule, as rules were written once.
    Bare,
    /// At most one condition in a `Filter`.
    #[default]
    One,
    /// Several, in an `And`.
    And,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Filter {
    shape: Shape,
    prefix: Option<String>,
    tags: BTreeMap<String, String>,
    larger_than: Option<u64>,
    smaller_than: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum When {
    /// Days after the object was written.
    Days(u32),
    /// A midnight, in milliseconds since the Unix epoch.
    Date(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Expiration {
    At(When),
    /// Delete markers with nothing behind them.
    Markers,
    /// An explicit no to the above.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Transition {
    when: When,
    class: String,
}

/// Days after the version was replaced; so many newer ones among those stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Noncurrent {
    days: u32,
    newer: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct NoncurrentTransition {
    after: Noncurrent,
    class: String,
}

/// What is to happen to a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Stay,
    Expire,
    Move(String),
}

/// The midnight that a number of days ends with.
fn due(from_ms: u64, days: u32) -> u64 {
    (from_ms + u64::from(days) * DAY_MS).div_ceil(DAY_MS) * DAY_MS
}

impl When {
    fn due(self, modified_ms: u64) -> u64 {
        match self {
            Self::Days(days) => due(modified_ms, days),
            Self::Date(ms) => ms,
        }
    }
}

impl Filter {
    fn accepts(&self, key: &str, info: &ObjectInfo) -> bool {
        let tags = &info.metadata.tags;
        self.accepts_key(key)
            && self.tags.iter().all(|(name, value)| tags.get(name) == Some(value))
            && self.larger_than.is_none_or(|size| info.size > size)
            && self.smaller_than.is_none_or(|size| info.size < size)
    }

    fn accepts_key(&self, key: &str) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix.as_str()))
    }

    /// Whether it says nothing of what only objects have.
    fn is_of_keys(&self) -> bool {
        self.tags.is_empty() && self.larger_than.is_none() && self.smaller_than.is_none()
    }

    fn moves(&self, info: &ObjectInfo) -> bool {
        info.size >= LEAST_MOVED || self.larger_than.is_some() || self.smaller_than.is_some()
    }
}

impl Rules {
    fn enabled(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.enabled)
    }

    /// The beginnings of the keys that rules are about; none is the beginning of another.
    pub(crate) fn prefixes(&self) -> Vec<&str> {
        let all = self.enabled().map(|rule| rule.filter.prefix.as_deref().unwrap_or_default());
        let all: BTreeSet<&str> = all.collect();
        let mut prefixes: Vec<&str> = Vec::new();
        for prefix in all {
            // In order, a prefix comes right before all that begins with it.
            if prefixes.last().is_none_or(|last| !prefix.starts_with(last)) {
                prefixes.push(prefix);
            }
        }
        prefixes
    }

    /// When a current object expires first, and by which rule.
    pub(crate) fn expiry(&self, key: &str, info: &ObjectInfo) -> Option<(u64, &str)> {
        let dues = self.enabled().filter(|rule| rule.filter.accepts(key, info)).filter_map(|rule| {
            let Some(Expiration::At(when)) = rule.expiration else { return None };
            Some((when.due(info.modified_ms), rule.id.as_str()))
        });
        dues.min()
    }

    /// When something becomes of a current object that does not by `now_ms`.
    pub(super) fn next(&self, key: &str, info: &ObjectInfo, now_ms: u64) -> Option<u64> {
        let accepted = self.enabled().filter(|rule| rule.filter.accepts(key, info));
        accepted.filter_map(|rule| rule.dues(info.modified_ms).filter(|due| *due > now_ms).min()).min()
    }

    /// When something becomes of what is written from `now_ms` on, at the earliest.
    pub(super) fn soonest(&self, now_ms: u64) -> Option<u64> {
        self.enabled().filter_map(|rule| rule.dues(now_ms).min()).min()
    }

    /// Whether any rule is about objects with tags.
    pub(super) fn about_tags(&self) -> bool {
        self.enabled().any(|rule| !rule.filter.tags.is_empty())
    }

    /// What becomes of a current object.
    pub(crate) fn current(&self, key: &str, info: &ObjectInfo, now_ms: u64) -> Verdict {
        if self.expiry(key, info).is_some_and(|(due, _)| due <= now_ms) {
            return Verdict::Expire;
        }
        let rules = self.enabled().filter(|rule| rule.filter.accepts(key, info) && rule.filter.moves(info));
        let moves = rules.flat_map(|rule| &rule.transitions).filter(|it| it.when.due(info.modified_ms) <= now_ms);
        moved(info, moves.map(|it| it.class.as_str()))
    }

    /// Whether a delete marker that is the only version of its key goes.
    pub(crate) fn lone_marker(&self, key: &str, info: &ObjectInfo, now_ms: u64) -> bool {
        let rules = self.enabled().filter(|rule| rule.filter.is_of_keys() && rule.filter.accepts_key(key));
        rules.filter_map(|rule| rule.expiration).any(|expiration| match expiration {
            Expiration::Markers => true,
            Expiration::At(when) => when.due(info.modified_ms) <= now_ms,
            Expiration::Nothing => false,
        })
    }

    /// What becomes of a version that was replaced at `since_ms`, and that so many replaced ones are newer than.
    pub(crate) fn noncurrent(&self, key: &str, info: &ObjectInfo, since_ms: u64, newer: u32, now_ms: u64) -> Verdict {
        let over = |it: &Noncurrent| newer >= it.newer.unwrap_or(0) && due(since_ms, it.days) <= now_ms;
        let accepted = || {
            self.enabled().filter(|rule| match info.delete_marker {
                true => rule.filter.is_of_keys() && rule.filter.accepts_key(key),
                false => rule.filter.accepts(key, info),
            })
        };
        if accepted().filter_map(|rule| rule.noncurrent_expiration.as_ref()).any(over) {
            return Verdict::Expire;
        }
        if info.delete_marker {
            return Verdict::Stay;
        }
        let moves = accepted().filter(|rule| rule.filter.moves(info)).flat_map(|rule| &rule.noncurrent_transitions);
        moved(info, moves.filter(|it| over(&it.after)).map(|it| it.class.as_str()))
    }

    /// Whether an upload in parts is given up.
    pub(crate) fn abandoned(&self, key: &str, initiated_ms: u64, now_ms: u64) -> bool {
        let rules = self.enabled().filter(|rule| rule.filter.accepts_key(key));
        rules.filter_map(|rule| rule.abort_days).any(|days| due(initiated_ms, days) <= now_ms)
    }

    /// Whether any rule speaks of uploads.
    pub(crate) fn abort_uploads(&self) -> bool {
        self.enabled().any(|rule| rule.abort_days.is_some())
    }

    /// Checks what a client sent.
    ///
    /// # Errors
    /// `MalformedXML`, `InvalidArgument`, `InvalidRequest` in S3's words; `NotImplemented` for storage classes.
    pub(crate) fn from_wire(rules: Vec<LifecycleRule>, minimum: Option<String>) -> Result<Self> {
        if rules.is_empty() || rules.len() > MAX_RULES {
            return Err(malformed_xml());
        }
        if minimum.as_deref().is_some_and(|it| !matches!(it, "varies_by_storage_class" | "all_storage_classes_128K")) {
            return Err(invalid_argument("Invalid TransitionDefaultMinimumObjectSize"));
        }
        let rules = rules.into_iter().map(Rule::from_wire).collect::<Result<Vec<_>>>()?;
        let mut ids = BTreeSet::new();
        if rules.iter().any(|rule| !ids.insert(&rule.id)) {
            return Err(invalid_argument("Rule ID must be unique. Found same ID for more than one rule"));
        }
        Ok(Self { rules, minimum })
    }

    pub(crate) fn to_wire(&self) -> Vec<LifecycleRule> {
        self.rules.iter().map(Rule::to_wire).collect()
    }
}

/// The lowest of the classes that are due, if it is below the one that the object has.
fn moved<'a>(info: &ObjectInfo, classes: impl Iterator<Item = &'a str>) -> Verdict {
    let present = storage_class::rank(storage_class::of(&info.metadata));
    let lowest = classes.max_by_key(|class| storage_class::rank(class));
    match lowest.filter(|class| storage_class::rank(class) > present) {
        Some(class) => Verdict::Move(class.to_owned()),
        None => Verdict::Stay,
    }
}

fn positive(given: i32, what: &str) -> Result<u32> {
    let number = u32::try_from(given).ok().filter(|number| *number > 0);
    number.ok_or_else(|| invalid_argument(format!("'{what}' must be a positive integer")))
}

fn midnight(date: &Timestamp) -> Result<u64> {
    let ms = moment(date).and_then(|moment| u64::try_from(moment.timestamp_millis()).ok());
    ms.filter(|ms| ms % DAY_MS == 0).ok_or_else(|| invalid_argument("'Date' must be at midnight GMT"))
}

fn when(days: Option<i32>, date: Option<&Timestamp>, action: &str) -> Result<Option<When>> {
    match (days, date) {
        (None, None) => Ok(None),
        (Some(days), None) => positive(days, &format!("Days' for {action} action")).map(When::Days).map(Some),
        (None, Some(date)) => midnight(date).map(When::Date).map(Some),
        (Some(_), Some(_)) => Err(malformed_xml()),
    }
}

fn newer(given: Option<i32>) -> Result<Option<u32>> {
    match given {
        None => Ok(None),
        Some(count @ 1..=MAX_NEWER) => Ok(Some(count as u32)),
        Some(_) => Err(invalid_argument("'NewerNoncurrentVersions' must be between 1 and 100")),
    }
}

fn class(wire: Option<&TransitionStorageClass>) -> Result<String> {
    let class = wire.map(TransitionStorageClass::as_str).ok_or_else(malformed_xml)?;
    match storage_class::checked(class) {
        Ok(class) if storage_class::rank(class) > 0 => Ok(class.to_owned()),
        Ok(_) => Err(malformed_xml()),
        Err(error) if error.code == "InvalidStorageClass" => Err(malformed_xml()),
        Err(error) => Err(error),
    }
}

impl Rule {
    /// When it says something of a current object of that age.
    fn dues(&self, modified_ms: u64) -> impl Iterator<Item = u64> {
        let expiry = match self.expiration {
            Some(Expiration::At(when)) => Some(when),
            _ => None,
        };
        let moves = self.transitions.iter().map(|transition| transition.when);
        moves.chain(expiry).map(move |when| when.due(modified_ms))
    }

    fn from_wire(wire: LifecycleRule) -> Result<Self> {
        let enabled = match wire.status.as_str() {
            ExpirationStatus::ENABLED => true,
            ExpirationStatus::DISABLED => false,
            _ => return Err(malformed_xml()),
        };
        let id = wire.id.filter(|id| !id.is_empty()).unwrap_or_else(|| Uuid::new_v4().to_string());
        if id.chars().count() > MAX_ID {
            return Err(invalid_argument("ID length should not exceed allowed limit of 255"));
        }
        let rule = Self {
            id,
            enabled,
            filter: Filter::from_wire(wire.filter, wire.prefix)?,
            expiration: wire.expiration.map(expiration).transpose()?,
            transitions: wire.transitions.unwrap_or_default().iter().map(transition).collect::<Result<_>>()?,
            noncurrent_expiration: wire
                .noncurrent_version_expiration
                .as_ref()
                .map(noncurrent_expiration)
                .transpose()?,
            noncurrent_transitions: {
                let wire = wire.noncurrent_version_transitions.unwrap_or_default();
                wire.iter().map(noncurrent_transition).collect::<Result<_>>()?
            },
            abort_days: {
                let days = wire.abort_incomplete_multipart_upload.map(|abort| abort.days_after_initiation);
                days.map(|days| positive(days.unwrap_or_default(), "DaysAfterInitiation")).transpose()?
            },
        };
        rule.check().map(|()| rule)
    }

    fn check(&self) -> Result<()> {
        let nothing = self.expiration.is_none()
            && self.transitions.is_empty()
            && self.noncurrent_expiration.is_none()
            && self.noncurrent_transitions.is_empty()
            && self.abort_days.is_none();
        if nothing {
            return Err(invalid_request("At least one action needs to be specified in a rule"));
        }
        if self.abort_days.is_some() && !self.filter.is_of_keys() {
            return Err(invalid_request(
                "AbortIncompleteMultipartUpload cannot be specified with Tags or object sizes.",
            ));
        }
        if self.expiration == Some(Expiration::Markers) && !self.filter.is_of_keys() {
            return Err(invalid_request("ExpiredObjectDeleteMarker cannot be specified with Tags or object sizes."));
        }
        let expiry = match self.expiration {
            Some(Expiration::At(when)) => Some(when),
            _ => None,
        };
        for transition in &self.transitions {
            transition.check(expiry, self.filter.prefix.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn to_wire(&self) -> LifecycleRule {
        let days = |when| if let When::Days(days) = when { Some(days as i32) } else { None };
        let date = |when| if let When::Date(ms) = when { Some(timestamp(ms)) } else { None };
        let expiration = self.expiration.map(|expiration| match expiration {
            Expiration::At(when) => {
                LifecycleExpiration { date: date(when), days: days(when), expired_object_delete_marker: None }
            }
            Expiration::Markers => marker_expiration(true),
            Expiration::Nothing => marker_expiration(false),
        });
        let transitions = self.transitions.iter().map(|it| WireTransition {
            date: date(it.when),
            days: days(it.when),
            storage_class: Some(TransitionStorageClass::from(it.class.clone())),
        });
        let noncurrent = self.noncurrent_transitions.iter().map(|it| NoncurrentVersionTransition {
            newer_noncurrent_versions: it.after.newer.map(|count| count as i32),
            noncurrent_days: Some(it.after.days as i32),
            storage_class: Some(TransitionStorageClass::from(it.class.clone())),
        });
        let (filter, prefix) = self.filter.to_wire();
        LifecycleRule {
            abort_incomplete_multipart_upload: self
                .abort_days
                .map(|days| AbortIncompleteMultipartUpload { days_after_initiation: Some(days as i32) }),
            expiration,
            filter,
            id: Some(self.id.clone()),
            noncurrent_version_expiration: self.noncurrent_expiration.map(|it| NoncurrentVersionExpiration {
                newer_noncurrent_versions: it.newer.map(|count| count as i32),
                noncurrent_days: Some(it.days as i32),
            }),
            noncurrent_version_transitions: Some(noncurrent.collect::<Vec<_>>()).filter(|it| !it.is_empty()),
            prefix,
            status: ExpirationStatus::from_static(match self.enabled {
                true => ExpirationStatus::ENABLED,
                false => ExpirationStatus::DISABLED,
            }),
            transitions: Some(transitions.collect::<Vec<_>>()).filter(|it| !it.is_empty()),
        }
    }
}

fn marker_expiration(wanted: bool) -> LifecycleExpiration {
    LifecycleExpiration { expired_object_delete_marker: Some(wanted), ..LifecycleExpiration::default() }
}

fn expiration(wire: LifecycleExpiration) -> Result<Expiration> {
    match (when(wire.days, wire.date.as_ref(), "Expiration")?, wire.expired_object_delete_marker) {
        (Some(when), None) => Ok(Expiration::At(when)),
        (None, Some(true)) => Ok(Expiration::Markers),
        (None, Some(false)) => Ok(Expiration::Nothing),
        _ => Err(malformed_xml()),
    }
}

fn transition(wire: &WireTransition) -> Result<Transition> {
    let class = class(wire.storage_class.as_ref())?;
    let when = when(wire.days, wire.date.as_ref(), "Transition")?.ok_or_else(malformed_xml)?;
    Ok(Transition { when, class })
}

fn noncurrent_expiration(wire: &NoncurrentVersionExpiration) -> Result<Noncurrent> {
    let days = positive(wire.noncurrent_days.ok_or_else(malformed_xml)?, "NoncurrentDays")?;
    Ok(Noncurrent { days, newer: newer(wire.newer_noncurrent_versions)? })
}

fn noncurrent_transition(wire: &NoncurrentVersionTransition) -> Result<NoncurrentTransition> {
    let days = positive(wire.noncurrent_days.ok_or_else(malformed_xml)?, "NoncurrentDays")?;
    let after = Noncurrent { days, newer: newer(wire.newer_noncurrent_versions)? };
    Ok(NoncurrentTransition { after, class: class(wire.storage_class.as_ref())? })
}

impl Transition {
    fn check(&self, expiry: Option<When>, prefix: &str) -> Result<()> {
        let least = LEAST_DAYS.iter().find(|(class, _)| *class == self.class).map_or(0, |(_, days)| *days);
        match (self.when, expiry) {
            (When::Days(days), _) if days < least => Err(invalid_argument(format!(
                "'Days' in Transition action must be greater than or equal to {least} for storageClass '{}'",
                self.class
            ))),
            (When::Days(days), Some(When::Days(end))) if end <= days => Err(invalid_argument(format!(
                "'Days' in the Expiration action for filter '(prefix={prefix})' must be greater than 'Days' in the \
                 Transition action"
            ))),
            (When::Date(date), Some(When::Date(end))) if end <= date => Err(invalid_argument(format!(
                "'Date' in the Expiration action for filter '(prefix={prefix})' must be later than 'Date' in the \
                 Transition action"
            ))),
            (When::Days(_), Some(When::Date(_))) | (When::Date(_), Some(When::Days(_))) => {
                Err(invalid_request(format!(
                    "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for prefix \
                     '{prefix}'"
                )))
            }
            _ => Ok(()),
        }
    }
}

fn size(given: Option<i64>) -> Result<Option<u64>> {
    given.map(|size| u64::try_from(size).map_err(|_| invalid_request("Object sizes can't be negative"))).transpose()
}

impl Filter {
    fn from_wire(filter: Option<LifecycleRuleFilter>, prefix: Option<String>) -> Result<Self> {
        let filter = match (filter, prefix) {
            (Some(filter), None) => filter,
            (None, Some(prefix)) => {
                return Ok(Self { shape: Shape::Bare, prefix: Some(prefix), ..Self::default() });
            }
            _ => return Err(malformed_xml()),
        };
        let (bigger, smaller) = (filter.object_size_greater_than, filter.object_size_less_than);
        let given = [filter.prefix.is_some(), filter.tag.is_some(), bigger.is_some(), smaller.is_some()];
        let given = given.iter().filter(|given| **given).count();
        match filter.and {
            None if given <= 1 => {
                Self::of(Shape::One, filter.prefix, filter.tag.into_iter().collect(), bigger, smaller)
            }
            Some(and) if given == 0 => Self::of_and(and),
            _ => Err(malformed_xml()),
        }
    }

    fn of_and(and: LifecycleRuleAndOperator) -> Result<Self> {
        let tags = and.tags.unwrap_or_default();
        let (bigger, smaller) = (and.object_size_greater_than, and.object_size_less_than);
        let others = [and.prefix.is_some(), bigger.is_some(), smaller.is_some()];
        if others.iter().filter(|given| **given).count() + tags.len() < 2 {
            return Err(malformed_xml());
        }
        Self::of(Shape::And, and.prefix, tags, bigger, smaller)
    }

    fn of(
        shape: Shape,
        prefix: Option<String>,
        tags: Vec<Tag>,
        bigger: Option<i64>,
        smaller: Option<i64>,
    ) -> Result<Self> {
        let tags = tags::from_set(tags, tags::MAX_OBJECT)?;
        let (larger_than, smaller_than) = (size(bigger)?, size(smaller)?);
        if larger_than.zip(smaller_than).is_some_and(|(least, most)| least >= most) {
            return Err(invalid_request(
                "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
            ));
        }
        Ok(Self { shape, prefix, tags, larger_than, smaller_than })
    }

    fn to_wire(&self) -> (Option<LifecycleRuleFilter>, Option<String>) {
        let (bigger, smaller) = (self.larger_than.map(|it| it as i64), self.smaller_than.map(|it| it as i64));
        let filter = match self.shape {
            Shape::Bare => return (None, self.prefix.clone()),
            Shape::One => LifecycleRuleFilter {
                object_size_greater_than: bigger,
                object_size_less_than: smaller,
                prefix: self.prefix.clone(),
                tag: tags::to_set(&self.tags).pop(),
                ..LifecycleRuleFilter::default()
            },
            Shape::And => LifecycleRuleFilter {
                and: Some(LifecycleRuleAndOperator {
                    object_size_greater_than: bigger,
                    object_size_less_than: smaller,
                    prefix: self.prefix.clone(),
                    tags: Some(tags::to_set(&self.tags)).filter(|tags| !tags.is_empty()),
                }),
                ..LifecycleRuleFilter::default()
            },
        };
        (Some(filter), None)
    }
}

/// What is answered where there are no rules.
pub(crate) fn missing() -> AwsError {
    crate::error::not_found("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
}

#[cfg(test)]
mod tests {
    use boathouse_objects::Metadata;

    use super::*;

    fn rule(change: impl FnOnce(&mut LifecycleRule)) -> LifecycleRule {
        let mut rule = LifecycleRule {
            abort_incomplete_multipart_upload: None,
            expiration: None,
            filter: Some(LifecycleRuleFilter { prefix: Some("logs/".into()), ..LifecycleRuleFilter::default() }),
            id: Some("r".into()),
            noncurrent_version_expiration: None,
            noncurrent_version_transitions: None,
            prefix: None,
            status: ExpirationStatus::from_static(ExpirationStatus::ENABLED),
            transitions: None,
        };
        change(&mut rule);
        rule
    }

    fn days(days: i32) -> LifecycleExpiration {
        LifecycleExpiration { days: Some(days), ..LifecycleExpiration::default() }
    }

    fn rules(change: impl FnOnce(&mut LifecycleRule)) -> Result<Rules> {
        Rules::from_wire(vec![rule(change)], None)
    }

    fn code(change: impl FnOnce(&mut LifecycleRule)) -> String {
        rules(change).unwrap_err().code.into_owned()
    }

    fn object(modified_ms: u64) -> ObjectInfo {
        ObjectInfo { size: 1 << 20, modified_ms, ..ObjectInfo::default() }
    }

    #[test]
    fn only_what_rules_are_about_is_looked_at() {
        let about = |prefixes: &[&str]| {
            let rules = prefixes.iter().map(|prefix| {
                rule(|rule| {
                    rule.id = Some(format!("of {prefix}"));
                    rule.filter =
                        Some(LifecycleRuleFilter { prefix: Some((*prefix).into()), ..LifecycleRuleFilter::default() });
                    rule.expiration = Some(days(1));
                })
            });
            let rules = Rules::from_wire(rules.collect(), None).unwrap();
            rules.prefixes().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(about(&["b/c/", "a", "b/", "ab"]), ["a", "b/"]);
        assert_eq!(about(&["b/", ""]), [""]);
    }

    #[test]
    fn days_end_at_midnight() {
        let rules = rules(|rule| rule.expiration = Some(days(1))).unwrap();
        let info = object(DAY_MS / 2);
        assert_eq!(rules.expiry("logs/a", &info), Some((2 * DAY_MS, "r")));
        assert_eq!(rules.current("logs/a", &info, 2 * DAY_MS - 1), Verdict::Stay);
        assert_eq!(rules.current("logs/a", &info, 2 * DAY_MS), Verdict::Expire);
        assert_eq!(rules.current("other", &info, 9 * DAY_MS), Verdict::Stay);
        assert_eq!(rules.expiry("logs/a", &object(DAY_MS)), Some((2 * DAY_MS, "r")));
    }

    #[test]
    fn the_next_thing_that_happens() {
        let move_at = |days| WireTransition {
            days: Some(days),
            storage_class: Some(TransitionStorageClass::from_static("STANDARD_IA")),
            ..WireTransition::default()
        };
        let rules = rules(|rule| {
            rule.expiration = Some(days(60));
            rule.transitions = Some(vec![move_at(30)]);
        })
        .unwrap();
        let next = |now| rules.next("logs/a", &object(DAY_MS / 2), now);
        assert_eq!([next(0), next(31 * DAY_MS), next(61 * DAY_MS)], [Some(31 * DAY_MS), Some(61 * DAY_MS), None]);
        assert_eq!(rules.next("other", &object(0), 0), None);
        assert_eq!(rules.soonest(5 * DAY_MS), Some(35 * DAY_MS));
        assert!(!rules.about_tags());
    }

    #[test]
    fn replaced_versions_go_but_for_the_newest() {
        let rules = rules(|rule| {
            rule.noncurrent_version_expiration =
                Some(NoncurrentVersionExpiration { newer_noncurrent_versions: Some(2), noncurrent_days: Some(1) });
        })
        .unwrap();
        let verdict = |newer, now| rules.noncurrent("logs/a", &object(0), DAY_MS, newer, now);
        assert_eq!(verdict(1, 9 * DAY_MS), Verdict::Stay);
        assert_eq!(verdict(2, 9 * DAY_MS), Verdict::Expire);
        assert_eq!(verdict(2, 2 * DAY_MS - 1), Verdict::Stay);
    }

    #[test]
    fn objects_move_downwards_only() {
        let transition = |days, class: &str| WireTransition {
            days: Some(days),
            storage_class: Some(TransitionStorageClass::from(class.to_owned())),
            ..WireTransition::default()
        };
        let wire = vec![transition(30, "STANDARD_IA"), transition(60, "GLACIER_IR")];
        let rules = rules(|rule| rule.transitions = Some(wire)).unwrap();
        let mut info = object(0);
        assert_eq!(rules.current("logs/a", &info, 29 * DAY_MS), Verdict::Stay);
        assert_eq!(rules.current("logs/a", &info, 30 * DAY_MS), Verdict::Move("STANDARD_IA".into()));
        assert_eq!(rules.current("logs/a", &info, 90 * DAY_MS), Verdict::Move("GLACIER_IR".into()));
        storage_class::keep(&mut info.metadata.system, "GLACIER_IR");
        assert_eq!(rules.current("logs/a", &info, 90 * DAY_MS), Verdict::Stay);
        let small = ObjectInfo { size: 9, ..object(0) };
        assert_eq!(rules.current("logs/a", &small, 90 * DAY_MS), Verdict::Stay);
    }

    #[test]
    fn filters_hold_tags_and_sizes() {
        let tag = Tag { key: Some("a".into()), value: Some("1".into()) };
        let and = LifecycleRuleAndOperator {
            object_size_greater_than: Some(5),
            tags: Some(vec![tag]),
            ..LifecycleRuleAndOperator::default()
        };
        let rules = rules(|rule| {
            rule.expiration = Some(days(1));
            rule.filter = Some(LifecycleRuleFilter { and: Some(and), ..LifecycleRuleFilter::default() });
        })
        .unwrap();
        let tagged = |size, value: &str| ObjectInfo {
            size,
            metadata: Metadata { tags: BTreeMap::from([("a".into(), value.into())]), ..Metadata::default() },
            ..ObjectInfo::default()
        };
        assert_eq!(rules.current("k", &tagged(6, "1"), DAY_MS), Verdict::Expire);
        assert_eq!(rules.current("k", &tagged(5, "1"), DAY_MS), Verdict::Stay);
        assert_eq!(rules.current("k", &tagged(6, "2"), DAY_MS), Verdict::Stay);
        assert_eq!(Rules::from_wire(rules.to_wire(), None).unwrap(), rules);
    }

    #[test]
    fn lone_markers_and_uploads() {
        let marker = ObjectInfo { delete_marker: true, ..object(0) };
        let lone = rules(|rule| rule.expiration = Some(marker_expiration(true))).unwrap();
        assert!(lone.lone_marker("logs/a", &marker, 0) && !lone.lone_marker("a", &marker, 0));
        assert_eq!(lone.current("logs/a", &object(0), 99 * DAY_MS), Verdict::Stay);
        let aged = rules(|rule| rule.expiration = Some(days(2))).unwrap();
        assert!(!aged.lone_marker("logs/a", &marker, DAY_MS) && aged.lone_marker("logs/a", &marker, 2 * DAY_MS));
        let abort = AbortIncompleteMultipartUpload { days_after_initiation: Some(3) };
        let rules = rules(|rule| rule.abort_incomplete_multipart_upload = Some(abort)).unwrap();
        assert!(rules.abandoned("logs/a", 0, 3 * DAY_MS) && !rules.abandoned("logs/a", 1, 3 * DAY_MS));
    }

    #[test]
    fn wrong_rules_are_refused() {
        assert_eq!(code(|_| ()), "InvalidRequest");
        assert_eq!(code(|rule| rule.expiration = Some(days(0))), "InvalidArgument");
        assert_eq!(code(|rule| rule.expiration = Some(LifecycleExpiration::default())), "MalformedXML");
        let both = LifecycleExpiration { expired_object_delete_marker: Some(true), ..days(1) };
        assert_eq!(code(|rule| rule.expiration = Some(both)), "MalformedXML");
        let noon = LifecycleExpiration { date: Some(timestamp(DAY_MS / 2)), ..LifecycleExpiration::default() };
        assert_eq!(code(|rule| rule.expiration = Some(noon)), "InvalidArgument");
        let no_filter = code(|rule| (rule.expiration, rule.filter) = (Some(days(1)), None));
        assert_eq!(no_filter, "MalformedXML");
        let early = WireTransition {
            days: Some(3),
            storage_class: Some(TransitionStorageClass::from_static("STANDARD_IA")),
            ..WireTransition::default()
        };
        assert_eq!(code(|rule| rule.transitions = Some(vec![early.clone()])), "InvalidArgument");
        let deep = WireTransition { storage_class: Some(TransitionStorageClass::from_static("GLACIER")), ..early };
        assert_eq!(code(|rule| rule.transitions = Some(vec![deep])), "NotImplemented");
        let twice = rule(|rule| rule.expiration = Some(days(1)));
        assert_eq!(Rules::from_wire(vec![twice.clone(), twice], None).unwrap_err().code, "InvalidArgument");
    }
}
