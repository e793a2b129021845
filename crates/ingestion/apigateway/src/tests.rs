//! Whole APIs: managed through the dispatcher, called through the site, answered by functions made here.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::access::{AccessRequest, Authorizer, ServiceRoles};
use boathouse_aws::clock::ManualClock;
use boathouse_aws::service::Access;
use boathouse_aws::site::{Site, SiteRequest};
use boathouse_aws::{AwsError, Clock, Ctx, Dispatcher, Platform, Principal, Protocol, ServiceTable};
use boathouse_metadata::Metadata;
use bytes::Bytes;
use chrono::TimeDelta;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{ApiGateway, Deps, site};

/// Allows everything but what names `secret`; a resource's policy must allow by its text.
struct Judge;

impl Authorizer for Judge {
    fn authorize(&self, _: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
        let refused = match request.resource_policy {
            Some(policy) => {
                let policy: Value = serde_json::from_str(policy).unwrap();
                policy["Statement"][0]["Principal"] != "*" || policy["Statement"][0]["Effect"] != "Allow"
            }
            None => request.resource.contains("secret"),
        };
        if refused { Err(AwsError::access_denied(request.resource)) } else { Ok(()) }
    }
}

impl ServiceRoles for Judge {
    fn assume_for_service(&self, role: &str, _: &str, session: &str) -> Result<Arc<Principal>, AwsError> {
        Ok(Arc::new(Principal::assumed_role(role.rsplit('/').next().unwrap(), "AROA", session, None)))
    }
}

/// What functions are told, and what they answer, by name.
#[derive(Default)]
struct Functions {
    answers: HashMap<&'static str, Value>,
    events: Mutex<Vec<(String, Value, String)>>,
}

