"""PostObject: uploads by browser forms, signed by boto3 and by hand."""

import base64
import datetime
import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

import pytest
from botocore.exceptions import ClientError
from conftest import allow

BOUNDARY = "form-of-a-test"


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("forms")
    s3.create_bucket(Bucket=name)
    return name


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def send(url, fields, file=b"the file", filename="a.txt"):
    """Posts a form; answers status, headers and body, also of errors and redirections."""
    parts = []
    for name, value in fields.items():
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    if file is not None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        parts.append(head.encode() + b"Content-Type: text/plain\r\n\r\n" + file + b"\r\n")
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        answer = urllib.request.build_opener(NoRedirect).open(request)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer.read().decode()


def code(body):
    return ET.fromstring(body).findtext("Code")


def form(bucket, conditions, fields, expires=600, key="test", secret="test", document=None):
    """The fields of a form that is signed by hand, with Signature Version 2."""
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=expires)
    document = document or {
        "expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "conditions": [{"bucket": bucket}, *conditions],
    }
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    signature = base64.b64encode(hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()).decode()
    return {**fields, "AWSAccessKeyId": key, "signature": signature, "policy": policy}


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_post_uploads_what_it_allows(shared, s3, bucket, version):
    client = shared.client("s3", "test", "test", signature_version=version)
    post = client.generate_presigned_post(
        bucket,
        "in/${filename}",
        Fields={"Content-Type": "text/csv", "x-amz-meta-origin": "form"},
        Conditions=[
            {"Content-Type": "text/csv"},
            {"x-amz-meta-origin": "form"},
            ["content-length-range", 1, 20],
        ],
    )
    status, headers, body = send(post["url"], post["fields"], b"a,b\r\n1,2\r\n", "x y.csv")
    assert (status, body) == (204, "")
    stored = s3.get_object(Bucket=bucket, Key="in/x y.csv")
    assert stored["Body"].read() == b"a,b\r\n1,2\r\n"
    assert (stored["ContentType"], stored["Metadata"]) == ("text/csv", {"origin": "form"})
    assert headers["ETag"] == stored["ETag"]
    assert headers["Location"].endswith(f"{bucket}/in%2Fx%20y.csv")
    assert code(send(post["url"], post["fields"], b"x" * 21)[2]) == "EntityTooLarge"
    assert code(send(post["url"], post["fields"], b"")[2]) == "EntityTooSmall"
    changed = {**post["fields"], "Content-Type": "text/html"}
    status, _, body = send(post["url"], changed)
    assert (status, code(body)) == (403, "AccessDenied") and "Policy Condition failed" in body
    extra = {"x-amz-meta-more": "1", **post["fields"]}
    assert "Extra input fields: x-amz-meta-more" in send(post["url"], extra)[2]
    assert [it["Key"] for it in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["in/x y.csv"]


def test_how_success_is_told(shared, s3, bucket):
    url = f"{shared.url}/{bucket}"
    allowed = [["starts-with", "$key", ""], ["starts-with", "$success_action_status", ""]]
    for wanted, got in [("200", 200), ("201", 201), ("204", 204), ("404", 204)]:
        status, headers, body = send(url, form(bucket, allowed, {"key": "k&1", "success_action_status": wanted}))
        assert status == got
        if wanted == "201":
            told = ET.fromstring(body)
            assert [told.findtext(name) for name in ["Bucket", "Key", "ETag"]] == [bucket, "k&1", headers["ETag"]]
            assert told.findtext("Location") == headers["Location"] == f"{url}/k%261"
        else:
            assert body == ""
    page = "https://example.com/done?a=1"
    allowed = [["starts-with", "$key", ""], ["eq", "$success_action_redirect", page]]
    fields = {"key": "in/b c", "success_action_redirect": page, "success_action_status": "201"}
    allowed.append({"success_action_status": "201"})
    status, headers, _ = send(url, form(bucket, allowed, fields))
    assert status == 303
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)
    etag = s3.head_object(Bucket=bucket, Key="in/b c")["ETag"]
    assert query == {"a": ["1"], "bucket": [bucket], "key": ["in/b c"], "etag": [etag]}


