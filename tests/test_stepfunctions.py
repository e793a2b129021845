"""Step Functions through boto3: machines, executions, tasks, tokens, and executions that survive kill -9."""

import io
import json
import os
import sys
import threading
import time
import zipfile

import pytest
from botocore.exceptions import ClientError

from conftest import allow, service_role, wait_for

# Scripts of Glue jobs use the tests' own interpreter: nothing is installed while tests run.
os.environ.setdefault("BOATHOUSE_PYTHON_SHELL", sys.prefix)
TERMINAL = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def machine(start, **states):
    return json.dumps({"StartAt": start, "States": states})


PASS = machine("P", P={"Type": "Pass", "Result": {"done": True}, "End": True})


class World:
    """Clients and a role of one test."""

    def __init__(self, server, unique=lambda prefix: prefix, role=None):
        self.server, self.unique = server, unique
        # The sync- prefix of the host name is the SDK's way to another endpoint.
        self.sfn = server.client("stepfunctions", "test", "test", inject_host_prefix=False)
        self.role = role or service_role(server, unique("machine-role"), allow("*"), service="states.amazonaws.com")

    def create(self, definition, **options):
        name = self.unique("machine")
        return self.sfn.create_state_machine(name=name, definition=definition, roleArn=self.role, **options)[
            "stateMachineArn"
        ]

    def start(self, arn, value=None, **options):
        given = {} if value is None else {"input": json.dumps(value)}
        return self.sfn.start_execution(stateMachineArn=arn, **given, **options)["executionArn"]

    def ended(self, execution, timeout=30):
        def look():
            found = self.sfn.describe_execution(executionArn=execution)
            return found if found["status"] in TERMINAL else None

        return wait_for(look, f"the end of {execution}", timeout)

    def run(self, definition, value=None):
        return self.ended(self.start(self.create(definition), value))

    def output(self, definition, value=None):
        found = self.run(definition, value)
        assert found["status"] == "SUCCEEDED", found
        return json.loads(found["output"])

    def history(self, execution, **options):
        pages = self.sfn.get_paginator("get_execution_history").paginate(executionArn=execution, **options)
        return [event for page in pages for event in page["events"]]

    def types(self, execution):
        return [event["type"] for event in self.history(execution)]


@pytest.fixture
def world(shared, unique):
    return World(shared, unique)


def code(error):
    return error.value.response["Error"]["Code"]


def message(error):
    return error.value.response["Error"]["Message"]


def test_a_chain_runs_and_tells_its_history(world):
    definition = machine(
        "A",
        A={"Type": "Pass", "Parameters": {"n.$": "$.n", "id.$": "States.UUID()"}, "Next": "B"},
        B={"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThan": 1, "Next": "C"}], "Default": "D"},
        C={"Type": "Succeed"},
        D={"Type": "Fail", "Error": "Small", "Cause": "too small"},
    )
    arn = world.create(definition)
    execution = world.start(arn, {"n": 2})
    assert world.ended(execution)["status"] == "SUCCEEDED"
    events = world.history(execution)
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ChoiceStateEntered",
        "ChoiceStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ]
    assert events[0]["executionStartedEventDetails"]["input"] == '{"n":2}'
    reverse = world.sfn.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=2)
    assert [event["id"] for event in reverse["events"]] == [8, 7]
    bare = world.sfn.get_execution_history(executionArn=execution, includeExecutionData=False)["events"]
    assert "input" not in bare[1]["stateEnteredEventDetails"]
    failed = world.ended(world.start(arn, {"n": 0}))
    assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "Small", "too small")


