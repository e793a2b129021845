"""The Amazon States Language through boto3: every state type, intrinsic functions, error names, what histories tell."""

import json

import pytest
from botocore.exceptions import ClientError

from conftest import allow, service_role, wait_for
from test_stepfunctions import World, code, machine, message, sdk


@pytest.fixture
def world(shared, unique):
    return World(shared, unique)


def only(**state):
    """A machine of one state."""
    return machine("S", S=state | {"End": True})


def test_paths_shape_what_goes_in_and_comes_out(world):
    state = {
        "Type": "Pass",
        "InputPath": "$.in",
        "Parameters": {"n.$": "$.n", "who.$": "$$.Execution.Input.who", "fixed": 1},
        "ResultPath": "$.got",
        "OutputPath": "$.got",
    }
    assert world.output(only(**state), {"in": {"n": 7}, "who": "me"}) == {"n": 7, "who": "me", "fixed": 1}
    kept = only(Type="Pass", Result="x", ResultPath="$.a.b")
    assert world.output(kept, {"a": {"c": 1}}) == {"a": {"c": 1, "b": "x"}}
    assert world.output(only(Type="Pass", Result="x", ResultPath=None), {"a": 1}) == {"a": 1}
    failed = world.run(only(Type="Pass", Parameters={"x.$": "$.missing"}), {"a": 1})
    assert failed["error"] == "States.ParameterPathFailure" or failed["error"] == "States.Runtime"
    assert "The JSONPath '$.missing'" in failed["cause"]
    assert "could not be found in the input '{\"a\":1}'" in failed["cause"]


@pytest.mark.parametrize(
    "rule, value, chosen",
    [
        ({"Variable": "$.v", "StringEquals": "a"}, "a", True),
        ({"Variable": "$.v", "StringEqualsPath": "$.w"}, "a", False),
        ({"Variable": "$.v", "StringLessThan": "b"}, "a", True),
        ({"Variable": "$.v", "StringGreaterThanEquals": "b"}, "b", True),
        ({"Variable": "$.v", "StringMatches": "log-*.txt"}, "log-1.txt", True),
        ({"Variable": "$.v", "StringMatches": "log-\\*.txt"}, "log-1.txt", False),
        ({"Variable": "$.v", "NumericEquals": 3}, 3, True),
        ({"Variable": "$.v", "NumericLessThanEquals": 2}, 3, False),
        ({"Variable": "$.v", "NumericGreaterThanPath": "$.n"}, 3, True),
        ({"Variable": "$.v", "BooleanEquals": True}, True, True),
        ({"Variable": "$.v", "TimestampLessThan": "2026-01-02T00:00:00Z"}, "2026-01-01T23:59:59+01:00", True),
        ({"Variable": "$.v", "TimestampEquals": "2026-01-01T00:00:00Z"}, "2026-01-01T01:00:00+01:00", True),
        ({"Variable": "$.v", "IsNull": True}, None, True),
        ({"Variable": "$.none", "IsPresent": False}, 1, True),
        ({"Variable": "$.v", "IsNumeric": True}, "1", False),
        ({"Variable": "$.v", "IsString": True}, "1", True),
        ({"Variable": "$.v", "IsBoolean": True}, False, True),
        ({"Variable": "$.v", "IsTimestamp": True}, "2026-01-01T00:00:00Z", True),
        ({"Variable": "$.v", "IsTimestamp": True}, "yesterday", False),
        ({"Not": {"Variable": "$.v", "NumericEquals": 3}}, 3, False),
        ({"And": [{"Variable": "$.v", "IsNumeric": True}, {"Variable": "$.v", "NumericLessThan": 9}]}, 3, True),
        ({"Or": [{"Variable": "$.v", "IsString": True}, {"Variable": "$.v", "IsNull": True}]}, 3, False),
    ],
)
def test_choices(world, rule, value, chosen):
    definition = machine(
        "C",
        C={"Type": "Choice", "Choices": [rule | {"Next": "Yes"}], "Default": "No"},
        Yes={"Type": "Pass", "Result": True, "End": True},
        No={"Type": "Pass", "Result": False, "End": True},
    )
    assert world.output(definition, {"v": value, "w": "b", "n": 2}) is chosen


