"""CloudWatch metrics through boto3 and `aws cloudwatch`, in each of the three protocols that clients speak."""

import dataclasses
import datetime
import io
import json
import math
import os
import struct
import subprocess
import sys
import time
import zipfile

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import httpx
import pytest
from botocore.exceptions import ClientError

from conftest import Clock, allow, client, code, document, service_role, wait_for

AWS = [sys.executable, os.path.join(os.path.dirname(sys.executable), "aws")]
NOW = datetime.datetime.now(datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
# A whole hour in the past, so that periods of any length begin there.
BEGIN = (NOW - 3 * HOUR).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def cloudwatch(shared):
    return shared.client("cloudwatch", "test", "test")


@pytest.fixture
def namespace(unique):
    return unique("Shop")


def message(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Message"]


def put(cloudwatch, namespace, *data):
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=list(data))


def at(minutes):
    return BEGIN + minutes * MINUTE


def query(id, namespace, name, stat="Sum", period=60, dimensions=(), **more):
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions_of(dimensions)}
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


def dimensions_of(pairs):
    return [{"Name": name, "Value": value} for name, value in dict(pairs).items()]


def data(cloudwatch, *queries, start=BEGIN, end=None, **options):
    """The points of each query, by its id, oldest first."""
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries),
        StartTime=start,
        EndTime=end or NOW + HOUR,
        ScanBy="TimestampAscending",
        **options,
    )
    return {result["Id"]: dict(zip(result["Timestamps"], result["Values"])) for result in answer["MetricDataResults"]}


def statistics(cloudwatch, namespace, name, wanted, period=60, dimensions=(), **options):
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=dimensions_of(dimensions),
        StartTime=BEGIN,
        EndTime=NOW + HOUR,
        Period=period,
        Statistics=wanted,
        **options,
    )
    return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])


def test_values_become_statistics(cloudwatch, namespace):
    values = [{"MetricName": "Orders", "Value": value, "Timestamp": at(value), "Unit": "Count"} for value in (0, 1, 1, 7)]
    put(cloudwatch, namespace, *values)
    everything = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]
    points = statistics(cloudwatch, namespace, "Orders", everything, period=300)
    first, second = points
    assert first["Timestamp"] == at(0) and second["Timestamp"] == at(5)
    assert {name: first[name] for name in everything} == {
        "SampleCount": 3, "Average": 2 / 3, "Sum": 2, "Minimum": 0, "Maximum": 1,
    }
    assert second["Sum"] == 7 and second["Unit"] == "Count"
    found = data(cloudwatch, query("m1", namespace, "Orders"), query("m2", namespace, "Orders", "Maximum", 3600))
    assert found == {"m1": {at(0): 0, at(1): 2, at(7): 7}, "m2": {at(0): 7}}


def test_values_with_counts_and_sets(cloudwatch, namespace):
    put(
        cloudwatch,
        namespace,
        {"MetricName": "Latency", "Values": [10, 20, 1000], "Counts": [80, 18, 2], "Timestamp": at(0), "Unit": "Milliseconds"},
        {"MetricName": "Size", "StatisticValues": {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 5}, "Timestamp": at(0)},
    )
    stats = ["p50", "p90", "p99", "tm98", "PR(:20)", "SampleCount"]
    queries = [query(f"q{n}", namespace, "Latency", stat) for n, stat in enumerate(stats)]
    found = [values[at(0)] for values in data(cloudwatch, *queries).values()]
    assert found == [10, 20, 1000, pytest.approx((80 * 10 + 18 * 20) / 98), 98, 100]
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName="Latency", StartTime=BEGIN, EndTime=NOW, Period=60, ExtendedStatistics=["p95", "p99.5"]
    )
    assert answer["Label"] == "Latency"
    assert answer["Datapoints"][0]["ExtendedStatistics"] == {"p95": 20, "p99.5": 1000}
    # Of a set nobody knows the single values.
    assert data(cloudwatch, query("a", namespace, "Size", "p90"), query("b", namespace, "Size", "Average")) == {
        "a": {}, "b": {at(0): 2.5},
    }