def test_machines_are_created_once_updated_and_deleted(world):
    arn = world.create(PASS)
    name = arn.rsplit(":", 1)[1]
    again = world.sfn.create_state_machine(name=name, definition=PASS, roleArn=world.role)
    assert again["stateMachineArn"] == arn
    other = machine("S", S={"Type": "Succeed"})
    with pytest.raises(ClientError) as error:
        world.sfn.create_state_machine(name=name, definition=other, roleArn=world.role)
    assert code(error) == "StateMachineAlreadyExists"
    world.sfn.update_state_machine(stateMachineArn=arn, definition=other)
    found = world.sfn.describe_state_machine(stateMachineArn=arn)
    assert (found["definition"], found["status"], found["type"]) == (other, "ACTIVE", "STANDARD")
    world.sfn.delete_state_machine(stateMachineArn=arn)
    with pytest.raises(ClientError) as error:
        world.start(arn)
    assert code(error) == "StateMachineDoesNotExist"


@pytest.mark.parametrize(
    "definition, expected",
    [
        ("{", "INVALID_JSON_DESCRIPTION"),
        (machine("Nowhere", S={"Type": "Succeed"}), "MISSING_TRANSITION_TARGET: Missing 'Next' target: Nowhere"),
        (machine("S", S={"Type": "Pass"}), "exactly one of the following fields: [Next, End] at /States/S"),
        (machine("S", S={"Type": "Odd", "End": True}), "The field 'Type' should have one of these values"),
        (
            machine("S", S={"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}),
            "does not implement the service integration 'sns:publish' yet at /States/S/Resource",
        ),
        (
            machine("S", S={"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:glue:flyAway", "End": True}),
            "'aws-sdk:glue:flyAway'",
        ),
        (
            machine(
                "M",
                M={
                    "Type": "Map",
                    "End": True,
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                        "StartAt": "S",
                        "States": {"S": {"Type": "Succeed"}},
                    },
                },
            ),
            "does not implement Distributed Map",
        ),
    ],
)
def test_definitions_that_cannot_run_are_refused(world, definition, expected):
    with pytest.raises(ClientError) as error:
        world.create(definition)
    assert code(error) == "InvalidDefinition"
    assert expected in message(error)
    found = world.sfn.validate_state_machine_definition(definition=definition)
    assert found["result"] == "FAIL"


def test_messages_are_sent_and_waited_for(world):
    sqs = world.server.client("sqs", "test", "test")
    url = sqs.create_queue(QueueName=world.unique("queue"))["QueueUrl"]
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": url, "MessageBody": {"n.$": "$.n"}},
        "End": True,
    }
    sent = world.output(machine("S", S=send), {"n": 7})
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert (sent["MessageId"], json.loads(message["Body"])) == (message["MessageId"], {"n": 7})
    assert sent["SdkHttpMetadata"] == {"HttpStatusCode": 200}
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    waits = send | {"Resource": send["Resource"] + ".waitForTaskToken"}
    waits["Parameters"] = {"QueueUrl": url, "MessageBody": {"token.$": "$$.Task.Token"}}
    execution = world.start(world.create(machine("S", S=waits)))
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages"), "the token")
    world.sfn.send_task_success(taskToken=json.loads(message["Body"])["token"], output='{"done": true}')
    assert json.loads(world.ended(execution)["output"]) == {"done": True}
    nowhere = send | {"Parameters": {"QueueUrl": url + "-none", "MessageBody": "x"}}
    failed = world.run(machine("S", S=nowhere), {})
    assert failed["error"] == "SQS.QueueDoesNotExistException", failed
    assert "AWS.SimpleQueueService.NonExistentQueue" in failed["cause"]
    sdk = send | {"Resource": "arn:aws:states:::aws-sdk:sqs:sendMessage"}
    sdk["Parameters"] = {"QueueUrl": url, "MessageBody": "sdk"}
    assert world.output(machine("S", S=sdk), {})["MessageId"]


def test_a_role_must_trust_step_functions_and_be_passed(world):
    stranger = service_role(world.server, world.unique("stranger"), allow("*"), service="glue.amazonaws.com")
    with pytest.raises(ClientError) as error:
        world.sfn.create_state_machine(name=world.unique("machine"), definition=PASS, roleArn=stranger)
    assert code(error) == "AccessDeniedException"


