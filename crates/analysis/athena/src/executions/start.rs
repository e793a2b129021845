//! StartQueryExecution: an acknowledged execution is on disk, and runs once per ClientRequestToken.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use boathouse_trino_parser::ast::{Expr, Statement};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::row::{Context, Execution, Private, ReuseInformation, Row, State, Statistics, Status};
use super::telling::change;
use super::{history, put};
use crate::Athena;
use crate::data_catalogs;
use crate::error::AthenaError;
use crate::files::{Files, Place};
use crate::prepared;
use crate::statements::kind;
use crate::store::*;
use crate::workgroups::{self, PRIMARY, ResultConfiguration, WorkGroup};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Start {
    query_string: String,
    client_request_token: Option<String>,
    #[serde(default)]
    query_execution_context: Context,
    #[serde(default)]
    result_configuration: ResultConfiguration,
    pub(crate) work_group: Option<String>,
    execution_parameters: Option<Vec<String>>,
    result_reuse_configuration: Option<Reuse>,
    engine_configuration: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reuse {
    result_reuse_by_age_configuration: Option<ReuseByAge>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReuseByAge {
    enabled: bool,
    #[serde(default = "one_hour")]
    max_age_in_minutes: u32,
}

fn one_hour() -> u32 {
    60
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Started {
    query_execution_id: String,
}

/// A statement that the grammar accepts, and the values of its parameters.
pub(crate) struct Prepared {
    pub(crate) statement: Statement,
    pub(crate) parameters: Vec<Expr>,
}

pub(crate) async fn start(ctx: Ctx, athena: Arc<Athena>, request: Start) -> Result<Started, AthenaError> {
    check(&request)?;
    let group = workgroups::find(&athena, request.work_group.as_deref().unwrap_or(PRIMARY))?;
    if group.state == workgroups::State::Disabled {
        return Err(AthenaError::Invalid(format!("WorkGroup {} is disabled.", group.name)));
    }
    let (statement, prepared) = parse(&athena, &request, &group)?;
    let cutoff = group.configuration.bytes_scanned_cutoff_per_query;
    let mut row = new_row(&ctx, request, &group, (&statement, kind::result_suffix(&prepared.statement)))?;
    let reused = reuse(&ctx, &athena, &mut row).await?;
    let place = if reused { None } else { Some(athena.runner.queue()?) };
    let (id, admitted) = admit(&ctx, &athena, row.clone()).await?;
    if let (true, Some(place)) = (admitted, place) {
        athena.runner.launch(&athena, ctx, row, prepared, cutoff, place);
    }
    Ok(Started { query_execution_id: id })
}

fn check(request: &Start) -> Result<(), AthenaError> {
    check_length(&request.query_string, "QueryString", 1, 262_144)?;
    if let Some(token) = &request.client_request_token {
        check_length(token, "ClientRequestToken", 32, 128)?;
    }
    if request.engine_configuration.as_ref().is_some_and(|value| !value.is_null()) {
        return Err(AthenaError::NotImplemented("EngineConfiguration"));
    }
    if let Some(catalog) = &request.query_execution_context.catalog {
        data_catalogs::check(catalog)?;
    }
    request.result_configuration.check()
}

fn malformed(error: boathouse_trino_parser::SyntaxError) -> AthenaError {
    AthenaError::Malformed(error.to_string())
}

/// The statement as written, and what runs: EXECUTE runs another one.
fn parse(athena: &Athena, request: &Start, group: &WorkGroup) -> Result<(Statement, Prepared), AthenaError> {
    let parsed = boathouse_trino_parser::parse(&request.query_string).map_err(malformed)?;
    let given = request.execution_parameters.iter().flatten();
    let mut parameters = given
        .map(|text| boathouse_trino_parser::parse_expression(text).map_err(malformed))
        .collect::<Result<Vec<_>, _>>()?;
    let (runs, expected) = match &parsed.statement {
        Statement::Execute(execute) => {
            let kept = prepared::find(athena, &group.name, &execute.name.value).map_err(as_invalid)?;
            let inner = boathouse_trino_parser::parse(&kept.query_statement).map_err(malformed)?;
            if !execute.arguments.is_empty() {
                parameters.clone_from(&execute.arguments);
            }
            (inner.statement, inner.parameters)
        }
        Statement::Prepare(_) => (parsed.statement.clone(), parameters.len()),
        _ => (parsed.statement.clone(), parsed.parameters),
    };
    if parameters.len() != expected {
        let found = parameters.len();
        let message = format!("Incorrect number of parameters: expected {expected} but found {found}");
        return Err(AthenaError::Malformed(message));
    }
    Ok((parsed.statement, Prepared { statement: runs, parameters }))
}

fn as_invalid(error: AthenaError) -> AthenaError {
    match error {
        AthenaError::NotFound { message, .. } => AthenaError::Invalid(message),
        other => other,
    }
}

fn new_row(
    ctx: &Ctx,
    request: Start,
    group: &WorkGroup,
    (statement, suffix): (&Statement, &str),
) -> Result<Row, AthenaError> {
    let id = Uuid::new_v4().to_string();
    let mut results = effective(&request.result_configuration, group)?;
    let folder = results.output_location.unwrap_or_default();
    results.output_location = Some(format!("{}/{id}{suffix}", folder.trim_end_matches('/')));
    let reuse = request.result_reuse_configuration.and_then(|reuse| reuse.result_reuse_by_age_configuration);
    if reuse.is_some_and(|reuse| reuse.max_age_in_minutes > 10_080) {
        return Err(AthenaError::invalid("MaxAgeInMinutes must be at most 10080"));
    }
    let same = json!([
        request.query_string,
        request.query_execution_context,
        request.result_configuration,
        group.name,
        request.execution_parameters,
        reuse
    ]);
    let execution = Execution {
        query_execution_id: id,
        query: request.query_string,
        statement_type: statement.kind().as_str().to_owned(),
        substatement_type: Some(kind::substatement(statement).to_owned()),
        result_configuration: results,
        result_reuse_configuration: reuse.map(|reuse| json!({"ResultReuseByAgeConfiguration": reuse})),
        query_execution_context: request.query_execution_context,
        status: Status {
            state: State::Queued,
            state_change_reason: None,
            submission_date_time: now(ctx),
            completion_date_time: None,
            athena_error: None,
        },
        statistics: Statistics::default(),
        work_group: group.name.clone(),
        engine_version: group.configuration.engine_version.clone(),
        execution_parameters: request.execution_parameters,
    };
    let private = Private { token: request.client_request_token, request: same, ..Private::default() };
    Ok(Row { execution, private })
}

/// The workgroup's settings win if it enforces them; else it fills in what the client left out.
fn effective(own: &ResultConfiguration, group: &WorkGroup) -> Result<ResultConfiguration, AthenaError> {
    let shared = &group.configuration.result_configuration;
    let given = |configuration: &ResultConfiguration| {
        configuration.output_location.clone().filter(|location| !location.is_empty())
    };
    let chosen = match (group.configuration.enforce_work_group_configuration, given(shared), given(own)) {
        (true, Some(_), _) | (_, Some(_), None) => shared,
        (_, _, Some(_)) => own,
        (_, None, None) => {
            return Err(AthenaError::invalid(
                "No output location provided. An output location is required either through the Workgroup result \
                 configuration setting or as an API input.",
            ));
        }
    };
    Ok(chosen.clone())
}

/// Makes the row durable, unless its token has been seen: then the earlier execution is the answer.
async fn admit(ctx: &Ctx, athena: &Athena, row: Row) -> Result<(String, bool), AthenaError> {
    let (teller, told) = (ctx.platform.events.clone(), change(ctx.now(), &row, None));
    athena
        .metadata
        .transaction(move |tx| {
            if let Some(id) = earlier(tx, &row)? {
                return Ok((id, false));
            }
            history::purge(tx, row.execution.status.submission_date_time)?;
            history::enlist(tx, &row)?;
            put(tx, &row)?;
            if let Some(token) = &row.private.token {
                tx.put(TOKENS, &Key::new([token]), row.id().as_bytes())?;
            }
            teller.tell(tx, told)?;
            Ok((row.id().to_owned(), true))
        })
        .await
}

fn earlier(tx: &Transaction<'_>, row: &Row) -> Result<Option<String>, AthenaError> {
    let Some(token) = &row.private.token else { return Ok(None) };
    let Some(entry) = tx.get(TOKENS, &Key::new([token]))? else { return Ok(None) };
    let id = String::from_utf8_lossy(&entry.value).into_owned();
    match tx.get_json::<Row>(EXECUTIONS, &Key::new([&id]))? {
        Some(earlier) if earlier.private.request == row.private.request => Ok(Some(id)),
        Some(_) => Err(AthenaError::invalid("Idempotent parameters do not match")),
        None => Ok(None),
    }
}

/// The key of results that may stand for each other: the same statement in the same context.
pub(crate) fn reuse_key(row: &Row) -> Key {
    let execution = &row.execution;
    let same = json!([execution.query, execution.query_execution_context, execution.execution_parameters]);
    let bytes = same.to_string();
    let hash = bytes
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Key::new([execution.work_group.as_str(), &format!("{hash:016x}")])
}

/// Makes the row a finished one if a young enough result is there and the caller may read it.
async fn reuse(ctx: &Ctx, athena: &Athena, row: &mut Row) -> Result<bool, AthenaError> {
    let Some(asked) = &row.execution.result_reuse_configuration else { return Ok(false) };
    let asked: ReuseByAge = serde_json::from_value(asked["ResultReuseByAgeConfiguration"].clone())
        .map_err(|error| AthenaError::invalid(error.to_string()))?;
    if !asked.enabled || row.execution.substatement_type.as_deref() != Some("SELECT") {
        return Ok(false);
    }
    let Some(entry) = athena.metadata.get(REUSABLE, &reuse_key(row))? else { return Ok(false) };
    let id = String::from_utf8_lossy(&entry.value).into_owned();
    let Some(earlier) = athena.metadata.get_json::<Row>(EXECUTIONS, &Key::new([&id]))? else { return Ok(false) };
    let done = earlier.execution.status.completion_date_time.unwrap_or(0.0);
    let young = now(ctx) - done <= f64::from(asked.max_age_in_minutes) * 60.0;
    let same = earlier.execution.query == row.execution.query
        && earlier.execution.query_execution_context == row.execution.query_execution_context
        && earlier.execution.execution_parameters == row.execution.execution_parameters;
    if !young || !same || !readable(ctx, athena, &earlier).await {
        return Ok(false);
    }
    row.execution.result_configuration.output_location = Some(earlier.result_location().to_owned());
    row.execution.status.state = State::Succeeded;
    row.execution.status.completion_date_time = Some(now(ctx));
    row.execution.statistics.result_reuse_information = ReuseInformation { reused_previous_result: true };
    row.private.output_rows = earlier.private.output_rows;
    row.private.output_bytes = earlier.private.output_bytes;
    Ok(true)
}

async fn readable(ctx: &Ctx, athena: &Athena, earlier: &Row) -> bool {
    let files = Files::new(ctx.clone(), Arc::clone(&athena.stores));
    let Ok(place) = Place::parse(earlier.result_location()) else { return false };
    files.exists(&place).await.unwrap_or(false)
}
