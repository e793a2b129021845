"""The AWS command line, unmodified: aws s3, s3api, glue, iam and sts in processes of their own."""

import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from conftest import BINARY

# The launcher beside this interpreter: the suites' own environment has it, whatever is on the PATH.
AWS = [sys.executable, os.path.join(os.path.dirname(sys.executable), "aws")]
MEGABYTE = 1024 * 1024


def run(server, *arguments, key=("test", "test"), cwd=None, stdin=None):
    command = [*AWS, *map(str, arguments)]
    return subprocess.run(
        command, env=server.environment(*key), cwd=cwd, input=stdin, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def aws(shared, tmp_path):
    """Runs the command line and answers what it printed; it must have gone well."""

    def call(*arguments, **options):
        done = run(shared, *arguments, cwd=tmp_path, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture
def refused(shared, tmp_path):
    """Runs the command line and answers what it complained of; it must not have gone well."""

    def call(*arguments, **options):
        done = run(shared, *arguments, cwd=tmp_path, **options)
        assert done.returncode != 0, done.stdout
        return done.stderr

    return call


@pytest.fixture
def bucket(shared, unique):
    name = unique("cli")
    shared.client("s3", "test", "test").create_bucket(Bucket=name)
    return name


def test_buckets_come_and_go(aws, refused, unique):
    name = unique("made-by-cli")
    assert f"make_bucket: {name}" in aws("s3", "mb", f"s3://{name}")
    assert name in aws("s3", "ls")
    aws("s3", "cp", "-", f"s3://{name}/a/b.txt", stdin="hello")
    assert "BucketNotEmpty" in refused("s3", "rb", f"s3://{name}")
    aws("s3", "rb", "--force", f"s3://{name}")
    assert name not in aws("s3", "ls")
    assert "NoSuchBucket" in refused("s3", "ls", f"s3://{name}")


def test_a_large_file_goes_up_in_parts_and_comes_back(aws, shared, bucket, tmp_path):
    body = os.urandom(20 * MEGABYTE + 17)
    (tmp_path / "large").write_bytes(body)
    aws("s3", "cp", "large", f"s3://{bucket}/large", "--content-type", "application/x-large", "--metadata", "from=cli")
    found = shared.client("s3", "test", "test").head_object(Bucket=bucket, Key="large")
    assert found["ContentLength"] == len(body)
    assert found["ETag"].strip('"').endswith("-3"), "8 MiB a part"
    assert (found["ContentType"], found["Metadata"]) == ("application/x-large", {"from": "cli"})
    aws("s3", "cp", f"s3://{bucket}/large", "again")
    assert hashlib.sha256((tmp_path / "again").read_bytes()).digest() == hashlib.sha256(body).digest()
    aws("s3", "cp", f"s3://{bucket}/large", f"s3://{bucket}/copy")
    listed = aws("s3", "ls", "--summarize", f"s3://{bucket}/")
    assert "Total Objects: 2" in listed and f"Total Size: {2 * len(body)}" in listed


def test_sync_carries_over_what_changed(aws, bucket, tmp_path):
    folder = tmp_path / "from"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.txt", "b c.txt", "deep/ünï+1.txt", "skip.tmp"):
        (folder / name).write_text(f"this is {name}")
    up = ("s3", "sync", "from", f"s3://{bucket}/tree", "--exclude", "*.tmp")
    assert aws(*up).count("upload:") == 3
    assert aws(*up) == "", "nothing has changed"
    (folder / "a.txt").write_text("this has changed")
    (folder / "b c.txt").unlink()
    again = aws(*up, "--delete")
    assert again.count("upload:") == 1 and again.count("delete:") == 1
    aws("s3", "sync", f"s3://{bucket}/tree", "to")
    back = {str(path.relative_to(tmp_path / "to")): path.read_text() for path in (tmp_path / "to").rglob("*.txt")}
    assert back == {"a.txt": "this has changed", "deep/ünï+1.txt": "this is deep/ünï+1.txt"}


def test_listing_moving_and_removing(aws, bucket, tmp_path):
    (tmp_path / "one.txt").write_text("one")
    aws("s3", "cp", "one.txt", f"s3://{bucket}/x/one.txt")
    aws("s3", "mv", f"s3://{bucket}/x/one.txt", f"s3://{bucket}/y/two.txt")
    assert "PRE y/" in aws("s3", "ls", f"s3://{bucket}/")
    assert [line.split()[2:] for line in aws("s3", "ls", "--recursive", f"s3://{bucket}").splitlines()] == [["3", "y/two.txt"]]
    assert aws("s3", "cp", f"s3://{bucket}/y/two.txt", "-") == "one"
    aws("s3", "rm", "--recursive", f"s3://{bucket}/y/")
    assert json.loads(aws("s3api", "list-objects-v2", "--bucket", bucket) or "{}").get("Contents") is None


def test_presigned_addresses_work_until_they_are_touched(shared, bucket, tmp_path):
    (tmp_path / "config").write_text("[default]\ns3 =\n  signature_version = s3v4\n")
    shared.client("s3", "test", "test").put_object(Bucket=bucket, Key="secret.txt", Body=b"only with a signature")
    command = [*AWS, "s3", "presign", f"s3://{bucket}/secret.txt", "--expires-in", "60"]
    environment = shared.environment() | {"AWS_CONFIG_FILE": str(tmp_path / "config")}
    address = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    assert fetch(address) == (200, b"only with a signature")
    for old, new in (("secret.txt", "other.txt"), ("Expires=60", "Expires=61"), (address[-1], "0" if address[-1] != "0" else "1")):
        assert fetch(new.join(address.rsplit(old, 1)))[0] == 403
    assert fetch(address.split("?")[0])[0] == 403


@pytest.mark.parametrize("signer", ["aws-cli", "boto3"])
def test_presigned_addresses_of_clients_without_settings(aws, shared, bucket, signer):
    s3 = shared.client("s3", "test", "test")
    s3.put_object(Bucket=bucket, Key="k", Body=b"signed")
    if signer == "boto3":
        address = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    else:
        address = aws("s3", "presign", f"s3://{bucket}/k").strip()
    assert "AWSAccessKeyId=" in address, "signature version 2 is what both sign with by default in us-east-1"
    assert fetch(address) == (200, b"signed")
    for changed in (address.replace("/k?", "/other?"), f"{address}&acl", re.sub(r"Expires=\d+", "Expires=9999999999", address)):
        assert fetch(changed)[0] == 403, changed
    assert b"Request has expired" in fetch(re.sub(r"Expires=\d+", "Expires=1", address))[1]


def test_presigned_uploads_of_clients_without_settings(shared, bucket):
    s3 = shared.client("s3", "test", "test")
    wanted = {"Bucket": bucket, "Key": "a b/é+1.txt", "ContentType": "text/plain", "Metadata": {"origin": "form"}}
    address = s3.generate_presigned_url("put_object", Params=wanted)

    def put(**headers):
        request = urllib.request.Request(address, b"sent", {"Content-Type": "text/plain", **headers}, method="PUT")
        return fetch(request)

    assert put(**{"x-amz-acl": "public-read"})[0] == 403
    assert put(**{"Content-Type": "text/html"})[0] == 403
    assert put() == (200, b"")
    found = s3.head_object(Bucket=bucket, Key=wanted["Key"])
    assert (found["ContentType"], found["Metadata"]) == ("text/plain", {"origin": "form"})
    shown = {"Bucket": bucket, "Key": wanted["Key"], "ResponseContentDisposition": 'attachment; filename="x y"'}
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=shown)) as answer:
        assert (answer.read(), answer.headers["Content-Disposition"]) == (b"sent", shown["ResponseContentDisposition"])


