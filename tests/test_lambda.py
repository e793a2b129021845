"""Lambda: functions created, changed, invoked and limited by boto3 against the real binary."""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError
from conftest import allow, service_role, wait_for

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")


def archive(files):
    """A zip of names and texts; names that end in `bootstrap` can be executed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if name.endswith("bootstrap") else 0o644) << 16
            file.writestr(entry, text)
    return buffer.getvalue()


class Functions:
    """Makes functions on a server and invokes them."""

    def __init__(self, server, unique):
        self.server, self.unique = server, unique
        self.client = server.client("lambda", "test", "test", read_timeout=60)

    def role(self, *statements):
        logs = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
        return service_role(self.server, self.unique("role"), logs, *statements, service="lambda.amazonaws.com")

    def create(self, code, role=None, **options):
        files = code if isinstance(code, dict) else {"app.py": code}
        name = options.pop("FunctionName", None) or self.unique("function")
        defaults = {"Runtime": "python3.12", "Handler": "app.handler", "Timeout": 10}
        if "Code" not in options:
            options["Code"] = {"ZipFile": archive(files)}
        self.client.create_function(FunctionName=name, Role=role or self.role(), **(defaults | options))
        return name

    def invoke(self, name, event=None, **options):
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event), **options)
        return answer | {"Payload": json.loads(answer["Payload"].read() or "null")}

    def result(self, name, event=None, **options):
        answer = self.invoke(name, event, **options)
        assert "FunctionError" not in answer, answer["Payload"]
        return answer["Payload"]

    def error(self, name, event=None, **options):
        answer = self.invoke(name, event, **options)
        assert answer["FunctionError"] == "Unhandled", answer
        return answer["Payload"]

    def log(self, name, event=None, **options):
        answer = self.invoke(name, event, LogType="Tail", **options)
        return base64.b64decode(answer["LogResult"]).decode()


@pytest.fixture
def functions(shared, unique):
    return Functions(shared, unique)


def refused(call, code):
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response["Error"]["Message"]


ECHO = "def handler(event, context):\n    return event\n"


# --- functions ---------------------------------------------------------------------------------------------------------


def test_a_function_is_created_read_listed_and_deleted(functions):
    name = functions.create(ECHO, Description="echo", MemorySize=256, Environment={"Variables": {"A": "b"}}, Tags={"t": "1"})
    found = functions.client.get_function(FunctionName=name)
    configuration = found["Configuration"]
    assert configuration["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert (configuration["State"], configuration["LastUpdateStatus"]) == ("Active", "Successful")
    assert (configuration["Version"], configuration["MemorySize"], configuration["Timeout"]) == ("$LATEST", 256, 10)
    assert configuration["Environment"] == {"Variables": {"A": "b"}}
    assert configuration["LastModified"].endswith("+0000")
    assert found["Tags"] == {"t": "1"}
    assert functions.client.get_function_configuration(FunctionName=configuration["FunctionArn"])["CodeSize"] > 0
    pages = functions.client.get_paginator("list_functions").paginate()
    assert name in [function["FunctionName"] for page in pages for function in page["Functions"]]
    functions.client.get_waiter("function_active_v2").wait(FunctionName=name)
    functions.client.delete_function(FunctionName=name)
    message = refused(lambda: functions.client.get_function(FunctionName=name), "ResourceNotFoundException")
    assert message == f"Function not found: arn:aws:lambda:us-east-1:000000000000:function:{name}"
    refused(lambda: functions.client.delete_function(FunctionName=name), "ResourceNotFoundException")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"Runtime": "cobol85"}, "InvalidParameterValueException", "cobol85"),
        ({"Role": "arn:aws:iam::000000000000:role/no-such-role"}, "InvalidParameterValueException", "cannot be assumed"),
        ({"Timeout": 901}, "ValidationException", "900"),
        ({"MemorySize": 10_241}, "ValidationException", "10240"),
        ({"Environment": {"Variables": {"A1": "x" * 4096}}}, "InvalidParameterValueException", "4KB"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "AWS_REGION"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException", "Could not unzip"),
        ({"Code": {"S3Bucket": "no-such-bucket", "S3Key": "k"}}, "InvalidParameterValueException", "NoSuchBucket"),
        ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:none:1"]}, "InvalidParameterValueException", "layer:none:1"),
        ({"PackageType": "Image"}, "NotImplemented", "PackageType"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "NotImplemented", "VpcConfig"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:000000000000:t"}}, "NotImplemented", "DeadLetterConfig"),
        ({"TracingConfig": {"Mode": "Active"}}, "NotImplemented", "TracingConfig"),
    ],
)
def test_bad_functions_are_refused(functions, options, code, message):
    name = functions.unique("function")
    defaults = {"Runtime": "python3.12", "Handler": "app.handler", "Code": {"ZipFile": archive({"app.py": ECHO})}}
    defaults |= {"Role": functions.role()} | options
    assert message in refused(lambda: functions.client.create_function(FunctionName=name, **defaults), code)
    refused(lambda: functions.client.get_function(FunctionName=name), "ResourceNotFoundException")


def test_archives_that_lead_out_are_refused(functions):
    for name in ["/etc/evil", "../evil", "a/../../evil"]:
        code = {"Code": {"ZipFile": archive({name: "x", "app.py": ECHO})}}
        refused(lambda code=code: functions.create(ECHO, **code), "InvalidParameterValueException")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    refused(lambda: functions.create(ECHO, Code={"ZipFile": buffer.getvalue()}), "InvalidParameterValueException")


def test_a_function_is_created_once(functions):
    name = functions.create(ECHO)
    refused(lambda: functions.create(ECHO, FunctionName=name), "ResourceConflictException")


def test_a_role_must_trust_lambda_and_may_only_be_passed_by_those_who_may(functions, shared, unique):
    wrong = service_role(shared, unique("role"), allow("s3:GetObject"), service="glue.amazonaws.com")
    message = refused(lambda: functions.create(ECHO, role=wrong), "InvalidParameterValueException")
    assert message == "The role defined for the function cannot be assumed by Lambda."
    iam = shared.client("iam", "test", "test")
    user = unique("user")
    iam.create_user(UserName=user)
    policy = {"Version": "2012-10-17", "Statement": [allow("lambda:*")]}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    client = shared.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    input = {"FunctionName": unique("function"), "Role": functions.role(), "Runtime": "python3.12", "Handler": "app.handler"}
    create = lambda: client.create_function(Code={"ZipFile": archive({"app.py": ECHO})}, **input)
    assert "iam:PassRole" in refused(create, "AccessDeniedException")


def test_code_comes_from_s3_as_the_caller_may_read_it(functions, shared, unique):
    s3, bucket = shared.client("s3", "test", "test"), unique("code")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="code/app.zip", Body=archive({"app.py": ECHO}))
    name = functions.create(ECHO, Code={"S3Bucket": bucket, "S3Key": "code/app.zip"})
    assert functions.result(name, {"a": 1}) == {"a": 1}
    missing = {"S3Bucket": bucket, "S3Key": "none.zip"}
    assert "NoSuchKey" in refused(lambda: functions.create(ECHO, Code=missing), "InvalidParameterValueException")


def test_code_that_the_caller_may_not_read_is_refused(functions, shared, unique):
    s3, bucket = shared.client("s3", "test", "test"), unique("code")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="app.zip", Body=archive({"app.py": ECHO}))
    iam, user = shared.client("iam", "test", "test"), unique("user")
    iam.create_user(UserName=user)
    policy = {"Version": "2012-10-17", "Statement": [allow("lambda:*", "iam:PassRole")]}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    client = shared.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    create = lambda: client.create_function(
        FunctionName=unique("function"), Role=functions.role(), Runtime="python3.12", Handler="app.handler",
        Code={"S3Bucket": bucket, "S3Key": "app.zip"},
    )  # fmt: skip
    assert "GetObject" in refused(create, "AccessDeniedException")


def test_functions_are_found_by_all_their_names(functions):
    name = functions.create(ECHO)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    for known in [arn, f"{arn}:$LATEST", f"000000000000:function:{name}", f"{name}:$LATEST"]:
        assert functions.result(known, 1) == 1
    refused(lambda: functions.invoke(f"{name}:1", Qualifier="2"), "InvalidParameterValueException")
    other = arn.replace("000000000000", "111111111111")
    refused(lambda: functions.invoke(other), "ValidationException")


def test_lists_come_in_pages(functions):
    name = functions.create(ECHO, Publish=True)
    for number in range(3):
        code = archive({"app.py": f"{ECHO}# {number}\n"})
        functions.client.update_function_code(FunctionName=name, ZipFile=code, Publish=True)
    pages = functions.client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 2}
    )
    versions = [[version["Version"] for version in page["Versions"]] for page in pages]
    assert sum(versions, []) == ["$LATEST", "1", "2", "3", "4"] and len(versions) == 2
    functions.create(ECHO)
    first = functions.client.list_functions(MaxItems=1)
    second = functions.client.list_functions(MaxItems=1, Marker=first["NextMarker"])
    assert first["Functions"][0]["FunctionName"] < second["Functions"][0]["FunctionName"]
    refused(lambda: functions.client.list_functions(Marker="nonsense"), "InvalidParameterValueException")


def test_new_code_and_configuration_reach_the_next_invocation(functions):
    name = functions.create("def handler(e, c):\n    return 1\n")
    assert functions.result(name) == 1
    before = functions.client.get_function_configuration(FunctionName=name)
    code = archive({"app.py": "import os\ndef handler(e, c):\n    return os.environ.get('A', 2)\n"})
    after = functions.client.update_function_code(FunctionName=name, ZipFile=code)
    assert after["CodeSha256"] != before["CodeSha256"] and after["RevisionId"] != before["RevisionId"]
    assert functions.result(name) == 2
    functions.client.update_function_configuration(FunctionName=name, Environment={"Variables": {"A": "3"}}, Timeout=7)
    assert functions.result(name) == "3"
    stale = lambda: functions.client.update_function_configuration(
        FunctionName=name, Timeout=8, RevisionId=before["RevisionId"]
    )
    refused(stale, "PreconditionFailedException")
    assert functions.client.get_function_configuration(FunctionName=name)["Timeout"] == 7


def test_a_dry_run_of_code_changes_nothing(functions):
    name = functions.create(ECHO)
    functions.client.update_function_code(FunctionName=name, ZipFile=archive({"app.py": "x = 1"}), DryRun=True)
    assert functions.result(name, 5) == 5


def downloaded(address):
    """What is at an address, without a signature: the status and the bytes."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_code_is_downloaded_as_it_was_given(functions, unique):
    first, second = archive({"app.py": ECHO}), archive({"app.py": "def handler(e, c):\n    return 2\n"})
    name = functions.create({}, Code={"ZipFile": first})
    functions.client.publish_version(FunctionName=name)
    functions.client.update_function_code(FunctionName=name, ZipFile=second)
    location = lambda **options: functions.client.get_function(FunctionName=name, **options)["Code"]["Location"]
    assert downloaded(location()) == (200, second)
    assert downloaded(location(Qualifier="1")) == (200, first)
    layer = functions.client.publish_layer_version(LayerName=unique("layer"), Content={"ZipFile": second})
    assert downloaded(layer["Content"]["Location"]) == (200, second)
    other = location(Qualifier="1")
    swapped = re.sub(r"[0-9a-f]{64}(?=\?)", hashlib.sha256(second).hexdigest(), other)
    for wrong in (swapped, other.replace("expires=", "expires=9"), other.split("?")[0], other[:-1]):
        status, said = downloaded(wrong)
        assert status == 403 and not said.startswith(b"PK"), wrong


