"""Live Tail of CloudWatch Logs through boto3: an answer that goes on."""

import threading
import time

import pytest
from botocore.exceptions import ClientError, EventStreamError

from conftest import Clock, allow, client, document, wait_for

ARN = "arn:aws:logs:us-east-1:000000000000:log-group:"


def tailing(server, key="test", secret="test", token=None):
    """AWS tails at a host of its own name; here there is one for all."""
    return server.client("logs", key, secret, token, inject_host_prefix=False, read_timeout=20)


@pytest.fixture
def tail(shared):
    return tailing(shared)


@pytest.fixture
def make(tail, unique):
    def make_group(*streams):
        name = unique("tailed")
        tail.create_log_group(logGroupName=name)
        for stream in streams:
            tail.create_log_stream(logGroupName=name, logStreamName=stream)
        return name

    return make_group


def put(logs, group, stream, *messages):
    at = int(time.time() * 1000)
    events = [{"timestamp": at, "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def begin(logs, *groups, **options):
    """A session that has begun: what it said first, its events, and the way to end it."""
    answer = logs.start_live_tail(logGroupIdentifiers=[ARN + group for group in groups], **options)["responseStream"]
    events = iter(answer)
    return next(events)["sessionStart"], events, answer.close


def results(events, most=40):
    """The next update that has something."""
    for _ in range(most):
        update = next(events)["sessionUpdate"]
        if update["sessionResults"]:
            return update
    raise AssertionError("nothing came")


def refusal(logs, **options):
    with pytest.raises(ClientError) as error:
        logs.start_live_tail(**options)
    return error.value.response["Error"]


def test_events_come_as_they_are_kept(tail, make):
    one, other = make("s"), make("t")
    put(tail, one, "s", "before")
    first, events, close = begin(tail, one, other)
    assert first["logGroupIdentifiers"] == [ARN + one, ARN + other] and first["sessionId"] and first["requestId"]
    put(tail, one, "s", "now", "and now")
    update = results(events)
    assert [event["message"] for event in update["sessionResults"]] == ["now", "and now"]
    event = update["sessionResults"][0]
    assert (event["logStreamName"], event["logGroupIdentifier"]) == ("s", ARN + one)
    assert abs(event["timestamp"] - event["ingestionTime"]) < 5000 and update["sessionMetadata"] == {"sampled": False}
    put(tail, other, "t", "elsewhere")
    assert [event["message"] for event in results(events)["sessionResults"]] == ["elsewhere"]
    close()


def test_silence_is_told_every_second(tail, make):
    _, events, close = begin(tail, make("s"))
    begun = time.monotonic()
    assert [next(events)["sessionUpdate"]["sessionResults"] for _ in range(3)] == [[], [], []]
    assert 2 < time.monotonic() - begun < 30
    close()


def test_streams_and_patterns_choose(tail, make):
    group = make("web-1", "web-2", "job")
    _, prefixed, close_prefixed = begin(tail, group, logStreamNamePrefixes=["web-"], logEventFilterPattern="ERROR -noise")
    _, named, close_named = begin(tail, group, logStreamNames=["job"])
    put(tail, group, "job", "ERROR in the job")
    put(tail, group, "web-1", "fine", "ERROR noise", "ERROR 1")
    assert [event["message"] for event in results(prefixed)["sessionResults"]] == ["ERROR 1"]
    assert [event["message"] for event in results(named)["sessionResults"]] == ["ERROR in the job"]
    close_prefixed(), close_named()


def test_floods_are_sampled(tail, make):
    group = make("s")
    _, events, close = begin(tail, group)
    put(tail, group, "s", *[f"line {n}" for n in range(5000)])
    update = results(events)
    assert len(update["sessionResults"]) == 500 and update["sessionMetadata"] == {"sampled": True}
    numbers = [int(event["message"].removeprefix("line ")) for event in update["sessionResults"]]
    assert numbers == sorted(numbers) and numbers[-1] > 4000
    close()


def test_bad_requests_are_refused(tail, make):
    group, other = make("s"), make("s")
    arn = ARN + group

    def message(code, **options):
        error = refusal(tail, **options)
        assert error["Code"] == code, error
        return error["Message"]

    invalid = "InvalidParameterException"
    assert "ARN" in message(invalid, logGroupIdentifiers=[group])
    assert "*" in message(invalid, logGroupIdentifiers=[arn + ":*"])
    assert "1 to 10" in message(invalid, logGroupIdentifiers=[arn] * 11)
    assert "single" in message(invalid, logGroupIdentifiers=[arn, ARN + other], logStreamNames=["s"])
    both = {"logStreamNames": ["s"], "logStreamNamePrefixes": ["s"]}
    assert "both" in message(invalid, logGroupIdentifiers=[arn], **both)
    assert "pattern" in message(invalid, logGroupIdentifiers=[arn], logEventFilterPattern="{ $.a = ")
    message("ResourceNotFoundException", logGroupIdentifiers=[ARN + "none"])


def test_every_group_must_be_allowed(shared, make, unique):
    one, other = make("s"), make("s")
    iam, name = shared.client("iam", "test", "test"), unique("reader")
    iam.create_user(UserName=name)
    policy = document(allow("logs:StartLiveTail", resource=f"{ARN}{one}:*"))
    iam.put_user_policy(UserName=name, PolicyName="tail", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    logs = client(shared, "logs", key, inject_host_prefix=False)
    _, _, close = begin(logs, one)
    close()
    error = refusal(logs, logGroupIdentifiers=[ARN + one, ARN + other])
    assert error["Code"] == "AccessDeniedException" and "logs:StartLiveTail" in error["Message"]


def test_sessions_are_few_and_end_with_their_clients(start):
    server = start("--dev")
    logs = tailing(server)
    logs.create_log_group(logGroupName="g")
    arn = {"logGroupIdentifiers": [ARN + "g"]}
    sessions = [logs.start_live_tail(**arn)["responseStream"] for _ in range(15)]
    assert refusal(logs, **arn)["Code"] == "LimitExceededException"
    sessions.pop().close()

    def again():
        try:
            return logs.start_live_tail(**arn)["responseStream"]
        except ClientError:
            return None

    sessions.append(wait_for(again, "a place for another session"))
    stopped = threading.Thread(target=server.stop)
    begun = time.monotonic()
    stopped.start()
    for session in sessions:
        list(session)
    stopped.join()
    assert time.monotonic() - begun < 8, "sessions end when the server stops"


def test_sessions_time_out(start, tmp_path):
    clock = Clock(tmp_path / "clock-ahead")
    server = start("--dev", *clock.flags)
    logs = tailing(server)
    logs.create_log_group(logGroupName="g")
    events = iter(logs.start_live_tail(logGroupIdentifiers=[ARN + "g"])["responseStream"])
    assert "sessionStart" in next(events)
    clock.move(3 * 3600 + 1)
    with pytest.raises(EventStreamError, match="SessionTimeoutException"):
        list(events)


def test_a_client_that_does_not_read_costs_little(tail, make):
    """It loses what is oldest, and holds up nobody."""
    group = make("s")
    _, events, close = begin(tail, group)
    text = "x" * 50_000
    for round in range(8):
        put(tail, group, "s", *[f"{round} {text}" for _ in range(20)])
        time.sleep(0.3)
    last = None
    for _ in range(12):
        found = next(events)["sessionUpdate"]["sessionResults"]
        last = found[-1]["message"][0] if found else last
    assert last == "7"
    close()
