"""Policies that ask about tags: of the resource, wherever a service keeps some, and of the request."""

import json

import pytest
from conftest import client, code, document, service_role


@pytest.fixture
def somebody(shared, unique):
    """A user with policies: `somebody(statements...)` answers clients by the service's name."""
    iam = shared.client("iam", "test", "test")

    def make(*statements):
        name = unique("tagged")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return lambda service: client(shared, service, key)

    return make


def allow(action, **condition):
    return {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}


def of_resource(action, value="blue"):
    return allow(action, StringEquals={"aws:ResourceTag/Team": value})


def refused(call, **arguments):
    return code(call, **arguments)[0].startswith("AccessDenied")


def test_of_queues(shared, somebody, unique):
    sqs = shared.client("sqs", "test", "test")
    urls = {team: sqs.create_queue(QueueName=unique("q"), tags={"Team": team})["QueueUrl"] for team in ("blue", "red")}
    mine = somebody(of_resource("sqs:SendMessage"))("sqs")
    mine.send_message(QueueUrl=urls["blue"], MessageBody="x")
    assert refused(mine.send_message, QueueUrl=urls["red"], MessageBody="x")
    sqs.tag_queue(QueueUrl=urls["red"], Tags={"Team": "blue"})
    mine.send_message(QueueUrl=urls["red"], MessageBody="x")


def test_of_databases(shared, somebody, unique):
    glue = shared.client("glue", "test", "test")
    names = {}
    for team in ("blue", "red"):
        names[team] = unique("db").replace("-", "_")
        glue.create_database(DatabaseInput={"Name": names[team]}, Tags={"team": team})
    catalog = {"Effect": "Allow", "Action": "glue:GetDatabase", "Resource": "arn:aws:glue:*:*:catalog"}
    mine = somebody(catalog, of_resource("glue:GetDatabase"))("glue")
    mine.get_database(Name=names["blue"])
    assert refused(mine.get_database, Name=names["red"])


def test_of_streams(shared, somebody, unique):
    s3, firehose = shared.client("s3", "test", "test"), shared.client("firehose", "test", "test")
    bucket = unique("tagged")
    s3.create_bucket(Bucket=bucket)
    role = service_role(
        shared, unique("Delivery"), {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, service="firehose.amazonaws.com"
    )
    names = {team: unique("stream") for team in ("blue", "red")}
    for team, name in names.items():
        firehose.create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={"RoleARN": role, "BucketARN": f"arn:aws:s3:::{bucket}"},
            Tags=[{"Key": "Team", "Value": team}],
        )
    mine = somebody(of_resource("firehose:PutRecord"))("firehose")
    mine.put_record(DeliveryStreamName=names["blue"], Record={"Data": b"x"})
    assert refused(mine.put_record, DeliveryStreamName=names["red"], Record={"Data": b"x"})


def test_of_machines(shared, somebody, unique):
    states = shared.client("stepfunctions", "test", "test")
    role = service_role(shared, unique("Machine"), service_statement(), service="states.amazonaws.com")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    arns = {}
    for team in ("blue", "red"):
        made = states.create_state_machine(
            name=unique("m"), definition=definition, roleArn=role, tags=[{"key": "Team", "value": team}]
        )
        arns[team] = made["stateMachineArn"]
    mine = somebody(of_resource("states:StartExecution"))("stepfunctions")
    mine.start_execution(stateMachineArn=arns["blue"])
    assert refused(mine.start_execution, stateMachineArn=arns["red"])


def service_statement():
    return {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}


def test_of_groups_rules_and_workgroups(shared, somebody, unique):
    logs, events, athena = (shared.client(name, "test", "test") for name in ("logs", "events", "athena"))
    groups = {team: unique("g") for team in ("blue", "red")}
    for team, name in groups.items():
        logs.create_log_group(logGroupName=name, tags={"Team": team})
        events.put_rule(Name=name, EventPattern='{"source": ["a"]}', Tags=[{"Key": "Team", "Value": team}])
        athena.create_work_group(Name=name, Tags=[{"Key": "Team", "Value": team}])
    mine = somebody(of_resource(["logs:CreateLogStream", "events:DescribeRule", "athena:GetWorkGroup"]))
    for call, name, extra in [
        (mine("logs").create_log_stream, "logGroupName", {"logStreamName": "s"}),
        (mine("events").describe_rule, "Name", {}),
        (mine("athena").get_work_group, "WorkGroup", {}),
    ]:
        call(**{name: groups["blue"]}, **extra)
        assert refused(call, **{name: groups["red"]}, **extra)