def test_tags(functions):
    name = functions.create(ECHO, Tags={"a": "1"})
    arn = functions.client.get_function_configuration(FunctionName=name)["FunctionArn"]
    functions.client.tag_resource(Resource=arn, Tags={"b": "2"})
    functions.client.untag_resource(Resource=arn, TagKeys=["a"])
    assert functions.client.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    refused(lambda: functions.client.tag_resource(Resource=arn, Tags={"aws:x": "1"}), "InvalidParameterValueException")


# --- versions, aliases, layers -----------------------------------------------------------------------------------------


def test_versions_do_not_change(functions):
    name = functions.create("def handler(e, c):\n    return 'one', c.function_version\n")
    first = functions.client.publish_version(FunctionName=name, Description="first")
    assert (first["Version"], first["Description"]) == ("1", "first")
    assert functions.client.publish_version(FunctionName=name)["Version"] == "1"
    code = archive({"app.py": "def handler(e, c):\n    return 'two', c.function_version\n"})
    second = functions.client.update_function_code(FunctionName=name, ZipFile=code, Publish=True)
    assert second["Version"] == "2" and second["FunctionArn"].endswith(f":{name}:2")
    assert functions.result(name, Qualifier="1") == ["one", "1"]
    assert functions.result(f"{name}:2") == ["two", "2"]
    assert functions.result(name) == ["two", "$LATEST"]
    versions = functions.client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    refused(lambda: functions.invoke(name, Qualifier="3"), "ResourceNotFoundException")
    wrong = lambda: functions.client.publish_version(FunctionName=name, CodeSha256="x")
    refused(wrong, "InvalidParameterValueException")


