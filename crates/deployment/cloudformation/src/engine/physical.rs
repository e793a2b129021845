//! The calls that make, change, read and remove one real thing.

use std::time::Duration;

use boathouse_aws::AwsError;
use http::StatusCode;
use serde_json::{Map, Value};

use super::operation::{Halt, Operation};
use crate::resources::subject::Subject;
use crate::resources::{Call, Known, Naming, State};
use crate::store::Physical;

/// How often a state is asked for: soon, then less often.
const FIRST_POLL: Duration = Duration::from_millis(20);
const LAST_POLL: Duration = Duration::from_secs(1);
/// How long a resource may take to be ready or gone.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// A real thing in the hands of an operation.
pub(crate) struct Hand<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) known: &'static Known,
    pub(crate) thing: &'a Physical,
    /// Its properties before a change; its own otherwise.
    pub(crate) old: &'a Map<String, Value>,
}

impl<'a> Hand<'a> {
    pub(crate) fn new(operation: &'a Operation, known: &'static Known, thing: &'a Physical) -> Self {
        Self { operation, known, thing, old: &thing.properties }
    }

    fn subject<'s>(&'s self, answer: &'s Value, physical: Option<&'s str>) -> Subject<'s> {
        Subject {
            properties: &self.thing.properties,
            old: self.old,
            name: &self.thing.name,
            physical: physical.or(self.thing.id.as_deref()).unwrap_or(&self.thing.name),
            attributes: &self.thing.attributes,
            answer,
            region: self.operation.ctx.region(),
            token: &self.thing.token,
        }
    }

    /// Makes it, and answers its physical id and attributes. `again` says that an earlier attempt may have made it.
    pub(crate) async fn make(&self, again: bool) -> Result<(String, Map<String, Value>), Halt> {
        let found = if again { self.read().await? } else { None };
        let mut answer = found.clone().unwrap_or_default();
        let mut physical: Option<String> = None;
        for (index, call) in self.known.kind.create.iter().enumerate() {
            let done = index == 0 && found.is_some();
            if !done {
                let first = self.calls(call, &answer, physical.as_deref(), again).await;
                let first = first.map_err(|halt| if index == 0 && !again { halt } else { halt.of_something_made() })?;
                if index == 0 {
                    answer = first;
                }
            }
            if index == 0 {
                physical = (self.known.kind.physical)(&self.subject(&answer, None));
            }
        }
        let physical = physical.or_else(|| (self.known.kind.physical)(&self.subject(&answer, None)));
        let physical = physical.ok_or_else(|| Halt::Failed("the answer does not name the new resource".to_owned()))?;
        let settled = self.settle(Some(&physical)).await?;
        let attributes = self.attributes(&answer, settled.as_ref(), &physical);
        Ok((physical, attributes))
    }

    /// Changes it to its new properties, and answers its attributes.
    pub(crate) async fn change(&self) -> Result<Map<String, Value>, Halt> {
        let present = self.read().await?.unwrap_or_default();
        for call in self.known.kind.update {
            self.calls(call, &present, None, false).await.map_err(Halt::of_something_made)?;
        }
        let settled = self.settle(None).await?;
        let id = self.thing.id.as_deref().unwrap_or(&self.thing.name);
        let mut attributes = self.thing.attributes.clone();
        attributes.extend(self.attributes(&Value::Null, settled.as_ref(), id));
        Ok(attributes)
    }

    /// Removes it. What is not there is removed.
    pub(crate) async fn remove(&self) -> Result<(), Halt> {
        for call in self.known.kind.delete {
            for input in self.inputs(call, &Value::Null, None)? {
                match self.operation.ctx.call(call.service, call.operation, input).await {
                    Ok(_) => {}
                    Err(error) if is_absent(&error) => {}
                    Err(error) => return Err(Halt::Failed(refused(call, &error))),
                }
            }
        }
        self.vanish().await
    }

    /// What reading it answers; none if it is not there, or can't be read.
    pub(crate) async fn read(&self) -> Result<Option<Value>, Halt> {
        Ok(match self.look(None).await? {
            Some((State::Absent, _)) | None => None,
            Some((_, answer)) => Some(answer),
        })
    }

    async fn look(&self, physical: Option<&str>) -> Result<Option<(State, Value)>, Halt> {
        let Some(read) = &self.known.kind.read else { return Ok(None) };
        let nothing = Value::Null;
        let subject = self.subject(&nothing, physical);
        match self.operation.ctx.call(read.service, read.operation, (read.input)(&subject)).await {
            Ok(answer) => Ok(Some(((read.state)(&subject, &answer), answer))),
            Err(error) if is_absent(&error) => Ok(Some((State::Absent, Value::Null))),
            Err(error) if error.status == StatusCode::FORBIDDEN => Ok(None),
            Err(error) => {
                let call = Call { service: read.service, operation: read.operation, inputs: |_| Ok(Vec::new()) };
                Err(Halt::Failed(refused(&call, &error)))
            }
        }
    }

    async fn settle(&self, physical: Option<&str>) -> Result<Option<Value>, Halt> {
        let mut poll = Poll::default();
        loop {
            match self.look(physical).await? {
                Some((State::Busy, _)) => poll.wait("ready").await?,
                Some((State::Failed(reason), _)) => return Err(Halt::Failed(reason)),
                Some((State::Ready, answer)) => return Ok(Some(answer)),
                Some((State::Absent, _)) | None => return Ok(None),
            }
        }
    }

    async fn vanish(&self) -> Result<(), Halt> {
        let mut poll = Poll::default();
        loop {
            match self.look(None).await? {
                Some((State::Busy, _)) => poll.wait("gone").await?,
                Some((State::Failed(reason), _)) => return Err(Halt::Failed(reason)),
                _ => return Ok(()),
            }
        }
    }

    /// Makes the calls of one step and answers the first one's answer. `again` says that they may have been made before.
    async fn calls(&self, call: &Call, answer: &Value, physical: Option<&str>, again: bool) -> Result<Value, Halt> {
        let mut first = Value::Null;
        for (index, input) in self.inputs(call, answer, physical)?.into_iter().enumerate() {
            // The token was kept before the first call, so a call that a crash cut short makes nothing a second time.
            let ctx = self.operation.ctx.once(&self.thing.token);
            match ctx.call(call.service, call.operation, input).await {
                Ok(answer) if index == 0 => first = answer,
                Ok(_) => {}
                Err(error) if again && is_repeated(&error) => {}
                Err(error) if is_removal(call) && is_absent(&error) => {}
                // A nested stack whose template has not changed.
                Err(error) if error.message.contains("No updates are to be performed") => {}
                Err(error) if index == 0 => return Err(Halt::Unmade(refused(call, &error))),
                Err(error) => return Err(Halt::Failed(refused(call, &error))),
            }
        }
        Ok(first)
    }

    fn inputs(&self, call: &Call, answer: &Value, physical: Option<&str>) -> Result<Vec<Value>, Halt> {
        (call.inputs)(&self.subject(answer, physical)).map_err(Halt::Failed)
    }

    fn attributes(&self, answer: &Value, settled: Option<&Value>, physical: &str) -> Map<String, Value> {
        let subject = self.subject(answer, Some(physical));
        let known = self.known.kind.attributes.iter().map(|(name, value)| ((*name).to_owned(), value(&subject)));
        let mut attributes: Map<String, Value> = known.filter(|(_, value)| !value.is_null()).collect();
        // A nested stack's outputs are its attributes.
        for output in settled.and_then(|answer| answer.pointer("/Stacks/0/Outputs")?.as_array()).into_iter().flatten() {
            if let Some(key) = output["OutputKey"].as_str() {
                attributes.insert(format!("Outputs.{key}"), output["OutputValue"].clone());
            }
        }
        attributes
    }
}

