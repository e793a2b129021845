//! Whole operations against services that only remember: what is made in which order, what a failure takes back, what a
//! restart goes on with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::access::{AccessRequest, Authorizer, ServiceRoles};
use boathouse_aws::service::Access;
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{AwsError, Ctx, Dispatcher, Platform, Principal, Protocol, ServiceTable, SystemClock};
use boathouse_metadata::{Key, Metadata};
use object_store::ObjectStore;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::status::{ResourceStatus, StackStatus};
use crate::store::{RESOURCES, Resource, Stack, Stacks, put_stack};

struct Anyone;

impl Authorizer for Anyone {
    fn authorize(&self, _: &Ctx, _: &AccessRequest<'_>) -> Result<(), AwsError> {
        Ok(())
    }
}

impl ServiceRoles for Anyone {
    fn assume_for_service(&self, role: &str, _: &str, session: &str) -> Result<Arc<Principal>, AwsError> {
        Ok(Arc::new(Principal::assumed_role(role, "AROA", session, None)))
    }
}

impl ObjectStores for Anyone {
    fn bucket(&self, _: &Ctx, bucket: &str) -> Result<Arc<dyn ObjectStore>, AwsError> {
        Err(AwsError::bad_request("NoSuchBucket", bucket.to_owned()))
    }
}

/// What the services were asked for and what they hold.
#[derive(Default)]
struct Fake {
    groups: Mutex<BTreeMap<String, Value>>,
    calls: Mutex<Vec<String>>,
}

fn log_groups(fake: &Arc<Fake>) -> ServiceTable {
    let protocol = Protocol::AwsJson { version: "1.1", target_prefix: "Logs_20140328" };
    let name = |input: &Value| input["logGroupName"].as_str().unwrap_or_default().to_owned();
    ServiceTable::new("logs", protocol)
        .operation("CreateLogGroup", Access::Free, fake, move |_: Ctx, fake: Arc<Fake>, input: Value| async move {
            let name = name(&input);
            fake.calls.lock().push(format!("create {name}"));
            if name.contains("broken") {
                return Err(AwsError::bad_request("InvalidParameterException", "no such luck"));
            }
            if fake.groups.lock().insert(name, json!({})).is_some() {
                return Err(AwsError::bad_request("ResourceAlreadyExistsException", "it is there"));
            }
            Ok(json!({}))
        })
        .operation("PutRetentionPolicy", Access::Free, fake, move |_: Ctx, fake: Arc<Fake>, input: Value| async move {
            let name = name(&input);
            if input["retentionInDays"] == 13 {
                return Err(AwsError::bad_request("InvalidParameterException", "13 is not a number of days"));
            }
            fake.groups.lock().insert(name, input["retentionInDays"].clone());
            Ok::<_, AwsError>(json!({}))
        })
        .operation("DescribeLogGroups", Access::Free, fake, |_: Ctx, fake: Arc<Fake>, _: Value| async move {
            let groups: Vec<Value> = fake.groups.lock().keys().map(|name| json!({"logGroupName": name})).collect();
            Ok::<_, AwsError>(json!({"logGroups": groups}))
        })
        .operation("DeleteLogGroup", Access::Free, fake, move |_: Ctx, fake: Arc<Fake>, input: Value| async move {
            let name = name(&input);
            fake.calls.lock().push(format!("delete {name}"));
            if name.contains("sticky") {
                return Err(AwsError::bad_request("OperationAbortedException", "it sticks"));
            }
            match fake.groups.lock().remove(&name) {
                Some(_) => Ok(json!({})),
                None => Err(AwsError::bad_request("ResourceNotFoundException", "it is not there")),
            }
        })
}