def test_aliases_point_and_weigh(functions):
    name = functions.create("def handler(e, c):\n    return c.function_version, c.invoked_function_arn\n", Publish=True)
    code = archive({"app.py": "def handler(e, c):\n    return c.function_version, 'new'\n"})
    functions.client.update_function_code(FunctionName=name, ZipFile=code, Publish=True)
    alias = functions.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert alias["AliasArn"].endswith(f"function:{name}:live")
    assert functions.result(name, Qualifier="live") == ["1", alias["AliasArn"]]
    answer = functions.invoke(name, Qualifier="live")
    assert answer["ExecutedVersion"] == "1"
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    functions.client.update_alias(FunctionName=name, Name="live", RoutingConfig=weights)
    seen = {functions.result(name, Qualifier="live")[0] for _ in range(40)}
    assert seen == {"1", "2"}
    functions.client.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig={})
    assert functions.client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"
    refused(lambda: functions.client.delete_function(FunctionName=name, Qualifier="2"), "ResourceConflictException")
    refused(lambda: functions.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1"), "ResourceConflictException")
    refused(lambda: functions.client.create_alias(FunctionName=name, Name="x", FunctionVersion="9"), "ResourceNotFoundException")
    assert [alias["Name"] for alias in functions.client.list_aliases(FunctionName=name)["Aliases"]] == ["live"]
    functions.client.delete_alias(FunctionName=name, Name="live")
    refused(lambda: functions.client.get_alias(FunctionName=name, Name="live"), "ResourceNotFoundException")
    functions.client.delete_function(FunctionName=name, Qualifier="2")
    refused(lambda: functions.invoke(name, Qualifier="2"), "ResourceNotFoundException")


def test_layers_are_found_in_opt(functions, unique):
    layer = unique("tools")
    content = archive({"python/tools.py": "def tool():\n    return 'first'\n", "data.txt": "first"})
    first = functions.client.publish_layer_version(LayerName=layer, Content={"ZipFile": content}, CompatibleRuntimes=["python3.12"])
    assert first["Version"] == 1
    other = functions.client.publish_layer_version(LayerName=unique("data"), Content={"ZipFile": archive({"data.txt": "second"})})
    arns = [first["LayerVersionArn"], other["LayerVersionArn"]]
    code = "import tools\ndef handler(e, c):\n    return tools.tool(), open('/opt/data.txt').read()\n"
    name = functions.create(code, Layers=arns)
    assert functions.result(name) == ["first", "second"]
    found = functions.client.get_function_configuration(FunctionName=name)["Layers"]
    assert [layer["Arn"] for layer in found] == arns
    got = functions.client.get_layer_version(LayerName=layer, VersionNumber=1)
    assert got["Content"]["CodeSize"] == len(content)
    assert functions.client.get_layer_version_by_arn(Arn=arns[0])["Version"] == 1
    listed = functions.client.list_layers(CompatibleRuntime="python3.12")["Layers"]
    assert layer in [one["LayerName"] for one in listed]
    functions.client.delete_layer_version(LayerName=layer, VersionNumber=1)
    refused(lambda: functions.client.get_layer_version(LayerName=layer, VersionNumber=1), "ResourceNotFoundException")
    assert functions.client.list_layer_versions(LayerName=layer)["LayerVersions"] == []
    assert functions.result(name) == ["first", "second"], "functions keep what they use"
    again = functions.client.publish_layer_version(LayerName=layer, Content={"ZipFile": content})
    assert again["Version"] == 2
    functions.client.update_function_configuration(FunctionName=name, Layers=[])
    assert functions.error(name)["errorType"] == "Runtime.ImportModuleError"


# --- invoking: Python --------------------------------------------------------------------------------------------------


def test_an_event_is_answered(functions):
    name = functions.create(ECHO)
    for event in [None, {"a": [1, "ä", None]}, "text", 1.5]:
        assert functions.result(name, event) == event
    empty = functions.client.invoke(FunctionName=name)
    assert (empty["StatusCode"], json.loads(empty["Payload"].read())) == (200, {})


def test_the_context_says_what_aws_says(functions):
    code = """
import os, time
def handler(event, context):
    left = context.get_remaining_time_in_millis()
    return {
        "id": context.aws_request_id, "arn": context.invoked_function_arn, "name": context.function_name,
        "version": context.function_version, "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "left": left, "client": context.client_context.custom["a"],
        "env": {key: os.environ[key] for key in ("AWS_REGION", "AWS_EXECUTION_ENV", "_HANDLER", "LAMBDA_TASK_ROOT", "OWN")},
        "directory": os.getcwd(), "zone": time.tzname[0],
    }
"""
    name = functions.create(code, Environment={"Variables": {"OWN": "value"}}, MemorySize=192)
    client_context = base64.b64encode(json.dumps({"custom": {"a": 7}}).encode()).decode()
    answer = functions.invoke(name, ClientContext=client_context)
    found = answer["Payload"]
    assert found["id"] == answer["ResponseMetadata"]["RequestId"]
    assert found["arn"].endswith(f":function:{name}") and found["name"] == name
    assert (found["version"], found["memory"], found["group"]) == ("$LATEST", "192", f"/aws/lambda/{name}")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", found["stream"])
    assert 0 < found["left"] <= 10_000
    assert found["client"] == 7
    assert found["env"] == {
        "AWS_REGION": "us-east-1", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12", "_HANDLER": "app.handler",
        "LAMBDA_TASK_ROOT": "/var/task", "OWN": "value",
    }  # fmt: skip
    assert (found["directory"], found["zone"]) == ("/var/task", "UTC")


def test_an_exception_is_reported(functions):
    name = functions.create("def handler(event, context):\n    raise ValueError('boom ä')\n")
    answer = functions.invoke(name)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    error = answer["Payload"]
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "boom ä")
    assert error["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert error["stackTrace"] == ["  File \"/var/task/app.py\", line 2, in handler\n    raise ValueError('boom ä')\n"]
    assert "[ERROR] ValueError: boom ä" in functions.log(name)


