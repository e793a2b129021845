"""SQS through boto3 and the command line: queues, messages, dead letters, permissions, and messages that survive kill -9."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time

import pytest
from botocore.exceptions import ClientError

from conftest import allow, wait_for

ACCOUNT = "000000000000"
AWS = [sys.executable, os.path.join(os.path.dirname(sys.executable), "aws")]


def refused(code, call, **arguments):
    """Calls, expects the error `code`, and answers its message."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"]["Message"]


def arn(name):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


@pytest.fixture
def sqs(shared):
    return shared.client("sqs", "test", "test")


@pytest.fixture
def queue(sqs, unique):
    return sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]


@pytest.fixture
def fifo(sqs, unique):
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return sqs.create_queue(QueueName=unique("queue") + ".fifo", Attributes=attributes)["QueueUrl"]


def receive(sqs, url, **more):
    arguments = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]}
    return sqs.receive_message(QueueUrl=url, **(arguments | more)).get("Messages", [])


def bodies(messages):
    return [message["Body"] for message in messages]


# --- queues ------------------------------------------------------------------------------------------------------------


def test_queues_come_and_go(sqs, unique):
    name = unique("come")
    created = sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "5"}, tags={"team": "data"})
    url = created["QueueUrl"]
    assert url.endswith(f"/{ACCOUNT}/{name}")
    assert sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "5"})["QueueUrl"] == url
    assert "DelaySeconds" in refused("QueueAlreadyExists", sqs.create_queue, QueueName=name, Attributes={"DelaySeconds": "6"})
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (shown["QueueArn"], shown["DelaySeconds"], shown["VisibilityTimeout"]) == (arn(name), "5", "30")
    assert (shown["MaximumMessageSize"], shown["SqsManagedSseEnabled"]) == ("1048576", "false")
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "data"}
    sqs.tag_queue(QueueUrl=url, Tags={"stage": "raw"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["team"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"stage": "raw"}
    sqs.delete_queue(QueueUrl=url)
    nonexistent = "AWS.SimpleQueueService.NonExistentQueue"
    assert refused(nonexistent, sqs.get_queue_url, QueueName=name) == "The specified queue does not exist."
    refused(nonexistent, sqs.send_message, QueueUrl=url, MessageBody="x")
    refused("AWS.SimpleQueueService.QueueDeletedRecently", sqs.create_queue, QueueName=name)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.delete_queue(QueueUrl=url)


def test_lists_come_in_pages(sqs, unique):
    prefix = unique("listed")
    urls = [sqs.create_queue(QueueName=f"{prefix}-{number}")["QueueUrl"] for number in range(5)]
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2})
    assert [page["QueueUrls"] for page in pages] == [urls[:2], urls[2:4], urls[4:]]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=prefix + "none")
    refused("InvalidParameterValue", sqs.list_queues, MaxResults=1001)


def test_attributes_have_rules(sqs, queue, unique):
    for attributes, code in [
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ({"MaximumMessageSize": "many"}, "InvalidAttributeValue"),
        ({"Policy": "{}"}, "InvalidAttributeValue"),
        ({"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn("nowhere"), "maxReceiveCount": 1})}, "InvalidParameterValue"),
        ({"Colour": "red"}, "InvalidAttributeName"),
        ({"FifoQueue": "true"}, "InvalidAttributeValue"),
        ({"KmsMasterKeyId": "alias/aws/sqs"}, "AWS.SimpleQueueService.UnsupportedOperation"),
        ({"SqsManagedSseEnabled": "true"}, "AWS.SimpleQueueService.UnsupportedOperation"),
    ]:
        message = refused(code, sqs.set_queue_attributes, QueueUrl=queue, Attributes=attributes)
        if code.endswith("UnsupportedOperation"):
            assert next(iter(attributes)) in message
    for name in ["a b", "x" * 81, ".fifo", "order.fifo"]:
        refused("InvalidParameterValue", sqs.create_queue, QueueName=name)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "7"})
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert shown == {"VisibilityTimeout": "7"}
    refused("InvalidAddress", sqs.purge_queue, QueueUrl="http://nowhere")


# --- messages ----------------------------------------------------------------------------------------------------------