def test_many_different_values_keep_their_percentiles(cloudwatch, namespace):
    for start in range(0, 3000, 150):
        values = [float(value) for value in range(start + 1, start + 151)]
        put(cloudwatch, namespace, {"MetricName": "Wide", "Values": values, "Timestamp": at(0)})
    found = data(cloudwatch, query("a", namespace, "Wide", "p50"), query("b", namespace, "Wide", "p99"), query("c", namespace, "Wide"))
    assert found["a"][at(0)] == pytest.approx(1500, rel=0.006) and found["b"][at(0)] == pytest.approx(2970, rel=0.006)
    assert found["c"][at(0)] == 3000 * 3001 / 2


def test_dimensions_and_units_keep_metrics_apart(cloudwatch, namespace):
    shop = lambda name, value, unit="None": {
        "MetricName": "Sales", "Dimensions": dimensions_of({"Shop": name, "Floor": "1"}), "Value": value, "Timestamp": at(0), "Unit": unit,
    }
    put(cloudwatch, namespace, shop("a", 1), shop("b", 2), shop("b", 4, "Bytes"))
    both = {"Floor": "1", "Shop": "b"}
    assert data(cloudwatch, query("m", namespace, "Sales", dimensions=both))["m"] == {at(0): 6}
    assert data(cloudwatch, query("m", namespace, "Sales", dimensions={"Shop": "b"}))["m"] == {}
    units = {point["Unit"]: point["Sum"] for point in statistics(cloudwatch, namespace, "Sales", ["Sum"], dimensions=both)}
    assert units == {"None": 2, "Bytes": 4}
    only = statistics(cloudwatch, namespace, "Sales", ["Sum"], dimensions=both, Unit="Bytes")
    assert [point["Sum"] for point in only] == [4]


def test_short_periods(cloudwatch, namespace):
    start = NOW.replace(microsecond=0) - 10 * MINUTE
    points = [
        {"MetricName": "Pulse", "Value": 1, "Timestamp": start + datetime.timedelta(seconds=n), "StorageResolution": 1} for n in range(30)
    ]
    put(cloudwatch, namespace, *points)
    found = data(cloudwatch, query("m", namespace, "Pulse", period=10), start=start)["m"]
    assert sum(found.values()) == 30 and max(found.values()) == 10 and len(found) in (3, 4)
    assert sum(data(cloudwatch, query("m", namespace, "Pulse", period=60), start=start)["m"].values()) == 30


def test_metrics_are_listed_in_pages(cloudwatch, namespace):
    names = [f"m{n:04}" for n in range(1203)]
    for start in range(0, len(names), 1000):
        put(cloudwatch, namespace, *[{"MetricName": name, "Value": 1} for name in names[start : start + 1000]])
    first = cloudwatch.list_metrics(Namespace=namespace)
    assert len(first["Metrics"]) == 500 and first["NextToken"]
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    assert [metric["MetricName"] for page in pages for metric in page["Metrics"]] == names
    assert code(cloudwatch.list_metrics, NextToken="x") == ("InvalidParameterValue", 400)


def test_lists_are_filtered(cloudwatch, namespace):
    old = {"MetricName": "Old", "Value": 1, "Timestamp": NOW - 5 * HOUR}
    put(
        cloudwatch,
        namespace,
        old,
        {"MetricName": "Sales", "Value": 1, "Dimensions": dimensions_of({"Shop": "a", "Floor": "1"})},
        {"MetricName": "Sales", "Value": 1, "Dimensions": dimensions_of({"Shop": "b"})},
    )

    def listed(**filters):
        metrics = cloudwatch.list_metrics(Namespace=namespace, **filters)["Metrics"]
        return [(metric["MetricName"], {it["Name"]: it["Value"] for it in metric["Dimensions"]}) for metric in metrics]

    a, b = ("Sales", {"Shop": "a", "Floor": "1"}), ("Sales", {"Shop": "b"})
    assert sorted(listed(), key=str) == sorted([("Old", {}), a, b], key=str)
    assert listed(MetricName="Old") == [("Old", {})]
    assert listed(Dimensions=[{"Name": "Shop", "Value": "b"}]) == [b]
    assert listed(Dimensions=[{"Name": "Floor"}]) == [a]
    assert sorted(listed(RecentlyActive="PT3H"), key=str) == sorted([a, b], key=str)
    assert namespace in {metric["Namespace"] for metric in cloudwatch.list_metrics(MetricName="Old")["Metrics"]}