/// The name that a resource's properties give it, at the place that its type says.
pub(crate) fn given_name(known: &Known, properties: &Map<String, Value>) -> Option<String> {
    let (Naming::Property(path, _) | Naming::Label(path, _)) = &known.kind.naming else { return None };
    let mut parts = path.split('.');
    let first = properties.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))?.as_str().map(str::to_owned)
}

/// Waits longer each time.
#[derive(Default)]
struct Poll {
    waited: Duration,
    next: Duration,
}

impl Poll {
    async fn wait(&mut self, what: &str) -> Result<(), Halt> {
        if self.waited > PATIENCE {
            return Err(Halt::Failed(format!("the resource was not {what} after {} minutes", PATIENCE.as_secs() / 60)));
        }
        self.next = (self.next * 2).clamp(FIRST_POLL, LAST_POLL);
        self.waited += self.next;
        tokio::time::sleep(self.next).await;
        Ok(())
    }
}

/// Why a call was refused, as stack events tell it.
fn refused(call: &Call, error: &AwsError) -> String {
    format!(
        "{} (Service: {}, Operation: {}, Status Code: {}, Error Code: {})",
        error.message,
        call.service,
        call.operation,
        error.status.as_u16(),
        error.code
    )
}

/// Whether the error says that the thing is not there.
pub(crate) fn is_absent(error: &AwsError) -> bool {
    let code = &*error.code;
    let says_so = ["NotFound", "NoSuch", "DoesNotExist", "EntityNotFound"].iter().any(|part| code.contains(part));
    let text = error.message.to_lowercase();
    let explains = matches!(code, "InvalidRequestException" | "ValidationError" | "StateMachineDeleting")
        && ["not found", "does not exist", "is not found"].iter().any(|part| text.contains(part));
    says_so || explains || error.status == StatusCode::NOT_FOUND
}

/// Whether the error says that an earlier attempt of the same call has done it.
fn is_repeated(error: &AwsError) -> bool {
    let code = &*error.code;
    ["AlreadyExists", "AlreadyOwnedByYou", "ResourceConflict", "ResourceInUse"].iter().any(|part| code.contains(part))
}

fn is_removal(call: &Call) -> bool {
    ["Delete", "Remove", "Detach", "Untag"].iter().any(|verb| call.operation.starts_with(verb))
}
