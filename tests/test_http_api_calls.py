"""HTTP APIs as browsers and scripts call them: routes, both payload formats, authorizers, CORS, presigned uploads."""

import base64
import io
import json
import zipfile

import pytest
from conftest import allow, service_role, wait_for
from test_apigateway import signed
from test_ingestion_lambda import HTTP, World, anything, call

SOURCE = """
import json, os, time, uuid

COUNT = 0

def echo(event, context):
    return event

def first_format(event, context):
    return {"statusCode": 200, "headers": {"x-one": "1"}, "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]},
            "body": json.dumps(event)}

def answers(event, context):
    kind = event["pathParameters"]["kind"]
    return {"text": "just text", "number": 7, "none": None, "status": {"statusCode": 404, "body": "gone"},
            "wrong": {"statusCode": "many"}, "headers": {"statusCode": 200, "headers": {"x-number": 7, "x-flag": True}},
            }[kind]

def policy(event, context):
    allowed = event["authorizationToken"] == "good"
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow" if allowed else "Deny", "Resource": event["methodArn"]}
    return {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"n": 1, "s": "x", "b": True}}

def counted(event, context):
    global COUNT
    COUNT += 1
    return {"isAuthorized": True, "context": {"count": COUNT}}

def broken(event, context):
    return {"is": "nothing"}

def sign(event, context):
    import boto3
    return boto3.client("s3").generate_presigned_url(
        "put_object", Params={"Bucket": os.environ["BUCKET"], "Key": "big/file.bin"}, ExpiresIn=60)
"""