@pytest.mark.parametrize(
    ("code", "handler", "kind", "message"),
    [
        ("import nothing_like_it", "app.handler", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'nothing_like_it'"),
        (ECHO, "other.handler", "Runtime.ImportModuleError", "Unable to import module 'other': No module named 'other'"),
        (ECHO, "app.missing", "Runtime.HandlerNotFound", "Handler 'missing' missing on module 'app'"),
        (ECHO, "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("raise KeyError('early')", "app.handler", "KeyError", "'early'"),
        ("def handler(e, c):\n    return {1, 2}\n", "app.handler", "Runtime.MarshalError", "Object of type set is not JSON serializable"),
        ("import sys\ndef handler(e, c):\n    sys.exit(3)\n", "app.handler", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("import os\nos._exit(0)\n", "app.handler", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("import os\ndef handler(e, c):\n    os.kill(os.getpid(), 11)\n", "app.handler", "Runtime.ExitError", "signal: segmentation fault"),
    ],
)  # fmt: skip
def test_failures_have_aws_names(functions, code, handler, kind, message):
    name = functions.create(code, Handler=handler)
    for _ in range(2):
        error = functions.error(name)
        assert error["errorType"] == kind
        assert message in error["errorMessage"]


def test_a_function_that_is_too_slow_is_ended(functions):
    name = functions.create("import time\ndef handler(e, c):\n    time.sleep(e)\n    return 'done'\n", Timeout=1)
    log = functions.log(name, 60)
    assert re.search(r"REPORT .*Status: timeout", log), log
    error = functions.error(name, 60)
    assert "Task timed out after 1.00 seconds" in error["errorMessage"]
    assert error["errorType"] == "Sandbox.Timedout"
    assert functions.result(name, 0) == "done"


def test_a_function_that_takes_too_much_memory_is_ended(functions):
    code = "def handler(e, c):\n    grown = []\n    while True:\n        grown.append(bytearray(1 << 20))\n"
    name = functions.create(code, MemorySize=128)
    answer = functions.invoke(name, LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Runtime.ExitError"
    assert "Runtime exited with error: signal: killed" in answer["Payload"]["errorMessage"]
    assert "Error Type: Runtime.OutOfMemory" in base64.b64decode(answer["LogResult"]).decode()


def test_the_log_has_aws_lines(functions):
    code = "import logging\nprint('at start')\ndef handler(e, c):\n    print('hello')\n    logging.getLogger().warning('watch %s', 1)\n"
    name = functions.create(code)
    first, second = functions.log(name), functions.log(name)
    pattern = (
        r"at start\nSTART RequestId: ([0-9a-f-]{36}) Version: \$LATEST\nhello\n"
        r"\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t\1\twatch 1\nEND RequestId: \1\n"
        r"REPORT RequestId: \1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: (\d+) MB\tInit Duration: [\d.]+ ms\t\n"
    )
    found = re.fullmatch(pattern, first)
    assert found, first
    assert 5 <= int(found[2]) <= 128
    assert second.startswith("START") and "Init Duration" not in second
    assert "LogResult" not in functions.invoke(name)


def test_logs_arrive_in_cloudwatch(functions, shared):
    logs = shared.client("logs", "test", "test")
    name = functions.create("def handler(e, c):\n    print('seen', e)\n    return c.log_stream_name\n")
    stream = functions.result(name, 1)
    functions.result(name, 2)

    def messages():
        try:
            found = logs.get_log_events(logGroupName=f"/aws/lambda/{name}", logStreamName=stream, startFromHead=True)
        except ClientError:
            return None
        texts = [event["message"] for event in found["events"]]
        return texts if len(texts) >= 8 else None

    texts = wait_for(messages, "the log of two invocations")
    assert [text.split(" ")[0].strip() for text in texts] == ["START", "seen", "END", "REPORT"] * 2
    assert (texts[1].strip(), texts[5].strip()) == ("seen 1", "seen 2")


def test_a_function_without_leave_to_log_runs_all_the_same(functions, shared, unique):
    role = service_role(shared, unique("role"), allow("s3:GetObject"), service="lambda.amazonaws.com")
    assert functions.result(functions.create(ECHO, role=role), 5) == 5


def test_instances_are_warm_and_kept_apart(functions):
    code = """
import os, threading
count = 0
def handler(event, context):
    global count
    count += 1
    open("/tmp/mine", "a").write("x")
    return count, len(open("/tmp/mine").read())
"""
    name = functions.create(code)
    assert [functions.result(name) for _ in range(3)] == [[1, 1], [2, 2], [3, 3]]


def test_many_invocations_run_at_once(functions):
    from concurrent.futures import ThreadPoolExecutor

    name = functions.create("import time\ndef handler(e, c):\n    time.sleep(0.3)\n    return e\n", Timeout=30)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda number: functions.result(name, number), range(16))) == list(range(16))


def test_payloads_have_limits(functions):
    name = functions.create("def handler(e, c):\n    return 'x' * e if isinstance(e, int) else len(e)\n", MemorySize=512)
    assert functions.result(name, "x" * 6_000_000) == 6_000_000
    assert len(functions.result(name, 6_000_000)) == 6_000_000
    refused(lambda: functions.invoke(name, "x" * 6_300_000), "RequestTooLargeException")
    error = functions.error(name, 6_300_000)
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert functions.result(name, "abc") == 3
    refused(lambda: functions.invoke(name, "x" * 1_100_000, InvocationType="Event"), "RequestTooLargeException")
    broken = lambda: functions.client.invoke(FunctionName=name, Payload=b"{not json")
    assert "Could not parse request body into json" in refused(broken, "InvalidRequestContentException")


def test_a_dry_run_asks_only_whether_it_would_be_allowed(functions):
    name = functions.create("def handler(e, c):\n    raise SystemError('must not run')\n")
    assert functions.client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    refused(lambda: functions.client.invoke(FunctionName="none", InvocationType="DryRun"), "ResourceNotFoundException")


def test_a_function_reaches_the_platform_as_its_role(functions, shared, unique):
    s3, bucket = shared.client("s3", "test", "test"), unique("data")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="in.txt", Body=b"from the bucket")
    code = """
import boto3
def handler(event, context):
    s3 = boto3.client("s3")
    body = s3.get_object(Bucket=event, Key="in.txt")["Body"].read().decode()
    try:
        s3.put_object(Bucket=event, Key="out.txt", Body=b"x")
    except Exception as error:
        return body, boto3.client("sts").get_caller_identity()["Arn"], str(error)
"""
    role = functions.role(allow("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*"))
    name = functions.create(code, role=role, Timeout=60, MemorySize=512)
    body, arn, error = functions.result(name, bucket)
    assert body == "from the bucket"
    assert arn == f"arn:aws:sts::000000000000:assumed-role/{role.rsplit('/', 1)[1]}/{name}"
    assert "AccessDenied" in error


# --- isolation ---------------------------------------------------------------------------------------------------------


def test_a_function_sees_neither_data_nor_network_nor_others(functions, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    other = socket.create_server(("127.0.0.1", 0))  # a port of the machine
    code = """
import os, socket
def attempt(action):
    try:
        return str(action())
    except Exception as error:
        return type(error).__name__
def connect(host, port):
    socket.create_connection((host, port), timeout=2).close()
    return "connected"
def handler(event, context):
    return {
        "secret": attempt(lambda: open(event["secret"]).read()),
        "root": attempt(lambda: open("/root/.ssh/id_rsa")),
        "write code": attempt(lambda: open("/var/task/new", "w")),
        "write root": attempt(lambda: open("/new", "w")),
        "write tmp": attempt(lambda: open("/tmp/new", "w").write("x")),
        "other port": attempt(lambda: connect("127.0.0.1", event["port"])),
        "internet": attempt(lambda: connect("192.0.2.1", 80)),
        "name": attempt(lambda: socket.gethostbyname("example.com")),
        "platform": attempt(lambda: connect("127.0.0.1", int(os.environ["AWS_ENDPOINT_URL"].rsplit(":", 1)[1]))),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
        "user": os.getuid(),
    }
"""
    name = functions.create(code, Timeout=30)
    with other:
        port = other.getsockname()[1]
        found = functions.result(name, {"secret": str(secret), "port": port})
    assert found.pop("processes") <= 3
    assert found.pop("user") != 0
    assert found == {
        "secret": "FileNotFoundError", "root": "FileNotFoundError", "write code": "OSError", "write root": "OSError",
        "write tmp": "1", "other port": "ConnectionRefusedError", "internet": "OSError", "name": "gaierror",
        "platform": "connected", "interfaces": ["lo"],
    }  # fmt: skip


def test_forks_and_files_are_limited(functions):
    code = """
import os
def handler(event, context):
    children = 0
    try:
        while children < 3000:
            if os.fork() == 0:
                os.execv("/bin/sleep", ["sleep", "1000"])
            children += 1
    except OSError as error:
        refused = type(error).__name__
    try:
        with open("/tmp/big", "wb") as file:
            for _ in range(600):
                file.write(b"x" * (1 << 20))
    except OSError as error:
        return children, refused, error.strerror
"""
    name = functions.create(code, Timeout=120, MemorySize=2048)
    children, error, space = functions.result(name)
    assert children <= 1024 and error == "BlockingIOError" and space == "No space left on device"


def test_nothing_is_left_behind(start, unique):
    server = start("--dev")
    functions = Functions(server, unique)
    marker = f"4{os.getpid():06}"
    code = "import os, subprocess\ndef handler(e, c):\n    subprocess.Popen(['/bin/sleep', e], start_new_session=True)\n"
    name = functions.create(code)
    functions.result(name, marker)

    def alive():
        return subprocess.run(["pgrep", "-f", f"sleep {marker}"], capture_output=True).stdout.split()

    assert alive()
    server.kill()
    wait_for(lambda: not alive(), "the end of the function's processes")


# --- other runtimes ----------------------------------------------------------------------------------------------------


NODE = {"Runtime": "nodejs20.x", "Handler": "index.handler"}


@needs_node
def test_node_functions_answer(functions):
    code = """
export const handler = async (event, context) => ({
  event, id: context.awsRequestId, name: context.functionName, left: context.getRemainingTimeInMillis(),
});
"""
    name = functions.create({"index.mjs": code}, **NODE)
    answer = functions.invoke(name, {"a": "ä"})
    found = answer["Payload"]
    assert found["event"] == {"a": "ä"}
    assert found["id"] == answer["ResponseMetadata"]["RequestId"]
    assert found["name"] == name and 0 < found["left"] <= 10_000
    assert [functions.result(name, number)["event"] for number in range(5)] == list(range(5))


@needs_node
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("exports.handler = (event, context, callback) => setTimeout(() => callback(null, event), 5);", 5),
        ("exports.handler = (event) => Promise.resolve(event);", 5),
        ("exports.handler = async () => {};", None),
        ("exports.handler = () => {};", None),
    ],
)
def test_node_handlers_come_in_many_shapes(functions, code, expected):
    assert functions.result(functions.create({"index.js": code}, **NODE), 5) == expected


@needs_node
@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("export const handler = async () => { throw new RangeError('boom'); };", "RangeError", "boom"),
        ("export const handler = async () => { throw 'text'; };", "string", "text"),
        ("import 'nothing-like-it'; export const handler = 1;", "Runtime.ImportModuleError", "nothing-like-it"),
        ("export const other = 1;", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
        ("export const handler = ;", "Runtime.UserCodeSyntaxError", "SyntaxError"),
        ("throw new Error('early');", "Error", "early"),
        ("export const handler = async () => process.exit(4);", "Runtime.ExitError", "exit status 4"),
        ("export const handler = () => new Promise(() => setTimeout(() => { throw new Error('late'); }, 5));", "Error", "late"),
        ("export const handler = async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 1000)); };", "Runtime.UnhandledPromiseRejection", "lost"),
    ],
)  # fmt: skip
def test_node_failures_have_aws_names(functions, code, kind, message):
    name = functions.create({"index.mjs": code}, **NODE)
    for _ in range(2):
        error = functions.error(name)
        assert error["errorType"] == kind, error
        assert message in error["errorMessage"]


