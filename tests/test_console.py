"""The console as HTTP clients see it: pages and their headers, and how people are let in."""

import http.client
import json
import urllib.parse

import botocore.auth
import botocore.awsrequest
import pytest
from botocore.credentials import Credentials

from conftest import allow, client, code, document


def ask(server, method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def sign_in(server, key, body="{}"):
    """A session for whoever has the key, as an answer or a refusal."""
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key.get("SessionToken"))
    url = f"{server.url}/_console/api/session"
    request = botocore.awsrequest.AWSRequest("POST", url, headers={"content-type": "application/json"}, data=body)
    botocore.auth.SigV4Auth(credentials, "console", "us-east-1").add_auth(request)
    status, _, answer = ask(server, "POST", "/_console/api/session", body, dict(request.headers))
    return status, json.loads(answer)


ROOT = {"AccessKeyId": "test", "SecretAccessKey": "test"}


def link_of(server):
    """The one-time link that the server prints behind its three lines."""
    return [server.process.stdout.readline() for _ in range(3)][-1].split()[-1]


def test_every_address_is_the_page_with_a_strict_policy(shared):
    for path in ("/_console", "/_console/", "/_console/storage/buckets/b?prefix=x"):
        status, headers, body = ask(shared, "GET", path)
        assert status == 200 and headers["content-type"] == "text/html; charset=utf-8"
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert b"__NONCE__" not in body and b"<html" in body
    assert ask(shared, "GET", "/_console/assets/none.js")[0] == 404
    assert ask(shared, "DELETE", "/_console/")[0] == 405


def test_the_pages_come_from_a_folder_if_one_is_named(start, tmp_path):
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<html>mine __NONCE__</html>")
    (site / "assets" / "a.js").write_text("1")
    server = start("--dev", "--console-dir", str(site))
    assert b"mine" in ask(server, "GET", "/_console/")[2]
    status, headers, body = ask(server, "GET", "/_console/assets/a.js", headers={"accept-encoding": "br"})
    assert (status, body, headers["cache-control"]) == (200, b"1", "public, max-age=31536000, immutable")
    # Nothing beside the folder.
    for path in ("/_console/../data/credentials", "/_console/%2e%2e/data/credentials", "/_console/assets/../../data/x"):
        assert b"aws_secret" not in ask(server, "GET", path)[2]


def test_who_has_a_key_gets_a_session_that_may_do_what_the_user_may(shared, unique):
    status, session = sign_in(shared, ROOT)
    assert status == 200 and session["Arn"].endswith(":root") and 3590 <= session["ExpiresInSeconds"] <= 3600
    assert client(shared, "sts", session).get_caller_identity()["Arn"].endswith(":root")

    iam = shared.client("iam", "test", "test")
    name = unique("user")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("iam:GetUser")))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    status, session = sign_in(shared, key)
    assert status == 200
    # As in AWS's console, and other than with GetSessionToken, people may call IAM.
    assert client(shared, "iam", session).get_user()["User"]["UserName"] == name
    assert code(client(shared, "iam", session).list_users) == ("AccessDenied", 403)
    # The session prolongs itself, but begins no sessions of STS.
    status, prolonged = sign_in(shared, session)
    assert status == 200 and prolonged["AccessKeyId"] != session["AccessKeyId"]
    assert code(client(shared, "sts", session).get_session_token)[0] == "AccessDenied"
    iam.delete_user_policy(UserName=name, PolicyName="p")
    assert code(client(shared, "iam", session).get_user) == ("AccessDenied", 403)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)
    assert sign_in(shared, session)[0] == 403


@pytest.mark.parametrize("key", [{"AccessKeyId": "AKIANOBODY", "SecretAccessKey": "x"}, ROOT | {"SecretAccessKey": "x"}])
def test_who_has_no_right_key_gets_none(shared, key):
    assert sign_in(shared, key)[0] == 403


def test_sessions_of_sts_are_used_as_they_are(shared):
    session = shared.client("sts", "test", "test").get_session_token()["Credentials"]
    status, refused = sign_in(shared, session)
    assert (status, refused["__type"]) == (403, "AccessDeniedException")


def test_unsigned_and_broken_requests_are_refused(shared):
    def session(body):
        status, _, answer = ask(shared, "POST", "/_console/api/session", body)
        return status, json.loads(answer)["__type"]

    assert session("{}") == (403, "MissingAuthenticationTokenException")
    assert session('{"LinkToken": ""}') == (403, "InvalidLinkException")
    assert session('{"LinkToken": 1}')[0] == 400
    assert session("[")[0] == 400
    assert ask(shared, "POST", "/_console/api/session", b"x" * (11 << 20))[0] in (400, 413)


def test_a_link_lets_in_once_and_is_in_no_log(start):
    server = start("--dev")
    link = link_of(server)
    assert link.startswith(f"{server.url}/_console/login#link=")
    token = link.partition("#link=")[2]
    body = json.dumps({"LinkToken": token})
    status, _, answer = ask(server, "POST", "/_console/api/session", body)
    assert status == 200
    assert client(server, "sts", json.loads(answer)).get_caller_identity()["Arn"].endswith(":root")
    assert ask(server, "POST", "/_console/api/session", body)[0] == 403
    server.log.seek(0)
    log = server.log.read()
    assert '"operation":"CreateSession"' in log and token not in log


def test_documents_from_elsewhere_are_not_of_the_consoles_origin(shared, unique):
    s3 = shared.client("s3", "test", "test")
    bucket = unique("bucket")
    s3.create_bucket(Bucket=bucket)
    for kind, isolated in (("text/html", True), ("image/svg+xml", True), ("text/csv", False)):
        s3.put_object(Bucket=bucket, Key="k", Body=b"<script>1</script>", ContentType=kind)
        headers = s3.get_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"]
        assert ("sandbox" in headers.get("content-security-policy", "")) == isolated, kind
        assert "allow-same-origin" not in headers.get("content-security-policy", "")