class Apis(World):
    def function(self, handler, statements=(), **options):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("app.py", SOURCE)
        role = service_role(
            self.server, self.unique("role"), allow("logs:*"), *statements, service="lambda.amazonaws.com"
        )
        made = self.functions.create_function(
            FunctionName=self.unique("handler"),
            Role=role,
            Runtime="python3.12",
            Handler=f"app.{handler}",
            Timeout=10,
            Code={"ZipFile": buffer.getvalue()},
            **options,
        )
        return made["FunctionArn"]

    def authorizer(self, api, function, version, **more):
        made = self.gateway.create_authorizer(
            ApiId=api["ApiId"],
            Name=self.unique("guard"),
            AuthorizerType="REQUEST",
            AuthorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
            AuthorizerPayloadFormatVersion=version,
            **more,
        )
        return {"AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]}


@pytest.fixture
def apis(shared, unique):
    return Apis(shared, unique)


@pytest.fixture
def echo(apis):
    """An API whose functions may be called from anywhere in it, and a function that answers its event."""
    api, function = apis.api(), apis.function("echo")
    apis.permit(function, anything(api))
    return api, function


def event(method, url, **options):
    status, data, _ = call(method, url, **options)
    assert status == 200, data
    return json.loads(data)


def test_the_most_specific_route_takes_a_request(apis, echo):
    api, function = echo
    for key in ["$default", "ANY /things/{id}", "GET /things/{id}", "GET /things/first", "ANY /files/{proxy+}"]:
        apis.route(api, key, function)
    apis.stage(api)
    endpoint = api["ApiEndpoint"]
    for method, path, key, variables in [
        ("GET", "/things/first", "GET /things/first", None),
        ("GET", "/things/7", "GET /things/{id}", {"id": "7"}),
        ("PATCH", "/things/7", "ANY /things/{id}", {"id": "7"}),
        ("DELETE", "/files/a/b%20c/d", "ANY /files/{proxy+}", {"proxy": "a/b c/d"}),
        ("GET", "/elsewhere", "$default", None),
        ("GET", "/", "$default", None),
    ]:
        found = event(method, endpoint + path)
        assert (found["routeKey"], found.get("pathParameters")) == (key, variables)
        assert found["requestContext"]["http"]["method"] == method and found["rawPath"] == path


def test_what_a_request_is_in_payload_format_two(apis, echo):
    api, function = echo
    apis.route(api, "$default", function)
    apis.stage(api, "dev")
    url = f"{api['ApiEndpoint']}/dev/a%20b?x=1&y=%C3%A4&x=2&empty="
    headers = {"Cookie": "one=1; two=2", "X-Many": "a, b", "Content-Type": "application/octet-stream"}
    found = event("PUT", url, body=bytes([0, 255, 1]), headers=headers)
    assert (found["body"], found["isBase64Encoded"]) == (base64.b64encode(bytes([0, 255, 1])).decode(), True)
    assert found["cookies"] == ["one=1", "two=2"] and "cookie" not in found["headers"]
    assert found["headers"]["x-many"] == "a, b" and found["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert found["rawQueryString"] == "x=1&y=%C3%A4&x=2&empty="
    assert found["queryStringParameters"] == {"x": "1,2", "y": "ä", "empty": ""}
    assert (found["rawPath"], found["requestContext"]["stage"]) == ("/dev/a%20b", "dev")
    context = found["requestContext"]
    assert (context["apiId"], context["routeKey"], context["accountId"]) == (api["ApiId"], "$default", "000000000000")
    assert context["http"]["protocol"] == "HTTP/1.1" and isinstance(context["timeEpoch"], int)
    text = event("POST", f"{api['ApiEndpoint']}/dev/", body="grüße".encode(), headers={"Content-Type": "text/plain"})
    assert (text["body"], text["isBase64Encoded"]) == ("grüße", False)
    assert "body" not in event("GET", f"{api['ApiEndpoint']}/dev/")


def test_what_a_request_is_in_payload_format_one(apis):
    api, function = apis.api(), apis.function("first_format")
    apis.permit(function, anything(api))
    apis.route(api, "POST /p/{id}", function, version="1.0")
    apis.stage(api, "prod", StageVariables={"v": "1"})
    url = f"{api['ApiEndpoint']}/prod/p/9?x=1&x=2"
    status, data, headers = call("POST", url, body=b"{}", headers={"Content-Type": "application/json", "Cookie": "c=1"})
    assert status == 200 and headers.getlist("set-cookie") == ["a=1", "b=2"] and headers["x-one"] == "1"
    found = json.loads(data)
    assert (found["version"], found["resource"], found["httpMethod"]) == ("1.0", "/p/{id}", "POST")
    assert found["path"] == "/prod/p/9" and found["pathParameters"] == {"id": "9"}
    assert found["queryStringParameters"] == {"x": "2"} and found["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert found["multiValueHeaders"]["cookie"] == ["c=1"] and found["stageVariables"] == {"v": "1"}
    assert found["requestContext"]["resourcePath"] == "/p/{id}" and found["body"] == "{}"
    assert found["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_what_functions_may_answer(apis):
    api, function = apis.api(), apis.function("answers")
    apis.permit(function, anything(api))
    apis.route(api, "GET /{kind}", function)
    apis.stage(api)

    def answer(kind):
        status, data, headers = call("GET", f"{api['ApiEndpoint']}/{kind}")
        return status, data.decode(), headers

    status, body, headers = answer("text")
    assert (status, body, headers["content-type"]) == (200, "just text", "application/json")
    assert answer("number")[:2] == (200, "7")
    assert answer("status")[:2] == (404, "gone")
    assert answer("wrong")[0] == 500
    status, _, headers = answer("headers")
    assert (status, headers["x-number"], headers["x-flag"]) == (200, "7", "true")


def test_an_authorizer_of_format_one_answers_with_a_policy(apis, echo):
    api, function = echo
    guard = apis.function("policy")
    apis.permit(guard, anything(api))
    options = apis.authorizer(api, guard, "1.0", IdentitySource=["$request.header.Auth"])
    apis.route(api, "GET /a", function, **options)
    apis.stage(api)
    url = f"{api['ApiEndpoint']}/a"
    assert call("GET", url)[0] == 401
    assert call("GET", url, headers={"Auth": "bad"})[0] == 403
    found = event("GET", url, headers={"Auth": "good"})
    assert found["requestContext"]["authorizer"]["lambda"] == {"n": 1, "s": "x", "b": True}


def test_verdicts_are_kept_for_each_identity(apis, echo):
    api, function = echo
    guard = apis.function("counted")
    apis.permit(guard, anything(api))
    sources = ["$request.header.Auth", "$request.querystring.who"]
    simple = {"EnableSimpleResponses": True, "IdentitySource": sources}
    kept = apis.authorizer(api, guard, "2.0", AuthorizerResultTtlInSeconds=300, **simple)
    anew = apis.authorizer(api, guard, "2.0", AuthorizerResultTtlInSeconds=0, **simple)
    apis.route(api, "GET /kept", function, **kept)
    apis.route(api, "GET /anew", function, **anew)
    apis.stage(api)

    def count(path, auth, who):
        found = event("GET", f"{api['ApiEndpoint']}{path}?who={who}", headers={"Auth": auth})
        return found["requestContext"]["authorizer"]["lambda"]["count"]

    first = count("/kept", "a", "1")
    assert count("/kept", "a", "1") == first
    assert count("/kept", "a", "2") != first
    assert count("/anew", "a", "1") != count("/anew", "a", "1")
    # An identity source that is missing is answered without asking the function.
    assert call("GET", f"{api['ApiEndpoint']}/kept", headers={"Auth": "a"})[0] == 401


def test_an_authorizer_that_fails_lets_nobody_in(apis, echo):
    api, function = echo
    guard = apis.function("broken")
    simple = {"EnableSimpleResponses": True, "IdentitySource": [], "AuthorizerResultTtlInSeconds": 0}
    apis.route(api, "GET /a", function, **apis.authorizer(api, guard, "2.0", **simple))
    apis.stage(api)
    url = f"{api['ApiEndpoint']}/a"
    # The gateway may not call it yet, and then it answers nonsense.
    assert call("GET", url)[0] == 500
    apis.permit(guard, anything(api))
    assert call("GET", url)[0] in (403, 500)


def test_iam_tells_the_function_who_calls(apis, echo):
    api, function = echo
    apis.route(api, "GET /me", function, AuthorizationType="AWS_IAM")
    apis.stage(api)
    status, body, _ = signed("GET", f"{api['ApiEndpoint']}/me", "test", "test")
    assert status == 200
    caller = json.loads(body)["requestContext"]["authorizer"]["iam"]
    assert caller["accessKey"] == "test" and caller["accountId"] == "000000000000" and caller["userArn"].startswith("arn:")


def test_cors_answers_preflights_and_leaves_options_routes_alone(apis, echo):
    api, function = echo
    cors = {"AllowOrigins": ["*"], "AllowMethods": ["*"], "AllowHeaders": ["*"], "MaxAge": 60, "ExposeHeaders": ["x-a"]}
    apis.gateway.update_api(ApiId=api["ApiId"], CorsConfiguration=cors)
    apis.route(api, "GET /a", function)
    apis.route(api, "OPTIONS /own", function)
    apis.stage(api)
    asks = {"Origin": "https://x.example", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-t"}
    status, data, headers = call("OPTIONS", f"{api['ApiEndpoint']}/a", headers=asks)
    assert (status, data, headers["access-control-allow-origin"], headers["access-control-max-age"]) == (204, b"", "*", "60")
    assert "PUT" in headers["access-control-allow-methods"] or headers["access-control-allow-methods"] == "*"
    status, data, headers = call("GET", f"{api['ApiEndpoint']}/a", headers={"Origin": "https://x.example"})
    assert (headers["access-control-allow-origin"], headers["access-control-expose-headers"]) == ("*", "x-a")
    assert event("OPTIONS", f"{api['ApiEndpoint']}/own", headers=asks)["routeKey"] == "OPTIONS /own"
    # Without an Origin it is no question of CORS.
    assert call("OPTIONS", f"{api['ApiEndpoint']}/a")[0] == 404


def test_a_stage_that_throttles_answers_429_and_comes_back(apis, echo):
    api, function = echo
    apis.route(api, "GET /a", function)
    apis.stage(api, DefaultRouteSettings={"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 2})
    url = f"{api['ApiEndpoint']}/a"
    wait_for(lambda: call("GET", url)[0] == 429, "a refusal")
    wait_for(lambda: call("GET", url)[0] == 200, "the next token")


def test_a_presigned_url_made_in_a_function_is_put_by_a_client(apis):
    bucket, s3 = apis.unique("uploads"), apis.server.client("s3", "test", "test")
    s3.create_bucket(Bucket=bucket)
    writes = allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/big/*")
    function = apis.function("sign", [writes], Environment={"Variables": {"BUCKET": bucket}})
    api = apis.api()
    apis.permit(function, anything(api))
    apis.route(api, "POST /uploads", function)
    apis.stage(api)
    url = call("POST", f"{api['ApiEndpoint']}/uploads")[1].decode()
    body = b"z" * 20_000_000
    assert HTTP.request("PUT", url, body=body).status == 200
    assert s3.head_object(Bucket=bucket, Key="big/file.bin")["ContentLength"] == len(body)
    # It is good for this key and this method only.
    assert HTTP.request("PUT", url.replace("file.bin", "other.bin"), body=b"x").status == 403
    assert HTTP.request("GET", url).status == 403
