//! Schedules: create, update, get, delete, list.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Empty;
use crate::error::SchedulerError;
use crate::event::parse_time;
use crate::schedule::Expression;
use crate::store::{Events, page, seconds, valid_name};

use super::api::{FlexibleTimeWindow, ListSchedules, ScheduleInput, ScheduleNamed, Target};
use super::groups::{GROUPS, group_in};
use super::{DEFAULT_GROUP, group_name, schedule_arn, target, timer};

/// `(group, schedule)` → [`Schedule`].
pub(super) const SCHEDULES: &str = "scheduler-schedules";

/// A schedule as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) expression: String,
    pub(crate) zone: Option<String>,
    pub(crate) start: Option<DateTime<Utc>>,
    pub(crate) end: Option<DateTime<Utc>>,
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) target: Target,
    pub(crate) window: FlexibleTimeWindow,
    pub(crate) delete_after_completion: bool,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) client_token: Option<String>,
    /// Which timer is this schedule's own: changes with every update.
    pub(crate) revision: u64,
}

impl Schedule {
    /// The expression and its zone, which were checked when they came.
    pub(crate) fn rule(&self) -> Option<(Expression, Tz)> {
        let zone = self.zone.as_deref().map_or(Some(Tz::UTC), |zone| zone.parse().ok())?;
        Some((Expression::parse(&self.expression).ok()?, zone))
    }

    /// Where a rate begins.
    pub(crate) fn anchor(&self) -> DateTime<Utc> {
        self.start.unwrap_or(self.created)
    }

    pub(crate) fn flexible_window(&self) -> TimeDelta {
        TimeDelta::minutes(self.window.maximum_window_in_minutes.unwrap_or(0).into())
    }
}

fn invalid(message: impl Into<String>) -> SchedulerError {
    SchedulerError::Validation(message.into())
}

fn no_schedule(name: &str) -> SchedulerError {
    SchedulerError::NotFound(format!("Schedule {name} does not exist."))
}

/// Checks everything that a client says of a schedule.
fn checked(ctx: &Ctx, state: &Events, input: ScheduleInput) -> Result<Schedule, SchedulerError> {
    valid_name("name", &input.name, 64, "._-").map_err(invalid)?;
    if input.kms_key_arn.is_some() {
        return Err(SchedulerError::NotImplemented("KmsKeyArn".into()));
    }
    if input.description.as_ref().is_some_and(|text| text.chars().count() > 512) {
        return Err(invalid("Description must have at most 512 characters"));
    }
    check_window(&input.flexible_time_window)?;
    let one_of = |member: &str, given: Option<&str>, values: [&str; 2]| match given {
        Some(value) if !values.contains(&value) => Err(invalid(format!("{member} must be one of {values:?}"))),
        given => Ok(given == Some(values[1])),
    };
    let disabled = one_of("State", input.state.as_deref(), ["ENABLED", "DISABLED"])?;
    let delete = one_of("ActionAfterCompletion", input.action_after_completion.as_deref(), ["NONE", "DELETE"])?;
    let date = |member: &str, value: &Option<Value>| match value {
        Some(value) => parse_time(value).map(Some).ok_or_else(|| invalid(format!("{member} is not a time"))),
        None => Ok(None),
    };
    let (start, end) = (date("StartDate", &input.start_date)?, date("EndDate", &input.end_date)?);
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        return Err(invalid("The StartDate must come before the EndDate."));
    }
    if end.is_some_and(|end| end <= ctx.now()) {
        return Err(invalid("The EndDate must be in the future."));
    }
    let now = ctx.now();
    let schedule = Schedule {
        expression: input.schedule_expression,
        zone: input.schedule_expression_timezone,
        start,
        end,
        description: input.description,
        enabled: !disabled,
        target: input.target,
        window: input.flexible_time_window,
        delete_after_completion: delete,
        created: now,
        modified: now,
        client_token: input.client_token,
        revision: 1,
    };
    check_expression(&schedule, now)?;
    target::check(ctx, state, &schedule.target)?;
    Ok(schedule)
}