def test_a_choice_without_a_match_fails(world):
    definition = machine(
        "C",
        C={"Type": "Choice", "Choices": [{"Variable": "$.v", "StringEquals": "a", "Next": "Y"}]},
        Y={"Type": "Succeed"},
    )
    failed = world.run(definition, {"v": "b"})
    assert (failed["status"], failed["error"]) == ("FAILED", "States.NoChoiceMatched")


INTRINSICS = [
    ("States.Array(1, 'a', $.n)", [1, "a", 3]),
    ("States.ArrayPartition($.list, 2)", [[1, 2], [3, 4], [5]]),
    ("States.ArrayContains($.list, 4)", True),
    ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
    ("States.ArrayGetItem($.list, 1)", 2),
    ("States.ArrayLength($.list)", 5),
    ("States.ArrayUnique(States.Array(1, 2, 1))", [1, 2]),
    ("States.Base64Encode('data to encode')", "ZGF0YSB0byBlbmNvZGU="),
    ("States.Base64Decode('ZGF0YQ==')", "data"),
    ("States.Hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
    ("States.Hash('x', 'MD5')", "9dd4e461268c8034f5c8564e155c67a6"),
    ("States.JsonMerge($.a, $.b, false)", {"x": 1, "y": {"q": 2}}),
    ("States.StringToJson('{\"a\": [1]}')", {"a": [1]}),
    ("States.JsonToString($.a)", '{"x":1,"y":{"p":1}}'),
    ("States.MathAdd($.n, -1)", 2),
    ("States.StringSplit('1,2+3', ',+')", ["1", "2", "3"]),
    ("States.Format('{} is {} \\\\{\\\\}', $.name, $.n)", "Ann is 3 {}"),
    ("States.Format('{}', States.ArrayLength(States.Array(1, 2)))", "2"),
]


@pytest.mark.parametrize("expression, expected", INTRINSICS)
def test_intrinsic_functions(world, expression, expected):
    given = {"n": 3, "list": [1, 2, 3, 4, 5], "a": {"x": 1, "y": {"p": 1}}, "b": {"y": {"q": 2}}, "name": "Ann"}
    assert world.output(only(Type="Pass", Parameters={"v.$": expression.replace("\\\\", "\\")}), given)["v"] == expected


def test_random_and_unique_values(world):
    expressions = {"u.$": "States.UUID()", "r.$": "States.MathRandom(1, 10)", "s.$": "States.MathRandom(1, 1000000, 7)"}
    state = only(Type="Pass", Parameters=expressions)
    first, second = world.output(state), world.output(state)
    assert first["u"] != second["u"] and first["s"] == second["s"]
    assert 1 <= first["r"] < 10


@pytest.mark.parametrize(
    "expression, said",
    [
        ("States.ArrayGetItem($.list, 9)", "ArrayGetItem"),
        ("States.Base64Decode('%%%')", "Base64Decode"),
        ("States.StringToJson('{')", "StringToJson"),
        ("States.MathAdd('a', 1)", "MathAdd"),
    ],
)
def test_intrinsic_functions_fail_by_name(world, expression, said):
    failed = world.run(only(Type="Pass", Parameters={"v.$": expression}), {"list": [1]})
    assert failed["error"] == "States.IntrinsicFailure" and said in failed["cause"], failed


def test_waits_of_every_kind(world):
    past = "2020-01-01T00:00:00Z"
    for wait in [{"Seconds": 0}, {"SecondsPath": "$.s"}, {"Timestamp": past}, {"TimestampPath": "$.t"}]:
        assert world.output(only(Type="Wait", **wait), {"s": 0, "t": past}) == {"s": 0, "t": past}
    failed = world.run(only(Type="Wait", SecondsPath="$.s"), {"s": "soon"})
    assert (failed["status"], failed["error"]) == ("FAILED", "States.Runtime")


def test_parallel_branches_fail_together(world):
    branches = [
        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 300, "End": True}}},
        {"StartAt": "F", "States": {"F": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"}}},
    ]
    definition = machine(
        "P",
        P={
            "Type": "Parallel",
            "Branches": branches,
            "Catch": [{"ErrorEquals": ["Mine"], "ResultPath": "$.caught", "Next": "D"}],
            "End": True,
        },
        D={"Type": "Succeed"},
    )
    found = world.start(world.create(definition), {"e": "Mine", "c": "because"})
    ended = world.ended(found)
    assert json.loads(ended["output"])["caught"] == {"Error": "Mine", "Cause": "because"}
    assert "ParallelStateFailed" in world.types(found)
    assert world.ended(world.start(world.create(definition), {"e": "Other", "c": "x"}))["error"] == "Other"


def test_maps_tolerate_no_failure_and_keep_order(world):
    processor = {
        "StartAt": "C",
        "States": {
            "C": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 2, "Next": "F"}], "Default": "P"},
            "F": {"Type": "Fail", "Error": "Two", "Cause": "no twos"},
            "P": {"Type": "Pass", "OutputPath": "$.n", "End": True},
        },
    }
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "MaxConcurrency": 2, "End": True}
    items = [{"n": n} for n in [5, 4, 3, 1]]
    assert world.output(machine("M", M=state), {"items": items}) == [5, 4, 3, 1]
    assert world.output(machine("M", M=state), {"items": []}) == []
    failed = world.start(world.create(machine("M", M=state)), {"items": [{"n": 1}, {"n": 2}]})
    assert world.ended(failed)["error"] == "Two"
    types = world.types(failed)
    assert "MapIterationFailed" in types and "MapStateFailed" in types
    # The older spelling does the same.
    older = {"Type": "Map", "ItemsPath": "$.items", "Iterator": processor, "Parameters": {"n.$": "$$.Map.Item.Index"}}
    assert world.output(machine("M", M=older | {"End": True}), {"items": ["a", "b"]}) == [0, 1]
    assert world.run(machine("M", M=state), {"items": 3})["error"] == "States.Runtime"