struct World {
    fake: Arc<Fake>,
    stacks: Arc<Stacks>,
    ctx: Ctx,
    _directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let metadata = Metadata::open(&directory.path().join("metadata.db")).unwrap();
        let stacks = Arc::new(Stacks::new(metadata, Arc::new(Anyone), Arc::new(Anyone), Arc::new(Anyone)));
        let fake = Arc::new(Fake::default());
        let dispatcher = Dispatcher::default();
        dispatcher.install(vec![log_groups(&fake), crate::service(&stacks)], Arc::new(Anyone));
        let platform = Platform::new(dispatcher, Arc::new(SystemClock), "us-east-1");
        let ctx = platform.context(Arc::new(Principal::root()));
        Self { fake, stacks, ctx, _directory: directory }
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        self.ctx.call("cloudformation", operation, input).await.unwrap()
    }

    async fn refused(&self, operation: &str, input: Value) -> String {
        let error = self.ctx.call("cloudformation", operation, input).await.unwrap_err();
        format!("{}: {}", error.code, error.message)
    }

    async fn create(&self, template: &str) -> Value {
        self.call("CreateStack", json!({"StackName": "s", "TemplateBody": template})).await;
        self.settled("s").await
    }

    async fn update(&self, template: &str) -> Value {
        self.call("UpdateStack", json!({"StackName": "s", "TemplateBody": template})).await;
        self.settled("s").await
    }

    /// The stack when nothing goes on any more.
    async fn settled(&self, name: &str) -> Value {
        for _ in 0..2000 {
            let answer = self.call("DescribeStacks", json!({"StackName": name})).await;
            let stack = answer["Stacks"][0].clone();
            if !stack["StackStatus"].as_str().unwrap().ends_with("_IN_PROGRESS") {
                return stack;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the stack does not settle");
    }

    fn groups(&self) -> Vec<String> {
        self.fake.groups.lock().keys().cloned().collect()
    }

    /// Events from the oldest to the newest: logical id, status, reason.
    async fn events(&self, stack: &str) -> Vec<String> {
        let answer = self.call("DescribeStackEvents", json!({"StackName": stack})).await;
        let events = answer["StackEvents"].as_array().unwrap().iter().rev();
        let text = |event: &Value, member: &str| event[member].as_str().unwrap_or_default().to_owned();
        events
            .map(|it| {
                let (id, status) = (text(it, "LogicalResourceId"), text(it, "ResourceStatus"));
                format!("{id} {status} {}", text(it, "ResourceStatusReason")).trim().to_owned()
            })
            .collect()
    }
}

const TWO: &str = "
Resources:
  First: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: first, RetentionInDays: '7'}}
  Second: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub '${First}-second'}}
Outputs:
  Arn: {Value: !GetAtt Second.Arn, Export: {Name: second-arn}}
";