def test_metric_math(cloudwatch, namespace):
    put(
        cloudwatch,
        namespace,
        *[{"MetricName": "Errors", "Value": value, "Timestamp": at(n)} for n, value in enumerate([1, 0, 5])],
        *[{"MetricName": "Calls", "Value": value, "Timestamp": at(n)} for n, value in enumerate([10, 0, 20])],
    )
    errors = query("errors", namespace, "Errors", ReturnData=False)
    calls = query("calls", namespace, "Calls", ReturnData=False)
    found = data(
        cloudwatch,
        errors,
        calls,
        {"Id": "rate", "Expression": "100 * errors / calls", "Label": "Error rate"},
        {"Id": "all", "Expression": "SUM([errors, calls])"},
        {"Id": "filled", "Expression": "FILL(errors, 0)"},
        end=at(5),
    )
    assert found == {
        "rate": {at(0): 10, at(2): 25},
        "all": {at(0): 11, at(1): 0, at(2): 25},
        "filled": {at(0): 1, at(1): 0, at(2): 5, at(3): 0, at(4): 0},
    }
    call = dict(StartTime=BEGIN, EndTime=NOW)
    for expression, words in [("errors +", "position"), ("nobody", "nobody"), ("SUM(errors)", "number")]:
        wrong = [errors, {"Id": "e", "Expression": expression}]
        assert words in message(cloudwatch.get_metric_data, MetricDataQueries=wrong, **call)
        assert code(cloudwatch.get_metric_data, MetricDataQueries=wrong, **call) == ("ValidationError", 400)
    search = [{"Id": "e", "Expression": "SEARCH('x', 'Sum', 300)"}]
    assert "SEARCH" in message(cloudwatch.get_metric_data, MetricDataQueries=search, **call)


def test_data_come_in_pages(cloudwatch, namespace):
    for name in ("a", "b"):
        put(cloudwatch, namespace, *[{"MetricName": name, "Value": n, "Timestamp": at(n)} for n in range(50)])
    queries = [query("a", namespace, "a"), query("b", namespace, "b", "Maximum")]
    call = dict(MetricDataQueries=queries, StartTime=BEGIN, EndTime=NOW, MaxDatapoints=30)
    pages = list(cloudwatch.get_paginator("get_metric_data").paginate(**call))
    assert len(pages) == 4
    values = {"a": [], "b": []}
    for page in pages:
        for result in page["MetricDataResults"]:
            values[result["Id"]] += result["Values"]
    # The newest first, if nobody asks otherwise.
    assert values == {"a": list(range(49, -1, -1)), "b": list(range(49, -1, -1))}
    assert [result["StatusCode"] for page in pages for result in page["MetricDataResults"]].count("Complete") == 2
    assert code(cloudwatch.get_metric_data, **call, NextToken="nonsense") == ("InvalidNextToken", 400)