def test_starting_is_idempotent_by_name_and_input(world):
    arn = world.create(machine("W", W={"Type": "Wait", "Seconds": 300, "End": True}))
    first = world.start(arn, {"a": 1}, name="same")
    assert world.start(arn, {"a": 1}, name="same") == first
    with pytest.raises(ClientError) as error:
        world.start(arn, {"a": 2}, name="same")
    assert code(error) == "ExecutionAlreadyExists"
    world.sfn.stop_execution(executionArn=first, error="Enough", cause="by hand")
    stopped = world.ended(first)
    assert (stopped["status"], stopped["error"]) == ("ABORTED", "Enough")
    with pytest.raises(ClientError) as error:
        world.start(arn, {"a": 1}, name="same")
    assert code(error) == "ExecutionAlreadyExists"


def test_bad_inputs_names_and_arns_are_told(world):
    arn = world.create(PASS)
    for call, expected in [
        (lambda: world.sfn.start_execution(stateMachineArn=arn, input="not json"), "InvalidExecutionInput"),
        (lambda: world.sfn.start_execution(stateMachineArn=arn, name="a/b"), "InvalidName"),
        (lambda: world.sfn.start_execution(stateMachineArn="nonsense"), "InvalidArn"),
        (lambda: world.sfn.describe_execution(executionArn=arn.replace("stateMachine", "execution") + ":no"), "ExecutionDoesNotExist"),
        (lambda: world.sfn.start_sync_execution(stateMachineArn=arn), "StateMachineTypeNotSupported"),
        (lambda: world.sfn.send_task_success(taskToken="nonsense", output="{}"), "InvalidToken"),
        (lambda: world.sfn.list_executions(stateMachineArn=arn, maxResults=1001), "ValidationException"),
    ]:
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) == expected


def test_executions_are_listed_newest_first_by_status(world):
    arn = world.create(machine("F", F={"Type": "Fail", "Error": "E"}))
    started = [world.start(arn) for _ in range(5)]
    pages = world.sfn.get_paginator("list_executions").paginate(
        stateMachineArn=arn, statusFilter="FAILED", PaginationConfig={"PageSize": 2}
    )
    found = [execution["executionArn"] for page in pages for execution in page["executions"]]
    assert sorted(found) == sorted(started)
    assert world.sfn.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"] == []


def test_map_parallel_and_variables(world):
    definition = machine(
        "V",
        V={"Type": "Pass", "Assign": {"factor": 10}, "Next": "M"},
        M={
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index"},
            "ItemProcessor": {
                "StartAt": "P",
                "States": {
                    "P": {
                        "Type": "Parallel",
                        "End": True,
                        "Branches": [
                            {"StartAt": "X", "States": {"X": {"Type": "Pass", "OutputPath": "$.v", "End": True}}},
                            {
                                "StartAt": "Y",
                                "States": {"Y": {"Type": "Pass", "Parameters": {"f.$": "$factor"}, "End": True}},
                            },
                        ],
                    }
                },
            },
            "End": True,
        },
    )
    assert world.output(definition, {"items": ["a", "b"]}) == [["a", {"f": 10}], ["b", {"f": 10}]]


def test_jsonata(world):
    definition = json.dumps(
        {
            "QueryLanguage": "JSONata",
            "StartAt": "P",
            "States": {
                "P": {
                    "Type": "Pass",
                    "Assign": {"total": "{% $sum($states.input.rows.n) %}"},
                    "Output": "{% $states.input.rows[n > 1].{'name': name, 'twice': n * 2} %}",
                    "Next": "Q",
                },
                "Q": {"Type": "Pass", "Output": {"rows": "{% $states.input %}", "total": "{% $total %}"}, "End": True},
            },
        }
    )
    rows = [{"name": "a", "n": 1}, {"name": "b", "n": 2}, {"name": "c", "n": 3}]
    expected = {"rows": [{"name": "b", "twice": 4}, {"name": "c", "twice": 6}], "total": 6}
    assert world.output(definition, {"rows": rows}) == expected
    broken = definition.replace("$sum($states.input.rows.n)", "$states.input.no.where")
    failed = world.run(broken, {"rows": rows})
    assert failed["error"] == "States.QueryEvaluationError"
    assert "specified for the field 'Assign/total' returned nothing (undefined)" in failed["cause"]


