//! The states of stacks and resources.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident { $($variant:ident => $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum $name { $(#[serde(rename = $text)] $variant),* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),* })
            }
        }
    };
}

statuses! {
    /// What a stack is doing ("Stack status codes").
    StackStatus {
        CreateInProgress => "CREATE_IN_PROGRESS",
        CreateComplete => "CREATE_COMPLETE",
        CreateFailed => "CREATE_FAILED",
        RollbackInProgress => "ROLLBACK_IN_PROGRESS",
        RollbackComplete => "ROLLBACK_COMPLETE",
        RollbackFailed => "ROLLBACK_FAILED",
        DeleteInProgress => "DELETE_IN_PROGRESS",
        DeleteComplete => "DELETE_COMPLETE",
        DeleteFailed => "DELETE_FAILED",
        ReviewInProgress => "REVIEW_IN_PROGRESS",
        UpdateInProgress => "UPDATE_IN_PROGRESS",
        UpdateCompleteCleanupInProgress => "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateComplete => "UPDATE_COMPLETE",
        UpdateFailed => "UPDATE_FAILED",
        UpdateRollbackInProgress => "UPDATE_ROLLBACK_IN_PROGRESS",
        UpdateRollbackCompleteCleanupInProgress => "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        UpdateRollbackComplete => "UPDATE_ROLLBACK_COMPLETE",
        UpdateRollbackFailed => "UPDATE_ROLLBACK_FAILED",
    }
}

impl StackStatus {
    /// Whether an operation is going on.
    pub(crate) fn is_busy(self) -> bool {
        self != Self::ReviewInProgress && self.to_string().ends_with("_IN_PROGRESS")
    }

    /// Whether an update may begin.
    pub(crate) fn can_update(self) -> bool {
        matches!(self, Self::CreateComplete | Self::UpdateComplete | Self::UpdateRollbackComplete)
    }
}

statuses! {
    /// What a resource is doing ("Resource status codes").
    ResourceStatus {
        CreateInProgress => "CREATE_IN_PROGRESS",
        CreateComplete => "CREATE_COMPLETE",
        CreateFailed => "CREATE_FAILED",
        DeleteInProgress => "DELETE_IN_PROGRESS",
        DeleteComplete => "DELETE_COMPLETE",
        DeleteFailed => "DELETE_FAILED",
        DeleteSkipped => "DELETE_SKIPPED",
        UpdateInProgress => "UPDATE_IN_PROGRESS",
        UpdateComplete => "UPDATE_COMPLETE",
        UpdateFailed => "UPDATE_FAILED",
    }
}
