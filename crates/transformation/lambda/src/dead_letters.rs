//! A function's dead-letter queue: where events go that it failed to process ("Adding a dead-letter queue").

use boathouse_aws::Arn;
use boathouse_aws::access::{AccessRequest, ConditionKeys};
use serde::Deserialize;

use crate::error::LambdaError;
use crate::store::{Function, Lambda};

/// `DeadLetterConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeadLetterConfig {
    target_arn: Option<String>,
}

impl DeadLetterConfig {
    /// The queue; none if the configuration takes it away.
    pub(crate) fn queue(&self) -> Option<String> {
        self.target_arn.clone().filter(|arn| !arn.is_empty())
    }

    /// Refuses what is not a standard queue.
    pub(crate) fn check(&self) -> Result<(), LambdaError> {
        let Some(target) = self.queue() else { return Ok(()) };
        match target.parse::<Arn>() {
            Ok(arn) if arn.service == "sns" => Err(LambdaError::NotImplemented("DeadLetterConfig of SNS topics")),
            Ok(arn) if is_standard_queue(&arn) => Ok(()),
            _ => {
                Err(LambdaError::InvalidParameter(format!("The dead letter target {target} is not a standard queue.")))
            }
        }
    }
}

/// Whether an ARN is that of a standard queue: neither dead letters nor results go to FIFO queues.
pub(crate) fn is_standard_queue(arn: &Arn) -> bool {
    arn.service == "sqs" && !arn.resource.is_empty() && !arn.resource.ends_with(".fifo")
}

/// A function's role must be allowed to send to its dead-letter queue.
pub(crate) fn check_role(state: &Lambda, function: &Function) -> Result<(), LambdaError> {
    let Some(queue) = &function.dead_letters else { return Ok(()) };
    let ctx = state.pool.role_context(function)?;
    let keys = ConditionKeys::new();
    state.authorizer.authorize(&ctx, &AccessRequest::new("sqs:SendMessage", queue, &keys)).map_err(|_| {
        let message = "The provided execution role does not have permissions to call SendMessage on SQS";
        LambdaError::InvalidParameter(message.into())
    })
}