def test_bad_data_are_refused(cloudwatch, namespace):
    def refused(expected, **datum):
        call = dict(Namespace=namespace, MetricData=[{"MetricName": "m", **datum}])
        assert code(cloudwatch.put_metric_data, **call) == (expected, 400)
        return message(cloudwatch.put_metric_data, **call)

    value, together = "InvalidParameterValue", "InvalidParameterCombination"
    assert "two weeks" in refused(value, Value=1, Timestamp=NOW - 15 * 24 * HOUR)
    assert "two hours" in refused(value, Value=1, Timestamp=NOW + 3 * HOUR)
    refused(value, Value=1e120)
    refused(value, Value=1, Unit="Parsecs")
    refused(value, Value=1, StorageResolution=5)
    refused(value, Value=1, Dimensions=dimensions_of({f"d{n}": "x" for n in range(31)}))
    refused(value, Value=1, Dimensions=[{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}])
    refused(value, Values=[1, 2], Counts=[1])
    refused(value, Values=list(range(151)))
    refused(value, StatisticValues={"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0})
    refused(together)
    refused(together, Value=1, Values=[1])
    assert code(cloudwatch.put_metric_data, Namespace="AWS/Lambda", MetricData=[{"MetricName": "m", "Value": 1}])[0] == value
    assert code(cloudwatch.put_metric_data, Namespace=namespace)[0] == "MissingParameter"
    entity = [{"Entity": {}, "MetricData": [{"MetricName": "m", "Value": 1}]}]
    assert "EntityMetricData" in message(cloudwatch.put_metric_data, Namespace=namespace, EntityMetricData=entity)
    assert cloudwatch.list_metrics(Namespace=namespace)["Metrics"] == []


def test_bad_questions_are_refused(cloudwatch, namespace):
    call = dict(Namespace=namespace, MetricName="m", StartTime=BEGIN, EndTime=NOW, Period=60, Statistics=["Sum"])
    ask = cloudwatch.get_metric_statistics
    assert code(ask, **{**call, "StartTime": NOW, "EndTime": BEGIN})[0] == "InvalidParameterValue"
    assert code(ask, **{**call, "Period": 45})[0] == "InvalidParameterValue"
    assert code(ask, **call, ExtendedStatistics=["p90"])[0] == "InvalidParameterCombination"
    assert code(ask, **{**call, "Statistics": ["Median"]})[0] == "InvalidParameterValue"
    del call["Statistics"]
    assert code(ask, **call)[0] == "InvalidParameterCombination"
    assert code(ask, **call, ExtendedStatistics=["p101"])[0] == "InvalidParameterValue"
    long = {**call, "StartTime": NOW - 2 * 24 * HOUR, "Statistics": ["Sum"]}
    assert code(ask, **long)[0] == "InvalidParameterCombination" and "1440" in message(ask, **long)
    get, between = cloudwatch.get_metric_data, dict(StartTime=BEGIN, EndTime=NOW)
    twice = [query("m", namespace, "a"), query("m", namespace, "b")]
    for queries in (twice, [query("M", namespace, "a")], [query("m", namespace, "a", "Most")], [query("m", namespace, "a", period=7)]):
        assert code(get, MetricDataQueries=queries, **between) == ("ValidationError", 400)
    assert "DescribeAlarms" in message(cloudwatch.describe_alarms)


def test_policies_decide(shared, cloudwatch, unique):
    mine, other = unique("Mine"), unique("Other")
    iam, name = shared.client("iam", "test", "test"), unique("reporter")
    iam.create_user(UserName=name)
    statement = allow("cloudwatch:PutMetricData") | {"Condition": {"StringEquals": {"cloudwatch:namespace": mine}}}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(statement))
    theirs = client(shared, "cloudwatch", iam.create_access_key(UserName=name)["AccessKey"])
    datum = [{"MetricName": "m", "Value": 1}]
    theirs.put_metric_data(Namespace=mine, MetricData=datum)
    refused = ("AccessDenied", 403), ("AccessDeniedException", 403)
    assert code(theirs.put_metric_data, Namespace=other, MetricData=datum) in refused
    assert code(theirs.list_metrics) in refused
    assert "cloudwatch:ListMetrics" in message(theirs.list_metrics)


def test_large_requests_are_compressed(cloudwatch, namespace):
    """boto3 compresses what is larger than 10 KiB."""
    long = "x" * 200
    points = [{"MetricName": f"m{n}", "Value": n, "Dimensions": dimensions_of({"Shop": long})} for n in range(1000)]
    put(cloudwatch, namespace, *points)
    assert len(cloudwatch.list_metrics(Namespace=namespace)["Metrics"]) == 500


def signed(server, path, body, headers):
    request = botocore.awsrequest.AWSRequest("POST", server.url + path, data=body, headers=headers)
    botocore.auth.SigV4Auth(botocore.credentials.Credentials("test", "test"), "monitoring", "us-east-1").add_auth(request)
    return httpx.post(server.url + path, content=body, headers=dict(request.headers))


def test_the_query_protocol(shared, cloudwatch, namespace):
    put(cloudwatch, namespace, {"MetricName": "m", "Values": [1, 3], "Timestamp": at(0)})

    def ask(**members):
        form = "&".join(f"{name}={value}" for name, value in {"Version": "2010-08-01", **members}.items())
        return signed(shared, "/", form.encode(), {"content-type": "application/x-www-form-urlencoded; charset=utf-8"})

    range = {"StartTime": f"{BEGIN:%Y-%m-%dT%H:%M:%SZ}", "EndTime": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}
    answer = ask(
        Action="GetMetricStatistics", Namespace=namespace, MetricName="m", Period=60, **range, **{"ExtendedStatistics.member.1": "p100"}
    )
    assert answer.status_code == 200, answer.text
    assert f"<Timestamp>{BEGIN:%Y-%m-%dT%H:%M:%SZ}</Timestamp>" in answer.text
    assert "<ExtendedStatistics><entry><key>p100</key><value>3.0</value></entry></ExtendedStatistics>" in answer.text
    datum = {"MetricData.member.1.MetricName": "n", "MetricData.member.1.Value": "2.5"}
    assert ask(Action="PutMetricData", Namespace=namespace, **datum).status_code == 200
    listed = ask(Action="ListMetrics", Namespace=namespace).text
    assert "<Metrics><member><Dimensions></Dimensions><MetricName>m</MetricName>" in listed and "<MetricName>n<" in listed
    refused = ask(Action="PutMetricData", Namespace=namespace)
    assert refused.status_code == 400 and "<Code>MissingParameter</Code>" in refused.text
    assert "<Code>InvalidAction</Code>" in ask(Action="DescribeAlarms").text


# Just enough CBOR to speak as the SDKs for JavaScript, Go and Java do.


@dataclasses.dataclass
class Tagged:
    tag: int
    value: object


def head(kind, number):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes([kind << 5 | number])
        if number < 1 << 8 * size:
            return bytes([kind << 5 | info]) + number.to_bytes(size, "big")


def encode(value):
    match value:
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            return head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())
        case Tagged():
            return head(6, value.tag) + encode(value.value)


