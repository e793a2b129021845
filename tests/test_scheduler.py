"""EventBridge Scheduler through boto3. How schedules behave over days is tested with a clock moved by hand, in Rust."""

import datetime
import json

import pytest
from botocore.exceptions import ClientError

from conftest import allow, service_role, wait_for
from test_events import log_group, messages, received, rule, values

ACCOUNT = "000000000000"
OFF = {"Mode": "OFF"}
DEFAULT_BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"]["Message"]


@pytest.fixture
def scheduler(shared):
    return shared.client("scheduler", "test", "test")


@pytest.fixture
def role(shared, unique):
    grants = allow("events:PutEvents", "logs:CreateLogGroup")
    return service_role(shared, unique("scheduler"), grants, service="scheduler.amazonaws.com")


def bus_target(role, source, **more):
    parameters = {"Source": source, "DetailType": "Tick"}
    return {"Arn": DEFAULT_BUS, "RoleArn": role, "EventBridgeParameters": parameters, **more}


def test_schedules_come_and_go(scheduler, role, unique):
    name = unique("daily")
    create = {
        "Name": name,
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "Target": bus_target(role, "clock", Input="{}", RetryPolicy={"MaximumRetryAttempts": 3}),
        "StartDate": datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc),
        "Description": "every night",
    }
    arn = scheduler.create_schedule(**create, ClientToken="once")["ScheduleArn"]
    assert arn == f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/{name}"
    assert scheduler.create_schedule(**create, ClientToken="once")["ScheduleArn"] == arn
    refused("ConflictException", scheduler.create_schedule, **create, ClientToken="again")
    shown = scheduler.get_schedule(Name=name)
    for member in ["ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "StartDate", "Description"]:
        assert shown[member] == create[member]
    assert (shown["State"], shown["GroupName"], shown["ActionAfterCompletion"]) == ("ENABLED", "default", "NONE")
    policy = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 86400}
    assert shown["Target"] == create["Target"] | {"RetryPolicy": policy}
    del create["StartDate"]
    scheduler.update_schedule(**create | {"State": "DISABLED", "ScheduleExpression": "rate(5 minutes)"})
    shown = scheduler.get_schedule(Name=name)
    assert (shown["State"], shown["ScheduleExpression"]) == ("DISABLED", "rate(5 minutes)")
    assert "StartDate" not in shown
    listed = scheduler.list_schedules(NamePrefix=name, State="DISABLED")["Schedules"]
    assert [(found["Name"], found["Target"]["Arn"]) for found in listed] == [(name, DEFAULT_BUS)]
    scheduler.delete_schedule(Name=name)
    refused("ResourceNotFoundException", scheduler.get_schedule, Name=name)
    refused("ResourceNotFoundException", scheduler.delete_schedule, Name=name)


def test_groups_hold_schedules(scheduler, role, unique):
    group = unique("nightly")
    arn = scheduler.create_schedule_group(Name=group, Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    refused("ConflictException", scheduler.create_schedule_group, Name=group)
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    for n in range(3):
        scheduler.create_schedule(
            Name=f"s{n}",
            GroupName=group,
            ScheduleExpression="cron(0 3 * * ? *)",
            FlexibleTimeWindow=OFF,
            Target=bus_target(role, "clock", Input="{}"),
        )
    pages = scheduler.get_paginator("list_schedules").paginate(GroupName=group, PaginationConfig={"PageSize": 2})
    assert [found["Name"] for page in pages for found in page["Schedules"]] == ["s0", "s1", "s2"]
    groups = [found["Name"] for found in scheduler.list_schedule_groups()["ScheduleGroups"]]
    assert group in groups and "default" in groups
    assert scheduler.get_schedule_group(Name=group)["State"] == "ACTIVE"
    scheduler.delete_schedule_group(Name=group)
    refused("ResourceNotFoundException", scheduler.get_schedule, Name="s0", GroupName=group)
    refused("ResourceNotFoundException", scheduler.list_schedules, GroupName=group)
    refused("ValidationException", scheduler.delete_schedule_group, Name="default")


def test_a_schedule_fires(shared, scheduler, role, unique):
    name, group = unique("tick"), unique("/scheduler/group")
    events, logs = shared.client("events", "test", "test"), shared.client("logs", "test", "test")
    rule(events, name, {"source": [name]}, {"Arn": log_group(logs, group)})
    attributes = {"arn": "<aws.scheduler.schedule-arn>", "attempt": "<aws.scheduler.attempt-number>"}
    target = bus_target(role, name, Input=json.dumps(attributes))
    # A rate without a start begins at once.
    arn = scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=target
    )["ScheduleArn"]
    (event,) = wait_for(lambda: received(logs, group), "the schedule's event")
    assert (event["detail-type"], event["detail"]) == ("Tick", {"arn": arn, "attempt": "1"})