def fetch(address):
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def test_s3api_objects(aws, refused, bucket, tmp_path):
    (tmp_path / "body").write_text("0123456789")
    put = ("s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", "body", "--tagging", "team=sail")
    made = json.loads(aws(*put, "--checksum-algorithm", "SHA256"))
    assert made["ETag"] and made["ChecksumSHA256"]
    assert "PreconditionFailed" in refused(*put, "--if-none-match", "*")
    tags = json.loads(aws("s3api", "get-object-tagging", "--bucket", bucket, "--key", "k"))
    assert tags["TagSet"] == [{"Key": "team", "Value": "sail"}]
    part = json.loads(aws("s3api", "get-object", "--bucket", bucket, "--key", "k", "--range", "bytes=2-4", "part"))
    assert (tmp_path / "part").read_text() == "234" and part["ContentRange"] == "bytes 2-4/10"
    assert "NoSuchKey" in refused("s3api", "get-object", "--bucket", bucket, "--key", "none", "nothing")
    assert "404" in refused("s3api", "head-object", "--bucket", bucket, "--key", "none")


def test_s3api_multipart(aws, bucket, tmp_path):
    (tmp_path / "p1").write_bytes(b"a" * 5 * MEGABYTE)
    (tmp_path / "p2").write_bytes(b"b")
    where = ("--bucket", bucket, "--key", "parts")
    upload = json.loads(aws("s3api", "create-multipart-upload", *where))["UploadId"]
    tags = []
    for number in (1, 2):
        sent = aws("s3api", "upload-part", *where, "--upload-id", upload, "--part-number", number, "--body", f"p{number}")
        tags.append({"PartNumber": number, "ETag": json.loads(sent)["ETag"]})
    assert len(json.loads(aws("s3api", "list-parts", *where, "--upload-id", upload))["Parts"]) == 2
    parts = json.dumps({"Parts": tags})
    aws("s3api", "complete-multipart-upload", *where, "--upload-id", upload, "--multipart-upload", parts)
    assert json.loads(aws("s3api", "head-object", *where))["ContentLength"] == 5 * MEGABYTE + 1