#[tokio::test]
async fn a_stack_is_made_in_order_and_removed_in_reverse() {
    let world = World::new();
    let stack = world.create(TWO).await;
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(stack["Outputs"][0]["OutputValue"], "arn:aws:logs:us-east-1:000000000000:log-group:first-second:*");
    assert_eq!(world.groups(), ["first", "first-second"]);
    assert_eq!(world.fake.groups.lock()["first"], 7);
    let expected = [
        "s CREATE_IN_PROGRESS User Initiated",
        "First CREATE_IN_PROGRESS",
        "First CREATE_IN_PROGRESS Resource creation Initiated",
        "First CREATE_COMPLETE",
        "Second CREATE_IN_PROGRESS",
        "Second CREATE_IN_PROGRESS Resource creation Initiated",
        "Second CREATE_COMPLETE",
        "s CREATE_COMPLETE",
    ];
    assert_eq!(world.events("s").await, expected);
    assert_eq!(
        world.refused("CreateStack", json!({"StackName": "s", "TemplateBody": TWO})).await,
        "AlreadyExistsException: Stack [s] already exists"
    );
    let id = stack["StackId"].as_str().unwrap();
    world.call("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(world.settled(id).await["StackStatus"], "DELETE_COMPLETE");
    assert_eq!(
        *world.fake.calls.lock(),
        ["create first", "create first-second", "delete first-second", "delete first"]
    );
    assert_eq!(
        world.refused("DescribeStacks", json!({"StackName": "s"})).await,
        "ValidationError: Stack with id s does not exist"
    );
    assert!(world.call("ListExports", json!({})).await["Exports"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_failure_takes_everything_back_and_tells_the_cause() {
    let world = World::new();
    let template = TWO.replace("${First}-second", "${First}-broken");
    let stack = world.create(&template).await;
    assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE");
    assert!(world.groups().is_empty());
    let events = world.events("s").await.join("\n");
    assert!(events.contains("Second CREATE_FAILED no such luck (Service: logs, Operation: CreateLogGroup"), "{events}");
    assert!(
        events.contains("s ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Second]."),
        "{events}"
    );
    assert!(events.contains("First DELETE_COMPLETE"), "{events}");
}

#[tokio::test]
async fn nothing_is_taken_back_if_the_caller_says_so() {
    let world = World::new();
    let template = "Resources: {A: {Type: AWS::Logs::LogGroup}, B: {Type: AWS::Nope::Thing, DependsOn: A}}";
    world.call("CreateStack", json!({"StackName": "s", "TemplateBody": template, "OnFailure": "DO_NOTHING"})).await;
    assert_eq!(world.settled("s").await["StackStatus"], "CREATE_FAILED");
    assert_eq!(world.groups().len(), 1);
    let events = world.events("s").await.join("\n");
    assert!(
        events.contains("B CREATE_FAILED Boathouse does not implement the resource type AWS::Nope::Thing yet"),
        "{events}"
    );
}

#[tokio::test]
async fn properties_are_checked_before_anything_is_made() {
    let world = World::new();
    let template = "Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupNmae: x, RetentionInDays: soon}}}";
    let stack = world.create(template).await;
    assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE");
    let events = world.events("s").await.join("\n");
    for part in
        ["extraneous key [LogGroupNmae] is not permitted", "#/RetentionInDays: expected type: Integer, found: String"]
    {
        assert!(events.contains(part), "{events}");
    }
    assert!(world.fake.calls.lock().is_empty());
}

#[tokio::test]
async fn what_is_there_already_is_not_taken_over() {
    let world = World::new();
    world.fake.groups.lock().insert("first".into(), json!({}));
    assert_eq!(world.create(TWO).await["StackStatus"], "ROLLBACK_COMPLETE");
    assert_eq!(world.groups(), ["first"]);
    let events = world.events("s").await.join("\n");
    assert!(
        events.contains("Resource of type 'AWS::Logs::LogGroup' with identifier 'first' already exists."),
        "{events}"
    );
}

#[tokio::test]
async fn an_update_changes_replaces_adds_and_removes() {
    let world = World::new();
    world.create(TWO).await;
    let template = "
Resources:
  First: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: first, RetentionInDays: 30}}
  Third: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: third}}
";
    let stack = world.update(template).await;
    assert_eq!(stack["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(world.groups(), ["first", "third"]);
    assert_eq!(world.fake.groups.lock()["first"], 30);
    let renamed = template.replace("LogGroupName: third", "LogGroupName: fourth");
    assert_eq!(world.update(&renamed).await["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(world.groups(), ["first", "fourth"]);
    let events = world.events("s").await.join("\n");
    assert!(events.contains("Third UPDATE_IN_PROGRESS Requested update requires the creation of a new"), "{events}");
    assert_eq!(
        world.refused("UpdateStack", json!({"StackName": "s", "TemplateBody": renamed})).await,
        "ValidationError: No updates are to be performed."
    );
}

#[tokio::test]
async fn a_failed_update_brings_everything_back() {
    let world = World::new();
    world.create(TWO).await;
    let template = "
Resources:
  First: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: renamed, RetentionInDays: 30}}
  Added: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: added}}
  Wrong: {Type: AWS::Logs::LogGroup, DependsOn: [First, Added], Properties: {RetentionInDays: 13}}
";
    let stack = world.update(template).await;
    assert_eq!(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(world.groups(), ["first", "first-second"]);
    assert_eq!(world.fake.groups.lock()["first"], 7);
    let events = world.events("s").await.join("\n");
    assert!(events.contains("Wrong CREATE_FAILED 13 is not a number of days"), "{events}");
    assert!(
        events.contains("s UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to update: [Wrong]."),
        "{events}"
    );
    // And it can be updated again.
    assert_eq!(world.update(&TWO.replace("'7'", "'14'")).await["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(world.fake.groups.lock()["first"], 14);
}

#[tokio::test]
async fn a_change_in_place_that_fails_is_taken_back() {
    let world = World::new();
    world.create(TWO).await;
    let stack = world.update(&TWO.replace("'7'", "'13'")).await;
    assert_eq!(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(world.fake.groups.lock()["first"], 7);
}

#[tokio::test]
async fn what_cannot_be_removed_stays_with_the_stack() {
    let world = World::new();
    world.create("Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: sticky}}, B: {Type: AWS::Logs::LogGroup}}").await;
    world.call("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(world.settled("s").await["StackStatus"], "DELETE_FAILED");
    assert_eq!(world.groups(), ["sticky"]);
    let id = world.settled("s").await["StackId"].clone();
    world.call("DeleteStack", json!({"StackName": "s", "RetainResources": ["A"]})).await;
    assert_eq!(world.settled(id.as_str().unwrap()).await["StackStatus"], "DELETE_COMPLETE");
    assert_eq!(world.groups(), ["sticky"]);
}

#[tokio::test]
async fn retained_resources_outlive_their_stack() {
    let world = World::new();
    let stack = world
        .create("Resources: {A: {Type: AWS::Logs::LogGroup, DeletionPolicy: Retain, Properties: {LogGroupName: kept}}}")
        .await;
    world.call("DeleteStack", json!({"StackName": "s"})).await;
    assert_eq!(world.settled(stack["StackId"].as_str().unwrap()).await["StackStatus"], "DELETE_COMPLETE");
    assert_eq!(world.groups(), ["kept"]);
    assert!(world.events(stack["StackId"].as_str().unwrap()).await.iter().any(|event| event == "A DELETE_SKIPPED"));
}

#[tokio::test]
async fn exports_are_imported_and_protected() {
    let world = World::new();
    world.create(TWO).await;
    let importing = "Resources: {I: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Select [6, !Split [':', !ImportValue second-arn]]}}}";
    world.call("CreateStack", json!({"StackName": "i", "TemplateBody": importing.replace("6", "5")})).await;
    assert_eq!(world.settled("i").await["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(world.call("ListImports", json!({"ExportName": "second-arn"})).await["Imports"], json!(["i"]));
    world.call("DeleteStack", json!({"StackName": "s"})).await;
    let stack = world.settled("s").await;
    assert_eq!(stack["StackStatus"], "DELETE_FAILED");
    assert_eq!(stack["StackStatusReason"], "Export second-arn cannot be deleted as it is in use by i");
    assert_eq!(world.groups().len(), 3);
    let unknown = "Resources: {I: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !ImportValue nope}}}";
    world.call("CreateStack", json!({"StackName": "u", "TemplateBody": unknown})).await;
    assert_eq!(world.settled("u").await["StackStatus"], "ROLLBACK_COMPLETE");
    assert!(world.events("u").await.join("\n").contains("No export named nope found."));
}

#[tokio::test]
async fn a_change_set_says_what_would_happen_and_does_it() {
    let world = World::new();
    let request = |name: &str, kind: &str, template: &str| {
        json!({"StackName": "s", "ChangeSetName": name,
        "ChangeSetType": kind, "TemplateBody": template})
    };
    world.call("CreateChangeSet", request("c", "CREATE", TWO)).await;
    let set = world.call("DescribeChangeSet", json!({"StackName": "s", "ChangeSetName": "c"})).await;
    assert_eq!(set["Status"], "CREATE_COMPLETE");
    assert_eq!(set["Changes"].as_array().unwrap().len(), 2);
    assert_eq!(
        world.call("DescribeStacks", json!({"StackName": "s"})).await["Stacks"][0]["StackStatus"],
        "REVIEW_IN_PROGRESS"
    );
    assert!(world.groups().is_empty());
    world.call("ExecuteChangeSet", json!({"StackName": "s", "ChangeSetName": "c"})).await;
    assert_eq!(world.settled("s").await["StackStatus"], "CREATE_COMPLETE");
    world.call("CreateChangeSet", request("same", "UPDATE", TWO)).await;
    let set = world.call("DescribeChangeSet", json!({"StackName": "s", "ChangeSetName": "same"})).await;
    assert_eq!((&set["Status"], &set["ExecutionStatus"]), (&json!("FAILED"), &json!("UNAVAILABLE")));
    assert!(set["StatusReason"].as_str().unwrap().contains("didn't contain changes"));
    let renamed = TWO
        .replace("LogGroupName: first", "LogGroupName: premier")
        .replace("  Second:", "  Deuxieme:")
        .replace("Second.Arn", "Deuxieme.Arn");
    world.call("CreateChangeSet", request("d", "UPDATE", &renamed)).await;
    let set = world.call("DescribeChangeSet", json!({"StackName": "s", "ChangeSetName": "d"})).await;
    let shown: Vec<String> = set["Changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let it = &change["ResourceChange"];
            format!("{} {} {}", it["Action"], it["LogicalResourceId"], it["Replacement"])
        })
        .collect();
    assert_eq!(shown, ["\"Add\" \"Deuxieme\" null", "\"Modify\" \"First\" \"True\"", "\"Remove\" \"Second\" null"]);
    world.call("ExecuteChangeSet", json!({"StackName": "s", "ChangeSetName": "d"})).await;
    assert_eq!(world.settled("s").await["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(world.groups(), ["premier", "premier-second"]);
}

#[tokio::test]
async fn a_creation_goes_on_after_a_restart() {
    let world = World::new();
    let stack = world.create(TWO).await;
    let uuid = stack["StackId"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    // As a crash leaves it: the first group's call was made, its answer not kept; the second was never begun.
    world.fake.groups.lock().remove("first-second");
    world
        .stacks
        .metadata
        .transaction({
            let uuid = uuid.clone();
            move |tx| {
                let key = Key::new([&uuid, "First"]);
                let mut row: Resource = tx.get_json(RESOURCES, &key)?.unwrap();
                (row.status, row.current.id) = (ResourceStatus::CreateInProgress, None);
                tx.put_json(RESOURCES, &key, &row)?;
                tx.delete(RESOURCES, &Key::new([&uuid, "Second"]))?;
                let mut stack: Stack = tx.get_json(crate::store::STACKS, &Key::new(["s", &uuid]))?.unwrap();
                stack.status = StackStatus::CreateInProgress;
                put_stack(tx, &stack)
            }
        })
        .await
        .unwrap();
    crate::engine::recover(&world.ctx.platform, &world.stacks).unwrap();
    assert_eq!(world.settled("s").await["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(world.groups(), ["first", "first-second"]);
    assert_eq!(*world.fake.calls.lock(), ["create first", "create first-second", "create first-second"]);
}

#[tokio::test]
async fn requests_that_do_not_fit_are_refused() {
    let world = World::new();
    let role = "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}}";
    for (input, expected) in [
        (
            json!({"StackName": "1s", "TemplateBody": TWO}),
            "ValidationError: 1 validation error detected: Value '1s' at 'stackName'",
        ),
        (json!({"StackName": "s"}), "ValidationError: Either Template URL or Template Body must be specified."),
        (
            json!({"StackName": "s", "TemplateBody": role}),
            "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]",
        ),
        (
            json!({"StackName": "s", "TemplateBody": TWO, "TimeoutInMinutes": 5}),
            "ValidationError: Boathouse does not implement TimeoutInMinutes yet",
        ),
        (
            json!({"StackName": "s", "TemplateBody": TWO.replace("Second.Arn", "Second.Nope")}),
            "ValidationError: Template error: resource Second does not support attribute type Nope in Fn::GetAtt",
        ),
        (
            json!({"StackName": "s", "TemplateBody": TWO, "Parameters": [{"ParameterKey": "P", "ParameterValue": "x"}]}),
            "ValidationError: Parameters: [P] do not exist in the template",
        ),
    ] {
        let answer = world.refused("CreateStack", input).await;
        assert!(answer.starts_with(expected), "{answer}");
    }
    assert!(world.call("ListStacks", json!({})).await["StackSummaries"].as_array().unwrap().is_empty());
    world.create(TWO).await;
    world.call("UpdateTerminationProtection", json!({"StackName": "s", "EnableTerminationProtection": true})).await;
    assert_eq!(
        world.refused("DeleteStack", json!({"StackName": "s"})).await,
        "ValidationError: Stack [s] cannot be deleted while TerminationProtection is enabled"
    );
}