@needs_node
def test_node_logs_and_times_out(functions):
    code = "export const handler = async (ms) => { console.log('hello', { a: 1 }); await new Promise((r) => setTimeout(r, ms)); };"
    name = functions.create({"index.mjs": code}, Timeout=1, **NODE)
    log = functions.log(name, 0)
    assert re.search(r"\n\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\tINFO\thello \{ a: 1 \}\n", log), log
    assert "Task timed out after 1.00 seconds" in functions.error(name, 60_000)["errorMessage"]


BOOTSTRAP = r"""#!/bin/sh
# A runtime in shell: one connection for each request, as simple as it gets.
api() { perl -MSocket -e '
  my ($method, $path, $body) = (@ARGV, ""); my ($host, $port) = split /:/, $ENV{AWS_LAMBDA_RUNTIME_API};
  socket(my $s, PF_INET, SOCK_STREAM, 0); connect($s, sockaddr_in($port, inet_aton($host))) or die $!;
  my $length = length $body;
  syswrite $s, "$method /2018-06-01/runtime/$path HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: $length\r\n\r\n$body";
  print while <$s>;' "$@"; }
echo "handler is $_HANDLER"
while true; do
  answer=$(api GET invocation/next)
  id=$(echo "$answer" | tr -d '\r' | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
  event=$(echo "$answer" | tail -n 1)
  case "$event" in
    *fail*) api POST "invocation/$id/error" '{"errorType": "Own.Error", "errorMessage": "as asked"}' > /dev/null ;;
    *) api POST "invocation/$id/response" "{\"got\": $event}" > /dev/null ;;
  esac
done
"""


