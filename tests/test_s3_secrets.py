"""Nothing that opens a door gets into the logs: keys, session tokens, signatures, customers' keys, forms' policies."""

import base64
import json
import re
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import wait_for
from wire import connect, plain, talk

CUSTOMER_KEY = b"customers-own-key-of-32-bytes-!!"


def tries(call, *arguments, **named):
    try:
        return call(*arguments, **named)
    except (ClientError, urllib.error.HTTPError) as refused:
        return refused


def form(address, fields):
    lines = []
    for name, value in fields.items():
        lines += ["--X", f'Content-Disposition: form-data; name="{name}"', "", value]
    lines += ["--X", 'Content-Disposition: form-data; name="file"; filename="f"', "", "x", "--X--", ""]
    headers = {"Content-Type": "multipart/form-data; boundary=X"}
    return urllib.request.Request(address, data="\r\n".join(lines).encode(), headers=headers)


@pytest.fixture
def server(start, monkeypatch):
    monkeypatch.setenv("BOATHOUSE_LOG", "debug")
    return start("--dev")


def test_no_secret_is_logged(server, tmp_path):
    """Every way of signing, each once as it should be and once broken, at the level that says most."""
    iam, sts = server.client("iam", "test", "test"), server.client("sts", "test", "test")
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="logged")
    s3.create_bucket(Bucket="logs")
    delivery = {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}
    delivery["Resource"] = "arn:aws:s3:::logs/*"
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [delivery]}))
    target = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": ""}}
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus=target)
    iam.create_user(UserName="user")
    key = iam.create_access_key(UserName="user")["AccessKey"]
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    everything = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="user", PolicyName="all", PolicyDocument=everything)
    trust = allow | {"Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}
    del trust["Resource"]
    role = iam.create_role(
        RoleName="role", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(RoleName="role", PolicyName="all", PolicyDocument=everything)
    user = (key["AccessKeyId"], key["SecretAccessKey"])
    session = server.client("sts", *user).assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="session")["Credentials"]
    secrets = {user[1], session["SecretAccessKey"], session["SessionToken"]}
    secrets |= {CUSTOMER_KEY.decode(), base64.b64encode(CUSTOMER_KEY).decode()}
    encryption = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": CUSTOMER_KEY}
    temporary = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])

    def client(key_id, secret, token=None, version="s3v4"):
        config = Config(signature_version=version, retries={"max_attempts": 1})
        keys = {"aws_access_key_id": key_id, "aws_secret_access_key": secret, "aws_session_token": token}
        return boto3.client("s3", endpoint_url=server.url, region_name="us-east-1", config=config, **keys)

    def noted(request, **_):
        secrets.update(re.findall(r"Signature=([\w%/+=]+)", request.headers.get("Authorization", "")))

    for who in (user, temporary, (user[0], "wrong"), (*temporary[:2], "wrong-token-that-nobody-has")):
        signing = client(*who)
        signing.meta.events.register("request-created.s3", noted)
        tries(signing.put_object, Bucket="logged", Key="k", Body=b"x", **encryption)
        tries(signing.get_object, Bucket="logged", Key="k", **encryption)
        tries(signing.get_object, Bucket="logged", Key="k")
        for version in ("s3", "s3v4"):
            signing = client(*who, version=version)
            for key in ("k", "none"):
                url = signing.generate_presigned_url("get_object", {"Bucket": "logged", "Key": key})
                members = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
                secrets |= {members.get(name, "") for name in ("x-amz-signature", "signature", "x-amz-security-token")}
                tries(urllib.request.urlopen, url)
                tries(urllib.request.urlopen, url + "broken")
                talk(server, plain(server, f"GET {url.removeprefix(server.url)}&x=%zz HTTP/1.1"))
        posted = client(*who).generate_presigned_post("logged", "form")
        secrets |= {posted["fields"][name] for name in ("policy", "x-amz-signature")}
        tries(urllib.request.urlopen, form(posted["url"], posted["fields"]))
        tries(urllib.request.urlopen, form(posted["url"], posted["fields"] | {"extra": "1"}))
    other = sts.get_session_token()["Credentials"]
    secrets |= {other["SecretAccessKey"], other["SessionToken"]}
    for who in (user, (user[0], "wrong")):
        tries(server.client("iam", *who).create_access_key, UserName="user")
        tries(server.client("athena", *who).list_data_catalogs)
    delivered = wait_for(lambda: s3.list_objects_v2(Bucket="logs").get("Contents"), "an access log", timeout=60)
    lines = [s3.get_object(Bucket="logs", Key=it["Key"])["Body"].read().decode() for it in delivered]
    server.stop()
    told = "\n".join([open(f"{tmp_path}/data.log").read(), *lines])
    assert "user/user" in told and "PutObject" in told, "the log says something"
    found = [secret for secret in secrets if len(secret) > 7 and secret in told]
    assert not found


def test_who_sends_nothing_is_not_waited_for(shared):
    """A head that never ends, and a body that never comes: both connections are closed."""
    put = b"PUT /raw/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nsome"
    with connect(shared) as head, connect(shared) as body:
        head.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        body.sendall(put)
        for connection in (head, body):
            connection.settimeout(90)
            while connection.recv(65536):
                pass