def test_the_context_object(world):
    wanted = {
        "execution.$": "$$.Execution.Name",
        "start.$": "$$.Execution.StartTime",
        "role.$": "$$.Execution.RoleArn",
        "state.$": "$$.State.Name",
        "entered.$": "$$.State.EnteredTime",
        "machine.$": "$$.StateMachine.Name",
        "redrives.$": "$$.Execution.RedriveCount",
    }
    arn = world.create(only(Type="Pass", Parameters=wanted))
    found = json.loads(world.ended(world.start(arn, {}, name="mine"))["output"])
    assert (found["execution"], found["state"], found["redrives"]) == ("mine", "S", 0)
    assert found["role"] == world.role and found["machine"] == arn.split(":")[-1]
    assert found["start"].endswith("Z") and found["entered"] >= found["start"]


def test_variables_reach_inner_states_and_no_further(world):
    inner = {
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "Assign": {"inner.$": "$outer"}, "Parameters": {"o.$": "$outer"}, "End": True}},
    }
    definition = machine(
        "A",
        A={"Type": "Pass", "Assign": {"outer": 1, "sum.$": "States.MathAdd($.n, 1)"}, "Next": "P"},
        P={"Type": "Parallel", "Branches": [inner], "Next": "B"},
        B={"Type": "Pass", "Parameters": {"sum.$": "$sum", "inner.$": "$[0].o"}, "End": True},
    )
    assert world.output(definition, {"n": 1}) == {"sum": 2, "inner": 1}
    unknown = only(Type="Pass", Parameters={"x.$": "$nowhere"})
    found = world.sfn.validate_state_machine_definition(definition=unknown)
    if found["result"] == "OK":
        failed = world.run(unknown, {})
        assert failed["error"] in ("States.Runtime", "States.ParameterPathFailure", "States.QueryEvaluationError")
        assert "nowhere" in failed["cause"]