def test_a_message_goes_through_the_queue(sqs, queue):
    attributes = {
        "text": {"DataType": "String", "StringValue": "grüße"},
        "number": {"DataType": "Number.int", "StringValue": "7"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hällo", MessageAttributes=attributes)
    assert sent["MD5OfMessageBody"] == hashlib.md5("hällo".encode()).hexdigest()
    expected = hashlib.md5()
    for name in sorted(attributes):
        value = attributes[name].get("BinaryValue") or attributes[name]["StringValue"].encode()
        kind = attributes[name]["DataType"].encode()
        mark = b"\2" if "BinaryValue" in attributes[name] else b"\1"
        for part in [name.encode(), kind]:
            expected.update(len(part).to_bytes(4, "big") + part)
        expected.update(mark + len(value).to_bytes(4, "big") + value)
    assert sent["MD5OfMessageAttributes"] == expected.hexdigest()
    (message,) = receive(sqs, queue)
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hällo")
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == expected.hexdigest()
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert abs(int(message["Attributes"]["SentTimestamp"]) - time.time() * 1000) < 60_000
    assert receive(sqs, queue) == []
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert "invalid" in refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=queue, ReceiptHandle="nonsense")


def test_messages_have_rules(sqs, queue):
    send = sqs.send_message
    refused("MissingParameter", send, QueueUrl=queue, MessageBody="")
    refused("InvalidMessageContents", send, QueueUrl=queue, MessageBody="\u0001")
    refused("InvalidParameterValue", send, QueueUrl=queue, MessageBody="x" * 1_048_577)
    refused("InvalidParameterValue", send, QueueUrl=queue, MessageBody="x", DelaySeconds=901)
    refused("InvalidParameterValue", send, QueueUrl=queue, MessageBody="x", MessageDeduplicationId="d")
    wrong = {"aws.x": {"DataType": "String", "StringValue": "v"}}
    refused("InvalidParameterValue", send, QueueUrl=queue, MessageBody="x", MessageAttributes=wrong)
    for arguments in [{"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21}, {"VisibilityTimeout": 43_201}]:
        refused("InvalidParameterValue", sqs.receive_message, QueueUrl=queue, **arguments)
    large = "x" * 1_048_576
    send(QueueUrl=queue, MessageBody=large)
    assert bodies(receive(sqs, queue)) == [large]


def test_a_message_comes_back(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="again")
    (first,) = receive(sqs, queue, VisibilityTimeout=1)
    (second,) = wait_for(lambda: receive(sqs, queue, WaitTimeSeconds=5), "the message's return")
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    change = sqs.change_message_visibility
    in_flight = "AWS.SimpleQueueService.MessageNotInflight"
    refused(in_flight, change, QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=5)
    change(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0)
    (third,) = receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])  # of somebody else's message: nothing happens
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert shown["ApproximateNumberOfMessagesNotVisible"] == "1"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=third["ReceiptHandle"])
    message = refused(
        "InvalidParameterValue", change, QueueUrl=queue, ReceiptHandle=third["ReceiptHandle"], VisibilityTimeout=5
    )
    assert "Message does not exist" in message


def test_batches_tell_the_good_from_the_bad(sqs, queue):
    entries = [{"Id": f"m{number}", "MessageBody": str(number)} for number in range(10)]
    assert len(sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]) == 10
    messages = receive(sqs, queue)
    assert sorted(bodies(messages)) == [str(number) for number in range(10)]
    handles = [{"Id": f"m{at}", "ReceiptHandle": message["ReceiptHandle"]} for at, message in enumerate(messages)]
    hidden = [{**entry, "VisibilityTimeout": 0} for entry in handles[:2]] + [{**handles[2], "VisibilityTimeout": 50_000}]
    answer = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=hidden)
    assert [entry["Id"] for entry in answer["Successful"]] == ["m0", "m1"]
    assert (answer["Failed"][0]["Id"], answer["Failed"][0]["Code"]) == ("m2", "InvalidParameterValue")
    assert len(receive(sqs, queue)) == 2
    handles[3]["ReceiptHandle"] = "nonsense"
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=handles[2:])
    assert len(answer["Successful"]) == 7
    assert (answer["Failed"][0]["Code"], answer["Failed"][0]["SenderFault"]) == ("ReceiptHandleIsInvalid", True)
    prefix = "AWS.SimpleQueueService."
    send = sqs.send_message_batch
    refused(prefix + "EmptyBatchRequest", send, QueueUrl=queue, Entries=[])
    refused(prefix + "TooManyEntriesInBatchRequest", send, QueueUrl=queue, Entries=entries + [{"Id": "x", "MessageBody": "x"}])
    refused(prefix + "BatchEntryIdsNotDistinct", send, QueueUrl=queue, Entries=[entries[0], entries[0]])
    refused(prefix + "InvalidBatchEntryId", send, QueueUrl=queue, Entries=[{"Id": "a b", "MessageBody": "x"}])
    large = [{"Id": str(number), "MessageBody": "x" * 600_000} for number in range(2)]
    refused(prefix + "BatchRequestTooLong", send, QueueUrl=queue, Entries=large)