fn check_window(window: &FlexibleTimeWindow) -> Result<(), SchedulerError> {
    match (window.mode.as_str(), window.maximum_window_in_minutes) {
        ("OFF", None) | ("FLEXIBLE", Some(1..=1440)) => Ok(()),
        ("OFF", Some(_)) => {
            Err(invalid("MaximumWindowInMinutes can't be given when FlexibleTimeWindow's mode is OFF."))
        }
        ("FLEXIBLE", _) => Err(invalid("A flexible time window needs MaximumWindowInMinutes from 1 to 1440.")),
        _ => Err(invalid("FlexibleTimeWindow's mode must be OFF or FLEXIBLE")),
    }
}

fn check_expression(schedule: &Schedule, now: DateTime<Utc>) -> Result<(), SchedulerError> {
    let wrong = |reason: &str| invalid(format!("Invalid Schedule Expression {}. {reason}", schedule.expression));
    let expression = Expression::parse(&schedule.expression).map_err(|reason| wrong(&reason.to_string()))?;
    let zone = schedule.zone.as_deref().unwrap_or("UTC");
    let zone: Tz = zone.parse().map_err(|_| invalid(format!("Invalid ScheduleExpressionTimezone {zone}.")))?;
    if let Expression::At(_) = expression {
        if expression.next(DateTime::UNIX_EPOCH, zone, now).is_none() {
            return Err(wrong("The clocks of the time zone skip this time."));
        }
        if expression.next(now, zone, now).is_none() && schedule.enabled {
            return Err(wrong("The time is in the past."));
        }
    }
    Ok(())
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Events>, input: ScheduleInput) -> Result<Value, SchedulerError> {
    let (group, name) = (group_name(input.group_name.as_deref()).to_owned(), input.name.clone());
    let schedule = checked(&ctx, &state, input)?;
    let arn = schedule_arn(ctx.region(), &group, &name);
    let owner = Arc::clone(&state);
    state
        .metadata
        .transaction(move |tx| {
            group_in(tx, &group)?;
            let old: Option<Schedule> = tx.get_json(SCHEDULES, &Key::new([&group, &name]))?;
            if let Some(old) = old {
                // The same request again, perhaps because its answer was lost.
                let again = old.client_token.is_some()
                    && old.client_token == schedule.client_token
                    && (&old.expression, &old.target) == (&schedule.expression, &schedule.target);
                let taken = || SchedulerError::Conflict(format!("Schedule {name} already exists."));
                return if again { Ok(json!({"ScheduleArn": arn})) } else { Err(taken()) };
            }
            keep(tx, &owner, &group, &name, &schedule)?;
            Ok(json!({"ScheduleArn": arn}))
        })
        .await
}