@pytest.mark.parametrize(
    "operation, parameters, expected",
    [
        ("s3:getObject", {"Bucket": "no-such-bucket-anywhere", "Key": "k"}, "S3.NoSuchBucketException"),
        ("s3:putBucketPolicy", {"Bucket": "no-such-bucket-anywhere", "Policy": "{}"}, "S3.NoSuchBucketException"),
        ("s3:createBucket", {"Bucket": "NOT_A_NAME"}, "S3.S3Exception"),
        ("athena:getQueryExecution", {"QueryExecutionId": "none"}, "Athena.InvalidRequestException"),
        ("glue:getTable", {"DatabaseName": "none", "Name": "none"}, "Glue.EntityNotFoundException"),
        ("glue:startCrawler", {"Name": "none"}, "Glue.EntityNotFoundException"),
        ("sfn:describeExecution", {"ExecutionArn": "arn:aws:states:us-east-1:000000000000:execution:m:x"}, "Sfn.ExecutionDoesNotExistException"),
        ("lambda:getFunction", {"FunctionName": "none"}, "Lambda.ResourceNotFoundException"),
        ("firehose:describeDeliveryStream", {"DeliveryStreamName": "none"}, "Firehose.ResourceNotFoundException"),
        ("cloudwatchlogs:describeLogStreams", {"LogGroupName": "none"}, "CloudWatchLogs.ResourceNotFoundException"),
        ("scheduler:getSchedule", {"Name": "none"}, "Scheduler.ResourceNotFoundException"),
        ("iam:getRole", {"RoleName": "none"}, "Iam.NoSuchEntityException"),
        ("eventbridge:describeRule", {"Name": "none"}, "EventBridge.ResourceNotFoundException"),
        ("cloudformation:describeStacks", {"StackName": "none"}, "CloudFormation.CloudFormationException"),
    ],
)
def test_errors_of_the_sdk_have_their_exceptions_names(world, operation, parameters, expected):
    failed = world.run(machine("S", S=sdk(operation, parameters, End=True)))
    assert failed["error"] == expected, failed


def test_objects_through_the_sdk(world):
    bucket = world.unique("sdk-bucket")
    definition = machine(
        "Make",
        Make=sdk("s3:createBucket", {"Bucket": bucket}, ResultPath=None, Next="Put"),
        Put=sdk("s3:putObject", {"Bucket": bucket, "Key": "a/b.json", "Body": {"n": 1}}, ResultPath=None, Next="Copy"),
        Copy=sdk("s3:copyObject", {"Bucket": bucket, "Key": "c", "CopySource": f"{bucket}/a/b.json"}, ResultPath=None, Next="Get"),
        Get=sdk("s3:getObject", {"Bucket": bucket, "Key": "c"}, ResultSelector={"body.$": "$.Body"}, ResultPath="$.got", Next="List"),
        List=sdk("s3:listObjectsV2", {"Bucket": bucket}, ResultSelector={"keys.$": "$.Contents[*].Key"}, ResultPath="$.listed", Next="Wipe"),
        Wipe=sdk("s3:deleteObject", {"Bucket": bucket, "Key": "c"}, ResultPath=None, End=True),
    )
    found = world.output(definition, {})
    assert (found["got"]["body"], found["listed"]["keys"]) == ('{"n":1}', ["a/b.json", "c"])
    left = world.server.client("s3", "test", "test").list_objects_v2(Bucket=bucket)["Contents"]
    assert [item["Key"] for item in left] == ["a/b.json"]