def test_a_long_poll_is_woken(shared, sqs, queue):
    got = []
    poller = threading.Thread(
        target=lambda: got.extend(receive(shared.client("sqs", "test", "test"), queue, WaitTimeSeconds=20))
    )
    poller.start()
    time.sleep(0.3)
    assert poller.is_alive()
    sqs.send_message(QueueUrl=queue, MessageBody="wake up")
    poller.join(timeout=15)
    assert bodies(got) == ["wake up"]
    assert receive(sqs, queue, WaitTimeSeconds=1) == []


def test_delayed_messages_come_later(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=1)
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (shown["ApproximateNumberOfMessages"], shown["ApproximateNumberOfMessagesDelayed"]) == ("0", "1")
    assert receive(sqs, queue) == []
    assert bodies(receive(sqs, queue, WaitTimeSeconds=10)) == ["later"]


def test_a_purge_empties_the_queue(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="gone")
    sqs.purge_queue(QueueUrl=queue)
    assert receive(sqs, queue) == []
    refused("AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=queue)


# --- dead letters ------------------------------------------------------------------------------------------------------


def test_messages_received_too_often_become_dead_letters(sqs, unique):
    name, dead_name = unique("source"), unique("dead")
    dead = sqs.create_queue(QueueName=dead_name)["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": arn(dead_name), "maxReceiveCount": 2})
    url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert [bodies(receive(sqs, url)) for _ in range(3)] == [["poison"], ["poison"], []]
    (letter,) = receive(sqs, dead)
    assert (letter["MessageId"], letter["Body"]) == (sent["MessageId"], "poison")
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn(name)
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    again = sqs.send_message(QueueUrl=url, MessageBody="poison too")
    assert [bodies(receive(sqs, url)) for _ in range(3)] == [["poison too"], ["poison too"], []]
    sqs.start_message_move_task(SourceArn=arn(dead_name))
    list_tasks = lambda: sqs.list_message_move_tasks(SourceArn=arn(dead_name))["Results"][0]
    wait_for(lambda: list_tasks()["Status"] == "COMPLETED", "the move")
    (back,) = receive(sqs, url)
    assert back["Body"] == "poison too" and back["MessageId"] != again["MessageId"]
    refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=arn(name))
    closed = {"RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})}
    sqs.set_queue_attributes(QueueUrl=dead, Attributes=closed)
    other = sqs.create_queue(QueueName=unique("other"))["QueueUrl"]
    refused("InvalidParameterValue", sqs.set_queue_attributes, QueueUrl=other, Attributes={"RedrivePolicy": policy})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == []


# --- FIFO --------------------------------------------------------------------------------------------------------------


def test_groups_keep_their_order(sqs, fifo):
    for group, body in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3")]:
        sent = sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId=group)
    assert sqs.send_message(QueueUrl=fifo, MessageBody="a3", MessageGroupId="a")["MessageId"] == sent["MessageId"]
    (first,) = receive(sqs, fifo, MaxNumberOfMessages=1)
    assert (first["Body"], first["Attributes"]["MessageGroupId"]) == ("a1", "a")
    (other,) = receive(sqs, fifo)
    assert other["Body"] == "b1"
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first["ReceiptHandle"])
    rest = receive(sqs, fifo, VisibilityTimeout=1)
    assert bodies(rest) == ["a2", "a3"]
    numbers = [int(message["Attributes"]["SequenceNumber"]) for message in [first, *rest]]
    assert numbers == sorted(numbers)
    assert bodies(receive(sqs, fifo, WaitTimeSeconds=10)) == ["a2", "a3"]
    expired = refused("InvalidParameterValue", sqs.delete_message, QueueUrl=fifo, ReceiptHandle=rest[0]["ReceiptHandle"])
    assert "expired" in expired


