"""SSE-S3: what asks for it, or whose bucket does as new ones do, is encrypted at rest and says so."""

import json
import os
import subprocess
import sys

import pytest
from conftest import allow, code

AWS = [sys.executable, os.path.join(os.path.dirname(sys.executable), "aws")]
MARK = b"nobody who reads the disk may read this "


def on_disk(directory, mark=MARK):
    return any(mark in path.read_bytes() for path in directory.rglob("*") if path.is_file())


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("sealed")
    s3.create_bucket(Bucket=name)
    return name


@pytest.mark.parametrize("size", [0, 10, 5_000, 70_000, 3_000_000])
def test_objects_come_back_whole_and_in_ranges(s3, bucket, size):
    body = (MARK * (size // len(MARK) + 1))[:size]
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ServerSideEncryption="AES256")
    assert put["ServerSideEncryption"] == "AES256"
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["ServerSideEncryption"], got["ETag"]) == (body, "AES256", put["ETag"])
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ServerSideEncryption"], head["ContentLength"]) == ("AES256", size)
    for first, last in [(0, 0), (size // 2, size // 2 + 99), (max(size - 7, 0), size - 1), (65_500, 65_560)]:
        if first <= last < size:
            part = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}")["Body"].read()
            assert part == body[first : last + 1]


def test_nothing_of_it_is_on_the_disk(start, tmp_path):
    server = start("--dev")
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="sealed")
    for size in (100, 50_000, 2_000_000):
        s3.put_object(Bucket="sealed", Key=f"{size}", Body=MARK * (size // len(MARK)), ServerSideEncryption="AES256")
    server.kill()
    directory = tmp_path / "data"
    assert not on_disk(directory)
    server = start("--dev")
    s3 = server.client("s3", "test", "test")
    for size in (100, 50_000, 2_000_000):
        assert s3.get_object(Bucket="sealed", Key=f"{size}")["Body"].read() == MARK * (size // len(MARK))
    keys = list(directory.rglob("master.key"))
    assert len(keys) == 1 and keys[0].stat().st_mode & 0o777 == 0o600


def test_uploads_in_parts_and_copies(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ServerSideEncryption="AES256")
    assert upload["ServerSideEncryption"] == "AES256"
    name = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    bodies = [b"a" * (5 << 20), b"b" * 1000]
    parts = []
    for number, body in enumerate(bodies, 1):
        part = s3.upload_part(**name, PartNumber=number, Body=body)
        assert part["ServerSideEncryption"] == "AES256"
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    done = s3.complete_multipart_upload(**name, MultipartUpload={"Parts": parts})
    assert done["ServerSideEncryption"] == "AES256"
    across = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={(5 << 20) - 2}-{(5 << 20) + 1}")
    assert (across["Body"].read(), across["ServerSideEncryption"]) == (b"aabb", "AES256")
    source = {"Bucket": bucket, "Key": "k"}
    assert s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)["ServerSideEncryption"] == "AES256"


RULES = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]


def test_an_installation_may_leave_it_to_those_who_ask(start, monkeypatch, tmp_path):
    monkeypatch.setenv("BOATHOUSE_PLAIN_BUCKETS", "1")
    server = start("--dev")
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="open")
    assert code(s3.get_bucket_encryption, Bucket="open")[0] == "ServerSideEncryptionConfigurationNotFoundError"
    assert "ServerSideEncryption" not in s3.put_object(Bucket="open", Key="plain", Body=MARK)
    assert "ServerSideEncryption" not in s3.head_object(Bucket="open", Key="plain")
    assert on_disk(tmp_path / "data"), "and nothing says that it is encrypted"
    source = {"Bucket": "open", "Key": "plain"}
    # A copy to itself that encrypts it is a change, and so is allowed.
    s3.copy_object(Bucket="open", Key="plain", CopySource=source, ServerSideEncryption="AES256")
    got = s3.get_object(Bucket="open", Key="plain")
    assert (got["Body"].read(), got["ServerSideEncryption"]) == (MARK, "AES256")
    s3.put_bucket_encryption(Bucket="open", ServerSideEncryptionConfiguration={"Rules": RULES})
    assert s3.put_object(Bucket="open", Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket="open")
    assert "ServerSideEncryption" not in s3.put_object(Bucket="open", Key="k", Body=b"x")


