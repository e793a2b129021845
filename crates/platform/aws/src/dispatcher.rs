//! The one way to every operation of every service, from the wire and from inside.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::access::Authorizer;
use crate::context::Ctx;
use crate::error::AwsError;
use crate::history::{CallHistory, CallRecord};
use crate::service::{OperationInput, Output, ServiceTable};

/// Finds operations and calls them with authorisation. Cheap to clone; services hold it before the tables are complete,
/// because services call each other: [`Dispatcher::install`] closes the circle once at start.
#[derive(Clone, Default)]
pub struct Dispatcher {
    installed: Arc<OnceLock<Installed>>,
    history: Arc<OnceLock<Arc<dyn CallHistory>>>,
}

struct Installed {
    services: HashMap<&'static str, ServiceTable>,
    /// Names in credential scopes, and the services' own.
    signing_names: HashMap<&'static str, &'static str>,
    authorizer: Arc<dyn Authorizer>,
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dispatcher")
    }
}

impl Dispatcher {
    /// Installs the services and the judge of their calls. Panics when called twice: that is a wiring mistake.
    pub fn install(&self, services: Vec<ServiceTable>, authorizer: Arc<dyn Authorizer>) {
        let signing_names = services.iter().map(|table| (table.signing_name(), table.name)).collect();
        let services = services.into_iter().map(|table| (table.name, table)).collect();
        let installed = self.installed.set(Installed { services, signing_names, authorizer });
        assert!(installed.is_ok(), "the dispatcher is installed once");
    }

    /// Hands calls that have ended to `history`. Only the first time counts.
    pub fn record_calls(&self, history: Arc<dyn CallHistory>) {
        let _ = self.history.set(history);
    }

    /// Who keeps calls of this operation, if anybody does.
    pub(crate) fn history(&self, service: &str, operation: &str) -> Option<&dyn CallHistory> {
        self.history.get().map(|history| &**history).filter(|history| history.keeps(service, operation))
    }

    /// The tables of all services, in no order.
    pub fn services(&self) -> impl Iterator<Item = &ServiceTable> {
        self.installed.get().into_iter().flat_map(|installed| installed.services.values())
    }

    /// The table of a service.
    pub fn service(&self, name: &str) -> Option<&ServiceTable> {
        self.installed.get().and_then(|installed| installed.services.get(name))
    }

    /// The table of the service whose requests are signed for `name`.
    pub(crate) fn signed_for(&self, name: &str) -> Option<&ServiceTable> {
        let installed = self.installed.get()?;
        installed.services.get(installed.signing_names.get(name)?)
    }

    /// Calls an operation with an input in any protocol's shape.
    ///
    /// # Errors
    /// What the operation answers; `UnknownOperationException` for a service or operation that does not exist;
    /// `AccessDeniedException` when IAM refuses.
    pub async fn dispatch(
        &self,
        ctx: &Ctx,
        service: &str,
        operation: &str,
        input: OperationInput,
    ) -> Result<Output, AwsError> {
        let installed = self.installed.get().ok_or_else(|| AwsError::internal("the server is still starting"))?;
        let Some(table) = installed.services.get(service) else {
            let message = format!("{service} is not a service that Boathouse implements (called: {operation})");
            return Err(AwsError::bad_request("UnknownOperationException", message));
        };
        table.call(ctx.entering(table.name), operation, input, Arc::clone(&installed.authorizer)).await
    }

    /// Calls an operation with JSON and returns JSON.
    ///
    /// # Errors
    /// As [`Dispatcher::dispatch`]; `NotImplemented` when the answer is a stream.
    pub async fn call(
        &self,
        ctx: &Ctx,
        service: &str,
        operation: &str,
        input: serde_json::Value,
    ) -> Result<serde_json::Value, AwsError> {
        let history = self.history(service, operation).map(|history| (history, input.clone()));
        let outcome = self.dispatch(ctx, service, operation, OperationInput::Value(input)).await;
        if let Some((history, parameters)) = history {
            let error = outcome.as_ref().err().map(|error| (&*error.code, &*error.message));
            let answer = history.keeps_answer(service, operation).then(|| answered(&outcome)).flatten();
            let (ctx, parameters, answer) = (&ctx.forwarded(), Some(&parameters), answer.as_ref());
            history.note(&CallRecord { ctx, service, operation, parameters, answer, error });
        }
        match outcome? {
            Output::Whole(output) => serde_json::to_value(&*output)
                .map_err(|error| AwsError::internal(format!("unwritable output: {error}"))),
            Output::Stream(_) => Err(AwsError::not_implemented(format!("{service}:{operation} for calls from inside"))),
        }
    }
}

/// The members of an answer, for the event history.
pub(crate) fn answered(outcome: &Result<Output, AwsError>) -> Option<serde_json::Value> {
    match outcome {
        Ok(Output::Whole(output)) => serde_json::to_value(&**output).ok(),
        Ok(Output::Stream(_)) | Err(_) => None,
    }
}