def test_a_bootstrap_speaks_the_runtime_api(functions):
    name = functions.create({"bootstrap": BOOTSTRAP}, Runtime="provided.al2023", Handler="any.name")
    assert functions.result(name, [1, 2]) == {"got": [1, 2]}
    assert functions.result(name, 3) == {"got": 3}
    assert functions.error(name, "fail") == {"errorType": "Own.Error", "errorMessage": "as asked"}


def test_a_bootstrap_that_is_not_there_is_named(functions):
    name = functions.create({"readme": "nothing to run"}, Runtime="provided.al2023", Handler="any")
    error = functions.error(name)
    assert error["errorType"] == "Runtime.InvalidEntrypoint" and "bootstrap" in error["errorMessage"]


# --- concurrency and permissions ---------------------------------------------------------------------------------------


def test_reserved_concurrency_is_kept(functions, shared):
    from concurrent.futures import ThreadPoolExecutor

    name = functions.create("import time\ndef handler(e, c):\n    print('begun')\n    time.sleep(e)\n", Timeout=30)
    answer = functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert answer["ReservedConcurrentExecutions"] == 1
    logs = shared.client("logs", "test", "test")

    def begun():
        try:
            return logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="begun")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: functions.result(name, 6))
        wait_for(begun, "the first invocation's begin")
        with pytest.raises(ClientError) as caught:
            functions.invoke(name, 0)
        response = caught.value.response
        assert response["Error"]["Code"] == "TooManyRequestsException"
        assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
        running.result()
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    refused(lambda: functions.invoke(name, 0), "TooManyRequestsException")
    assert functions.client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 0
    functions.client.delete_function_concurrency(FunctionName=name)
    assert functions.result(name, 0) is None
    limits = functions.client.get_account_settings()["AccountLimit"]
    too_much = lambda: functions.client.put_function_concurrency(
        FunctionName=name, ReservedConcurrentExecutions=limits["ConcurrentExecutions"]
    )
    assert "below its minimum value" in refused(too_much, "InvalidParameterValueException")