def test_fifo_queues_have_rules(sqs, fifo, unique):
    send = sqs.send_message
    refused("MissingParameter", send, QueueUrl=fifo, MessageBody="x")
    refused("InvalidParameterValue", send, QueueUrl=fifo, MessageBody="x", MessageGroupId="g", DelaySeconds=1)
    plain = sqs.create_queue(QueueName=unique("q") + ".fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    message = refused("InvalidParameterValue", send, QueueUrl=plain, MessageBody="x", MessageGroupId="g")
    assert "ContentBasedDeduplication" in message
    attempt = refused(
        "AWS.SimpleQueueService.UnsupportedOperation", sqs.receive_message, QueueUrl=fifo, ReceiveRequestAttemptId="a"
    )
    assert "ReceiveRequestAttemptId" in attempt
    standard = {"deadLetterTargetArn": arn(unique("none")), "maxReceiveCount": 1}
    refused(
        "InvalidParameterValue",
        sqs.set_queue_attributes,
        QueueUrl=fifo,
        Attributes={"RedrivePolicy": json.dumps(standard)},
    )


# --- who may -----------------------------------------------------------------------------------------------------------


def user(shared, name, *statements):
    iam = shared.client("iam", "test", "test")
    iam.create_user(UserName=name)
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return shared.client("sqs", key["AccessKeyId"], key["SecretAccessKey"])


def test_every_operation_is_authorised(shared, sqs, queue, unique):
    name = queue.rsplit("/", 1)[1]
    sender = user(shared, unique("sender"), allow("sqs:SendMessage", resource=arn(name)))
    sender.send_message(QueueUrl=queue, MessageBody="may")
    sender.send_message_batch(QueueUrl=queue, Entries=[{"Id": "a", "MessageBody": "may"}])
    denied = "AccessDeniedException"
    message = refused(denied, sender.receive_message, QueueUrl=queue)
    assert f"sqs:ReceiveMessage on resource: {arn(name)}" in message
    entries = [{"Id": "a", "ReceiptHandle": "h"}]
    for call, arguments in [
        (sender.create_queue, {"QueueName": unique("denied")}),
        (sender.delete_queue, {"QueueUrl": queue}),
        (sender.get_queue_url, {"QueueName": name}),
        (sender.list_queues, {}),
        (sender.purge_queue, {"QueueUrl": queue}),
        (sender.get_queue_attributes, {"QueueUrl": queue, "AttributeNames": ["All"]}),
        (sender.set_queue_attributes, {"QueueUrl": queue, "Attributes": {"DelaySeconds": "1"}}),
        (sender.list_dead_letter_source_queues, {"QueueUrl": queue}),
        (sender.delete_message, {"QueueUrl": queue, "ReceiptHandle": "h"}),
        (sender.delete_message_batch, {"QueueUrl": queue, "Entries": entries}),
        (sender.change_message_visibility, {"QueueUrl": queue, "ReceiptHandle": "h", "VisibilityTimeout": 1}),
        (sender.change_message_visibility_batch, {"QueueUrl": queue, "Entries": entries}),
        (sender.tag_queue, {"QueueUrl": queue, "Tags": {"a": "b"}}),
        (sender.untag_queue, {"QueueUrl": queue, "TagKeys": ["a"]}),
        (sender.list_queue_tags, {"QueueUrl": queue}),
        (sender.add_permission, {"QueueUrl": queue, "Label": "l", "AWSAccountIds": [ACCOUNT], "Actions": ["*"]}),
        (sender.remove_permission, {"QueueUrl": queue, "Label": "l"}),
    ]:
        refused(denied, call, **arguments)
    # The queue's own policy lets somebody in who has no leave of his own, and an explicit deny wins.
    stranger_name = unique("stranger")
    stranger = user(shared, stranger_name)
    refused(denied, stranger.send_message, QueueUrl=queue, MessageBody="no")
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{stranger_name}"}
    statements = [{"Effect": "Allow", "Principal": principal, "Action": "sqs:*", "Resource": arn(name)}]
    statements.append({"Effect": "Deny", "Principal": "*", "Action": "sqs:PurgeQueue", "Resource": arn(name)})
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    assert len(receive(stranger, queue)) == 2
    refused(denied, stranger.purge_queue, QueueUrl=queue)


def test_permissions_are_added_and_removed(sqs, queue):
    sqs.add_permission(QueueUrl=queue, Label="l", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert policy["Statement"][0]["Action"] == ["SQS:SendMessage"]
    refused(
        "InvalidParameterValue", sqs.add_permission, QueueUrl=queue, Label="l", AWSAccountIds=[ACCOUNT], Actions=["*"]
    )
    sqs.remove_permission(QueueUrl=queue, Label="l")
    refused("InvalidParameterValue", sqs.remove_permission, QueueUrl=queue, Label="l")


# --- other clients -----------------------------------------------------------------------------------------------------


def test_the_command_line(shared, unique):
    name = unique("cli")

    def aws(*arguments):
        # For SQS, version 1 of the command takes an endpoint from its arguments only.
        command = [*AWS, "sqs", *arguments, "--output", "json", "--endpoint-url", shared.url]
        return subprocess.run(command, env=shared.environment(), capture_output=True, text=True, timeout=120)

    created = aws("create-queue", "--queue-name", name)
    assert created.returncode == 0, created.stderr
    url = json.loads(created.stdout)["QueueUrl"]
    assert json.loads(aws("send-message", "--queue-url", url, "--message-body", "hi").stdout)["MessageId"]
    message = json.loads(aws("receive-message", "--queue-url", url).stdout)["Messages"][0]
    assert message["Body"] == "hi"
    assert aws("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"]).returncode == 0
    missing = aws("get-queue-url", "--queue-name", name + "-none")
    assert missing.returncode != 0 and "NonExistentQueue" in missing.stderr


def test_the_resource_interface(shared, unique):
    import boto3

    environment = shared.environment()
    resource = boto3.resource(
        "sqs",
        endpoint_url=shared.url,
        region_name="us-east-1",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    queue = resource.create_queue(QueueName=unique("resource"))
    queue.send_message(MessageBody="hi")
    (message,) = queue.receive_messages()
    assert message.body == "hi"
    message.delete()


# --- kill -9 -----------------------------------------------------------------------------------------------------------


def test_messages_survive_kill_9(start):
    server = start("--dev")
    sqs = server.client("sqs", "test", "test")
    url = sqs.create_queue(QueueName="survives", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    ordered = sqs.create_queue(
        QueueName="survives.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    )["QueueUrl"]
    acknowledged, stop = set(), threading.Event()

    def send(worker):
        client = server.client("sqs", "test", "test")
        number = 0
        while not stop.is_set():
            entries = [{"Id": str(at), "MessageBody": f"{worker}-{number + at}"} for at in range(10)]
            try:
                answer = client.send_message_batch(QueueUrl=url, Entries=entries)
            except Exception:
                return  # the server is gone: nothing was acknowledged
            acknowledged.update(entries[int(done["Id"])]["MessageBody"] for done in answer["Successful"])
            number += 10

    for body in ["1", "2"]:
        sqs.send_message(QueueUrl=ordered, MessageBody=body, MessageGroupId="g")
    (in_flight,) = receive(sqs, ordered, MaxNumberOfMessages=1, VisibilityTimeout=600)
    workers = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    wait_for(lambda: len(acknowledged) > 300, "some messages")
    server.kill()
    stop.set()
    for worker in workers:
        worker.join()
    sqs = start("--dev").client("sqs", "test", "test")
    found = set()
    while messages := receive(sqs, url):
        for message in messages:
            assert message["Body"] not in found, "received twice within its visibility time-out"
            found.add(message["Body"])
        entries = [{"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]} for at, message in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert acknowledged <= found
    # The group is still locked by the message in flight, its receipt is still good, and duplicates are still known.
    assert receive(sqs, ordered) == []
    sqs.send_message(QueueUrl=ordered, MessageBody="1", MessageGroupId="g")
    sqs.delete_message(QueueUrl=ordered, ReceiptHandle=in_flight["ReceiptHandle"])
    assert bodies(receive(sqs, ordered)) == ["2"]