def test_retries_back_off_up_to_their_longest_pause(world):
    retry = {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 1,
        "BackoffRate": 10,
        "MaxAttempts": 2,
        "MaxDelaySeconds": 2,
        "JitterStrategy": "FULL",
    }
    call = sdk("glue:getDatabase", {"Name": "none"}, Retry=[retry], End=True)
    execution = world.start(world.create(machine("S", S=call)))
    assert world.ended(execution)["error"] == "Glue.EntityNotFoundException"
    times = [event["timestamp"] for event in world.history(execution) if event["type"] == "TaskScheduled"]
    pauses = [(later - earlier).total_seconds() for earlier, later in zip(times, times[1:])]
    # Jitter takes any part of the pause away, and nothing is longer than the longest pause.
    assert len(pauses) == 2 and all(pause < 4 for pause in pauses), pauses
    for wrong in [{"JitterStrategy": "SOME"}, {"MaxDelaySeconds": 0}, {"BackoffRate": 0.5}, {"IntervalSeconds": 0}]:
        bad = machine("S", S=sdk("glue:getDatabase", {"Name": "none"}, Retry=[retry | wrong], End=True))
        with pytest.raises(ClientError) as error:
            world.create(bad)
        assert code(error) == "InvalidDefinition" and next(iter(wrong)) in message(error), message(error)


