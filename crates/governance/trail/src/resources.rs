//! Which resources an event is about, from the request's members.

use serde_json::Value;

use crate::event::Resource;

/// `(service, member, type)`; an empty service stands for all of them.
const NAMES: [(&str, &str, &str); 34] = [
    ("iam", "userName", "AWS::IAM::User"),
    ("iam", "newUserName", "AWS::IAM::User"),
    ("iam", "groupName", "AWS::IAM::Group"),
    ("iam", "roleName", "AWS::IAM::Role"),
    ("iam", "policyName", "AWS::IAM::Policy"),
    ("iam", "policyArn", "AWS::IAM::Policy"),
    ("iam", "permissionsBoundary", "AWS::IAM::Policy"),
    ("iam", "instanceProfileName", "AWS::IAM::InstanceProfile"),
    ("iam", "accessKeyId", "AWS::IAM::AccessKey"),
    ("iam", "openIDConnectProviderArn", "AWS::IAM::OIDCProvider"),
    ("sts", "roleArn", "AWS::IAM::Role"),
    ("s3", "bucketName", "AWS::S3::Bucket"),
    ("s3", "bucket", "AWS::S3::Bucket"),
    ("glue", "databaseName", "AWS::Glue::Database"),
    ("glue", "tableName", "AWS::Glue::Table"),
    ("glue", "crawlerName", "AWS::Glue::Crawler"),
    ("glue", "jobName", "AWS::Glue::Job"),
    ("athena", "workGroup", "AWS::Athena::WorkGroup"),
    ("lambda", "functionName", "AWS::Lambda::Function"),
    ("lambda", "layerName", "AWS::Lambda::LayerVersion"),
    ("states", "stateMachineArn", "AWS::StepFunctions::StateMachine"),
    ("states", "activityArn", "AWS::StepFunctions::Activity"),
    ("states", "executionArn", "AWS::StepFunctions::Execution"),
    ("events", "eventBusName", "AWS::Events::EventBus"),
    ("events", "rule", "AWS::Events::Rule"),
    ("scheduler", "groupName", "AWS::Scheduler::ScheduleGroup"),
    ("firehose", "deliveryStreamName", "AWS::KinesisFirehose::DeliveryStream"),
    ("logs", "logGroupName", "AWS::Logs::LogGroup"),
    ("logs", "logStreamName", "AWS::Logs::LogStream"),
    ("sqs", "queueName", "AWS::SQS::Queue"),
    ("sqs", "queueUrl", "AWS::SQS::Queue"),
    ("cloudformation", "stackName", "AWS::CloudFormation::Stack"),
    ("cloudformation", "changeSetName", "AWS::CloudFormation::ChangeSet"),
    ("apigateway", "apiId", "AWS::ApiGatewayV2::Api"),
];

/// `(service, word in the operation's name, type)` of what a member `name` names.
const NAMED: [(&str, &str, &str); 14] = [
    ("glue", "Table", "AWS::Glue::Table"),
    ("glue", "Database", "AWS::Glue::Database"),
    ("glue", "Crawler", "AWS::Glue::Crawler"),
    ("glue", "Classifier", "AWS::Glue::Classifier"),
    ("glue", "Job", "AWS::Glue::Job"),
    ("athena", "WorkGroup", "AWS::Athena::WorkGroup"),
    ("athena", "NamedQuery", "AWS::Athena::NamedQuery"),
    ("states", "StateMachine", "AWS::StepFunctions::StateMachine"),
    ("states", "Activity", "AWS::StepFunctions::Activity"),
    ("events", "EventBus", "AWS::Events::EventBus"),
    ("events", "Rule", "AWS::Events::Rule"),
    ("scheduler", "ScheduleGroup", "AWS::Scheduler::ScheduleGroup"),
    ("scheduler", "Schedule", "AWS::Scheduler::Schedule"),
    ("apigateway", "Api", "AWS::ApiGatewayV2::Api"),
];

/// Members that hold a member `name` of their own.
const INPUTS: [&str; 2] = ["databaseInput", "tableInput"];

/// The resources that a request names.
pub(crate) fn named(service: &str, operation: &str, shown: Option<&Value>) -> Vec<Resource> {
    let Some(members) = shown else { return Vec::new() };
    let mut found = Vec::new();
    let mut add = |resource_type: &str, name: &Value| {
        if let Some(name) = name.as_str().filter(|name| !name.is_empty()) {
            found.push(Resource { resource_type: resource_type.to_owned(), resource_name: name.to_owned() });
        }
    };
    for (_, member, resource_type) in NAMES.iter().filter(|(of, ..)| *of == service) {
        add(resource_type, &members[*member]);
    }
    let own = NAMED.iter().find(|(of, word, _)| *of == service && operation.contains(word));
    if let Some((.., resource_type)) = own {
        add(resource_type, &members["name"]);
        for input in INPUTS {
            add(resource_type, &members[input]["name"]);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn resources_are_named_by_members() {
        let of = |service, operation, members: Value| {
            let found = named(service, operation, Some(&members));
            found.into_iter().map(|each| (each.resource_type, each.resource_name)).collect::<Vec<_>>()
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of("iam", "CreateRole", json!({"roleName": "r"})), [pair("AWS::IAM::Role", "r")]);
        assert_eq!(
            of("glue", "CreateTable", json!({"databaseName": "d", "tableInput": {"name": "t"}})),
            [pair("AWS::Glue::Database", "d"), pair("AWS::Glue::Table", "t")]
        );
        assert_eq!(of("s3", "CreateBucket", json!({"bucketName": "b"})), [pair("AWS::S3::Bucket", "b")]);
        assert_eq!(of("sts", "GetCallerIdentity", json!({})), []);
    }
}
