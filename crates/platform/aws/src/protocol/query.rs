//! The awsQuery protocol.

use serde::de::DeserializeOwned;

use crate::error::AwsError;

/// The members of a query request.
#[derive(Debug, Default)]
pub struct QueryInput {}

impl QueryInput {
    /// The input as a type.
    ///
    /// # Errors
    /// `MalformedInput` when a member is missing or of the wrong type.
    pub fn decode<I: DeserializeOwned>(self) -> Result<I, AwsError> {
        Err(AwsError::not_implemented("awsQuery"))
    }
}