def decode(stream):
    first = stream.read(1)[0]
    kind, info = first >> 5, first & 31
    if kind == 7:
        sizes = {25: ">e", 26: ">f", 27: ">d"}
        if info in sizes:
            return struct.unpack(sizes[info], stream.read(struct.calcsize(sizes[info])))[0]
        return {20: False, 21: True, 22: None}[info]
    number = info if info < 24 else int.from_bytes(stream.read(1 << info - 24), "big")
    match kind:
        case 0:
            return number
        case 1:
            return -1 - number
        case 3:
            return stream.read(number).decode()
        case 4:
            return [decode(stream) for _ in range(number)]
        case 5:
            return {decode(stream): decode(stream) for _ in range(number)}
        case 6:
            return Tagged(number, decode(stream))


def test_the_cbor_protocol(shared, namespace):
    def ask(operation, members, body=None):
        headers = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor", "accept": "application/cbor"}
        path = f"/service/GraniteServiceVersion20100801/operation/{operation}"
        answer = signed(shared, path, encode(members) if body is None else body, headers)
        assert answer.headers["smithy-protocol"] == "rpc-v2-cbor" and answer.headers["content-type"] == "application/cbor"
        return answer, decode(io.BytesIO(answer.content))

    stamp = Tagged(1, BEGIN.timestamp())
    datum = {"MetricName": "m", "Value": 2.5, "Timestamp": stamp, "Dimensions": [{"Name": "a", "Value": "b"}]}
    answer, empty = ask("PutMetricData", {"Namespace": namespace, "MetricData": [datum]})
    assert answer.status_code == 200 and empty == {}
    metric = {"Namespace": namespace, "MetricName": "m", "Dimensions": [{"Name": "a", "Value": "b"}]}
    queries = [{"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]
    times = {"StartTime": stamp, "EndTime": Tagged(1, NOW.timestamp())}
    _, found = ask("GetMetricData", {"MetricDataQueries": queries, **times})
    result = found["MetricDataResults"][0]
    assert result["Values"] == [2.5] and result["Timestamps"] == [Tagged(1, int(BEGIN.timestamp()))]
    nan = {"MetricName": "m", "Value": math.nan}
    answer, error = ask("PutMetricData", {"Namespace": namespace, "MetricData": [nan]})
    assert answer.status_code == 400 and error["__type"] == "InvalidParameterValueException" and "NaN" in error["message"]
    assert answer.headers["x-amzn-query-error"] == "InvalidParameterValue;Sender"
    for body in (b"\xff", b"\x9b" + b"\xff" * 8, b"\xa1\x01\x02", b"\x81" * 5000):
        answer, error = ask("ListMetrics", {}, body)
        assert answer.status_code == 400 and error["__type"] == "SerializationException"
    answer, error = ask("DescribeAlarms", {})
    assert answer.status_code == 400 and "DescribeAlarms" in error["message"]


def test_the_command_line(shared, namespace):
    def aws(*arguments):
        command = [*AWS, "cloudwatch", *arguments, "--output", "json"]
        done = subprocess.run(command, env=shared.environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    aws("put-metric-data", "--namespace", namespace, "--metric-name", "m", "--value", "4", "--unit", "Count")
    assert aws("list-metrics", "--namespace", namespace)["Metrics"][0]["MetricName"] == "m"
    between = ["--start-time", f"{BEGIN:%Y-%m-%dT%H:%M:%SZ}", "--end-time", f"{NOW + HOUR:%Y-%m-%dT%H:%M:%SZ}"]
    found = aws(
        "get-metric-statistics", "--namespace", namespace, "--metric-name", "m", "--period", "3600", "--statistics", "Sum", *between
    )
    assert [point["Sum"] for point in found["Datapoints"]] == [4]


def test_acknowledged_data_survive_kill_9(start):
    server = start("--dev")
    cloudwatch = server.client("cloudwatch", "test", "test")
    for n in range(20):
        put(cloudwatch, "Shop", {"MetricName": "m", "Value": n, "Timestamp": at(n)})
    server.kill()
    cloudwatch = start("--dev").client("cloudwatch", "test", "test")
    assert data(cloudwatch, query("m", "Shop", "m"))["m"] == {at(n): n for n in range(20)}


def test_old_points_become_coarser(start, tmp_path):
    clock = Clock(tmp_path / "clock-ahead")
    server = start("--dev", *clock.flags)
    cloudwatch = server.client("cloudwatch", "test", "test")
    begin = clock.now().replace(minute=0, second=0, microsecond=0) - HOUR
    points = [{"MetricName": "m", "Value": 1, "Timestamp": begin + n * MINUTE} for n in range(10)]
    put(cloudwatch, "Shop", *points)
    clock.move(20 * 24 * 3600)

    def found(period):
        return data(cloudwatch, query("m", "Shop", "m", period=period), start=begin, end=begin + HOUR)["m"]

    wait_for(lambda: not found(60), "points of a minute go after 15 days")
    assert found(300) == {begin: 5, begin + 5 * MINUTE: 5}
    assert cloudwatch.list_metrics(Namespace="Shop")["Metrics"] == []


def recent(cloudwatch, namespace, name, dimensions, stat="Sum"):
    start = datetime.datetime.now(datetime.timezone.utc) - 10 * MINUTE
    found = data(cloudwatch, query("m", namespace, name, stat, dimensions=dimensions), start=start, end=start + HOUR)["m"]
    return sum(found.values())


def test_functions_are_measured(shared, cloudwatch, unique):
    functions, name = shared.client("lambda", "test", "test"), unique("measured")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code_of:
        code_of.writestr("app.py", "def handler(event, context):\n    return 1 / event['by']\n")
    role = service_role(shared, unique("role"), allow("logs:*"), service="lambda.amazonaws.com")
    functions.create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="app.handler", Code={"ZipFile": archive.getvalue()}
    )
    for by in (1, 2, 0):
        functions.invoke(FunctionName=name, Payload=json.dumps({"by": by}))
    of = {"FunctionName": name}
    assert recent(cloudwatch, "AWS/Lambda", "Invocations", of) == 3
    assert recent(cloudwatch, "AWS/Lambda", "Errors", of) == 1
    assert recent(cloudwatch, "AWS/Lambda", "Throttles", of) == 0
    assert recent(cloudwatch, "AWS/Lambda", "Duration", of, "SampleCount") == 3
    assert recent(cloudwatch, "AWS/Lambda", "Duration", of, "p99") > 0
    assert recent(cloudwatch, "AWS/Lambda", "ConcurrentExecutions", of, "Maximum") >= 1
    listed = cloudwatch.list_metrics(Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": name}])
    assert {metric["MetricName"] for metric in listed["Metrics"]} == {
        "Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions",
    }
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError):
        functions.invoke(FunctionName=name, Payload=b"{}")
    # The client may have tried again.
    assert recent(cloudwatch, "AWS/Lambda", "Throttles", of) >= 1


def test_queues_rules_machines_and_streams_are_measured(shared, cloudwatch, unique):
    queues, name = shared.client("sqs", "test", "test"), unique("queue")
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    queues.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(3)])
    got = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    queues.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    for metric, expected in (("Sent", 3), ("Received", len(got)), ("Deleted", 1)):
        assert recent(cloudwatch, "AWS/SQS", f"NumberOfMessages{metric}", {"QueueName": name}) == expected

    events, rule = shared.client("events", "test", "test"), unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": arn}])
    events.put_events(Entries=[{"Source": rule, "DetailType": "d", "Detail": "{}"}])
    # The queue's policy lets nobody in: the invocation fails for good.
    wait_for(lambda: recent(cloudwatch, "AWS/Events", "Invocations", {"RuleName": rule}) == 1, "the invocation is counted")
    assert recent(cloudwatch, "AWS/Events", "FailedInvocations", {"RuleName": rule}) == 1

    states = shared.client("stepfunctions", "test", "test")
    role = service_role(shared, unique("role"), allow("logs:*"), service="states.amazonaws.com")
    machines = {}
    for kind, end in (("good", {"Type": "Succeed"}), ("bad", {"Type": "Fail", "Error": "E"})):
        definition = json.dumps({"StartAt": "A", "States": {"A": end}})
        machine = states.create_state_machine(name=unique(kind), definition=definition, roleArn=role)["stateMachineArn"]
        states.start_execution(stateMachineArn=machine)
        machines[kind] = {"StateMachineArn": machine}
    count = lambda kind, metric: recent(cloudwatch, "AWS/States", metric, machines[kind])
    wait_for(lambda: count("good", "ExecutionsSucceeded") == 1 and count("bad", "ExecutionsFailed") == 1, "both executions end")
    assert count("good", "ExecutionsStarted") == 1 and count("good", "ExecutionsFailed") == 0
    assert recent(cloudwatch, "AWS/States", "ExecutionTime", machines["good"], "SampleCount") == 1


