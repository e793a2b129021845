"""SSE-C and SSE-KMS: keys of the client, which are not kept, and named keys, which IAM is asked about."""

import base64
import hashlib
import json

import pytest
from conftest import allow, code, wait_for

KEY, OTHER = b"k" * 32, b"o" * 32
MARK = b"nobody may read this on disk "


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("keys")
    s3.create_bucket(Bucket=name)
    return name


def with_key(key=KEY, prefix="SSE"):
    return {f"{prefix}CustomerAlgorithm": "AES256", f"{prefix}CustomerKey": key}


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_clients_key_opens_its_objects_and_nothing_else_does(start, tmp_path):
    server = start("--dev")
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="raw")
    for size in [0, 10, 5_000, 3_000_000]:
        body = (MARK * (size // len(MARK) + 1))[:size]
        which = {"Bucket": "raw", "Key": f"k{size}"}
        put = s3.put_object(**which, Body=body, **with_key())
        md5 = base64.b64encode(hashlib.md5(KEY).digest()).decode()
        assert (put["SSECustomerAlgorithm"], put["SSECustomerKeyMD5"]) == ("AES256", md5)
        assert "ServerSideEncryption" not in put
        got = s3.get_object(**which, **with_key())
        assert got["Body"].read() == body and got["SSECustomerKeyMD5"] == md5
        assert s3.head_object(**which, **with_key())["ContentLength"] == size
        assert code(s3.get_object, **which) == ("InvalidRequest", 400)
        assert code(s3.get_object, **which, **with_key(OTHER)) == ("AccessDenied", 403)
        assert code(s3.head_object, **which)[1] == 400
        assert code(s3.head_object, **which, **with_key(OTHER))[1] == 403
    s3.put_object(Bucket="raw", Key="plain", Body=b"x")
    assert code(s3.get_object, Bucket="raw", Key="plain", **with_key()) == ("InvalidRequest", 400)
    server.kill()
    server = start("--dev")
    s3 = server.client("s3", "test", "test")
    body = s3.get_object(Bucket="raw", Key="k3000000", Range="bytes=100000-200000", **with_key())["Body"].read()
    assert body == (MARK * 110_000)[100_000:200_001]
    server.kill()
    forms = [KEY, base64.b64encode(KEY), KEY.hex().encode(), MARK]
    for path in files(tmp_path / "data") + [tmp_path / "data.log"]:
        held = path.read_bytes()
        assert not any(form in held for form in forms), path


def test_uploads_in_parts_and_copies_with_the_clients_key(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", **with_key())
    assert upload["SSECustomerAlgorithm"] == "AES256"
    part = {"Bucket": bucket, "Key": "m", "UploadId": upload["UploadId"]}
    assert code(s3.upload_part, **part, PartNumber=1, Body=b"x") == ("InvalidRequest", 400)
    assert code(s3.upload_part, **part, PartNumber=1, Body=b"x", **with_key(OTHER)) == ("InvalidRequest", 400)
    one, two = b"1" * 5_242_880, b"2" * 10
    parts = []
    for number, body in enumerate([one, two], 1):
        sent = s3.upload_part(**part, PartNumber=number, Body=body, **with_key())
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="m", **with_key())["Body"].read() == one + two
    assert s3.get_object(Bucket=bucket, Key="m", PartNumber=2, **with_key())["Body"].read() == two
    source = {"Bucket": bucket, "Key": "m"}
    assert code(s3.copy_object, Bucket=bucket, Key="c", CopySource=source) == ("InvalidRequest", 400)
    wrong = with_key(OTHER, "CopySourceSSE")
    assert code(s3.copy_object, Bucket=bucket, Key="c", CopySource=source, **wrong) == ("AccessDenied", 403)
    rightly = with_key(KEY, "CopySourceSSE")
    s3.copy_object(Bucket=bucket, Key="c", CopySource=source, **rightly, **with_key(OTHER))
    assert s3.get_object(Bucket=bucket, Key="c", **with_key(OTHER))["Body"].read() == one + two
    s3.copy_object(Bucket=bucket, Key="c", CopySource=source, **rightly, ServerSideEncryption="AES256")
    assert s3.get_object(Bucket=bucket, Key="c")["Body"].read() == one + two
    upload = s3.create_multipart_upload(Bucket=bucket, Key="p")["UploadId"]
    part = {"Bucket": bucket, "Key": "p", "UploadId": upload}
    assert code(s3.upload_part_copy, **part, PartNumber=1, CopySource=source) == ("InvalidRequest", 400)
    copied = s3.upload_part_copy(**part, PartNumber=1, CopySource=source, CopySourceRange="bytes=5242870-5242889", **rightly)
    listed = [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": listed})
    assert s3.get_object(Bucket=bucket, Key="p")["Body"].read() == b"1" * 10 + b"2" * 10


def test_broken_keys_are_refused(s3, bucket):
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    assert code(s3.put_object, **put, **with_key(b"short")) == ("InvalidArgument", 400)
    coded = base64.b64encode(KEY).decode()
    assert code(s3.put_object, **put, **with_key(coded), SSECustomerKeyMD5="AAAA") == ("InvalidArgument", 400)
    assert code(s3.put_object, **put, **with_key() | {"SSECustomerAlgorithm": "ROT13"}) == ("InvalidArgument", 400)
    assert code(s3.put_object, **put, **with_key(), ServerSideEncryption="AES256") == ("InvalidArgument", 400)


def test_named_keys_are_kept_and_told(shared, s3, bucket):
    arn = "arn:aws:kms:us-east-1:000000000000:key/0f0f-a"
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 9_000, ServerSideEncryption="aws:kms", SSEKMSKeyId="0f0f-a")
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", arn)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", arn)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x" * 9_000
    plain = s3.put_object(Bucket=bucket, Key="d", Body=b"x", ServerSideEncryption="aws:kms")
    assert plain["SSEKMSKeyId"].endswith("alias/aws/s3")
    source = {"Bucket": bucket, "Key": "k"}
    assert s3.copy_object(Bucket=bucket, Key="c", CopySource=source)["ServerSideEncryption"] == "AES256"
    copied = s3.copy_object(Bucket=bucket, Key="c", CopySource=source, ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
    assert copied["SSEKMSKeyId"] == arn
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/lake"}}
    configuration = {"Rules": [rule | {"BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"] == configuration
    alias = "arn:aws:kms:us-east-1:000000000000:alias/lake"
    assert s3.put_object(Bucket=bucket, Key="e", Body=b"x")["SSEKMSKeyId"] == alias
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")
    assert upload["SSEKMSKeyId"] == alias
    assert s3.put_object(Bucket=bucket, Key="e", Body=b"x", ServerSideEncryption="AES256").get("SSEKMSKeyId") is None


def test_iam_is_asked_about_named_keys(shared, s3, bucket, unique):
    iam = shared.client("iam", "test", "test")
    user = unique("holder")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    holder = shared.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
    arn = "arn:aws:kms:us-east-1:000000000000:key/mine"
    put = {"Bucket": bucket, "Key": "k", "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": arn}

    def let(*statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)

    let(allow("s3:*"))
    assert code(holder.put_object, **put) == ("AccessDenied", 403)
    holder.put_object(**put | {"SSEKMSKeyId": "alias/aws/s3"})
    assert holder.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    let(allow("s3:*"), allow("kms:GenerateDataKey", resource=arn))
    holder.put_object(**put)
    assert code(holder.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    assert code(holder.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k") == ("AccessDenied", 403)
    let(allow("s3:*"), allow("kms:Decrypt", resource=arn))
    assert holder.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_the_sql_engine_asks_for_keys_of_who_asks_it(shared, s3, bucket, unique):
    iam, glue = shared.client("iam", "test", "test"), shared.client("glue", "test", "test")
    user, database = unique("analyst"), unique("kept").replace("-", "_")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    athena = shared.client("athena", key["AccessKeyId"], key["SecretAccessKey"])
    arn = f"arn:aws:kms:us-east-1:000000000000:key/{unique('key')}"
    s3.put_object(Bucket=bucket, Key="t/a.csv", Body=b"1\n2\n", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
    serde = {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", "Parameters": {"field.delim": ","}}
    glue.create_database(DatabaseInput={"Name": database})
    storage = {"Columns": [{"Name": "n", "Type": "int"}], "Location": f"s3://{bucket}/t/", "SerdeInfo": serde}
    storage["InputFormat"] = "org.apache.hadoop.mapred.TextInputFormat"
    glue.create_table(
        DatabaseName=database, TableInput={"Name": "t", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
    )

    def outcome(*statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
        started = athena.start_query_execution(
            QueryString=f"SELECT sum(n) FROM {database}.t", ResultConfiguration={"OutputLocation": f"s3://{bucket}/r/"}
        )["QueryExecutionId"]

        def ended():
            status = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            return status["State"] in ("SUCCEEDED", "FAILED") and status

        return wait_for(ended, "the end of the query")

    usual = allow("s3:*", "glue:*", "athena:*")
    refused = outcome(usual)
    assert refused["State"] == "FAILED" and "Access Denied" in refused["StateChangeReason"], refused
    assert outcome(usual, allow("kms:Decrypt", resource=arn))["State"] == "SUCCEEDED"
    # A bucket that wants a key for what is written asks for it too.
    named = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": named}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)
    assert outcome(usual, allow("kms:Decrypt", resource=arn))["State"] == "FAILED"
    assert outcome(usual, allow("kms:Decrypt", "kms:GenerateDataKey", resource=arn))["State"] == "SUCCEEDED"
