"""HTTP APIs of API Gateway: managed by boto3, called over plain HTTP by path and by host.

The functions behind them are called in `test_ingestion_lambda.py`; here the gateway itself answers.
"""

import json
from urllib.parse import urlsplit

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from conftest import allow

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:nobody"
HTTP = urllib3.PoolManager(retries=False)


@pytest.fixture
def gateway(shared):
    return shared.client("apigatewayv2", "test", "test")


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def make_api(gateway, *routes, stage="$default", stage_settings=None, **settings):
    """An API with routes to a function that does not exist; answers the API, and the routes' ids by key."""
    api = gateway.create_api(Name="test", ProtocolType="HTTP", **settings)
    integration = gateway.create_integration(
        ApiId=api["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION, PayloadFormatVersion="2.0"
    )
    target = f"integrations/{integration['IntegrationId']}"
    ids = {}
    for route in routes:
        key, more = route if isinstance(route, tuple) else (route, {})
        made = gateway.create_route(ApiId=api["ApiId"], RouteKey=key, Target=target, **more)
        ids[key] = made["RouteId"]
    gateway.create_stage(ApiId=api["ApiId"], StageName=stage, AutoDeploy=True, **(stage_settings or {}))
    return api, ids


def call(method, url, **options):
    answer = HTTP.request(method, url, **options)
    return answer.status, answer.data.decode(), answer.headers


def signed(method, url, key, secret, body=b""):
    request = AWSRequest(method, url, data=body)
    SigV4Auth(Credentials(key, secret), "execute-api", "us-east-1").add_auth(request)
    return call(method, url, headers=dict(request.headers), body=body)


def message(text):
    return json.dumps({"message": text}, separators=(",", ":"))


def test_an_api_from_creation_to_deletion(gateway):
    api = gateway.create_api(Name="pets", ProtocolType="HTTP", Description="d", Tags={"teamName": "red"})
    assert api["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert api["RouteSelectionExpression"] == "$request.method $request.path"
    assert api["ApiEndpoint"].endswith(f"/_aws/execute-api/{api['ApiId']}")
    same = gateway.get_api(ApiId=api["ApiId"])
    assert same["Tags"] == {"teamName": "red"} and same["CreatedDate"] == api["CreatedDate"]
    updated = gateway.update_api(ApiId=api["ApiId"], Name="dogs", DisableExecuteApiEndpoint=True)
    assert (updated["Name"], updated["Description"]) == ("dogs", "d")
    assert api["ApiId"] in [item["ApiId"] for item in gateway.get_apis(MaxResults="500")["Items"]]
    gateway.delete_api(ApiId=api["ApiId"])
    code, text = refused(gateway.get_api, ApiId=api["ApiId"])
    assert code == "NotFoundException" and api["ApiId"] in text


def test_routes_integrations_stages_and_deployments(gateway):
    api, ids = make_api(gateway, "GET /pets/{id}", "ANY /{proxy+}", "$default", stage="prod")
    api_id = api["ApiId"]
    routes = gateway.get_routes(ApiId=api_id)["Items"]
    assert {route["RouteKey"] for route in routes} == set(ids)
    page = gateway.get_routes(ApiId=api_id, MaxResults="2")
    rest = gateway.get_routes(ApiId=api_id, MaxResults="2", NextToken=page["NextToken"])
    assert len(page["Items"]) == 2 and len(rest["Items"]) == 1 and "NextToken" not in rest
    route = gateway.update_route(ApiId=api_id, RouteId=ids["$default"], OperationName="other")
    assert (route["RouteKey"], route["OperationName"]) == ("$default", "other")
    (integration,) = gateway.get_integrations(ApiId=api_id)["Items"]
    assert integration["TimeoutInMillis"] == 30_000 and integration["ConnectionType"] == "INTERNET"
    code, text = refused(gateway.delete_integration, ApiId=api_id, IntegrationId=integration["IntegrationId"])
    assert code == "ConflictException" and "used by one or more Routes" in text
    stage = gateway.get_stage(ApiId=api_id, StageName="prod")
    assert "Successfully deployed" in stage["LastDeploymentStatusMessage"]
    (deployment,) = gateway.get_deployments(ApiId=api_id)["Items"]
    assert deployment["AutoDeployed"] and deployment["DeploymentId"] == stage["DeploymentId"]
    settings = {"GET /pets/{id}": {"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 10.0}}
    stage = gateway.update_stage(
        ApiId=api_id, StageName="prod", RouteSettings=settings, StageVariables={"someName": "x"}
    )
    assert stage["RouteSettings"] == settings and stage["StageVariables"] == {"someName": "x"}
    gateway.delete_route_settings(ApiId=api_id, StageName="prod", RouteKey="GET /pets/{id}")
    assert gateway.get_stage(ApiId=api_id, StageName="prod")["RouteSettings"] == {}
    for route_id in ids.values():
        gateway.delete_route(ApiId=api_id, RouteId=route_id)
    gateway.delete_integration(ApiId=api_id, IntegrationId=integration["IntegrationId"])
    gateway.delete_stage(ApiId=api_id, StageName="prod")
    assert gateway.get_stages(ApiId=api_id)["Items"] == []


def test_tags(gateway):
    api, _ = make_api(gateway, "GET /a", stage="prod")
    for arn in [f"/apis/{api['ApiId']}", f"/apis/{api['ApiId']}/stages/prod"]:
        arn = f"arn:aws:apigateway:us-east-1::{arn}"
        gateway.tag_resource(ResourceArn=arn, Tags={"aB": "1", "c": "2"})
        gateway.untag_resource(ResourceArn=arn, TagKeys=["c"])
        assert gateway.get_tags(ResourceArn=arn)["Tags"] == {"aB": "1"}
    assert refused(gateway.get_tags, ResourceArn="arn:aws:s3:::b")[0] == "BadRequestException"


def test_wrong_and_missing_things_are_refused_by_name(gateway):
    assert "WEBSOCKET" in refused(gateway.create_api, Name="w", ProtocolType="WEBSOCKET")[1]
    assert "scheme" in refused(
        gateway.create_api, Name="c", ProtocolType="HTTP", CorsConfiguration={"AllowOrigins": ["example.com"]}
    )[1]
    api, _ = make_api(gateway, "GET /a")
    arguments = {"ApiId": api["ApiId"]}
    code, text = refused(gateway.create_route, RouteKey="GET /a", **arguments)
    assert code == "ConflictException" and "GET /a" in text
    assert "not formatted properly" in refused(gateway.create_route, RouteKey="fetch", **arguments)[1]
    proxy = {"IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://example.com", "IntegrationMethod": "GET"}
    assert "HTTP_PROXY" in refused(gateway.create_integration, PayloadFormatVersion="1.0", **proxy, **arguments)[1]
    jwt = {"AuthorizerType": "JWT", "IdentitySource": ["$request.header.Authorization"], "Name": "j"}
    assert "JWT" in refused(gateway.create_authorizer, **jwt, **arguments)[1]
    log = {"DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:g", "Format": "$context.requestId"}
    assert "AccessLogSettings" in refused(
        gateway.create_stage, StageName="s", AccessLogSettings=log, **arguments
    )[1]


def test_management_needs_permission_as_on_aws(shared, unique):
    iam = shared.client("iam", "test", "test")
    user = unique("user")
    iam.create_user(UserName=user)
    statement = allow("apigateway:GET", resource="arn:aws:apigateway:us-east-1::/apis")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="work", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    reader = shared.client("apigatewayv2", key["AccessKeyId"], key["SecretAccessKey"])
    reader.get_apis()
    code, text = refused(reader.create_api, Name="x", ProtocolType="HTTP")
    assert code == "AccessDeniedException" and "apigateway:POST" in text


def test_calls_find_their_route_by_path_and_by_host(shared, gateway):
    api, _ = make_api(gateway, "GET /pets/{id}", stage="prod")
    endpoint = api["ApiEndpoint"]
    # The function does not exist, so a route that is found answers 500.
    assert call("GET", f"{endpoint}/prod/pets/1")[:2] == (500, message("Internal Server Error"))
    for method, path in [("GET", "/pets/1"), ("POST", "/prod/pets/1"), ("GET", "/prod/pets"), ("GET", "/prod/x")]:
        assert call(method, endpoint + path)[:2] == (404, message("Not Found"))
    host = {"Host": f"{api['ApiId']}.execute-api.localhost:{urlsplit(shared.url).port}"}
    assert call("GET", f"{shared.url}/prod/pets/1", headers=host)[0] == 500
    assert call("GET", f"{shared.url}/prod/other", headers=host)[0] == 404
    assert call("GET", f"{shared.url}/_aws/execute-api/nobody/x")[0] == 404
    status, body, headers = call("HEAD", f"{endpoint}/prod/pets/1")
    assert (status, body) == (404, "") and headers["x-amzn-requestid"]


def test_a_disabled_endpoint_forbids(gateway):
    api, _ = make_api(gateway, "GET /a", DisableExecuteApiEndpoint=True)
    assert call("GET", f"{api['ApiEndpoint']}/a")[:2] == (403, message("Forbidden"))


def test_bodies_larger_than_10_mb_are_refused(gateway):
    api, _ = make_api(gateway, "POST /a")
    status, body, _ = call("POST", f"{api['ApiEndpoint']}/a", body=b"x" * (10 * 1024 * 1024 + 1))
    assert (status, body) == (413, message("Request Entity Too Large"))


def test_throttled_routes_answer_too_many_requests(gateway):
    limits = {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 0.001}
    api, _ = make_api(gateway, "GET /a", "GET /b", stage_settings={"RouteSettings": {"GET /a": limits}})
    statuses = [call("GET", f"{api['ApiEndpoint']}/a")[0] for _ in range(3)]
    assert statuses == [500, 500, 429]
    assert call("GET", f"{api['ApiEndpoint']}/a")[1] == message("Too Many Requests")
    assert call("GET", f"{api['ApiEndpoint']}/b")[0] == 500


def test_cors(gateway):
    cors = {"AllowOrigins": ["https://example.com"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["x-token"]}
    api, _ = make_api(gateway, "GET /a", CorsConfiguration=cors)
    url = f"{api['ApiEndpoint']}/a"
    asks = {"Origin": "https://example.com", "Access-Control-Request-Method": "GET"}
    status, _, headers = call("OPTIONS", url, headers=asks)
    assert status == 204 and headers["access-control-allow-origin"] == "https://example.com"
    assert headers["access-control-allow-methods"] == "GET,POST" and headers["access-control-allow-headers"] == "x-token"
    status, _, headers = call("OPTIONS", url, headers=asks | {"Origin": "https://other.com"})
    assert status == 204 and "access-control-allow-origin" not in headers
    assert "access-control-allow-origin" in call("GET", url, headers={"Origin": "https://example.com"})[2]
    gateway.delete_cors_configuration(ApiId=api["ApiId"])
    assert call("OPTIONS", url, headers=asks)[0] == 404


def test_routes_with_iam_need_a_signature_of_somebody_who_may(shared, gateway, unique):
    api, _ = make_api(gateway, ("GET /a", {"AuthorizationType": "AWS_IAM"}), "GET /open", stage="prod")
    url = f"{api['ApiEndpoint']}/prod/a"
    assert call("GET", url)[:2] == (403, message("Forbidden"))
    assert signed("GET", url, "test", "wrong")[:2] == (403, message("Forbidden"))
    # Whoever may call gets to the function, which does not exist.
    assert signed("GET", url, "test", "test")[0] == 500
    iam = shared.client("iam", "test", "test")
    user = unique("user")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    pair = key["AccessKeyId"], key["SecretAccessKey"]
    assert signed("GET", url, *pair)[0] == 403
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api['ApiId']}/prod/GET/a"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("execute-api:Invoke", resource=arn)]})
    iam.put_user_policy(UserName=user, PolicyName="call", PolicyDocument=policy)
    assert signed("GET", url, *pair)[0] == 500
    assert call("GET", f"{api['ApiEndpoint']}/prod/open")[0] == 500


def test_stages_serve_what_was_deployed_after_kill_dash_nine(start):
    server = start("--dev")
    gateway = server.client("apigatewayv2", "test", "test")
    api, ids = make_api(gateway, "GET /a", stage="auto")
    gateway.create_stage(ApiId=api["ApiId"], StageName="prod")
    gateway.create_deployment(ApiId=api["ApiId"], StageName="prod")
    gateway.delete_route(ApiId=api["ApiId"], RouteId=ids["GET /a"])
    gateway.create_route(ApiId=api["ApiId"], RouteKey="GET /b")
    server.kill()
    server = start("--dev")
    gateway = server.client("apigatewayv2", "test", "test")
    endpoint = gateway.get_api(ApiId=api["ApiId"])["ApiEndpoint"]
    assert endpoint.startswith(server.url)
    statuses = {path: call("GET", endpoint + path)[0] for path in ["/auto/a", "/auto/b", "/prod/a", "/prod/b"]}
    assert statuses == {"/auto/a": 404, "/auto/b": 500, "/prod/a": 500, "/prod/b": 404}