def test_permissions_are_stated_and_taken_back(functions, shared, unique):
    name = functions.create(ECHO)
    permission = {"StatementId": "bucket", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    added = functions.client.add_permission(FunctionName=name, SourceArn="arn:aws:s3:::b", SourceAccount="000000000000", **permission)
    statement = json.loads(added["Statement"])
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"AWS:SourceAccount": "000000000000"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"},
    }  # fmt: skip
    refused(lambda: functions.client.add_permission(FunctionName=name, **permission), "ResourceConflictException")
    policy = json.loads(functions.client.get_policy(FunctionName=name)["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["bucket"]
    functions.client.remove_permission(FunctionName=name, StatementId="bucket")
    refused(lambda: functions.client.get_policy(FunctionName=name), "ResourceNotFoundException")
    refused(lambda: functions.client.remove_permission(FunctionName=name, StatementId="bucket"), "ResourceNotFoundException")


def test_the_functions_policy_lets_others_in(functions, shared, unique):
    iam, user = shared.client("iam", "test", "test"), unique("user")
    arn = iam.create_user(UserName=user)["User"]["Arn"]
    key = iam.create_access_key(UserName=user)["AccessKey"]
    client = shared.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    name = functions.create(ECHO)
    call = lambda: client.invoke(FunctionName=name, Payload=b"1")
    assert "lambda:InvokeFunction" in refused(call, "AccessDeniedException")
    permission = {"StatementId": "user", "Action": "lambda:InvokeFunction", "Principal": arn}
    functions.client.add_permission(FunctionName=name, **permission)
    assert call()["Payload"].read() == b"1"
    functions.client.remove_permission(FunctionName=name, StatementId="user")
    refused(call, "AccessDeniedException")


# --- asynchronous invocations ------------------------------------------------------------------------------------------


def test_an_event_is_accepted_and_worked_on(functions, shared, unique):
    s3, bucket = shared.client("s3", "test", "test"), unique("results")
    s3.create_bucket(Bucket=bucket)
    code = "import boto3\ndef handler(e, c):\n    boto3.client('s3').put_object(Bucket=e, Key=c.aws_request_id, Body=b'')\n"
    role = functions.role(allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/*"))
    name = functions.create(code, role=role, Timeout=60, MemorySize=512)
    answer = functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(bucket))
    assert answer["StatusCode"] == 202
    request = answer["ResponseMetadata"]["RequestId"]
    wait_for(lambda: [o["Key"] for o in s3.list_objects_v2(Bucket=bucket).get("Contents", [])] == [request], "the event")


def test_results_go_to_destinations(functions, shared, unique):
    s3, bucket = shared.client("s3", "test", "test"), unique("results")
    s3.create_bucket(Bucket=bucket)
    keep = (
        "import boto3, json\ndef handler(e, c):\n"
        f"    boto3.client('s3').put_object(Bucket='{bucket}', Key=e['requestContext']['condition'], Body=json.dumps(e))\n"
    )
    role = functions.role(allow("s3:PutObject", "lambda:InvokeFunction"))
    keeper = functions.create(keep, role=role, Timeout=60, MemorySize=512)
    arn = functions.client.get_function_configuration(FunctionName=keeper)["FunctionArn"]
    worker = functions.create("def handler(e, c):\n    return 1 / e\n", role=role)
    config = functions.client.put_function_event_invoke_config(
        FunctionName=worker,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}},
    )
    assert config["FunctionArn"].endswith(":$LATEST")
    for event in [1, 0]:
        functions.client.invoke(FunctionName=worker, InvocationType="Event", Payload=json.dumps(event))

    def record(condition):
        try:
            return json.loads(s3.get_object(Bucket=bucket, Key=condition)["Body"].read())
        except ClientError:
            return None

    success = wait_for(lambda: record("Success"), "the record of the success", timeout=60)
    assert (success["requestPayload"], success["responsePayload"]) == (1, 1.0)
    assert success["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    failure = wait_for(lambda: record("RetriesExhausted"), "the record of the failure", timeout=60)
    assert failure["responseContext"]["functionError"] == "Unhandled"
    assert failure["responsePayload"]["errorType"] == "ZeroDivisionError"
    assert failure["requestContext"]["approximateInvokeCount"] == 1


def test_results_go_to_event_buses(functions, shared, unique):
    events, s3 = shared.client("events", "test", "test"), shared.client("s3", "test", "test")
    bucket, rule = unique("results"), unique("rule")
    s3.create_bucket(Bucket=bucket)
    bus = "arn:aws:events:us-east-1:000000000000:event-bus/default"
    worker = functions.create("def handler(e, c):\n    return 'done'\n", role=functions.role(allow("events:PutEvents")))
    keep = f"import boto3, json\ndef handler(e, c):\n    boto3.client('s3').put_object(Bucket='{bucket}', Key='e', Body=json.dumps(e))\n"
    keeper = functions.create(keep, role=functions.role(allow("s3:PutObject")), Timeout=60, MemorySize=512)
    pattern = {"source": ["lambda"], "resources": [{"suffix": f":{worker}:$LATEST"}]}
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
    keeper_arn = functions.client.get_function_configuration(FunctionName=keeper)["FunctionArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "keeper", "Arn": keeper_arn}])
    permission = {"StatementId": "rule", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    functions.client.add_permission(FunctionName=keeper, SourceArn=rule_arn, **permission)
    destination = {"OnSuccess": {"Destination": bus}}
    functions.client.put_function_event_invoke_config(FunctionName=worker, DestinationConfig=destination)
    functions.client.invoke(FunctionName=worker, InvocationType="Event", Payload=b"7")

    def kept():
        try:
            return json.loads(s3.get_object(Bucket=bucket, Key="e")["Body"].read())
        except ClientError:
            return None

    event = wait_for(kept, "the event on the bus", timeout=60)
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert (event["detail"]["requestPayload"], event["detail"]["responsePayload"]) == (7, "done")


def test_results_and_dead_letters_go_to_queues(functions, shared, unique):
    sqs = shared.client("sqs", "test", "test")
    names = [unique("success"), unique("failure"), unique("dead")]
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in names]
    arns = [f"arn:aws:sqs:us-east-1:000000000000:{name}" for name in names]
    code = "def handler(e, c):\n    return 1 / e\n"
    powerless = functions.role()
    with pytest.raises(ClientError) as caught:
        functions.create(code, role=powerless, DeadLetterConfig={"TargetArn": arns[2]})
    assert "does not have permissions to call SendMessage on SQS" in caught.value.response["Error"]["Message"]
    role = functions.role(allow("sqs:SendMessage"))
    name = functions.create(code, role=role, DeadLetterConfig={"TargetArn": arns[2]})
    client = functions.client
    assert client.get_function_configuration(FunctionName=name)["DeadLetterConfig"] == {"TargetArn": arns[2]}
    destinations = {"OnSuccess": {"Destination": arns[0]}, "OnFailure": {"Destination": arns[1]}}
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0, DestinationConfig=destinations)
    fifo = {"OnSuccess": {"Destination": arns[0] + ".fifo"}}
    put = lambda: client.put_function_event_invoke_config(FunctionName=name, DestinationConfig=fifo)
    refused(put, "InvalidParameterValueException")
    for event in [1, 0]:
        answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))

    def message(url):
        arguments = {"WaitTimeSeconds": 20, "MessageAttributeNames": ["All"]}
        return wait_for(lambda: sqs.receive_message(QueueUrl=url, **arguments).get("Messages"), "the message", 60)[0]

    success = json.loads(message(urls[0])["Body"])
    assert (success["requestContext"]["condition"], success["responsePayload"]) == ("Success", 1.0)
    failure = json.loads(message(urls[1])["Body"])
    assert failure["requestContext"]["condition"] == "RetriesExhausted"
    letter = message(urls[2])
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert letter["Body"] == "0"
    assert told["RequestID"] == answer["ResponseMetadata"]["RequestId"]
    assert (told["ErrorCode"], told["ErrorMessage"]) == ("200", "division by zero")
    client.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in client.get_function_configuration(FunctionName=name)


def test_queues_are_event_sources(functions, shared, unique):
    sqs, client = shared.client("sqs", "test", "test"), functions.client
    source, sink = unique("source"), unique("sink")
    attributes = {"VisibilityTimeout": "60"}
    urls = {name: sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"] for name in (source, sink)}
    arn = f"arn:aws:sqs:us-east-1:000000000000:{source}"
    # Passes the good ones on, and fails at the bad ones by name.
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    failed = []\n"
        "    for record in event['Records']:\n"
        "        if record['body'] == 'bad':\n"
        "            failed.append({'itemIdentifier': record['messageId']})\n"
        "        else:\n"
        f"            boto3.client('sqs').send_message(QueueUrl='{urls[sink]}', MessageBody=record['body'] + record['eventSourceARN'])\n"
        "    return {'batchItemFailures': failed}\n"
    )
    create = client.create_event_source_mapping
    powerless = functions.create(code)
    with pytest.raises(ClientError) as caught:
        create(FunctionName=powerless, EventSourceArn=arn)
    assert "permissions to call ReceiveMessage on SQS" in caught.value.response["Error"]["Message"]
    slow = functions.create(code, role=functions.role(allow("sqs:*")), Timeout=61)
    with pytest.raises(ClientError) as caught:
        create(FunctionName=slow, EventSourceArn=arn)
    assert "less than Function timeout" in caught.value.response["Error"]["Message"]
    name = functions.create(code, role=functions.role(allow("sqs:*")), Timeout=60, MemorySize=512)
    made = create(FunctionName=name, EventSourceArn=arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert (made["State"], made["BatchSize"]) == ("Enabled", 10)
    refused(lambda: create(FunctionName=name, EventSourceArn=arn), "ResourceConflictException")
    for body in ["good", "bad", "better"]:
        sqs.send_message(QueueUrl=urls[source], MessageBody=body)
    got = set()

    def passed_on():
        for message in sqs.receive_message(QueueUrl=urls[sink], WaitTimeSeconds=5, MaxNumberOfMessages=10).get("Messages", []):
            got.add(message["Body"])
        return got == {f"good{arn}", f"better{arn}"}

    wait_for(passed_on, "the messages that the function passes on", timeout=90)

    def only_the_bad_one_is_left():
        shown = sqs.get_queue_attributes(QueueUrl=urls[source], AttributeNames=["All"])["Attributes"]
        counts = [shown["ApproximateNumberOfMessages"], shown["ApproximateNumberOfMessagesNotVisible"]]
        return sorted(counts) == ["0", "1"]

    wait_for(only_the_bad_one_is_left, "the deletion of what was processed")
    uuid = made["UUID"]
    assert [each["UUID"] for each in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]] == [uuid]
    assert client.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabled"
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    sqs.send_message(QueueUrl=urls[source], MessageBody="unread")
    client.delete_event_source_mapping(UUID=uuid)
    refused(lambda: client.get_event_source_mapping(UUID=uuid), "ResourceNotFoundException")
    received = sqs.receive_message(QueueUrl=urls[source], WaitTimeSeconds=5)["Messages"]
    assert [message["Body"] for message in received] == ["unread"]


def test_event_configurations_are_kept(functions):
    name = functions.create(ECHO)
    client = functions.client
    refused(lambda: client.get_function_event_invoke_config(FunctionName=name), "ResourceNotFoundException")
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60)
    client.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=2)
    found = client.get_function_event_invoke_config(FunctionName=name)
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (2, 60)
    assert len(client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]) == 1
    topic = {"OnFailure": {"Destination": "arn:aws:sns:us-east-1:000000000000:t"}}
    put = lambda: client.put_function_event_invoke_config(FunctionName=name, DestinationConfig=topic)
    assert "SNS" in refused(put, "NotImplemented")
    client.delete_function_event_invoke_config(FunctionName=name)
    refused(lambda: client.delete_function_event_invoke_config(FunctionName=name), "ResourceNotFoundException")


def test_accepted_events_survive_kill_9(start, unique, tmp_path):
    server = start("--dev")
    functions = Functions(server, unique)
    bucket = unique("results")
    server.client("s3", "test", "test").create_bucket(Bucket=bucket)
    code = "import boto3\ndef handler(e, c):\n    boto3.client('s3').put_object(Bucket=e[0], Key=f'{e[1]:02}', Body=b'')\n"
    role = functions.role(allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/*"))
    name = functions.create(code, role=role, Timeout=60, MemorySize=512)
    for number in range(20):
        payload = json.dumps([bucket, number])
        answer = functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=payload)
        assert answer["StatusCode"] == 202
    server.kill()
    restarted = start("--dev")
    s3 = restarted.client("s3", "test", "test")

    def all_done():
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return keys == [f"{number:02}" for number in range(20)]

    wait_for(all_done, "every acknowledged event", timeout=120)
    again = Functions(restarted, unique)
    assert again.client.get_function(FunctionName=name)["Configuration"]["State"] == "Active"


# --- refused by name ---------------------------------------------------------------------------------------------------


def test_what_is_missing_is_named(functions):
    name = functions.create(ECHO)
    client = functions.client
    stream = {"FunctionName": name, "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s"}
    for call, operation in [
        (lambda: client.create_event_source_mapping(**stream, StartingPosition="LATEST"), "event source mappings of kinesis"),
        (lambda: client.create_function_url_config(FunctionName=name, AuthType="NONE"), "CreateFunctionUrlConfig"),
        (
            lambda: client.put_provisioned_concurrency_config(
                FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1
            ),
            "PutProvisionedConcurrencyConfig",
        ),
    ]:
        with pytest.raises(ClientError) as caught:
            call()
        assert operation in caught.value.response["Error"]["Message"]