def sdk(operation, parameters, **more):
    return {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{operation}", "Parameters": parameters} | more


def test_sdk_integrations_call_as_the_role(world):
    database = world.unique("made").replace("-", "_")
    definition = machine(
        "Make",
        Make=sdk("glue:createDatabase", {"DatabaseInput": {"Name": database}}, ResultPath=None, Next="Get"),
        Get=sdk("glue:getDatabase", {"Name": database}, ResultSelector={"name.$": "$.Database.Name"}, Next="Again"),
        Again=sdk(
            "glue:createDatabase",
            {"DatabaseInput": {"Name": database}},
            Catch=[{"ErrorEquals": ["Glue.AlreadyExistsException"], "ResultPath": "$.error", "Next": "Done"}],
            Next="Done",
        ),
        Done={"Type": "Succeed"},
    )
    output = world.output(definition)
    assert output["name"] == database
    assert output["error"]["Error"] == "Glue.AlreadyExistsException"
    assert "(Service: Glue, Status Code: 400" in output["error"]["Cause"]

    poor = service_role(world.server, world.unique("poor"), allow("glue:GetTable"), service="states.amazonaws.com")
    denied = World(world.server, world.unique, poor).run(machine("G", G=sdk("glue:getDatabase", {"Name": database}, End=True)))
    assert denied["status"] == "FAILED"
    assert denied["error"] == "Glue.AccessDeniedException"


def test_nested_executions_wait_for_each_other(world):
    child = world.create(
        machine("W", W={"Type": "Wait", "Seconds": 1, "Next": "P"}, P={"Type": "Pass", "Result": {"x": 1}, "End": True})
    )
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True}
    parent = machine("S", S=start | {"Parameters": {"StateMachineArn": child, "Input": {"from": "parent"}}})
    execution = world.start(world.create(parent))
    found = world.ended(execution)
    assert found["status"] == "SUCCEEDED", found
    output = json.loads(found["output"])
    assert (output["Output"], output["Input"], output["Status"]) == ({"x": 1}, {"from": "parent"}, "SUCCEEDED")
    assert world.types(execution)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


def test_stopping_a_parent_stops_its_child(world):
    child = world.create(machine("W", W={"Type": "Wait", "Seconds": 300, "End": True}))
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": True}
    parent = world.start(world.create(machine("S", S=start | {"Parameters": {"StateMachineArn": child}})))
    running = wait_for(
        lambda: world.sfn.list_executions(stateMachineArn=child, statusFilter="RUNNING")["executions"], "the child"
    )
    wait_for(lambda: "TaskSubmitted" in world.types(parent), "the parent's task")
    world.sfn.stop_execution(executionArn=parent)
    assert world.ended(running[0]["executionArn"])["status"] == "ABORTED"