def test_policies_are_kept(shared, s3, bucket):
    url = f"{shared.url}/{bucket}"
    any_key = [["starts-with", "$key", ""]]

    def refused(fields, status, expected, **options):
        got, _, body = send(url, fields, **options)
        assert (got, code(body)) == (status, expected), body

    refused(form(bucket, any_key, {"key": "k"}, expires=-5), 403, "AccessDenied")
    refused(form("another", any_key, {"key": "k"}), 403, "AccessDenied")
    refused(form(bucket, [["eq", "$key", "other"]], {"key": "k"}), 403, "AccessDenied")
    refused(form(bucket, any_key, {"key": "k"}, secret="wrong"), 403, "SignatureDoesNotMatch")
    refused(form(bucket, any_key, {"key": "k"}, key="nobody"), 403, "InvalidAccessKeyId")
    refused(form(bucket, [{}], {"key": "k"}), 400, "InvalidPolicyDocument")
    refused(form(bucket, [["content-length-range", 0]], {"key": "k"}), 400, "InvalidPolicyDocument")
    refused(form(bucket, [], {"key": "k"}, document={"conditions": []}), 400, "InvalidPolicyDocument")
    refused(form(bucket, any_key, {}), 400, "InvalidArgument")
    refused(form(bucket, any_key, {"key": "k"}), 400, "InvalidArgument", file=None)
    signed = form(bucket, any_key, {"key": "k"})
    for name in ["policy", "signature", "AWSAccessKeyId"]:
        refused({key: value for key, value in signed.items() if key != name}, 400, "InvalidArgument")
    refused({**signed, "x-ignore-this": "x" * 30_000}, 400, "MaxPostPreDataLengthExceededError")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert send(url, {"x-ignore-this": "x", **signed})[0] == 204


def test_fields_become_what_headers_are(shared, s3, bucket):
    url = f"{shared.url}/{bucket}"
    file = b"--\r\n--form-of-a\r\n-- bytes" * 40_000
    fields = {
        "key": "user/a",
        "Cache-Control": "no-cache",
        "tagging": "<Tagging><TagSet><Tag><Key>a b</Key><Value>1</Value></Tag></TagSet></Tagging>",
        "x-amz-server-side-encryption": "AES256",
        "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(file).digest()).decode(),
    }
    allowed = [["starts-with", f"${name}", ""] for name in fields]
    assert send(url, form(bucket, allowed, fields), file)[0] == 204
    stored = s3.get_object(Bucket=bucket, Key="user/a", ChecksumMode="ENABLED")
    assert stored["Body"].read() == file
    assert (stored["CacheControl"], stored["ServerSideEncryption"], stored["TagCount"]) == ("no-cache", "AES256", 1)
    assert stored["ChecksumSHA256"] == fields["x-amz-checksum-sha256"]
    assert s3.get_object_tagging(Bucket=bucket, Key="user/a")["TagSet"] == [{"Key": "a b", "Value": "1"}]
    wrong = send(url, form(bucket, allowed, fields), file + b"more")
    assert (wrong[0], code(wrong[2])) == (400, "BadDigest")
    gone = {"key": "user/b", "x-amz-write-offset-bytes": "5"}
    status, _, body = send(url, form(bucket, [["starts-with", f"${name}", ""] for name in gone], gone))
    assert (status, code(body)) == (501, "NotImplemented")


def test_whoever_signed_must_be_allowed_to_put(shared, s3, bucket, unique):
    iam = shared.client("iam", "test", "test")
    user = unique("poster")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    url = f"{shared.url}/{bucket}"
    signed = form(bucket, [["starts-with", "$key", ""]], {"key": "k"}, 600, key["AccessKeyId"], key["SecretAccessKey"])
    status, _, body = send(url, signed)
    assert (status, code(body)) == (403, "AccessDenied") and "s3:PutObject" in body
    policy = {"Version": "2012-10-17", "Statement": [allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/*")]}
    iam.put_user_policy(UserName=user, PolicyName="put", PolicyDocument=json.dumps(policy))
    assert send(url, signed)[0] == 204
    status, _, body = send(url, {"key": "stranger"})
    assert (status, code(body)) == (403, "AccessDenied")
    with pytest.raises(ClientError):
        s3.head_object(Bucket=bucket, Key="stranger")
    s3.delete_public_access_block(Bucket=bucket)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))
    assert send(url, {"key": "stranger"})[0] == 204


def test_a_form_that_breaks_off_stores_nothing(shared, s3, bucket):
    fields = form(bucket, [["starts-with", "$key", ""]], {"key": "k"})
    status, _, body = send(f"{shared.url}/{bucket}", fields, b"x" * 3_000_000 + b"\r\n--form-of-a-tesT--")
    assert status == 204
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 3_000_000 + 20
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\nbroken\r\n'
    request = urllib.request.Request(
        f"{shared.url}/{bucket}",
        head.encode(),
        {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        method="POST",
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert (error.value.status, code(error.value.read())) == (400, "MalformedPOSTRequest")
    nowhere = f"no-{bucket}"
    missing = send(f"{shared.url}/{nowhere}", form(nowhere, [["starts-with", "$key", ""]], {"key": "k"}))
    assert (missing[0], code(missing[2])) == (404, "NoSuchBucket")
