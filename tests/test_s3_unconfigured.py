"""What tools such as Terraform and the CDK read of every bucket: a new one answers as AWS's do."""

import pytest
from conftest import code


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("plain")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    return name


@pytest.mark.parametrize(
    "read, answer",
    [
        ("get_bucket_request_payment", {"Payer": "BucketOwner"}),
        ("get_bucket_accelerate_configuration", {}),
        ("get_bucket_versioning", {}),
        ("get_bucket_logging", {}),
        ("get_bucket_notification", {}),
        ("get_bucket_notification_configuration", {}),
        ("list_bucket_analytics_configurations", {"IsTruncated": False}),
        ("list_bucket_metrics_configurations", {"IsTruncated": False}),
        ("list_bucket_intelligent_tiering_configurations", {"IsTruncated": False}),
        ("list_bucket_inventory_configurations", {"IsTruncated": False}),
    ],
)
def test_reads_that_find_nothing(s3, bucket, read, answer):
    got = getattr(s3, read)(Bucket=bucket)
    assert {name: value for name, value in got.items() if name != "ResponseMetadata"} == answer


@pytest.mark.parametrize(
    "read, error",
    [
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_lifecycle", "NoSuchLifecycleConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy"),
        ("get_bucket_tagging", "NoSuchTagSet"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
def test_reads_that_say_there_is_nothing(s3, bucket, read, error):
    assert code(getattr(s3, read), Bucket=bucket) == (error, 404)
    assert code(getattr(s3, read), Bucket="no-such-bucket-here") == ("NoSuchBucket", 404)


@pytest.mark.parametrize("kind", ["analytics", "metrics", "intelligent_tiering", "inventory"])
def test_configurations_by_id(s3, bucket, kind):
    for verb in ("get", "delete"):
        call = getattr(s3, f"{verb}_bucket_{kind}_configuration")
        assert code(call, Bucket=bucket, Id="x") == ("NoSuchConfiguration", 404)


def test_deletes_of_nothing_go_well(s3, bucket):
    for subject in ("website", "replication", "cors", "lifecycle", "policy", "tagging", "encryption"):
        answer = getattr(s3, f"delete_bucket_{subject}")(Bucket=bucket)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204, subject


def test_what_would_configure_it_is_refused_by_name(s3, bucket):
    def refused(call, **arguments):
        with pytest.raises(s3.exceptions.ClientError) as error:
            call(Bucket=bucket, **arguments)
        answer = error.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("NotImplemented", 501)
        return answer["Error"]["Message"]

    website = {"IndexDocument": {"Suffix": "index.html"}}
    assert "PutBucketWebsite" in refused(s3.put_bucket_website, WebsiteConfiguration=website)
    fast = {"Status": "Enabled"}
    assert "Accelerate" in refused(s3.put_bucket_accelerate_configuration, AccelerateConfiguration=fast)
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    pays = {"Payer": "Requester"}
    assert "requesters" in refused(s3.put_bucket_request_payment, RequestPaymentConfiguration=pays)
    query = {"Expression": "SELECT 1", "ExpressionType": "SQL", "InputSerialization": {}, "OutputSerialization": {}}
    assert "SelectObjectContent" in refused(s3.select_object_content, Key="k", **query)
    assert "GetObjectTorrent" in refused(s3.get_object_torrent, Key="k")


def test_nothing_is_in_an_archive(s3, bucket):
    wanted = {"RestoreRequest": {"Days": 1}}
    assert code(s3.restore_object, Bucket=bucket, Key="k", **wanted) == ("InvalidObjectState", 403)
    assert code(s3.restore_object, Bucket=bucket, Key="none", **wanted) == ("NoSuchKey", 404)


def test_old_names_of_operations(s3, bucket):
    rule = {"ID": "old", "Prefix": "tmp/", "Status": "Enabled", "Expiration": {"Days": 3}}
    s3.put_bucket_lifecycle(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle(Bucket=bucket)["Rules"] == [rule]
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]
    s3.put_bucket_notification(Bucket=bucket, NotificationConfiguration={})


def test_writes_answer_with_awss_status(s3, bucket):
    tags = {"TagSet": [{"Key": "a", "Value": "1"}]}
    assert s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)["ResponseMetadata"]["HTTPStatusCode"] == 204
