"""HTTP APIs with functions behind them, and delivery streams with functions in them: real code, real permissions."""

import base64
import gzip
import io
import json
import zipfile

import pytest
import urllib3
from conftest import allow, service_role, wait_for

HTTP = urllib3.PoolManager(retries=False)
SOURCE = """
import base64, json, time

def echo(event, context):
    return event

def shaped(event, context):
    body = base64.b64encode(bytes(range(256))).decode()
    return {"statusCode": 201, "headers": {"X-Made": "yes"}, "cookies": ["a=1", "b=2"], "body": body,
            "isBase64Encoded": True}

def fails(event, context):
    raise ValueError("no")

def slow(event, context):
    time.sleep(5)

def guard(event, context):
    return {"isAuthorized": event["identitySource"] == ["let me in"], "context": {"team": "red"}}

def upper(event, context):
    records = []
    for record in event["records"]:
        text = base64.b64decode(record["data"]).decode()
        result = {"keep": "Ok", "drop": "Dropped"}.get(text.split()[0], "ProcessingFailed")
        data = base64.b64encode((text.upper() + "\\n").encode()).decode()
        records.append({"recordId": record["recordId"], "result": result, "data": data})
    return {"records": records}
"""


class World:
    def __init__(self, server, unique):
        self.server, self.unique = server, unique
        self.gateway = server.client("apigatewayv2", "test", "test")
        self.functions = server.client("lambda", "test", "test", read_timeout=60)

    def function(self, handler):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("app.py", SOURCE)
        name = self.unique(handler)
        role = service_role(self.server, self.unique("role"), allow("logs:*"), service="lambda.amazonaws.com")
        made = self.functions.create_function(
            FunctionName=name,
            Role=role,
            Runtime="python3.12",
            Handler=f"app.{handler}",
            Timeout=10,
            Code={"ZipFile": buffer.getvalue()},
        )
        return made["FunctionArn"]

    def permit(self, arn, source):
        self.functions.add_permission(
            FunctionName=arn,
            StatementId=self.unique("permission"),
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=source,
        )

    def api(self):
        return self.gateway.create_api(Name=self.unique("api"), ProtocolType="HTTP")

    def route(self, api, key, arn, version="2.0", timeout=30_000, **more):
        made = self.gateway.create_integration(
            ApiId=api["ApiId"],
            IntegrationType="AWS_PROXY",
            IntegrationUri=arn,
            PayloadFormatVersion=version,
            TimeoutInMillis=timeout,
        )
        target = f"integrations/{made['IntegrationId']}"
        self.gateway.create_route(ApiId=api["ApiId"], RouteKey=key, Target=target, **more)

    def stage(self, api, name="$default", **settings):
        self.gateway.create_stage(ApiId=api["ApiId"], StageName=name, AutoDeploy=True, **settings)


@pytest.fixture
def world(shared, unique):
    return World(shared, unique)


def anything(api):
    return f"arn:aws:execute-api:us-east-1:000000000000:{api['ApiId']}/*"


def call(method, url, **options):
    answer = HTTP.request(method, url, **options)
    return answer.status, answer.data, answer.headers


def test_a_function_sees_the_request_and_its_value_is_the_answer(world):
    api, echo = world.api(), world.function("echo")
    world.permit(echo, anything(api))
    world.route(api, "POST /pets/{id}", echo)
    world.stage(api, "prod", StageVariables={"colour": "blue"})
    url = f"{api['ApiEndpoint']}/prod/pets/7?x=1&x=2"
    status, data, headers = call("POST", url, body=b'{"a": 1}', headers={"Content-Type": "application/json"})
    event = json.loads(data)
    assert status == 200 and headers["content-type"] == "application/json"
    assert event["version"] == "2.0" and event["routeKey"] == "POST /pets/{id}" and event["body"] == '{"a": 1}'
    assert event["pathParameters"] == {"id": "7"} and event["queryStringParameters"] == {"x": "1,2"}
    assert event["stageVariables"] == {"colour": "blue"} and event["rawPath"] == "/prod/pets/7"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_status_headers_cookies_and_bytes_come_from_the_function(world):
    shaped = world.function("shaped")
    api = world.gateway.create_api(Name="quick", ProtocolType="HTTP", Target=shaped)
    world.permit(shaped, anything(api))
    status, data, headers = call("GET", f"{api['ApiEndpoint']}/")
    assert (status, data, headers["x-made"]) == (201, bytes(range(256)), "yes")
    assert headers.getlist("set-cookie") == ["a=1", "b=2"]


def test_only_what_the_function_permits_gets_through(world):
    api, echo = world.api(), world.function("echo")
    world.route(api, "GET /a", echo)
    world.route(api, "GET /b", echo)
    world.stage(api)
    assert call("GET", f"{api['ApiEndpoint']}/a")[0] == 500
    world.permit(echo, f"arn:aws:execute-api:us-east-1:000000000000:{api['ApiId']}/*/*/a")
    assert call("GET", f"{api['ApiEndpoint']}/a")[0] == 200
    assert call("GET", f"{api['ApiEndpoint']}/b")[0] == 500