def test_activities_hand_out_tasks(world):
    activity = world.sfn.create_activity(name=world.unique("activity"))["activityArn"]
    task = {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 60, "End": True}
    arn = world.create(machine("T", T=task))
    execution = world.start(arn, {"work": 1})
    taken = world.sfn.get_activity_task(activityArn=activity, workerName="w")
    assert json.loads(taken["input"]) == {"work": 1}
    world.sfn.send_task_heartbeat(taskToken=taken["taskToken"])
    world.sfn.send_task_success(taskToken=taken["taskToken"], output='{"ok": true}')
    assert json.loads(world.ended(execution)["output"]) == {"ok": True}
    assert world.types(execution)[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
    with pytest.raises(ClientError) as error:
        world.sfn.send_task_success(taskToken=taken["taskToken"], output="{}")
    assert code(error) == "TaskTimedOut"

    execution = world.start(arn, {})
    taken = world.sfn.get_activity_task(activityArn=activity)
    world.sfn.send_task_failure(taskToken=taken["taskToken"], error="Bad", cause="luck")
    failed = world.ended(execution)
    assert (failed["error"], failed["cause"]) == ("Bad", "luck")


def test_retry_and_catch(world):
    definition = machine(
        "G",
        G=sdk(
            "glue:getDatabase",
            {"Name": "no_such_database"},
            Retry=[{"ErrorEquals": ["Glue.EntityNotFoundException"], "IntervalSeconds": 1, "MaxAttempts": 1}],
            Catch=[{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.e", "Next": "C"}],
            End=True,
        ),
        C={"Type": "Pass", "End": True},
    )
    execution = world.start(world.create(definition), {"kept": 1})
    output = json.loads(world.ended(execution)["output"])
    assert (output["kept"], output["e"]["Error"]) == (1, "Glue.EntityNotFoundException")
    assert world.types(execution).count("TaskScheduled") == 2


def test_express_executions(world):
    arn = world.create(PASS, type="EXPRESS")
    answer = world.sfn.start_sync_execution(stateMachineArn=arn, input='{"a": 1}')
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"done": True})
    failing = world.create(machine("F", F={"Type": "Fail", "Error": "E", "Cause": "C"}), type="EXPRESS")
    answer = world.sfn.start_sync_execution(stateMachineArn=failing)
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "E", "C")
    waiting = world.create(machine("W", W={"Type": "Wait", "Seconds": 1, "End": True}), type="EXPRESS")
    assert world.sfn.start_sync_execution(stateMachineArn=waiting)["status"] == "SUCCEEDED"
    started = world.sfn.start_execution(stateMachineArn=waiting)["executionArn"]
    with pytest.raises(ClientError) as error:
        world.sfn.describe_execution(executionArn=started)
    assert code(error) == "InvalidArn"
    waits = machine("S", S={"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": True})
    with pytest.raises(ClientError) as error:
        world.create(waits, type="EXPRESS")
    assert "Express state machine does not support '.sync' service integration" in message(error)


def test_versions_and_aliases(world):
    arn = world.create(PASS, publish=True)
    second = machine("S", S={"Type": "Pass", "Result": 2, "End": True})
    updated = world.sfn.update_state_machine(stateMachineArn=arn, definition=second, publish=True)
    assert updated["stateMachineVersionArn"] == f"{arn}:2"
    versions = world.sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [version["stateMachineVersionArn"] for version in versions] == [f"{arn}:2", f"{arn}:1"]
    routes = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    alias = world.sfn.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]
    found = world.ended(world.start(alias))
    assert json.loads(found["output"]) == {"done": True}
    assert (found["stateMachineVersionArn"], found["stateMachineAliasArn"]) == (f"{arn}:1", alias)
    with pytest.raises(ClientError) as error:
        world.sfn.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    assert code(error) == "ConflictException"
    world.sfn.update_state_machine_alias(
        stateMachineAliasArn=alias, routingConfiguration=[{"stateMachineVersionArn": f"{arn}:2", "weight": 100}]
    )
    assert json.loads(world.ended(world.start(alias))["output"]) == 2
    world.sfn.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")


def test_redrive_goes_on_from_the_failed_state(world):
    database = world.unique("late").replace("-", "_")
    definition = machine(
        "A",
        A={"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "Next": "G"},
        G=sdk("glue:getDatabase", {"Name": database}, ResultPath="$.found", Next="S"),
        S={"Type": "Succeed"},
    )
    execution = world.start(world.create(definition))
    assert world.ended(execution)["redriveStatus"] == "REDRIVABLE"
    world.server.client("glue", "test", "test").create_database(DatabaseInput={"Name": database})
    world.sfn.redrive_execution(executionArn=execution)
    found = world.ended(execution)
    assert (found["status"], found["redriveCount"]) == ("SUCCEEDED", 1)
    types = world.types(execution)
    assert types.count("PassStateEntered") == 1
    assert "ExecutionRedriven" in types
    with pytest.raises(ClientError) as error:
        world.sfn.redrive_execution(executionArn=execution)
    assert code(error) == "ExecutionNotRedrivable"


def test_tags(world):
    arn = world.create(PASS, tags=[{"key": "a", "value": "1"}])
    world.sfn.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    world.sfn.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert world.sfn.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]