def test_of_requests(shared, somebody, unique):
    mine = somebody(
        allow("sqs:*", StringEquals={"aws:RequestTag/Team": "blue"}, **{"ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}})
    )("sqs")
    mine.create_queue(QueueName=unique("q"), tags={"Team": "blue"})
    assert refused(mine.create_queue, QueueName=unique("q"), tags={"Team": "red"})
    assert refused(mine.create_queue, QueueName=unique("q"), tags={"Team": "blue", "More": "x"})
    assert refused(mine.create_queue, QueueName=unique("q"))
    keeps = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    keeps["Condition"] = {"ForAnyValue:StringEquals": {"aws:TagKeys": ["Team"]}}
    other = somebody({"Effect": "Allow", "Action": "*", "Resource": "*"}, keeps)
    group = unique("g")
    shared.client("logs", "test", "test").create_log_group(logGroupName=group, tags={"Team": "blue", "x": "y"})
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    other("logs").untag_resource(resourceArn=arn, tagKeys=["x"])
    assert refused(other("logs").untag_resource, resourceArn=arn, tagKeys=["Team"])


def test_who_is_let_into_a_function(shared, somebody, unique, functions_zip):
    role = service_role(shared, unique("Function"), service_statement(), service="lambda.amazonaws.com")
    lambdas, name = shared.client("lambda", "test", "test"), unique("f")
    made = lambdas.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": functions_zip},
        Tags={"Team": "blue"},
    )
    events_only = allow("lambda:AddPermission", StringEquals={"lambda:Principal": "events.amazonaws.com"})
    mine = somebody(events_only, of_resource("lambda:GetFunctionConfiguration"))("lambda")
    grant = {"FunctionName": name, "Action": "lambda:InvokeFunction"}
    mine.add_permission(**grant, StatementId="a", Principal="events.amazonaws.com")
    assert refused(mine.add_permission, **grant, StatementId="b", Principal="s3.amazonaws.com")
    mine.get_function_configuration(FunctionName=name)
    lambdas.untag_resource(Resource=made["FunctionArn"], TagKeys=["Team"])
    assert refused(mine.get_function_configuration, FunctionName=name)


def test_mappings_of_one_function(shared, somebody, unique, functions_zip):
    role = service_role(
        shared, unique("Function"), {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}, service="lambda.amazonaws.com"
    )
    lambdas, sqs = shared.client("lambda", "test", "test"), shared.client("sqs", "test", "test")
    arns = []
    for _ in range(2):
        code_of = {"Runtime": "python3.12", "Handler": "main.handler", "Code": {"ZipFile": functions_zip}}
        arns.append(lambdas.create_function(FunctionName=unique("f"), Role=role, **code_of)["FunctionArn"])
    url = sqs.create_queue(QueueName=unique("q"))["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mine = somebody(allow("lambda:*", ArnEquals={"lambda:FunctionArn": arns[0]}))("lambda")
    mapping = {"EventSourceArn": queue, "Enabled": False}
    uuid = mine.create_event_source_mapping(FunctionName=arns[0], **mapping)["UUID"]
    assert refused(mine.create_event_source_mapping, FunctionName=arns[1], **mapping)
    mine.get_event_source_mapping(UUID=uuid)
    other = sqs.create_queue(QueueName=unique("q"))["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=other, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    foreign = lambdas.create_event_source_mapping(FunctionName=arns[1], EventSourceArn=queue, Enabled=False)["UUID"]
    assert refused(mine.get_event_source_mapping, UUID=foreign)
    assert refused(mine.delete_event_source_mapping, UUID=foreign)
    mine.delete_event_source_mapping(UUID=uuid)


@pytest.fixture(scope="module")
def functions_zip():
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return 1\n")
    return buffer.getvalue()
