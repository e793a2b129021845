//! The night: the clock goes to the scheduled hour, the schedule starts the workflow, the workflow is followed to its end.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveTime, TimeZone, Utc};
use chrono_tz::America::New_York;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::DemoError;
use super::client::{Client, POLL};
use super::clock::DemoClock;
use super::deploy::Stack;
use super::screen::shown;

/// The hour of the template's schedule, in New York.
const HOUR: u32 = 3;
/// How long the schedule may take to start the workflow once its time has come.
const PATIENCE: Duration = Duration::from_secs(30);

/// One row for each state that was visited: name, how often, how long in all.
type States = Vec<Vec<String>>;

/// Lets the night come and follows the workflow.
pub(super) async fn work(
    client: &Client,
    stack: &Stack,
    clock: &DemoClock,
    progress: &ProgressBar,
) -> Result<(States, String), DemoError> {
    let machine = stack.output("Workflow")?;
    let before = executions(client, machine).await?.len();
    let tonight = next_night(clock);
    clock.advance_to(tonight)?;
    let execution = started(client, machine, before).await?;
    let started = Instant::now();
    let states = follow(client, &execution, progress).await?;
    let hour = tonight.with_timezone(&New_York).format("%Y-%m-%d %H:%M %Z");
    Ok((states, format!("the schedule of {hour} ran the workflow in {}", shown(started.elapsed()))))
}

/// The next time that the schedule's hour strikes, and a moment more.
fn next_night(clock: &DemoClock) -> chrono::DateTime<Utc> {
    let now = clock.now().with_timezone(&New_York);
    let hour = NaiveTime::from_hms_opt(HOUR, 0, 1).expect("invariant: the hour is on the clock");
    let mut day = now.date_naive();
    loop {
        // An hour that the change to summer time skips is not tonight's.
        match New_York.from_local_datetime(&day.and_time(hour)).earliest() {
            Some(time) if time > now => return time.with_timezone(&Utc),
            _ => day = day + Days::new(1),
        }
    }
}

async fn executions(client: &Client, machine: &str) -> Result<Vec<Value>, DemoError> {
    let answer = client.json("states", "ListExecutions", json!({"stateMachineArn": machine})).await?;
    Ok(answer["executions"].as_array().cloned().unwrap_or_default())
}

/// The execution that the schedule has started: executions are listed newest first.
async fn started(client: &Client, machine: &str, before: usize) -> Result<String, DemoError> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        let found = executions(client, machine).await?;
        if found.len() > before
            && let Some(arn) = found.first().and_then(|execution| execution["executionArn"].as_str())
        {
            return Ok(arn.to_owned());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(DemoError::Failed { what: "the schedule".into(), reason: "it did not start the workflow".into() })
}

async fn follow(client: &Client, execution: &str, progress: &ProgressBar) -> Result<States, DemoError> {
    let mut visits = Visits::default();
    loop {
        let description = client.json("states", "DescribeExecution", json!({"executionArn": execution})).await?;
        let mut input = json!({"executionArn": execution, "maxResults": 1000, "includeExecutionData": false});
        let mut events = Vec::new();
        loop {
            let page = client.json("states", "GetExecutionHistory", input.clone()).await?;
            events.extend(page["events"].as_array().cloned().unwrap_or_default());
            if page["nextToken"].is_null() {
                break;
            }
            input["nextToken"] = page["nextToken"].clone();
        }
        visits.read(&events, progress);
        match description["status"].as_str() {
            Some("RUNNING") => tokio::time::sleep(POLL * 5).await,
            Some("SUCCEEDED") => return Ok(visits.rows()),
            status => {
                let text = |name: &str| description[name].as_str().unwrap_or_default().to_owned();
                let reason = format!("{}: {}: {}", status.unwrap_or_default(), text("error"), text("cause"));
                return Err(DemoError::Failed { what: format!("execution {execution}"), reason });
            }
        }
    }
}

/// How often and how long states were visited.
#[derive(Default)]
struct Visits {
    read: usize,
    entered: HashMap<String, f64>,
    order: Vec<String>,
    totals: HashMap<String, (u32, f64)>,
}

impl Visits {
    fn read(&mut self, events: &[Value], progress: &ProgressBar) {
        for event in &events[self.read.min(events.len())..] {
            let time = event["timestamp"].as_f64().unwrap_or_default();
            if let Some(name) = event["stateEnteredEventDetails"]["name"].as_str() {
                progress.set_message(format!("work: {name}"));
                self.entered.insert(name.to_owned(), time);
            } else if let Some(name) = event["stateExitedEventDetails"]["name"].as_str() {
                let took = time - self.entered.get(name).copied().unwrap_or(time);
                if !self.totals.contains_key(name) {
                    self.order.push(name.to_owned());
                }
                let (times, total) = self.totals.entry(name.to_owned()).or_default();
                (*times, *total) = (*times + 1, *total + took);
            }
        }
        self.read = events.len();
    }

    fn rows(&self) -> States {
        let row = |name: &String| {
            let (times, total) = self.totals[name];
            vec![name.clone(), times.to_string(), shown(Duration::from_secs_f64(total.max(0.0)))]
        };
        self.order.iter().map(row).collect()
    }
}