def function(world, code):
    """A Lambda function; answers its ARN."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    client = world.server.client("lambda", "test", "test")
    role = service_role(world.server, world.unique("function-role"), allow("logs:*"), service="lambda.amazonaws.com")
    made = client.create_function(
        FunctionName=world.unique("function"),
        Runtime="python3.12",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": buffer.getvalue()},
        Timeout=10,
    )
    return made["FunctionArn"]


LAMBDA = """
class Busy(Exception):
    pass

def handler(event, context):
    if event.get("fail"):
        raise Busy("come back later")
    return {"twice": event["n"] * 2}
"""


def test_lambda_functions_as_tasks(world):
    arn = function(world, LAMBDA)
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
    given = {"FunctionName": arn, "Payload.$": "$"}
    definition = machine(
        "New",
        New=invoke | {"Parameters": given, "ResultSelector": {"n.$": "$.Payload.twice", "code.$": "$.StatusCode"}, "Next": "Old"},
        Old={"Type": "Task", "Resource": arn, "ResultPath": "$.old", "End": True},
    )
    execution = world.start(world.create(definition), {"n": 2})
    assert json.loads(world.ended(execution)["output"]) == {"n": 4, "code": 200, "old": {"twice": 8}}
    assert "LambdaFunctionSucceeded" in world.types(execution)

    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    catch = [{"ErrorEquals": ["Busy"], "ResultPath": "$.why", "Next": "Caught"}]
    failing = machine(
        "Fails",
        Fails=invoke | {"Parameters": given, "Retry": retry, "Catch": catch, "End": True},
        Caught={"Type": "Pass", "End": True},
    )
    output = world.output(failing, {"fail": True})
    assert output["why"]["Error"] == "Busy"
    assert json.loads(output["why"]["Cause"])["errorMessage"] == "come back later"

    missing = world.run(machine("M", M=invoke | {"Parameters": {"FunctionName": "no-such-function"}, "End": True}))
    assert missing["error"] == "Lambda.ResourceNotFoundException"


def test_a_task_waits_for_its_token(world):
    arn = function(world, "def handler(event, context):\n    return event\n")
    wait = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 60}
    payload = {"token.$": "$$.Task.Token"}
    definition = machine("W", W=wait | {"Parameters": {"FunctionName": arn, "Payload": payload}, "End": True})
    execution = world.start(world.create(definition))
    wait_for(lambda: "TaskSubmitted" in world.types(execution), "the call")
    submitted = next(event for event in world.history(execution) if event["type"] == "TaskSubmitted")
    token = json.loads(submitted["taskSubmittedEventDetails"]["output"])["Payload"]["token"]
    world.sfn.send_task_heartbeat(taskToken=token)
    world.sfn.send_task_success(taskToken=token, output='{"came": "back"}')
    assert json.loads(world.ended(execution)["output"]) == {"came": "back"}


def test_athena_queries_as_tasks(world):
    bucket = world.unique("results")
    world.server.client("s3", "test", "test").create_bucket(Bucket=bucket)
    query = {"Type": "Task", "Resource": "arn:aws:states:::athena:startQueryExecution.sync"}
    location = {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/"}}
    definition = machine(
        "Query",
        Query=query | {"Parameters": {"QueryString": "SELECT 6 * 7 AS answer"} | location, "Next": "Read"},
        Read={
            "Type": "Task",
            "Resource": "arn:aws:states:::athena:getQueryResults",
            "Parameters": {"QueryExecutionId.$": "$.QueryExecution.QueryExecutionId"},
            "ResultSelector": {"answer.$": "$.ResultSet.Rows[1].Data[0].VarCharValue"},
            "End": True,
        },
    )
    assert world.output(definition) == {"answer": "42"}
    broken = machine("Q", Q=query | {"Parameters": {"QueryString": "SELECT no_such_column"} | location, "End": True})
    assert world.run(broken)["error"] in {"States.TaskFailed", "Athena.InvalidRequestException"}


def test_glue_jobs_as_tasks(world):
    bucket = world.unique("scripts")
    s3, glue = world.server.client("s3", "test", "test"), world.server.client("glue", "test", "test")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="ok.py", Body="print('fine')")
    s3.put_object(Bucket=bucket, Key="bad.py", Body="raise SystemExit(3)")
    role = service_role(world.server, world.unique("job-role"), allow("s3:*", "logs:*"))
    names = {}
    for script in ["ok", "bad"]:
        command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/{script}.py", "PythonVersion": "3.9"}
        names[script] = world.unique(script)
        glue.create_job(Name=names[script], Role=role, Command=command, MaxCapacity=0.0625)
    run = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync"}
    definition = machine(
        "Ok",
        Ok=run | {"Parameters": {"JobName": names["ok"]}, "ResultSelector": {"state.$": "$.JobRunState"}, "Next": "Bad"},
        Bad=run
        | {
            "Parameters": {"JobName": names["bad"]},
            "Catch": [{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.why", "Next": "Caught"}],
            "End": True,
        },
        Caught={"Type": "Pass", "End": True},
    )
    execution = world.start(world.create(definition))
    output = json.loads(world.ended(execution, 120)["output"])
    assert output["state"] == "SUCCEEDED"
    assert json.loads(output["why"]["Cause"])["JobRunState"] == "FAILED"
    for name in names.values():
        assert len(glue.get_job_runs(JobName=name)["JobRuns"]) == 1


def test_events_are_logged_where_the_machine_says(world):
    logs = world.server.client("logs", "test", "test")
    group = world.unique("/aws/vendedlogs/states/group")
    logs.create_log_group(logGroupName=group)
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["arn"]
    configuration = {
        "level": "ALL",
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
    }
    machine_arn = world.create(PASS, type="EXPRESS", loggingConfiguration=configuration)
    assert world.sfn.start_sync_execution(stateMachineArn=machine_arn)["status"] == "SUCCEEDED"

    def types():
        found = logs.filter_log_events(logGroupName=group)["events"]
        return [json.loads(event["message"])["type"] for event in found]

    wait_for(lambda: "ExecutionSucceeded" in types(), "the last event in the log")
    assert types() == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    with pytest.raises(ClientError) as error:
        world.create(PASS, loggingConfiguration={"level": "ALL"})
    assert code(error) == "InvalidLoggingConfiguration"


def test_one_state_can_be_tested(world):
    state = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Later"}
    found = world.sfn.test_state(definition=json.dumps(state), input='{"n": 1}', inspectionLevel="DEBUG")
    assert (found["status"], json.loads(found["output"]), found["nextState"]) == ("SUCCEEDED", {"n": 2}, "Later")
    assert json.loads(found["inspectionData"]["afterParameters"]) == {"n": 2}
    call = sdk("glue:getDatabase", {"Name": "no_such_database"}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}], End=True)
    found = world.sfn.test_state(definition=json.dumps(call), roleArn=world.role)
    assert (found["status"], found["error"], found["nextState"]) == ("CAUGHT_ERROR", "Glue.EntityNotFoundException", "C")
    with pytest.raises(ClientError) as error:
        world.sfn.test_state(definition=json.dumps(call))
    assert message(error) == "RoleArn must be specified when testing a Task state"


CRASHING = machine(
    "A",
    A={"Type": "Pass", "Assign": {"v": 7}, "Next": "M"},
    M={
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 1,
        "ResultPath": "$.mapped",
        "ItemProcessor": {
            "StartAt": "W",
            "States": {
                "W": {"Type": "Wait", "Seconds": 1, "Next": "Child"},
                "Child": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::states:startExecution.sync:2",
                    "Parameters": {"StateMachineArn.$": "$.child", "Input.$": "$.input"},
                    "ResultSelector": {"o.$": "$.Output"},
                    "End": True,
                },
            },
        },
        "Next": "Done",
    },
    Done={"Type": "Pass", "Parameters": {"v.$": "$v", "mapped.$": "$.mapped"}, "End": True},
)


def crash_run(server, prefix, kills, restart):
    """Runs the machine with a kill -9 after each time in `kills`; answers output, history and child executions."""
    world = World(server, lambda name: f"{prefix}-{name}")
    child = world.create(machine("P", P={"Type": "Wait", "Seconds": 1, "End": True}))
    parent = world.sfn.create_state_machine(name=f"{prefix}-parent", definition=CRASHING, roleArn=world.role)
    items = [{"child": child, "input": {"n": n}} for n in range(2)]
    execution = world.start(parent["stateMachineArn"], {"items": items}, name="run")
    for pause in kills:
        time.sleep(pause)
        server.kill()
        server = restart()
        world = World(server, role=world.role)
    found = world.ended(execution, 60)
    assert found["status"] == "SUCCEEDED", (found, world.types(execution)[-3:])
    children = world.sfn.list_executions(stateMachineArn=child)["executions"]
    shapes = [(event["id"], event["previousEventId"], event["type"]) for event in world.history(execution)]
    return json.loads(found["output"]), shapes, len(children), server


@pytest.mark.parametrize("kills", [[0.0], [0.3], [0.9], [1.2], [1.7], [2.2], [0.4, 0.4, 0.4, 0.4, 0.4]])
def test_an_execution_survives_kill_9(start, kills):
    server = start("--dev")
    calm, calm_history, calm_children, server = crash_run(server, "calm", [], None)
    crashed, history, children, _ = crash_run(server, "crash", kills, lambda: start("--dev"))
    assert crashed == calm == {"v": 7, "mapped": [{"o": {"n": 0}}, {"o": {"n": 1}}]}
    assert history == calm_history
    # Each child was started once, whatever the crash fell on.
    assert children == calm_children == 2


def test_waits_tokens_and_activities_survive_kill_9(start):
    server = start("--dev")
    world = World(server)
    activity = world.sfn.create_activity(name="survivor")["activityArn"]
    arn = world.sfn.create_state_machine(
        name="waits", definition=machine("T", T={"Type": "Task", "Resource": activity, "End": True}), roleArn=world.role
    )["stateMachineArn"]
    taken_execution, queued_execution = world.start(arn, {"n": 1}, name="taken"), None
    taken = world.sfn.get_activity_task(activityArn=activity)
    queued_execution = world.start(arn, {"n": 2}, name="queued")
    server.kill()
    server = start("--dev")
    world = World(server, role=world.role)
    world.sfn.send_task_success(taskToken=taken["taskToken"], output='"one"')
    assert json.loads(world.ended(taken_execution)["output"]) == "one"
    again = world.sfn.get_activity_task(activityArn=activity)
    assert json.loads(again["input"]) == {"n": 2}
    world.sfn.send_task_success(taskToken=again["taskToken"], output='"two"')
    assert json.loads(world.ended(queued_execution)["output"]) == "two"


def test_acknowledged_executions_are_not_lost(start):
    server = start("--dev")
    world = World(server)
    arn = world.sfn.create_state_machine(
        name="many", definition=machine("W", W={"Type": "Wait", "Seconds": 1, "End": True}), roleArn=world.role
    )["stateMachineArn"]
    acknowledged, stop = [], threading.Event()

    def work(number):
        client = server.client("stepfunctions", "test", "test")
        count = 0
        while not stop.is_set():
            name = f"{number}-{count}"
            try:
                client.start_execution(stateMachineArn=arn, name=name)
            except Exception:
                return
            acknowledged.append(name)
            count += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) > 100, "a hundred executions")
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    world = World(start("--dev"), role=world.role)
    for name in acknowledged:
        found = world.ended(f"{arn.replace('stateMachine', 'execution')}:{name}")
        assert found["status"] == "SUCCEEDED"
