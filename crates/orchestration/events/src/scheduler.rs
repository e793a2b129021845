//! EventBridge Scheduler: schedules and their groups.
//!
//! AWS counterpart: "Amazon EventBridge Scheduler API Reference". Schedules act as their target's role, which must trust
//! `scheduler.amazonaws.com`.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types |
//! | `schedules`, `groups`, `tags` | one file for each resource |
//! | `target` | what a schedule's target does |
//! | `timer` | when a schedule fires, and what happens then |

pub mod api;
mod groups;
mod schedules;
mod tags;
mod target;
pub(crate) mod timer;

use std::sync::Arc;

use boathouse_aws::protocol::rest_json::Route;
use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Arn, Ctx, Protocol, ServiceTable};

use crate::store::Events;

use self::api::{GroupNamed, ListSchedules, ScheduleInput, ScheduleNamed};

/// The service that schedules' roles must trust.
pub(crate) const SCHEDULER_PRINCIPAL: &str = "scheduler.amazonaws.com";
/// The group that always exists.
pub(crate) const DEFAULT_GROUP: &str = "default";

/// The service `scheduler`.
#[must_use]
pub fn scheduler_service(state: &Arc<Events>) -> ServiceTable {
    let keeper = Arc::clone(state);
    let table = ServiceTable::new("scheduler", Protocol::RestJson);
    let table = table.with_tags(move |arn| tags::of(&keeper, arn));
    tag_operations(group_operations(schedule_operations(table, state), state), state)
}

fn schedule_operations(table: ServiceTable, state: &Arc<Events>) -> ServiceTable {
    let given = || {
        Access::On(|ctx: &Ctx, input: &ScheduleInput| {
            vec![schedule_arn(ctx.region(), group_name(input.group_name.as_deref()), &input.name)]
        })
    };
    let named = || {
        Access::On(|ctx: &Ctx, input: &ScheduleNamed| {
            vec![schedule_arn(ctx.region(), group_name(input.group_name.as_deref()), &input.name)]
        })
    };
    let listed = Access::On(|ctx: &Ctx, input: &ListSchedules| {
        vec![schedule_arn(ctx.region(), input.group_name.as_deref().unwrap_or("*"), "*")]
    });
    table
        .operation("CreateSchedule", given(), state, schedules::create)
        .route("CreateSchedule", Route::post("/schedules/{Name}"))
        .operation("UpdateSchedule", given(), state, schedules::update)
        .route("UpdateSchedule", Route::put("/schedules/{Name}"))
        .operation("GetSchedule", named(), state, schedules::get)
        .route("GetSchedule", Route::get("/schedules/{Name}").query("groupName", "GroupName"))
        .operation("DeleteSchedule", named(), state, schedules::delete)
        .route(
            "DeleteSchedule",
            Route::delete("/schedules/{Name}").query("groupName", "GroupName").query("clientToken", "ClientToken"),
        )
        .operation("ListSchedules", listed, state, schedules::list)
        .route(
            "ListSchedules",
            Route::get("/schedules")
                .query("ScheduleGroup", "GroupName")
                .query("NamePrefix", "NamePrefix")
                .query("State", "State")
                .query("NextToken", "NextToken")
                .query_number("MaxResults", "MaxResults"),
        )
}

fn group_operations(table: ServiceTable, state: &Arc<Events>) -> ServiceTable {
    let named = || Access::On(|ctx: &Ctx, input: &GroupNamed| vec![group_arn(ctx.region(), &input.name)]);
    table
        .operation("CreateScheduleGroup", named(), state, groups::create)
        .route("CreateScheduleGroup", Route::post("/schedule-groups/{Name}"))
        .operation("GetScheduleGroup", named(), state, groups::get)
        .route("GetScheduleGroup", Route::get("/schedule-groups/{Name}"))
        .operation("DeleteScheduleGroup", named(), state, groups::delete)
        .route("DeleteScheduleGroup", Route::delete("/schedule-groups/{Name}").query("clientToken", "ClientToken"))
        .operation("ListScheduleGroups", Access::On(any_resource), state, groups::list)
        .route(
            "ListScheduleGroups",
            Route::get("/schedule-groups")
                .query("NamePrefix", "NamePrefix")
                .query("NextToken", "NextToken")
                .query_number("MaxResults", "MaxResults"),
        )
}

fn tag_operations(table: ServiceTable, state: &Arc<Events>) -> ServiceTable {
    table
        .operation(
            "TagResource",
            Access::On(|_, input: &api::TagResource| vec![input.resource_arn.clone()]),
            state,
            tags::tag,
        )
        .route("TagResource", Route::post("/tags/{ResourceArn}"))
        .operation(
            "UntagResource",
            Access::On(|_, input: &api::UntagResource| vec![input.resource_arn.clone()]),
            state,
            tags::untag,
        )
        .route("UntagResource", Route::delete("/tags/{ResourceArn}").query_list("TagKeys", "TagKeys"))
        .operation(
            "ListTagsForResource",
            Access::On(|_, input: &api::TaggedResource| vec![input.resource_arn.clone()]),
            state,
            tags::list,
        )
        .route("ListTagsForResource", Route::get("/tags/{ResourceArn}"))
}

pub(crate) fn group_name(given: Option<&str>) -> &str {
    given.unwrap_or(DEFAULT_GROUP)
}

pub(crate) fn schedule_arn(region: &str, group: &str, name: &str) -> String {
    Arn::new("scheduler", region, format!("schedule/{group}/{name}")).to_string()
}

pub(crate) fn group_arn(region: &str, name: &str) -> String {
    Arn::new("scheduler", region, format!("schedule-group/{name}")).to_string()
}