def test_what_says_nothing_is_not_on_the_disk_either(start, tmp_path):
    server = start("--dev")
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="usual")
    for size in (100, 50_000, 2_000_000):
        s3.put_object(Bucket="usual", Key=f"{size}", Body=MARK * (size // len(MARK)))
    server.kill()
    assert not on_disk(tmp_path / "data")
    s3 = start("--dev").client("s3", "test", "test")
    got = s3.get_object(Bucket="usual", Key="2000000", Range="bytes=1000000-1000039")
    assert (len(got["Body"].read()), got["ServerSideEncryption"]) == (40, "AES256")


def test_new_buckets_want_it_for_all(shared, s3, bucket):
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == RULES
    named = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": named})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == named
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == RULES
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"
    assert s3.create_multipart_upload(Bucket=bucket, Key="m")["ServerSideEncryption"] == "AES256"
    # What services of this process write is no exception.
    athena = shared.client("athena", "test", "test")
    name = athena.start_query_execution(
        QueryString="SELECT 1 AS n", ResultConfiguration={"OutputLocation": f"s3://{bucket}/results/"}
    )["QueryExecutionId"]
    while (s := athena.get_query_execution(QueryExecutionId=name)["QueryExecution"])["Status"]["State"] != "SUCCEEDED":
        assert s["Status"]["State"] in ("QUEUED", "RUNNING"), s["Status"]
    result = s3.get_object(Bucket=bucket, Key=f"results/{name}.csv")
    assert (result["Body"].read(), result["ServerSideEncryption"]) == (b'"n"\n"1"\n', "AES256")


def test_other_algorithms_are_refused_by_name(s3, bucket):
    def put(algorithm, **more):
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **more}}
        return code(
            s3.put_bucket_encryption, Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )[0]

    assert put("aws:kms:dsse") == "NotImplemented"
    assert put("AES256", KMSMasterKeyID="k") == "InvalidArgument"
    assert put("ROT13") == "MalformedXML"
    wrong = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    assert code(s3.put_object, **wrong, ServerSideEncryption="aws:kms:dsse")[0] == "NotImplemented"
    assert code(s3.put_object, **wrong, ServerSideEncryption="AES256", SSEKMSKeyId="k")[0] == "InvalidArgument"
    assert code(s3.put_object, **wrong, ServerSideEncryption="ROT13")[0] == "InvalidArgument"
    assert code(s3.head_object, Bucket=bucket, Key="k")[0] == "404"


def test_a_policy_may_insist_on_it(shared, s3, bucket, unique):
    iam = shared.client("iam", "test", "test")
    user = unique("writer")
    iam.create_user(UserName=user)
    policy = {"Version": "2012-10-17", "Statement": [allow("s3:PutObject")]}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    writer = shared.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    assert code(writer.put_object, Bucket=bucket, Key="k", Body=b"x")[0] == "AccessDenied"
    writer.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")


def test_the_command_line_deploys_through_a_bucket(shared, s3, bucket, unique, tmp_path):
    """aws-cli uploads what a stack is made of with AES256 unless it is told otherwise."""
    template = tmp_path / "template.json"
    wanted = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    made = unique("made")
    resource = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": made, "BucketEncryption": wanted}}
    template.write_text(json.dumps({"Resources": {"Made": resource}}))
    command = [*AWS, "cloudformation", "deploy", "--stack-name", unique("sealed"), "--s3-bucket", bucket]
    ran = subprocess.run(
        [*command, "--template-file", str(template)], env=shared.environment(), capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    staged = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert s3.head_object(Bucket=bucket, Key=staged[0]["Key"])["ServerSideEncryption"] == "AES256"
    rules = s3.get_bucket_encryption(Bucket=made)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