def test_failures_and_time_outs(world):
    api = world.api()
    for handler, timeout in [("fails", 30_000), ("slow", 300)]:
        arn = world.function(handler)
        world.permit(arn, anything(api))
        world.route(api, f"GET /{handler}", arn, timeout=timeout)
    world.stage(api)
    status, data, _ = call("GET", f"{api['ApiEndpoint']}/fails")
    assert (status, json.loads(data)) == (500, {"message": "Internal Server Error"})
    status, data, _ = call("GET", f"{api['ApiEndpoint']}/slow")
    assert (status, json.loads(data)) == (503, {"message": "Service Unavailable"})


def test_an_authorizer_function_decides(world):
    api, echo, guard = world.api(), world.function("echo"), world.function("guard")
    authorizer = world.gateway.create_authorizer(
        ApiId=api["ApiId"],
        Name="guard",
        AuthorizerType="REQUEST",
        AuthorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{guard}/invocations",
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
        IdentitySource=["$request.header.Authorization"],
    )
    for arn in (echo, guard):
        world.permit(arn, anything(api))
    world.route(
        api, "GET /a", echo, AuthorizationType="CUSTOM", AuthorizerId=authorizer["AuthorizerId"]
    )
    world.stage(api)
    url = f"{api['ApiEndpoint']}/a"
    assert call("GET", url)[0] == 401
    assert call("GET", url, headers={"Authorization": "please"})[0] == 403
    status, data, _ = call("GET", url, headers={"Authorization": "let me in"})
    assert status == 200
    assert json.loads(data)["requestContext"]["authorizer"] == {"lambda": {"team": "red"}}


def transforming_stream(world, seconds):
    """A stream into a bucket of its own, through `upper`; answers both names and the function."""
    upper, bucket, name = world.function("upper"), world.unique("landing"), world.unique("stream")
    world.server.client("s3", "test", "test").create_bucket(Bucket=bucket)
    role = service_role(
        world.server,
        world.unique("deliver"),
        allow("s3:PutObject"),
        allow("lambda:InvokeFunction", resource=f"{upper}*"),
        service="firehose.amazonaws.com",
    )
    parameters = [{"ParameterName": "LambdaArn", "ParameterValue": upper}]
    world.server.client("firehose", "test", "test").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{bucket}",
            "Prefix": "good/!{timestamp:yyyy}/",
            "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": seconds},
            "CompressionFormat": "GZIP",
            "ProcessingConfiguration": {
                "Enabled": True,
                "Processors": [{"Type": "Lambda", "Parameters": parameters}],
            },
        },
    )
    return name, bucket, upper


def objects(server, bucket, prefix):
    s3 = server.client("s3", "test", "test")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def test_a_delivery_stream_transforms_its_records(world):
    name, bucket, upper = transforming_stream(world, seconds=1)
    texts = ["keep one", "drop two", "lose three", "keep four"]
    firehose = world.server.client("firehose", "test", "test")
    firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": text} for text in texts])
    ((bad_key, bad),) = wait_for(lambda: objects(world.server, bucket, "bad/"), "failures").items()
    ((good_key, good),) = wait_for(lambda: objects(world.server, bucket, "good/"), "records").items()
    assert gzip.decompress(good) == b"KEEP ONE\nKEEP FOUR\n" and good_key.startswith("good/20")
    failure = json.loads(bad)
    assert bad_key.startswith("bad/processing-failed/") and failure["lambdaArn"] == upper
    assert failure["errorCode"] == "Lambda.ProcessingFailedStatus"


def test_transformed_records_are_there_once_after_kill_dash_nine(start, unique):
    server = start("--dev")
    name, bucket, _ = transforming_stream(World(server, unique), seconds=0)
    acknowledged = set()
    for round in range(4):
        firehose = server.client("firehose", "test", "test")
        for number in range(12):
            lines = [f"{word} {round}-{number}-{part}" for word in ("keep", "lose") for part in range(10)]
            records = [{"Data": line} for line in lines]
            answer = firehose.put_record_batch(DeliveryStreamName=name, Records=records)
            assert answer["FailedPutCount"] == 0
            acknowledged.update(lines)
        server.kill()  # while records are with the function, and while their objects are written
        server = start("--dev")

    def found():
        good = b"".join(gzip.decompress(body) for body in objects(server, bucket, "good/").values())
        kept = good.decode().lower().splitlines()
        failures = [line for body in objects(server, bucket, "bad/").values() for line in body.splitlines()]
        lost = [base64.b64decode(json.loads(line)["rawData"]).decode() for line in failures]
        return kept + lost if acknowledged <= set(kept + lost) else None

    lines = wait_for(found, "every acknowledged record", timeout=60)
    assert sorted(lines) == sorted(acknowledged)