/// Writes a schedule and sets its timer.
fn keep(
    tx: &Transaction<'_>,
    state: &Events,
    group: &str,
    name: &str,
    schedule: &Schedule,
) -> Result<(), SchedulerError> {
    tx.put_json(SCHEDULES, &Key::new([group, name]), schedule)?;
    timer::set(tx, &state.timers, group, name, schedule)
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Events>, input: ScheduleInput) -> Result<Value, SchedulerError> {
    let (group, name) = (group_name(input.group_name.as_deref()).to_owned(), input.name.clone());
    let schedule = checked(&ctx, &state, input)?;
    let arn = schedule_arn(ctx.region(), &group, &name);
    let owner = Arc::clone(&state);
    state
        .metadata
        .transaction(move |tx| {
            let old: Option<Schedule> = tx.get_json(SCHEDULES, &Key::new([&group, &name]))?;
            let old = old.ok_or_else(|| no_schedule(&name))?;
            let schedule = Schedule { created: old.created, revision: old.revision + 1, ..schedule };
            keep(tx, &owner, &group, &name, &schedule)?;
            Ok(json!({"ScheduleArn": arn}))
        })
        .await
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Events>, input: ScheduleNamed) -> Result<Value, SchedulerError> {
    let group = group_name(input.group_name.as_deref());
    let found: Option<Schedule> = state.metadata.get_json(SCHEDULES, &Key::new([group, &input.name]))?;
    let schedule = found.ok_or_else(|| no_schedule(&input.name))?;
    let mut shown = json!({
        "Arn": schedule_arn(ctx.region(), group, &input.name),
        "GroupName": group,
        "Name": input.name,
        "ScheduleExpression": schedule.expression,
        "ScheduleExpressionTimezone": schedule.zone.as_deref().unwrap_or("UTC"),
        "State": state_name(&schedule),
        "Target": target::shown(&schedule.target),
        "FlexibleTimeWindow": schedule.window,
        "ActionAfterCompletion": if schedule.delete_after_completion { "DELETE" } else { "NONE" },
        "CreationDate": seconds(schedule.created),
        "LastModificationDate": seconds(schedule.modified),
    });
    for (member, value) in [
        ("StartDate", schedule.start.map(seconds).map(Value::from)),
        ("EndDate", schedule.end.map(seconds).map(Value::from)),
        ("Description", schedule.description.map(Value::from)),
    ] {
        if let Some(value) = value {
            shown[member] = value;
        }
    }
    Ok(shown)
}

fn state_name(schedule: &Schedule) -> &'static str {
    if schedule.enabled { "ENABLED" } else { "DISABLED" }
}

pub(crate) async fn delete(_: Ctx, state: Arc<Events>, input: ScheduleNamed) -> Result<Empty, SchedulerError> {
    let group = group_name(input.group_name.as_deref()).to_owned();
    let owner = Arc::clone(&state);
    state
        .metadata
        .transaction(move |tx| {
            if !remove(tx, &owner, &group, &input.name)? {
                return Err(no_schedule(&input.name));
            }
            Ok(Empty {})
        })
        .await
}

/// Removes a schedule and its timer; says whether there was one.
pub(super) fn remove(tx: &Transaction<'_>, state: &Events, group: &str, name: &str) -> Result<bool, SchedulerError> {
    state.timers.remove(tx, &timer::id(group, name))?;
    Ok(tx.delete(SCHEDULES, &Key::new([group, name]))?)
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Events>, input: ListSchedules) -> Result<Value, SchedulerError> {
    let prefix = match &input.group_name {
        Some(group) if group != DEFAULT_GROUP && state.metadata.get(GROUPS, &Key::new([group]))?.is_none() => {
            return Err(super::groups::no_group(group));
        }
        Some(group) => Key::new([group]),
        None => Key::default(),
    };
    let mut found = Vec::new();
    for entry in state.metadata.scan(SCHEDULES, &prefix, None, usize::MAX >> 1)? {
        let [group, name] = entry.key.parts().try_into().unwrap_or_default();
        let schedule: Schedule = entry.json()?;
        let wanted = input.name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && input.state.as_ref().is_none_or(|wanted| wanted == state_name(&schedule));
        if wanted {
            // No name holds a slash.
            found.push((format!("{group}/{name}"), schedule));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let (found, next) = page(found, input.max_results, input.next_token.as_deref()).map_err(invalid)?;
    let shown: Vec<Value> = found
        .into_iter()
        .map(|(path, schedule)| {
            let (group, name) = path.split_once('/').unwrap_or_default();
            json!({
                "Arn": schedule_arn(ctx.region(), group, name),
                "GroupName": group,
                "Name": name,
                "State": state_name(&schedule),
                "CreationDate": seconds(schedule.created),
                "LastModificationDate": seconds(schedule.modified),
                "Target": {"Arn": schedule.target.arn},
            })
        })
        .collect();
    Ok(json!({"Schedules": shown, "NextToken": next}))
}