async fn invoke(ctx: Ctx, functions: Arc<Functions>, input: Value) -> Result<Value, AwsError> {
    let name = input["FunctionName"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let event = serde_json::from_slice(&STANDARD.decode(input["Payload"].as_str().unwrap()).unwrap()).unwrap();
    let caller = format!("{} {}", ctx.principal.arn, ctx.source_arn.as_deref().unwrap());
    functions.events.lock().push((name.clone(), event, caller));
    match functions.answers.get(&*name) {
        Some(Value::Null) => std::future::pending().await,
        Some(answer) if answer.get("FunctionError").is_some() => {
            Ok(json!({"FunctionError": "Unhandled", "Payload": STANDARD.encode("{}")}))
        }
        Some(answer) => Ok(json!({"StatusCode": 200, "Payload": STANDARD.encode(answer.to_string())})),
        None => Err(AwsError::access_denied("no permission")),
    }
}

/// A state machine that only takes input that is JSON.
async fn start_execution(ctx: Ctx, _: Arc<Functions>, input: Value) -> Result<Value, AwsError> {
    let text = input["input"].as_str().unwrap_or_default();
    let given: Value =
        serde_json::from_str(text).map_err(|_| AwsError::bad_request("InvalidExecutionInput", "no JSON"))?;
    Ok(json!({"machine": input["stateMachineArn"], "input": given, "as": ctx.principal.arn}))
}

struct World {
    ctx: Ctx,
    clock: Arc<ManualClock>,
    functions: Arc<Functions>,
    sites: site::Sites,
    _dir: tempfile::TempDir,
}

fn world(answers: Vec<(&'static str, Value)>) -> World {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new("2024-02-29T23:30:00Z".parse().unwrap()));
    let metadata = Metadata::open(&dir.path().join("metadata.db")).unwrap();
    let deps = Deps { metadata, authorizer: Arc::new(Judge), roles: Arc::new(Judge) };
    let state = Arc::new(ApiGateway::new(deps));
    let functions = Arc::new(Functions { answers: answers.into_iter().collect(), ..Functions::default() });
    let lambda = ServiceTable::new("lambda", Protocol::AwsJson { version: "1.1", target_prefix: "L" });
    let lambda = lambda.operation("Invoke", Access::Free, &functions, invoke);
    let dispatcher = Dispatcher::default();
    let states = ServiceTable::new("states", Protocol::AwsJson { version: "1.0", target_prefix: "S" });
    let states = states.operation("StartExecution", Access::Free, &functions, start_execution);
    dispatcher.install(vec![crate::service(&state), lambda, states], Arc::new(Judge));
    let platform = Platform::new(dispatcher, Arc::clone(&clock) as Arc<dyn Clock>, "us-east-1");
    platform.reachable_at("http://127.0.0.1:4566".into());
    let ctx = platform.context(Arc::new(Principal::root()));
    World { ctx, clock, functions, sites: site::Sites::new(&state), _dir: dir }
}

fn arn(function: &str) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:function:{function}")
}

struct Reply {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl World {
    async fn call(&self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.ctx.call("apigateway", operation, input).await
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input).await.unwrap()
    }

    async fn refused(&self, operation: &str, input: Value) -> String {
        let error = self.call(operation, input).await.unwrap_err();
        format!("{}: {}", error.code, error.message)
    }

    async fn api(&self) -> String {
        self.ok("CreateApi", json!({"Name": "a", "ProtocolType": "HTTP"})).await["ApiId"].as_str().unwrap().to_owned()
    }

    async fn integration(&self, api: &str, function: &str, format: &str) -> String {
        let input = json!({
            "ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": arn(function), "PayloadFormatVersion": format,
            "TimeoutInMillis": 200,
        });
        let made = self.ok("CreateIntegration", input).await;
        format!("integrations/{}", made["IntegrationId"].as_str().unwrap())
    }

    async fn route(&self, api: &str, key: &str, target: &str, more: Value) -> Value {
        let mut input = json!({"ApiId": api, "RouteKey": key, "Target": target});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ok("CreateRoute", input).await
    }

    async fn stage(&self, api: &str, name: &str, more: Value) -> Value {
        let mut input = json!({"ApiId": api, "StageName": name, "AutoDeploy": true});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ok("CreateStage", input).await
    }

    async fn send(&self, request: http::request::Builder, body: &'static str) -> Reply {
        let signer = Ok(Arc::new(Principal::anonymous()));
        self.send_as(request, body, signer).await
    }

    async fn send_as(
        &self,
        request: http::request::Builder,
        body: &'static str,
        signer: Result<Arc<Principal>, AwsError>,
    ) -> Reply {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert!(self.sites.owns(&parts));
        let principal = signer.clone().unwrap_or_else(|_| Arc::new(Principal::anonymous()));
        let ctx = Ctx { source_ip: Some([192, 0, 2, 7].into()), ..self.ctx.as_principal(principal) };
        let answer =
            self.sites.call(SiteRequest { ctx, parts, body: Bytes::from_static(body.as_bytes()), signer }).await;
        let (parts, body) = answer.response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    fn last_event(&self) -> (String, Value, String) {
        self.functions.events.lock().last().unwrap().clone()
    }
}

fn get(api: &str, path: &str) -> http::request::Builder {
    Request::get(format!("/_aws/execute-api/{api}{path}")).header("host", "127.0.0.1:4566")
}

#[tokio::test]
async fn a_quickly_made_api_answers_everything() {
    let world = world(vec![("hello", json!({"greeting": "hi"}))]);
    let made = world.ok("CreateApi", json!({"Name": "q", "ProtocolType": "HTTP", "Target": arn("hello")})).await;
    let api = made["ApiId"].as_str().unwrap();
    assert_eq!(made["ApiEndpoint"], format!("http://127.0.0.1:4566/_aws/execute-api/{api}"));
    for path in ["", "/", "/any/thing"] {
        let reply = world.send(get(api, path), "").await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "{\"greeting\":\"hi\"}"), "{path}");
    }
    let by_host = Request::post("/x").header("host", format!("{api}.execute-api.localhost:4566"));
    assert_eq!(world.send(by_host, "").await.status, StatusCode::OK);
    let by_authority =
        Request::get(format!("http://{api}.execute-api.localhost:4566/x")).version(http::Version::HTTP_2);
    assert_eq!(world.send(by_authority, "").await.status, StatusCode::OK);
    let host = format!("{api}.execute-api.localhost:4566");
    assert_eq!(world.last_event().1["headers"]["host"], host);
    let (_, event, caller) = world.last_event();
    assert_eq!((&event["routeKey"], &event["requestContext"]["stage"]), (&json!("$default"), &json!("$default")));
    let source = format!("arn:aws:execute-api:us-east-1:000000000000:{api}/$default/$default");
    assert_eq!(caller, format!("apigateway.amazonaws.com {source}"));
    world.ok("UpdateApi", json!({"ApiId": api, "Target": arn("other"), "RouteKey": "GET /only"})).await;
    assert_eq!(world.send(get(api, "/"), "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.send(get(api, "/only"), "").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let nobody = world.send(get("nobody", "/"), "").await;
    assert_eq!((nobody.status, &*nobody.body), (StatusCode::NOT_FOUND, "{\"message\":\"Not Found\"}"));
}

#[tokio::test]
async fn an_event_of_format_2_is_as_documented() {
    let world = world(vec![("f", json!({"statusCode": 204}))]);
    let api = world.api().await;
    let target = world.integration(&api, "f", "2.0").await;
    world.route(&api, "POST /uploads/{name}", &target, json!({})).await;
    world.stage(&api, "prod", json!({"StageVariables": {"colour": "blue"}})).await;
    let request = Request::post(format!("/_aws/execute-api/{api}/prod/uploads/a%20b?x=1&x=2&y=%26"))
        .header("host", "api.example.com:4566")
        .header("content-type", "application/json")
        .header("x-many", "1")
        .header("x-many", "2")
        .header("cookie", "a=1; b=2")
        .header("user-agent", "tests");
    assert_eq!(world.send(request, "{\"k\":1}").await.status, StatusCode::NO_CONTENT);
    let (_, event, caller) = world.last_event();
    assert!(caller.ends_with(&format!("{api}/prod/POST/uploads/{{name}}")), "{caller}");
    for (pointer, expected) in [
        ("/version", json!("2.0")),
        ("/routeKey", json!("POST /uploads/{name}")),
        ("/rawPath", json!("/prod/uploads/a%20b")),
        ("/rawQueryString", json!("x=1&x=2&y=%26")),
        ("/cookies", json!(["a=1", "b=2"])),
        ("/headers/x-many", json!("1,2")),
        ("/headers/x-forwarded-for", json!("192.0.2.7")),
        ("/headers/x-forwarded-port", json!("4566")),
        ("/queryStringParameters", json!({"x": "1,2", "y": "&"})),
        ("/pathParameters", json!({"name": "a b"})),
        ("/stageVariables", json!({"colour": "blue"})),
        ("/body", json!("{\"k\":1}")),
        ("/isBase64Encoded", json!(false)),
        ("/requestContext/http/method", json!("POST")),
        ("/requestContext/http/path", json!("/prod/uploads/a%20b")),
        ("/requestContext/http/protocol", json!("HTTP/1.1")),
        ("/requestContext/http/sourceIp", json!("192.0.2.7")),
        ("/requestContext/http/userAgent", json!("tests")),
        ("/requestContext/domainName", json!("api.example.com")),
        ("/requestContext/domainPrefix", json!("api")),
        ("/requestContext/time", json!("29/Feb/2024:23:30:00 +0000")),
        ("/requestContext/timeEpoch", json!(1_709_249_400_000_u64)),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert!(event["headers"].get("cookie").is_none());
    assert!(event["requestContext"].get("authorizer").is_none());
}

#[tokio::test]
async fn an_event_of_format_1_has_many_values_and_bytes_are_base64() {
    let world = world(vec![("f", json!({"statusCode": 200, "body": "ok", "multiValueHeaders": {"x-a": ["1", "2"]}}))]);
    let api = world.api().await;
    let target = world.integration(&api, "f", "1.0").await;
    world.route(&api, "ANY /{proxy+}", &target, json!({})).await;
    world.stage(&api, "$default", json!({})).await;
    let request = Request::put(format!("/_aws/execute-api/{api}/a/b?x=1&x=2"))
        .header("host", "h")
        .header("content-type", "application/octet-stream");
    let reply = world.send(request, "bytes").await;
    assert_eq!(reply.headers.get_all("x-a").iter().count(), 2);
    let (_, event, _) = world.last_event();
    for (pointer, expected) in [
        ("/version", json!("1.0")),
        ("/resource", json!("/{proxy+}")),
        ("/path", json!("/a/b")),
        ("/httpMethod", json!("PUT")),
        ("/multiValueQueryStringParameters", json!({"x": ["1", "2"]})),
        ("/queryStringParameters", json!({"x": "2"})),
        ("/pathParameters", json!({"proxy": "a/b"})),
        ("/body", json!(STANDARD.encode("bytes"))),
        ("/isBase64Encoded", json!(true)),
        ("/requestContext/resourcePath", json!("/{proxy+}")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
}

#[tokio::test]
async fn failures_are_answered_as_on_aws() {
    let world = world(vec![
        ("crash", json!({"FunctionError": 1})),
        ("slow", Value::Null),
        ("odd", json!({"statusCode": "odd"})),
    ]);
    let api = world.api().await;
    world.stage(&api, "$default", json!({})).await;
    for function in ["crash", "slow", "odd", "unknown"] {
        let target = world.integration(&api, function, "2.0").await;
        world.route(&api, &format!("GET /{function}"), &target, json!({})).await;
    }
    for (path, status, message) in [
        ("/crash", 500, "Internal Server Error"),
        ("/slow", 503, "Service Unavailable"),
        ("/odd", 500, "Internal Server Error"),
        ("/unknown", 500, "Internal Server Error"),
        ("/other", 404, "Not Found"),
    ] {
        let reply = world.send(get(&api, path), "").await;
        assert_eq!((reply.status.as_u16(), reply.body), (status, json!({"message": message}).to_string()), "{path}");
    }
    let large = world.sites.unreadable(&AwsError::new("X", StatusCode::PAYLOAD_TOO_LARGE, "x"));
    assert_eq!(large.response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn routes_can_ask_for_signatures_that_iam_allows() {
    let world = world(vec![("f", json!("ok"))]);
    let api = world.api().await;
    let target = world.integration(&api, "f", "2.0").await;
    for path in ["/open", "/secret"] {
        world.route(&api, &format!("GET {path}"), &target, json!({"AuthorizationType": "AWS_IAM"})).await;
    }
    world.stage(&api, "$default", json!({})).await;
    let forbidden = json!({"message": "Forbidden"}).to_string();
    let anonymous = world.send(get(&api, "/open"), "").await;
    assert_eq!((anonymous.status.as_u16(), &anonymous.body), (403, &forbidden));
    let broken = world.send_as(get(&api, "/open"), "", Err(AwsError::access_denied("wrong signature"))).await;
    assert_eq!(broken.status.as_u16(), 403);
    let user = || Ok(Arc::new(Principal::user("u", "arn:aws:iam::000000000000:user/u".into(), "AIDA".into())));
    let signed = |path| get(&api, path).header("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=y");
    assert_eq!(world.send_as(signed("/secret"), "", user()).await.status.as_u16(), 403);
    assert_eq!(world.send_as(signed("/open"), "", user()).await.body, "ok");
    let iam = &world.last_event().1["requestContext"]["authorizer"]["iam"];
    assert_eq!((&iam["userArn"], &iam["accessKey"]), (&json!("arn:aws:iam::000000000000:user/u"), &json!("AKIA")));
}

async fn guarded(world: &World, more: Value) -> String {
    let api = world.api().await;
    let target = world.integration(&api, "f", "2.0").await;
    let uri = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations", arn("guard"));
    let mut input = json!({
        "ApiId": api, "Name": "guard", "AuthorizerType": "REQUEST", "AuthorizerUri": uri,
        "IdentitySource": ["$request.header.authorization"], "AuthorizerPayloadFormatVersion": "2.0",
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let guard = world.ok("CreateAuthorizer", input).await["AuthorizerId"].clone();
    world.route(&api, "GET /a", &target, json!({"AuthorizationType": "CUSTOM", "AuthorizerId": guard})).await;
    world.stage(&api, "$default", json!({})).await;
    api
}

#[tokio::test]
async fn functions_say_yes_or_no_and_are_not_asked_again_too_soon() {
    let world = world(vec![("f", json!("ok")), ("guard", json!({"isAuthorized": true, "context": {"team": "red"}}))]);
    let api = guarded(&world, json!({"EnableSimpleResponses": true, "AuthorizerResultTtlInSeconds": 60})).await;
    let nameless = world.send(get(&api, "/a"), "").await;
    assert_eq!((nameless.status.as_u16(), &*nameless.body), (401, "{\"message\":\"Unauthorized\"}"));
    let asked = || world.functions.events.lock().iter().filter(|(name, ..)| name == "guard").count();
    let known = || get(&api, "/a").header("authorization", "token");
    for seconds in [0, 30, 29, 1] {
        world.clock.advance(TimeDelta::seconds(seconds));
        assert_eq!(world.send(known(), "").await.body, "ok");
    }
    assert_eq!(asked(), 2, "once, and once more after a minute");
    assert_eq!(world.send(get(&api, "/a").header("authorization", "other"), "").await.body, "ok");
    assert_eq!(asked(), 3);
    let events = world.functions.events.lock();
    assert_eq!(events.last().unwrap().1["requestContext"]["authorizer"], json!({"lambda": {"team": "red"}}));
    let (_, event, _) = events.iter().find(|(name, ..)| name == "guard").unwrap();
    let arn = format!("arn:aws:execute-api:us-east-1:000000000000:{api}/$default/GET/a");
    assert_eq!((&event["type"], &event["routeArn"]), (&json!("REQUEST"), &json!(arn)));
    assert_eq!(event["identitySource"], json!(["token"]));
}

#[tokio::test]
async fn functions_refuse_by_policy_and_failures_are_the_servers() {
    let policy = |effect: &str| {
        let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"});
        json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}})
    };
    for (answer, status) in [
        (policy("Allow"), 200),
        (policy("Deny"), 403),
        (json!({"isAuthorized": true}), 500),
        (json!({"FunctionError": 1}), 500),
    ] {
        let world = world(vec![("f", json!("ok")), ("guard", answer)]);
        let api = guarded(&world, json!({})).await;
        let reply = world.send(get(&api, "/a").header("authorization", "t"), "").await;
        assert_eq!(reply.status.as_u16(), status);
    }
}

#[tokio::test]
async fn too_many_requests_are_refused_until_time_has_passed() {
    let world = world(vec![("f", json!("ok"))]);
    let api = world.api().await;
    let target = world.integration(&api, "f", "2.0").await;
    world.route(&api, "GET /a", &target, json!({})).await;
    world.route(&api, "GET /b", &target, json!({})).await;
    let limits = json!({"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 2});
    world.stage(&api, "$default", json!({"RouteSettings": {"GET /a": limits}})).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(world.send(get(&api, "/a"), "").await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(world.send(get(&api, "/b"), "").await.status.as_u16(), 200);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(world.send(get(&api, "/a"), "").await.status.as_u16(), 200);
}

#[tokio::test]
async fn preflights_are_answered_where_no_route_takes_them() {
    let world = world(vec![("f", json!({"statusCode": 200, "headers": {"access-control-allow-origin": "x"}}))]);
    let cors = json!({"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 5});
    let made = json!({"Name": "c", "ProtocolType": "HTTP", "CorsConfiguration": cors});
    let api = world.ok("CreateApi", made).await["ApiId"].as_str().unwrap().to_owned();
    let target = world.integration(&api, "f", "2.0").await;
    world.route(&api, "GET /a", &target, json!({})).await;
    world.stage(&api, "$default", json!({})).await;
    let asks = |origin: &str| {
        Request::options(format!("/_aws/execute-api/{api}/a"))
            .header("origin", origin.to_owned())
            .header("access-control-request-method", "GET")
    };
    let reply = world.send(asks("https://a.example"), "").await;
    assert_eq!((reply.status.as_u16(), &reply.headers["access-control-allow-methods"]), (204, &"GET".parse().unwrap()));
    assert!(world.send(asks("https://b.example"), "").await.headers.is_empty());
    let reply = world.send(get(&api, "/a").header("origin", "https://a.example"), "").await;
    assert_eq!(reply.headers["access-control-allow-origin"], "https://a.example");
    world.ok("DeleteCorsConfiguration", json!({"ApiId": api})).await;
    assert_eq!(world.send(asks("https://a.example"), "").await.status.as_u16(), 404);
}

#[tokio::test]
async fn stages_without_auto_deploy_serve_what_was_deployed() {
    let world = world(vec![("f", json!("f")), ("g", json!("g"))]);
    let api = world.api().await;
    world.ok("CreateStage", json!({"ApiId": api, "StageName": "prod"})).await;
    let none = world.refused("CreateDeployment", json!({"ApiId": api, "StageName": "prod"})).await;
    assert!(none.contains("At least one route is required"), "{none}");
    let target = world.integration(&api, "f", "2.0").await;
    let route = world.route(&api, "GET /a", &target, json!({})).await;
    assert_eq!(world.send(get(&api, "/prod/a"), "").await.status.as_u16(), 404);
    let deployment = world.ok("CreateDeployment", json!({"ApiId": api, "StageName": "prod"})).await;
    assert_eq!(world.send(get(&api, "/prod/a"), "").await.body, "f");
    let other = world.integration(&api, "g", "2.0").await;
    world.ok("UpdateRoute", json!({"ApiId": api, "RouteId": route["RouteId"], "Target": other})).await;
    assert_eq!(world.send(get(&api, "/prod/a"), "").await.body, "f");
    world.ok("CreateDeployment", json!({"ApiId": api, "StageName": "prod"})).await;
    assert_eq!(world.send(get(&api, "/prod/a"), "").await.body, "g");
    let back = json!({"ApiId": api, "StageName": "prod", "DeploymentId": deployment["DeploymentId"]});
    world.ok("UpdateStage", back).await;
    assert_eq!(world.send(get(&api, "/prod/a"), "").await.body, "f");
    let served = json!({"ApiId": api, "DeploymentId": deployment["DeploymentId"]});
    assert!(world.refused("DeleteDeployment", served).await.contains("Active stages"));
}

#[tokio::test]
async fn requests_become_calls_of_other_services() {
    let world = world(vec![]);
    let api = world.api().await;
    let role = "arn:aws:iam::000000000000:role/start";
    let parameters = |input: &str| json!({"StateMachineArn": "arn:${request.path.name}", "Input": input});
    let made = |subtype: &str, parameters: Value| {
        json!({
            "ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationSubtype": subtype, "CredentialsArn": role,
            "PayloadFormatVersion": "1.0", "RequestParameters": parameters,
        })
    };
    for (key, input) in [("POST /whole/{name}", "$request.body"), ("POST /part/{name}", "$request.body.a.b")] {
        let integration = world.ok("CreateIntegration", made("StepFunctions-StartExecution", parameters(input))).await;
        let target = format!("integrations/{}", integration["IntegrationId"].as_str().unwrap());
        world.route(&api, key, &target, json!({})).await;
    }
    world.stage(&api, "$default", json!({})).await;
    let post = |path: &str| Request::post(format!("/_aws/execute-api/{api}{path}")).header("host", "h");
    let reply = world.send(post("/whole/daily"), "{\"a\": {\"b\": {\"c\": 1}}}").await;
    let answer: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status.as_u16(), &answer["machine"]), (200, &json!("arn:daily")));
    assert_eq!(answer["input"], json!({"a": {"b": {"c": 1}}}));
    assert!(answer["as"].as_str().unwrap().contains("assumed-role/start/"));
    let reply = world.send(post("/part/daily"), "{\"a\": {\"b\": {\"c\": 1}}}").await;
    assert_eq!(serde_json::from_str::<Value>(&reply.body).unwrap()["input"], json!({"c": 1}));
    let reply = world.send(post("/whole/daily"), "no json").await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (400, "{\"message\":\"no JSON\"}"));
    for (subtype, parameters, expected) in [
        ("SQS-SendMessage", json!({}), "SQS-SendMessage"),
        ("StepFunctions-StartExecution", json!({}), "StateMachineArn is required"),
        ("StepFunctions-StopExecution", json!({"ExecutionArn": "a", "Name": "b"}), "Parameter Name is not valid"),
    ] {
        let error = world.refused("CreateIntegration", made(subtype, parameters)).await;
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_call_with_the_same_token_makes_nothing_new() {
    let world = world(Vec::new());
    let twice = |operation: &'static str, input: Value| {
        let (one, two) = (world.ctx.once(operation), world.ctx.once(operation));
        async move {
            let made = one.call("apigateway", operation, input.clone()).await.unwrap();
            assert_eq!(two.call("apigateway", operation, input).await.unwrap(), made, "{operation}");
            made
        }
    };
    let api = twice("CreateApi", json!({"Name": "a", "ProtocolType": "HTTP"})).await["ApiId"].clone();
    let integration = json!({
        "ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": arn("f"), "PayloadFormatVersion": "2.0",
    });
    let made = twice("CreateIntegration", integration.clone()).await;
    let target = format!("integrations/{}", made["IntegrationId"].as_str().unwrap());
    world.route(api.as_str().unwrap(), "$default", &target, json!({})).await;
    twice("CreateDeployment", json!({"ApiId": api})).await;
    for (operation, expected) in [("GetApis", 1), ("GetIntegrations", 1), ("GetDeployments", 1)] {
        assert_eq!(world.ok(operation, json!({"ApiId": api})).await["Items"].as_array().unwrap().len(), expected);
    }
    assert_ne!(world.ok("CreateIntegration", integration).await["IntegrationId"], made["IntegrationId"]);
}

#[tokio::test]
async fn wrong_and_missing_things_are_refused_by_name() {
    let world = world(vec![]);
    let api = world.api().await;
    let target = world.integration(&api, "f", "2.0").await;
    world.route(&api, "GET /a", &target, json!({})).await;
    let with = |members: Value| {
        let mut input = json!({"ApiId": api});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        input
    };
    let lambda = json!({"IntegrationType": "AWS_PROXY", "IntegrationUri": arn("f")});
    for (operation, input, expected) in [
        ("CreateApi", json!({"Name": "w", "ProtocolType": "WEBSOCKET"}), "WEBSOCKET"),
        ("CreateApi", json!({"ProtocolType": "HTTP"}), "BadRequestException"),
        ("GetApi", json!({"ApiId": "nobody"}), "NotFoundException"),
        ("CreateRoute", with(json!({"RouteKey": "GET /a"})), "ConflictException"),
        ("CreateRoute", with(json!({"RouteKey": "get a"})), "not formatted properly"),
        ("CreateRoute", with(json!({"RouteKey": "GET /b", "Target": "integrations/x"})), "Invalid target"),
        ("CreateRoute", with(json!({"RouteKey": "GET /b", "AuthorizationType": "JWT"})), "JWT"),
        ("CreateRoute", with(json!({"RouteKey": "GET /b", "AuthorizationType": "CUSTOM"})), "AuthorizerId"),
        ("CreateIntegration", with(json!({"IntegrationType": "HTTP_PROXY"})), "HTTP_PROXY"),
        ("CreateIntegration", with(lambda), "PayloadFormatVersion is a required parameter"),
        ("CreateStage", with(json!({"StageName": "a b"})), "Stage name only allows"),
        ("CreateStage", with(json!({"StageName": "s", "AccessLogSettings": {"Format": "x"}})), "AccessLogSettings"),
        (
            "CreateAuthorizer",
            with(json!({"Name": "j", "AuthorizerType": "JWT", "IdentitySource": ["$request.header.a"]})),
            "JWT",
        ),
    ] {
        let error = world.refused(operation, input).await;
        assert!(error.contains(expected), "{operation}: {error}");
    }
    let integration = target.trim_start_matches("integrations/");
    let used = world.refused("DeleteIntegration", with(json!({"IntegrationId": integration}))).await;
    assert!(used.starts_with("ConflictException"), "{used}");
    world.ok("DeleteApi", json!({"ApiId": api})).await;
    assert!(world.refused("GetRoutes", json!({"ApiId": api})).await.starts_with("NotFoundException"));
}
