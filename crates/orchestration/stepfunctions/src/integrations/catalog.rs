//! Which operation of which service a `Resource` means ("Integrating services with Step Functions").

use boathouse_aws::Dispatcher;
use boathouse_states::definition::{Pattern, Resource};

/// An operation of the dispatcher, as a task calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The service's name in the dispatcher.
    pub(crate) service: String,
    /// The operation's name.
    pub(crate) operation: String,
    /// The service as error names begin with it.
    pub(crate) label: String,
    /// Whether it is an optimized integration, not `aws-sdk:*`.
    pub(crate) optimized: bool,
    pub(crate) special: Special,
}

/// What the integration does beside calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    None,
    LambdaInvoke,
    PutEvents,
}

/// The SDK's service names that differ from the dispatcher's, or whose error names are not just capitalised.
const SDK: [(&str, &str, &str); 9] = [
    ("sfn", "states", "Sfn"),
    ("eventbridge", "events", "EventBridge"),
    ("cloudwatchlogs", "logs", "CloudWatchLogs"),
    ("apigatewayv2", "apigateway", "ApiGatewayV2"),
    ("cloudformation", "cloudformation", "CloudFormation"),
    ("dynamodb", "dynamodb", "DynamoDb"),
    ("rdsdata", "rds-data", "RdsData"),
    ("redshiftdata", "redshift-data", "RedshiftData"),
    ("secretsmanager", "secretsmanager", "SecretsManager"),
];

/// The optimized integrations that Boathouse has: service, action, dispatcher's service, operation, label, patterns.
#[allow(clippy::type_complexity, reason = "a table reads best as a table")]
const OPTIMIZED: [(&str, &str, &str, &str, &str, &[Pattern]); 9] = [
    ("lambda", "invoke", "lambda", "Invoke", "Lambda", &[Pattern::RequestResponse, Pattern::WaitForTaskToken]),
    ("glue", "startJobRun", "glue", "StartJobRun", "Glue", &[Pattern::RequestResponse, Pattern::Sync]),
    (
        "athena",
        "startQueryExecution",
        "athena",
        "StartQueryExecution",
        "Athena",
        &[Pattern::RequestResponse, Pattern::Sync],
    ),
    ("athena", "stopQueryExecution", "athena", "StopQueryExecution", "Athena", &[Pattern::RequestResponse]),
    ("athena", "getQueryExecution", "athena", "GetQueryExecution", "Athena", &[Pattern::RequestResponse]),
    ("athena", "getQueryResults", "athena", "GetQueryResults", "Athena", &[Pattern::RequestResponse]),
    (
        "states",
        "startExecution",
        "states",
        "StartExecution",
        "StepFunctions",
        &[Pattern::RequestResponse, Pattern::Sync, Pattern::Sync2, Pattern::WaitForTaskToken],
    ),
    (
        "events",
        "putEvents",
        "events",
        "PutEvents",
        "EventBridge",
        &[Pattern::RequestResponse, Pattern::WaitForTaskToken],
    ),
    ("sqs", "sendMessage", "sqs", "SendMessage", "SQS", &[Pattern::RequestResponse, Pattern::WaitForTaskToken]),
];

/// The operation that an integration means, if there is one of that name.
pub(crate) fn operation(resource: &Resource) -> Option<Operation> {
    let Resource::Integration { service, action, pattern } = resource else { return None };
    if let Some(service) = service.strip_prefix("aws-sdk:") {
        // AWS has no `.sync` for them.
        if matches!(pattern, Pattern::Sync | Pattern::Sync2) {
            return None;
        }
        return sdk(service, action);
    }
    let (_, _, service, operation, label, patterns) =
        OPTIMIZED.iter().find(|(known, name, ..)| known == service && name == action)?;
    let special = match *operation {
        "Invoke" => Special::LambdaInvoke,
        "PutEvents" => Special::PutEvents,
        _ => Special::None,
    };
    patterns.contains(pattern).then(|| Operation {
        service: (*service).to_owned(),
        operation: (*operation).to_owned(),
        label: (*label).to_owned(),
        optimized: true,
        special,
    })
}

fn sdk(service: &str, action: &str) -> Option<Operation> {
    let mut letters = action.chars();
    let first = letters.next().filter(char::is_ascii_lowercase)?;
    let (name, label) = match SDK.iter().find(|(known, ..)| *known == service) {
        Some((_, name, label)) => ((*name).to_owned(), (*label).to_owned()),
        None => (service.to_owned(), capitalised(service)),
    };
    let operation = format!("{}{}", first.to_ascii_uppercase(), letters.as_str());
    Some(Operation { service: name, operation, label, optimized: false, special: Special::None })
}

fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}", first.to_uppercase())
}

/// Why tasks of this resource can't run here.
pub(crate) fn refuse(dispatcher: &Dispatcher, resource: &Resource) -> Option<String> {
    let has = |service: &str, operation: &str| dispatcher.service(service).is_some_and(|table| table.has(operation));
    match resource {
        Resource::Activity { .. } => None,
        Resource::Lambda { .. } => {
            (!has("lambda", "Invoke")).then(|| "Boathouse does not implement Lambda functions as tasks yet".to_owned())
        }
        Resource::Integration { service, action, pattern } => {
            let known = operation(resource).is_some_and(|operation| has(&operation.service, &operation.operation));
            let name = format!("{service}:{action}{}", pattern.suffix());
            (!known).then(|| format!("Boathouse does not implement the service integration '{name}' yet"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(String, String, String)> {
        let resource = Resource::parse(text).unwrap();
        operation(&resource).map(|operation| (operation.service, operation.operation, operation.label))
    }

    #[test]
    fn resources_mean_operations() {
        let triple = |a: &str, b: &str, c: &str| Some((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(of("arn:aws:states:::glue:startJobRun.sync"), triple("glue", "StartJobRun", "Glue"));
        assert_eq!(of("arn:aws:states:::aws-sdk:sfn:startExecution"), triple("states", "StartExecution", "Sfn"));
        assert_eq!(of("arn:aws:states:::aws-sdk:s3:listBuckets"), triple("s3", "ListBuckets", "S3"));
        assert_eq!(of("arn:aws:states:::aws-sdk:glue:startCrawler"), triple("glue", "StartCrawler", "Glue"));
        assert_eq!(of("arn:aws:states:::glue:startCrawler"), None);
        assert_eq!(of("arn:aws:states:::glue:startJobRun.waitForTaskToken"), None);
        assert_eq!(of("arn:aws:states:::aws-sdk:glue:startJobRun.sync"), None);
        assert_eq!(of("arn:aws:states:::sqs:sendMessage.waitForTaskToken"), triple("sqs", "SendMessage", "SQS"));
        assert_eq!(of("arn:aws:states:::sns:publish"), None);
    }
}
