"""EventBridge through boto3: buses, rules, targets, events that arrive, also after kill -9."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from conftest import allow, document, own_call, service_role, wait_for
from test_lambda import Functions

ACCOUNT = "000000000000"


def refused(code, call, **arguments):
    """Calls, expects the error `code`, and answers its message."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"]["Message"]


@pytest.fixture
def events(shared):
    return shared.client("events", "test", "test")


@pytest.fixture
def logs(shared):
    return shared.client("logs", "test", "test")


def log_group(logs, name):
    """A group that rules may write to; answers its ARN."""
    logs.create_log_group(logGroupName=name)
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "arn:aws:logs:us-east-1:000000000000:log-group:*:*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    logs.put_resource_policy(policyName="events", policyDocument=document)
    return arn


def received(logs, name):
    return [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=name)["events"]]


def rule(events, name, pattern, target, **options):
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), **options)
    bus = {key: value for key, value in options.items() if key == "EventBusName"}
    answer = events.put_targets(Rule=name, Targets=[{"Id": "1", **target}], **bus)
    assert answer["FailedEntryCount"] == 0


def put(events, source, detail, **more):
    entry = {"Source": source, "DetailType": "Order", "Detail": json.dumps(detail), **more}
    answer = events.put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0, answer
    return answer["Entries"][0]["EventId"]


def given_up(server):
    """Whether the server's log says that a delivery was given up for want of permission."""
    with open(server.log.name) as log:
        return any("delivery given up" in line and "AccessDenied" in line for line in log)


