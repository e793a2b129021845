//! Task: what does the work, and for how long it may.

use std::sync::Arc;

use super::{Compiler, MAX_SECONDS, Members};
use crate::definition::{Language, Pattern, Resource, Task};
use crate::template::Template;

impl Compiler<'_> {
    pub(super) fn task(&mut self, members: &Members, language: Language, at: &str) -> Option<Task> {
        if !self.require(members, "Resource", at) {
            return None;
        }
        let text = self.string(members, "Resource", at)?;
        let place = format!("{at}/Resource");
        let Some(resource) = Resource::parse(&text) else {
            self.schema("Value is not a valid resource ARN", &place);
            return None;
        };
        self.check_resource(&resource, &place);
        Some(Task {
            resource: Arc::new(resource),
            timeout: self.amount(members, ("TimeoutSeconds", "TimeoutSecondsPath"), language, at, (1, MAX_SECONDS)),
            heartbeat: self.amount(
                members,
                ("HeartbeatSeconds", "HeartbeatSecondsPath"),
                language,
                at,
                (1, MAX_SECONDS),
            ),
            credentials: self.credentials(members, language, at),
        })
    }

    fn credentials(&mut self, members: &Members, language: Language, at: &str) -> Option<Template> {
        let value = members.get("Credentials")?;
        if value.get("RoleArn").or_else(|| value.get("RoleArn.$")).is_none() {
            self.schema("The field 'RoleArn' is required but was missing", &format!("{at}/Credentials"));
            return None;
        }
        self.template(members, "Credentials", language, at)
    }

    fn check_resource(&mut self, resource: &Resource, at: &str) {
        if self.platform.express() {
            match resource {
                Resource::Activity { .. } => self.schema("Express state machine does not support Activity ARN", at),
                Resource::Integration { pattern, .. } if *pattern != Pattern::RequestResponse => {
                    let suffix = if *pattern == Pattern::WaitForTaskToken { ".waitForTaskToken" } else { ".sync" };
                    // AWS's own message ends in a blank.
                    self.schema(format!("Express state machine does not support '{suffix}' service integration "), at);
                }
                _ => {}
            }
        }
        // What no express machine can do needs no second reason.
        if self.diagnostics.last().is_some_and(|found| found.location.as_deref() == Some(at)) {
            return;
        }
        if let Some(reason) = self.platform.refuse(resource) {
            self.schema(reason, at);
        }
    }
}