def test_a_schedule_starts_a_state_machine(shared, scheduler, unique):
    states, name = shared.client("stepfunctions", "test", "test"), unique("nightly")
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    role = service_role(shared, unique("machine"), allow("*"), service="states.amazonaws.com")
    machine = states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    starter = service_role(
        shared, unique("starter"), allow("states:StartExecution", resource=machine), service="scheduler.amazonaws.com"
    )
    target = {"Arn": machine, "RoleArn": starter, "Input": '{"scheduled": "<aws.scheduler.scheduled-time>"}'}
    scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target
    )

    def runs():
        return states.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]

    (run,) = wait_for(runs, "the execution")
    scheduled = json.loads(states.describe_execution(executionArn=run["executionArn"])["input"])["scheduled"]
    created = scheduler.get_schedule(Name=name)["CreationDate"].replace(microsecond=0)
    assert datetime.datetime.fromisoformat(scheduled) == created


def test_a_one_time_schedule_calls_any_operation_and_goes(shared, scheduler, role, unique):
    name = unique("once")
    logs = shared.client("logs", "test", "test")
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:cloudwatchlogs:createLogGroup",
        "RoleArn": role,
        "Input": json.dumps({"LogGroupName": f"/made/{name}"}),
    }
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow=OFF,
        Target=target,
        ActionAfterCompletion="DELETE",
    )
    wait_for(lambda: logs.describe_log_groups(logGroupNamePrefix=f"/made/{name}")["logGroups"], "the operation")
    refused("ResourceNotFoundException", scheduler.get_schedule, Name=name)


def test_schedules_send_messages_and_bury_what_they_can_not(shared, scheduler, unique):
    sqs = shared.client("sqs", "test", "test")
    ticks, letters, closed = unique("ticks"), unique("letters"), unique("closed")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in (ticks, letters, closed)}
    arns = {name: f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}" for name in urls}
    grants = [allow("sqs:SendMessage", resource=arns[name]) for name in (ticks, letters)]
    role = service_role(shared, unique("sender"), *grants, service="scheduler.amazonaws.com")

    def schedule(**target):
        name = unique("tick")
        target = {"RoleArn": role, "DeadLetterConfig": {"Arn": arns[letters]}, **target}
        every = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": OFF}
        arn = scheduler.create_schedule(Name=name, Target=target, **every)["ScheduleArn"]
        assert scheduler.get_schedule(Name=name)["Target"]["DeadLetterConfig"] == {"Arn": arns[letters]}
        return arn

    schedule(Arn=arns[ticks], Input="templated")
    assert [message["Body"] for message in messages(sqs, urls[ticks])] == ["templated"]
    body = {"QueueUrl": urls[ticks], "MessageBody": "<aws.scheduler.schedule-arn>"}
    arn = schedule(Arn="arn:aws:scheduler:::aws-sdk:sqs:sendMessage", Input=json.dumps(body))
    assert [message["Body"] for message in messages(sqs, urls[ticks])] == [arn]
    arn = schedule(Arn=arns[closed], Input="refused")
    (letter,) = messages(sqs, urls[letters])
    told = values(letter)
    assert (letter["Body"], told["SCHEDULE_ARN"], told["TARGET_ARN"]) == ("refused", arn, arns[closed])
    assert (told["ERROR_CODE"], told["IS_PAYLOAD_TRUNCATED"]) == ("AccessDeniedException", "false")
    assert told["EXECUTION_ID"] and told["SCHEDULED_TIME"]


def test_what_is_not_here_is_refused_by_name(shared, scheduler, role, unique):
    name = unique("no")

    def create(expression="rate(1 hour)", **target):
        target = bus_target(role, "clock", Input="{}") | target
        call = scheduler.create_schedule
        return refused(
            "ValidationException", call, Name=name, ScheduleExpression=expression, FlexibleTimeWindow=OFF, Target=target
        )

    assert "cron" in create("cron(0 3 * * * *)") and "rate" in create("rate(1 hours)")
    assert "FIFO" in create(DeadLetterConfig={"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q.fifo"})
    assert "SqsParameters" in create(SqsParameters={"MessageGroupId": "g"}, Arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f")
    assert "KinesisParameters" in create(KinesisParameters={"PartitionKey": "k"})
    topic = {"Arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "RoleArn": role}
    message = refused(
        "ValidationException",
        scheduler.create_schedule,
        Name=name,
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow=OFF,
        Target=topic,
    )
    assert "sns" in message
    other = service_role(shared, unique("other"), allow("events:PutEvents"), service="glue.amazonaws.com")
    assert "must allow AWS EventBridge Scheduler to assume the role" in create(RoleArn=other)
    refused("ResourceNotFoundException", scheduler.get_schedule, Name=name)


def test_timers_survive_kill_9(start):
    server = start("--dev")
    role = service_role(server, "runner", allow("logs:CreateLogGroup"), service="scheduler.amazonaws.com")
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:cloudwatchlogs:createLogGroup", "RoleArn": role}
    server.client("scheduler", "test", "test").create_schedule(
        Name="once",
        ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow=OFF,
        Target=target | {"Input": json.dumps({"LogGroupName": "made"})},
    )
    server.kill()
    logs = start("--dev").client("logs", "test", "test")
    wait_for(lambda: logs.describe_log_groups(logGroupNamePrefix="made")["logGroups"], "the operation")