def test_buses_come_and_go(events, unique):
    name = unique("bus")
    arn = events.create_event_bus(Name=name, Description="orders", Tags=[{"Key": "a", "Value": "1"}])["EventBusArn"]
    assert arn == f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/{name}"
    refused("ResourceAlreadyExistsException", events.create_event_bus, Name=name)
    refused("ResourceAlreadyExistsException", events.create_event_bus, Name="default")
    shown = events.describe_event_bus(Name=arn)
    assert (shown["Name"], shown["Description"]) == (name, "orders") and shown["CreationTime"]
    names = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
    assert name in names and "default" in names
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    events.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    events.put_permission(EventBusName=name, StatementId="all", Action="events:PutEvents", Principal="123456789012")
    policy = json.loads(events.describe_event_bus(Name=name)["Policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    events.remove_permission(EventBusName=name, StatementId="all")
    assert "Policy" not in events.describe_event_bus(Name=name)
    events.put_rule(Name="r", EventBusName=name, EventPattern='{"source": ["x"]}')
    assert "rules" in refused("ValidationException", events.delete_event_bus, Name=name)
    events.delete_rule(Name="r", EventBusName=name)
    events.delete_event_bus(Name=name)
    refused("ResourceNotFoundException", events.describe_event_bus, Name=name)
    refused("ValidationException", events.delete_event_bus, Name="default")
    message = refused("ValidationException", events.create_event_bus, Name=name, KmsKeyIdentifier="key")
    assert "KmsKeyIdentifier" in message


def test_rules_and_targets_come_and_go(events, logs, unique):
    name, group = unique("rule"), unique("/events/group")
    arn = events.put_rule(Name=name, EventPattern='{"source": ["x"]}', Description="d")["RuleArn"]
    assert arn == f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{name}"
    shown = events.describe_rule(Name=name)
    assert (shown["State"], shown["EventBusName"], shown["Description"]) == ("ENABLED", "default", "d")
    events.disable_rule(Name=name)
    assert events.describe_rule(Name=name)["State"] == "DISABLED"
    target = log_group(logs, group)
    events.put_targets(Rule=name, Targets=[{"Id": "a", "Arn": target, "InputPath": "$.detail"}])
    assert events.list_targets_by_rule(Rule=name)["Targets"] == [{"Id": "a", "Arn": target, "InputPath": "$.detail"}]
    assert events.list_rule_names_by_target(TargetArn=target)["RuleNames"] == [name]
    assert [found["Name"] for found in events.list_rules(NamePrefix=name)["Rules"]] == [name]
    assert "targets" in refused("ValidationException", events.delete_rule, Name=name)
    failed = events.remove_targets(Rule=name, Ids=["a", "none"])
    assert [entry["TargetId"] for entry in failed["FailedEntries"]] == ["none"]
    events.delete_rule(Name=name)
    events.delete_rule(Name=name)  # as on AWS, it is no error that it is gone
    refused("ResourceNotFoundException", events.describe_rule, Name=name)
    refused("ResourceNotFoundException", events.put_targets, Rule=name, Targets=[{"Id": "a", "Arn": target}])


def test_what_is_not_here_is_refused_by_name(events, unique):
    name = unique("rule")
    message = refused("InvalidEventPatternException", events.put_rule, Name=name, EventPattern='{"source": "x"}')
    assert message == 'Event pattern is not valid. Reason: "source" must be an object or an array'
    events.put_rule(Name=name, EventPattern='{"source": ["x"]}')
    for service, resource in [("sns", "topic"), ("kinesis", "stream/s"), ("ecs", "cluster/c")]:
        target = {"Id": "1", "Arn": f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"}
        assert service in refused("ValidationException", events.put_targets, Rule=name, Targets=[target])
    assert "CreateArchive" in refused(
        "UnknownOperationException", events.create_archive, ArchiveName="a", EventSourceArn="arn:aws:events:x:y:z"
    )


def test_events_arrive(events, logs, unique):
    name, group = unique("arrive"), unique("/events/group")
    pattern = {"source": ["shop"], "detail": {"kind": [{"prefix": name}], "n": [{"numeric": [">", 5]}]}}
    rule(events, name, pattern, {"Arn": log_group(logs, group)})
    put(events, "shop", {"kind": f"{name}!", "n": 5})
    sent = put(events, "shop", {"kind": f"{name}!", "n": 6}, Resources=["arn:aws:s3:::raw"])
    (event,) = wait_for(lambda: received(logs, group), "the event's arrival")
    assert (event["id"], event["source"], event["detail-type"]) == (sent, "shop", "Order")
    assert (event["account"], event["region"], event["resources"]) == (ACCOUNT, "us-east-1", ["arn:aws:s3:::raw"])
    assert event["detail"] == {"kind": f"{name}!", "n": 6}


def test_since_when_rates_count_is_told_to_who_may_list_rules(shared, events, unique):
    name, fitting = unique("rate"), unique("pattern")
    events.put_rule(Name=name, ScheduleExpression="rate(5 minutes)", State="DISABLED")
    events.put_rule(Name=fitting, EventPattern='{"source": ["x"]}')

    def since(*key):
        status, answer = own_call(shared, "events", "rules/since", *key)
        assert status == 200, answer
        return {rule["Name"]: rule["Since"] for rule in answer["Rules"]}

    made = since()[name]
    assert abs(made - time.time()) < 10 and fitting not in since()
    events.enable_rule(Name=name)
    assert since()[name] > made
    iam = shared.client("iam", "test", "test")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    status, answer = own_call(shared, "events", "rules/since", key["AccessKeyId"], key["SecretAccessKey"])
    assert answer["__type"] == "AccessDeniedException" and "events:ListRules" in answer["message"], (status, answer)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("events:ListRules")))
    assert name in since(key["AccessKeyId"], key["SecretAccessKey"])
    assert own_call(shared, "events", "rules/since", None)[0] in (400, 403)
    assert own_call(shared, "events", "rules/since", method="POST")[0] == 405


def admit(sqs, name, *rules, service="events.amazonaws.com"):
    """A queue that rules of these ARNs may send to; answers its URL."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}",
        "Condition": {"ArnEquals": {"aws:SourceArn": list(rules)}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url


def messages(sqs, url):
    """Waits for messages and takes them away."""
    arguments = {"WaitTimeSeconds": 20, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    found = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"], **arguments).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def values(message):
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


def test_queues_are_targets(shared, events, unique):
    sqs = shared.client("sqs", "test", "test")
    name, stranger, queue = unique("to-queue"), unique("stranger"), unique("queue")
    rules = [f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{each}" for each in (name, stranger)]
    url = admit(sqs, queue, rules[0])
    target = {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}"}
    rule(events, name, {"source": [name]}, target)
    rule(events, stranger, {"source": [stranger]}, target)
    put(events, stranger, {})  # the queue's policy does not let this rule in
    wait_for(lambda: given_up(shared), "the refusal")
    sent = put(events, name, {"n": 1})
    (message,) = messages(sqs, url)
    assert json.loads(message["Body"])["id"] == sent
    fifo = sqs.create_queue(QueueName=f"{queue}.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}.fifo"
    permission = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [permission]})
    sqs.set_queue_attributes(QueueUrl=fifo["QueueUrl"], Attributes={"Policy": policy})
    target = {"Id": "1", "Arn": arn, "SqsParameters": {"MessageGroupId": "orders"}}
    events.put_targets(Rule=name, Targets=[target])
    assert events.list_targets_by_rule(Rule=name)["Targets"] == [target]
    put(events, name, {"n": 2})
    (message,) = messages(sqs, fifo["QueueUrl"])
    assert message["Attributes"]["MessageGroupId"] == "orders"


def test_what_can_not_be_delivered_goes_to_the_dead_letter_queue(shared, events, unique):
    sqs = shared.client("sqs", "test", "test")
    name, queue = unique("dead"), unique("letters")
    arn = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{name}"
    url = admit(sqs, queue, arn)
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:nobody"
    config = {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}"}
    rule(events, name, {"source": [name]}, {"Arn": function, "Input": "{}", "DeadLetterConfig": config})
    sent = put(events, name, {"n": 1})
    (letter,) = messages(sqs, url)
    assert json.loads(letter["Body"])["id"] == sent
    told = values(letter)
    assert (told["RULE_ARN"], told["TARGET_ARN"], told["RETRY_ATTEMPTS"]) == (arn, function, "0")
    assert told["ERROR_CODE"] in ("NO_PERMISSIONS", "NO_RESOURCE") and told["ERROR_MESSAGE"]
    for wrong in ["q", f"arn:aws:sns:us-east-1:{ACCOUNT}:t", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q.fifo"]:
        target = {"Id": "1", "Arn": function, "DeadLetterConfig": {"Arn": wrong}}
        assert wrong in refused("ValidationException", events.put_targets, Rule=name, Targets=[target])


def test_input_transformers_make_what_targets_get(events, logs, unique):
    name, group = unique("made"), unique("/events/group")
    transformer = {"InputPathsMap": {"n": "$.detail.n", "who": "$.source"}, "InputTemplate": '{"n": <n>, "by": "<who>!"}'}
    rule(events, name, {"source": [name]}, {"Arn": log_group(logs, group), "InputTransformer": transformer})
    put(events, name, {"n": [1, 2]})
    assert wait_for(lambda: received(logs, group), "the event's arrival") == [{"n": [1, 2], "by": f"{name}!"}]


def test_events_go_from_bus_to_bus(events, logs, unique):
    bus, name, group = unique("orders"), unique("on"), unique("/events/group")
    arn = events.create_event_bus(Name=bus)["EventBusArn"]
    rule(events, name, {"source": [name]}, {"Arn": arn})
    rule(events, name, {"source": [name]}, {"Arn": log_group(logs, group)}, EventBusName=bus)
    sent = put(events, name, {"n": 1})
    (event,) = wait_for(lambda: received(logs, group), "the event's arrival")
    assert event["id"] == sent


@pytest.fixture
def functions(shared, unique):
    return Functions(shared, unique)


def test_a_function_gets_an_object_that_was_created(events, logs, functions, shared, unique):
    """S3 → default bus → rule → function, whose policy names the rule."""
    s3, bucket, name = shared.client("s3", "test", "test"), unique("landing"), unique("on-object")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    code = "import json\ndef handler(event, context):\n    print('GOT ' + json.dumps(event['detail']))\n"
    function = functions.create(code)
    arn = functions.client.get_function_configuration(FunctionName=function)["FunctionArn"]
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [bucket]}}}
    rule(events, name, pattern, {"Arn": arn})
    permission = {"StatementId": "rule", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    rule_arn = events.describe_rule(Name=name)["Arn"]
    functions.client.add_permission(FunctionName=function, SourceArn=rule_arn, **permission)
    s3.put_object(Bucket=bucket, Key="in/weather.csv", Body=b"a,b\n")

    def printed():
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}", filterPattern="GOT")["events"]
        except ClientError:
            return None  # the function has not run yet
        return [json.loads(event["message"].split("GOT ")[1]) for event in found]

    (detail,) = wait_for(printed, "the function's run", timeout=60)
    assert (detail["bucket"]["name"], detail["object"]["key"], detail["object"]["size"]) == (bucket, "in/weather.csv", 4)


def test_a_state_machine_starts_and_tells_how_it_ended(events, logs, shared, unique):
    """Event → rule → execution; its status changes arrive on the default bus again."""
    states, name, group = shared.client("stepfunctions", "test", "test"), unique("run"), unique("/events/group")
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    role = service_role(shared, unique("machine"), allow("*"), service="states.amazonaws.com")
    machine = states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    starter = service_role(
        shared, unique("starter"), allow("states:StartExecution", resource=machine), service="events.amazonaws.com"
    )
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine], "status": ["SUCCEEDED"]}}
    rule(events, unique("ended"), pattern, {"Arn": log_group(logs, group), "InputPath": "$.detail"})
    rule(events, name, {"source": [name]}, {"Arn": machine, "RoleArn": starter, "InputPath": "$.detail"})
    put(events, name, {"n": 1})
    (ended,) = wait_for(lambda: received(logs, group), "the execution's end")
    assert (ended["stateMachineArn"], json.loads(ended["input"])) == (machine, {"n": 1})


def test_a_role_without_permission_starts_nothing(start):
    server = start("--dev")
    events, states = server.client("events", "test", "test"), server.client("stepfunctions", "test", "test")
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    role = service_role(server, "machine", allow("*"), service="states.amazonaws.com")
    machine = states.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    starter = service_role(server, "starter", allow("logs:PutLogEvents"), service="events.amazonaws.com")
    rule(events, "r", {"source": ["shop"]}, {"Arn": machine, "RoleArn": starter})
    put(events, "shop", {})
    wait_for(lambda: given_up(server), "the end of the delivery")
    assert states.list_executions(stateMachineArn=machine)["executions"] == []


def test_crawls_and_queries_tell_how_they_ended(events, logs, shared, unique):
    """Their events arrive on the default bus, in order."""
    s3, glue, athena = (shared.client(service, "test", "test") for service in ["s3", "glue", "athena"])
    bucket, database, group = unique("lake"), unique("db").replace("-", "_"), unique("/events/group")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="t/a.csv", Body=b"n,name\n1,a\n2,b\n")
    glue.create_database(DatabaseInput={"Name": database})
    role = service_role(shared, unique("crawler"), allow("s3:*", "glue:*"))
    crawler = unique("crawler")
    glue.create_crawler(
        Name=crawler, Role=role, DatabaseName=database, Targets={"S3Targets": [{"Path": f"s3://{bucket}/t"}]}
    )
    pattern = {"$or": [{"detail": {"crawlerName": [crawler]}}, {"detail": {"queryExecutionId": [{"exists": True}]}}]}
    rule(events, unique("ends"), pattern, {"Arn": log_group(logs, group), "InputPath": "$.detail"})
    glue.start_crawler(Name=crawler)

    def crawled():
        return [detail for detail in received(logs, group) if detail.get("crawlerName") == crawler]

    wait_for(lambda: len(crawled()) == 2, "the crawl's events")
    ended = {detail["state"]: detail for detail in crawled()}
    assert set(ended) == {"Started", "Succeeded"} and ended["Succeeded"]["tablesCreated"] == "1"
    query = athena.start_query_execution(
        QueryString=f"SELECT count(*) FROM {database}.t",
        ResultConfiguration={"OutputLocation": f"s3://{bucket}/results"},
    )["QueryExecutionId"]

    def queried():
        return [detail for detail in received(logs, group) if detail.get("queryExecutionId") == query]

    wait_for(lambda: len(queried()) == 3, "the query's events")
    states = {detail["currentState"]: detail for detail in queried()}
    assert set(states) == {"QUEUED", "RUNNING", "SUCCEEDED"}
    assert (states["SUCCEEDED"]["previousState"], states["SUCCEEDED"]["statementType"]) == ("RUNNING", "DML")


def test_entries_are_judged_one_by_one(events):
    good = {"Source": "shop", "DetailType": "Order", "Detail": "{}"}
    answer = events.put_events(
        Entries=[good, good | {"Source": "aws.s3"}, good | {"Detail": "{"}, {"Source": "shop", "Detail": "{}"}]
    )
    assert answer["FailedEntryCount"] == 3
    codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
    assert codes == [None, "NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument"]
    assert "over the limit" in refused(
        "ValidationException", events.put_events, Entries=[good | {"Detail": json.dumps({"x": "x" * (1 << 20)})}]
    )


def test_patterns_can_be_tested(events):
    event = {"id": "1", "account": ACCOUNT, "source": "shop", "time": "2026-01-01T00:00:00Z", "region": "us-east-1"}
    event |= {"resources": [], "detail-type": "Order", "detail": {"path": "raw/a.csv"}}

    def result(pattern):
        return events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))["Result"]

    assert result({"detail": {"path": [{"wildcard": "raw/*.csv"}]}})
    assert not result({"detail": {"path": [{"anything-but": {"suffix": ".csv"}}]}})
    assert result({"$or": [{"source": ["x"]}, {"detail-type": [{"equals-ignore-case": "ORDER"}]}]})
    refused("InvalidEventPatternException", events.test_event_pattern, EventPattern="[]", Event=json.dumps(event))
    message = refused("ValidationException", events.test_event_pattern, EventPattern='{"a": [1]}', Event="{}")
    assert "required field" in message


def test_a_group_without_permission_gets_nothing(start):
    server = start("--dev")
    events, logs = server.client("events", "test", "test"), server.client("logs", "test", "test")
    logs.create_log_group(logGroupName="closed")
    closed = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:closed"
    rule(events, "r", {"source": ["shop"]}, {"Arn": closed})
    put(events, "shop", {})
    wait_for(lambda: given_up(server), "the end of the delivery")
    assert received(logs, "closed") == []


def test_acknowledged_events_are_delivered_after_kill_9(start):
    server = start("--dev")
    events, logs = server.client("events", "test", "test"), server.client("logs", "test", "test")
    group = log_group(logs, "orders")
    rule(events, "r", {"source": ["shop"]}, {"Arn": group})
    sent = set()
    for n in range(20):
        entries = [{"Source": "shop", "DetailType": "T", "Detail": json.dumps({"n": 10 * n + m})} for m in range(10)]
        sent |= {entry["EventId"] for entry in events.put_events(Entries=entries)["Entries"]}
    server.kill()
    again = start("--dev")
    logs = again.client("logs", "test", "test")

    def arrived():
        found = {event["id"] for event in received(logs, "orders")}
        return found >= sent and found

    assert wait_for(arrived, "the arrival of all events", timeout=60) == sent
