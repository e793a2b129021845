"""The server itself, through boto3 and plain HTTP."""

import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from conftest import BINARY


def root_key(data_dir):
    printed = subprocess.run(
        [BINARY, "credentials", "--data-dir", data_dir], check=True, capture_output=True, text=True
    ).stdout
    return [line.split("=", 1)[1] for line in printed.splitlines()]


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_root_key_pair_works_and_survives_a_restart(start, tmp_path):
    for _ in range(2):
        server = start()
        identity = server.client("sts", *root_key(tmp_path / "data")).get_caller_identity()
        assert identity["Arn"] == "arn:aws:iam::000000000000:root"
        assert identity["Account"] == "000000000000"
        assert identity["ResponseMetadata"]["RequestId"]
        server.stop()


def test_wrong_keys_are_refused(start, tmp_path):
    server = start()
    key, _ = root_key(tmp_path / "data")
    assert refusal(server.client("sts", key, "wrong").get_caller_identity) == ("SignatureDoesNotMatch", 403)
    assert refusal(server.client("sts", "test", "test").get_caller_identity) == ("InvalidClientTokenId", 403)


def test_dev_accepts_the_test_key_on_loopback_only(start, tmp_path):
    server = start("--dev")
    assert server.client("sts", "test", "test").get_caller_identity()["UserId"] == "000000000000"
    command = [BINARY, "serve", "--dev", "--listen", "0.0.0.0:0", "--data-dir", tmp_path / "other"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert refused.returncode == 1 and "loopback" in refused.stderr


def test_what_is_missing_says_so(start):
    server = start("--dev")
    sts = server.client("sts", "test", "test")
    task = {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}
    assert refusal(sts.assume_root, TargetPrincipal="000000000000", TaskPolicyArn=task) == ("InvalidAction", 400)
    assert refusal(server.client("glue", "test", "test").list_sessions) == ("UnknownOperationException", 400)
    torrent = server.client("s3", "test", "test").get_object_torrent
    assert refusal(torrent, Bucket="raw-data", Key="a") == ("NotImplemented", 501)


def test_unsigned_calls_are_refused(start):
    server = start("--dev")
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(server.url, data=body, timeout=10)
    assert caught.value.code == 403
    assert b"<Code>MissingAuthenticationToken</Code>" in caught.value.read()


def test_a_data_directory_serves_one_process(start, tmp_path):
    start()
    command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert second.returncode == 1 and "in use by another process" in second.stderr


def test_health_and_the_audit_line(start, tmp_path):
    server = start("--dev")
    with urllib.request.urlopen(f"{server.url}/_boathouse/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
    server.client("sts", "test", "test").get_caller_identity()
    server.stop()
    lines = [json.loads(line) for line in open(f"{tmp_path / 'data'}.log")]
    (audit,) = [line["fields"] for line in lines if line["target"] == "audit"]
    assert (audit["service"], audit["operation"], audit["status"]) == ("sts", "GetCallerIdentity", 200)
    assert audit["principal"] == "arn:aws:iam::000000000000:root"


def test_forms_that_nest_too_deep_are_refused(start):
    server = start("--dev")
    body = b"Action=GetCallerIdentity&Version=2011-06-15&" + b".".join([b"a"] * 40) + b"=1"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(server.url, data=body, timeout=10)
    assert caught.value.code == 400
    assert b"<Code>MalformedQueryString</Code>" in caught.value.read()


def test_json_errors_name_their_type_in_a_header(start):
    server = start("--dev")
    headers = {"X-Amz-Target": "AWSGlue.GetTables", "Content-Type": "application/x-amz-json-1.1"}
    request = urllib.request.Request(server.url, data=b"{}", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 403
    assert caught.value.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert json.load(caught.value)["__type"] == "MissingAuthenticationTokenException"


def test_a_body_over_the_limit_is_refused(start):
    server = start("--dev")
    headers = {"X-Amz-Target": "AWSGlue.GetTables", "Content-Type": "application/x-amz-json-1.1"}
    request = urllib.request.Request(server.url, data=b" " * (16 * 1024 * 1024 + 1), headers=headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 413


@pytest.mark.parametrize("command", [["credentials", "--data-dir", "keys"], ["operations"], ["doctor", "--data-dir", "keys"]])
def test_commands_bear_that_nobody_reads(tmp_path, command):
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([BINARY, *command], cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_doctor_tries_disk_and_sandbox(tmp_path):
    def said(**variables):
        command = [BINARY, "doctor", "--data-dir", tmp_path / "data"]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | variables).stdout

    lines = {line[2:19].strip(): line[20:] for line in said().splitlines() if line.startswith("  ")}
    assert lines["sandbox"].startswith("namespaces") and lines["fdatasync"].endswith("(median of 64)")
    assert lines["python3"].startswith("Python 3") and lines["Python's venv"] == "installed"
    assert "BOATHOUSE_SANDBOX" in said(BOATHOUSE_SANDBOX="none")
    assert "missing: Node.js functions run on it" in said(PATH=str(tmp_path))