def test_glue_tables(aws, refused, bucket, unique):
    database = unique("cli_db").replace("-", "_")
    aws("glue", "create-database", "--database-input", json.dumps({"Name": database}))
    columns = [{"Name": "carrier", "Type": "string"}]
    table = {"Name": "flights", "StorageDescriptor": {"Columns": columns, "Location": f"s3://{bucket}/f/"}}
    aws("glue", "create-table", "--database-name", database, "--table-input", json.dumps(table))
    found = aws("glue", "get-tables", "--database-name", database, "--query", "TableList[].StorageDescriptor.Columns[0].Name")
    assert json.loads(found) == ["carrier"]
    again = refused("glue", "create-table", "--database-name", database, "--table-input", json.dumps(table))
    assert "AlreadyExistsException" in again
    assert "EntityNotFoundException" in refused("glue", "get-table", "--database-name", database, "--name", "none")


def test_sts_and_wrong_keys(aws, refused):
    assert json.loads(aws("sts", "get-caller-identity"))["Arn"] == "arn:aws:iam::000000000000:root"
    assert "SignatureDoesNotMatch" in refused("s3", "ls", key=("test", "wrong"))
    assert "InvalidClientTokenId" in refused("sts", "get-caller-identity", key=("nobody", "test"))


def test_an_assumed_role_does_what_it_may(aws, shared, bucket, tmp_path, unique):
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    role = unique("reader")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = json.loads(aws("iam", "create-role", "--role-name", role, "--assume-role-policy-document", document))
    read = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": f"arn:aws:s3:::{bucket}/open/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    aws("iam", "put-role-policy", "--role-name", role, "--policy-name", "read", "--policy-document", policy)
    for key in ("open/a", "closed/a"):
        aws("s3", "cp", "-", f"s3://{bucket}/{key}", stdin=key)
    wanted = ("--role-arn", made["Role"]["Arn"], "--role-session-name", "cli")
    key = json.loads(aws("sts", "assume-role", *wanted))["Credentials"]
    session = shared.environment(key["AccessKeyId"], key["SecretAccessKey"]) | {"AWS_SESSION_TOKEN": key["SessionToken"]}
    answers = {}
    for name in ("open/a", "closed/a"):
        command = [*AWS, "s3api", "get-object", "--bucket", bucket, "--key", name, "/dev/stdout"]
        answers[name] = subprocess.run(command, env=session, capture_output=True, text=True, timeout=60)
    assert answers["open/a"].returncode == 0 and answers["open/a"].stdout.startswith("open/a")
    assert "AccessDenied" in answers["closed/a"].stderr


def test_the_printed_credentials_let_the_command_line_in(start, tmp_path):
    server = start()
    printed = subprocess.run(
        [BINARY, "credentials", "--data-dir", tmp_path / "data"], check=True, capture_output=True, text=True
    ).stdout
    key = [line.split("=", 1)[1] for line in printed.splitlines()]
    done = run(server, "sts", "get-caller-identity", "--query", "Account", "--output", "text", key=key)
    assert done.stdout.strip() == "000000000000", done.stderr