def test_streams_and_queries_are_measured(shared, cloudwatch, unique):
    s3, bucket, name = shared.client("s3", "test", "test"), unique("measured"), unique("stream")
    s3.create_bucket(Bucket=bucket)
    role = service_role(shared, unique("role"), allow("s3:*"), service="firehose.amazonaws.com")
    firehose = shared.client("firehose", "test", "test")
    firehose.create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "RoleARN": role, "BucketARN": f"arn:aws:s3:::{bucket}", "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1},
        },
    )
    firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"x" * 100}] * 5)
    of = {"DeliveryStreamName": name}
    assert recent(cloudwatch, "AWS/Firehose", "IncomingRecords", of) == 5
    assert recent(cloudwatch, "AWS/Firehose", "IncomingBytes", of) == 500
    wait_for(lambda: recent(cloudwatch, "AWS/Firehose", "DeliveryToS3.Records", of) == 5, "the records are delivered")
    assert recent(cloudwatch, "AWS/Firehose", "DeliveryToS3.Bytes", of) == 500
    assert recent(cloudwatch, "AWS/Firehose", "DeliveryToS3.Success", of, "Average") == 1

    athena = shared.client("athena", "test", "test")
    group = unique("group")
    athena.create_work_group(
        Name=group, Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/results/"}}
    )
    athena.start_query_execution(QueryString="SELECT 1", WorkGroup=group)
    of = {"WorkGroup": group}
    wait_for(lambda: recent(cloudwatch, "AWS/Athena", "TotalExecutionTime", of, "SampleCount") == 1, "the query ends")
    assert recent(cloudwatch, "AWS/Athena", "ProcessedBytes", of, "SampleCount") == 1


def test_what_services_measured_is_kept_when_the_server_stops(start):
    server = start("--dev")
    queues = server.client("sqs", "test", "test")
    queues.send_message(QueueUrl=queues.create_queue(QueueName="q")["QueueUrl"], MessageBody="x")
    server.stop()
    cloudwatch = start("--dev").client("cloudwatch", "test", "test")
    assert recent(cloudwatch, "AWS/SQS", "NumberOfMessagesSent", {"QueueName": "q"}) == 1