def test_tasks_time_out(world):
    activity = world.sfn.create_activity(name=world.unique("slow"))["activityArn"]
    task = {"Type": "Task", "Resource": activity, "TimeoutSeconds": 1, "End": True}
    execution = world.start(world.create(machine("S", S=task)))
    ended = world.ended(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert "ActivityTimedOut" in world.types(execution)
    beat = {"Type": "Task", "Resource": activity, "TimeoutSecondsPath": "$.t", "HeartbeatSeconds": 1, "End": True}
    caught = machine("S", S=beat | {"Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "D"}]}, D={"Type": "Succeed"})
    execution = world.start(world.create(caught), {"t": 60})
    wait_for(lambda: world.sfn.get_activity_task(activityArn=activity).get("taskToken"), "the task")
    assert world.ended(execution)["status"] == "SUCCEEDED"
    whole = json.dumps({"StartAt": "W", "TimeoutSeconds": 1, "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}})
    ended = world.run(whole)
    assert ended["status"] == "TIMED_OUT"


def test_executions_are_stopped_with_a_cause(world):
    execution = world.start(world.create(only(Type="Wait", Seconds=600)))
    world.sfn.stop_execution(executionArn=execution, error="Enough", cause="lunch")
    found = world.ended(execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "lunch")
    last = world.history(execution)[-1]
    assert last["type"] == "ExecutionAborted"
    assert last["executionAbortedEventDetails"] == {"error": "Enough", "cause": "lunch"}
    again = world.sfn.stop_execution(executionArn=execution)
    assert again["stopDate"] == found["stopDate"]
    with pytest.raises(ClientError) as error:
        world.sfn.stop_execution(executionArn=execution + "x")
    assert code(error) == "ExecutionDoesNotExist"


def test_histories_come_in_pages_both_ways(world):
    states = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(6)} | {"S6": {"Type": "Succeed"}}
    execution = world.start(world.create(machine("S0", **states)))
    world.ended(execution)
    whole = [event["id"] for event in world.history(execution)]
    assert whole == list(range(1, 17))
    assert [event["id"] for event in world.history(execution, PaginationConfig={"PageSize": 5})] == whole
    backwards = world.history(execution, reverseOrder=True, PaginationConfig={"PageSize": 5})
    assert [event["id"] for event in backwards] == whole[::-1]
    with pytest.raises(ClientError) as error:
        world.sfn.get_execution_history(executionArn=execution, nextToken="wrong")
    assert code(error) == "InvalidToken"
    with pytest.raises(ClientError) as error:
        world.sfn.get_execution_history(executionArn=execution, maxResults=1001)
    assert code(error) == "ValidationException"


@pytest.mark.parametrize(
    "definition, expected",
    [
        ("{", "INVALID_JSON_DESCRIPTION"),
        ("{}", "SCHEMA_VALIDATION_FAILED"),
        (machine("Nowhere", S={"Type": "Succeed"}), "MISSING_TRANSITION_TARGET"),
        (machine("S", S={"Type": "Pass"}), "SCHEMA_VALIDATION_FAILED"),
        (machine("S", S={"Type": "Pass", "Next": "T"}), "MISSING_TRANSITION_TARGET"),
        (machine("S", S={"Type": "Succeed"}, T={"Type": "Succeed"}), "MISSING_TRANSITION_TARGET"),
        (only(Type="Nap"), "SCHEMA_VALIDATION_FAILED"),
        (only(Type="Pass", Parameters={"a.$": "no path"}), "SCHEMA_VALIDATION_FAILED"),
        (only(Type="Wait"), "SCHEMA_VALIDATION_FAILED"),
        (only(Type="Wait", Seconds=1, Timestamp="2026-01-01T00:00:00Z"), "SCHEMA_VALIDATION_FAILED"),
        (only(Type="Task", Resource="lambda"), "SCHEMA_VALIDATION_FAILED"),
        (machine("C", C={"Type": "Choice", "Choices": []}), "SCHEMA_VALIDATION_FAILED"),
        (only(Type="Pass", Colour="red"), "SCHEMA_VALIDATION_FAILED"),
    ],
)
def test_what_is_wrong_with_a_definition_has_a_code_and_a_place(world, definition, expected):
    found = world.sfn.validate_state_machine_definition(definition=definition)
    assert found["result"] == "FAIL"
    codes = [item["code"] for item in found["diagnostics"]]
    assert expected in codes, found["diagnostics"]
    assert all(item["severity"] == "ERROR" and item["message"] for item in found["diagnostics"])


def test_redriven_executions_tell_it(world):
    """A task that a missing thing made fail goes on once the thing is there; what had succeeded is not done again."""
    database = world.unique("later").replace("-", "_")
    definition = machine(
        "P",
        P={"Type": "Pass", "Result": 1, "ResultPath": "$.p", "Next": "G"},
        G=sdk("glue:getDatabase", {"Name": database}, ResultSelector={"n.$": "$.Database.Name"}, End=True),
    )
    execution = world.start(world.create(definition), {})
    assert world.ended(execution)["status"] == "FAILED"
    world.server.client("glue", "test", "test").create_database(DatabaseInput={"Name": database})
    world.sfn.redrive_execution(executionArn=execution)
    found = world.ended(execution)
    assert (found["status"], found["redriveCount"], json.loads(found["output"])) == ("SUCCEEDED", 1, {"n": database})
    types = world.types(execution)
    assert types.count("PassStateEntered") == 1 and "ExecutionRedriven" in types
    with pytest.raises(ClientError) as error:
        world.sfn.redrive_execution(executionArn=execution)
    assert code(error) == "ExecutionNotRedrivable"


def test_large_payloads_are_refused_by_name(world):
    grow = {"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}}
    states = {f"S{n}": grow | {"Next": f"S{n + 1}"} for n in range(4)} | {"S4": {"Type": "Succeed"}}
    failed = world.run(machine("S0", **states), {"x": "y" * 60_000})
    assert failed["error"] == "States.DataLimitExceeded", failed
    with pytest.raises(ClientError) as error:
        world.start(world.create(only(Type="Succeed").replace(', "End": true', "")), {"x": "y" * 262_144})
    assert code(error) == "ValidationException"


def test_a_role_without_permission_names_the_action(world):
    poor = service_role(world.server, world.unique("poor"), allow("glue:GetTable"), service="states.amazonaws.com")
    failed = World(world.server, world.unique, poor).run(machine("S", S=sdk("s3:listBuckets", {}, End=True)))
    assert failed["error"] == "S3.S3Exception" and "s3:ListAllMyBuckets" in failed["cause"]
