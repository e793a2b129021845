"""Condition keys of bucket policies: tags of the object and of the request, headers, prefixes; others are refused."""

import json

import pytest
from conftest import code


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("keyed")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def user(shared, unique):
    """Somebody whom only the bucket's policy lets in: the client, and the principal's ARN."""
    iam, name = shared.client("iam", "test", "test"), unique("reader")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return shared.client("s3", key["AccessKeyId"], key["SecretAccessKey"]), arn


def statement(user, bucket, *actions, effect="Allow", **condition):
    return {
        "Effect": effect,
        "Principal": {"AWS": user[1]},
        "Action": list(actions),
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        **({"Condition": condition} if condition else {}),
    }


def put_policy(s3, bucket, *statements):
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def tagged(s3, bucket, key, value):
    s3.put_object(Bucket=bucket, Key=key, Body=b"x", Tagging=f"security={value}&other=1")


PUBLIC = {"s3:ExistingObjectTag/security": "public"}
DENIED = ("AccessDenied", 403)


@pytest.mark.parametrize(
    "action, call",
    [
        ("s3:GetObject", "get_object"),
        ("s3:GetObject", "head_object"),
        ("s3:GetObjectTagging", "get_object_tagging"),
        ("s3:DeleteObjectTagging", "delete_object_tagging"),
        ("s3:GetObjectAcl", "get_object_acl"),
    ],
)
def test_tags_of_the_object(s3, bucket, user, action, call):
    for key, value in (("open", "public"), ("closed", "private")):
        tagged(s3, bucket, key, value)
    put_policy(s3, bucket, statement(user, bucket, action, StringEquals=PUBLIC))
    getattr(user[0], call)(Bucket=bucket, Key="open")
    assert code(getattr(user[0], call), Bucket=bucket, Key="closed")[1] == 403


def test_a_denial_by_tags_holds(s3, bucket, user):
    tagged(s3, bucket, "open", "public")
    tagged(s3, bucket, "closed", "private")
    deny = statement(user, bucket, "s3:GetObject", effect="Deny", StringNotEquals=PUBLIC)
    put_policy(s3, bucket, statement(user, bucket, "s3:GetObject"), deny)
    assert user[0].get_object(Bucket=bucket, Key="open")["Body"].read() == b"x"
    assert code(user[0].get_object, Bucket=bucket, Key="closed") == DENIED


def test_tags_of_the_request(s3, bucket, user):
    wanted = {"s3:RequestObjectTag/security": "public"}
    put_policy(s3, bucket, statement(user, bucket, "s3:PutObject", "s3:PutObjectTagging", StringEquals=wanted))
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    user[0].put_object(**put, Tagging="security=public")
    assert code(user[0].put_object, **put, Tagging="security=private") == DENIED
    assert code(user[0].put_object, **put) == DENIED
    at, tags = {"Bucket": bucket, "Key": "k"}, {"TagSet": [{"Key": "security", "Value": "public"}]}
    user[0].put_object_tagging(**at, Tagging=tags)
    tags["TagSet"][0]["Value"] = "private"
    assert code(user[0].put_object_tagging, **at, Tagging=tags) == DENIED
    assert s3.get_object_tagging(**at)["TagSet"][0]["Value"] == "public"


def test_names_of_the_requests_tags(s3, bucket, user):
    only = {"s3:RequestObjectTagKeys": ["team", "stage"]}
    allowed = statement(user, bucket, "s3:PutObject", "s3:PutObjectTagging", **{"ForAllValues:StringEquals": only})
    put_policy(s3, bucket, allowed)
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    user[0].put_object(**put, Tagging="team=a")
    assert code(user[0].put_object, **put, Tagging="team=a&owner=b") == DENIED


def test_versions(s3, bucket, user):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    one, two = (s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in (b"1", b"2"))
    condition = {"s3:VersionId": one}
    put_policy(s3, bucket, statement(user, bucket, "s3:GetObjectVersion", StringEquals=condition))
    assert user[0].get_object(Bucket=bucket, Key="k", VersionId=one)["Body"].read() == b"1"
    assert code(user[0].get_object, Bucket=bucket, Key="k", VersionId=two) == DENIED


@pytest.mark.parametrize(
    "key, member, good, bad",
    [
        ("s3:x-amz-acl", "ACL", "bucket-owner-full-control", None),
        ("s3:x-amz-server-side-encryption", "ServerSideEncryption", "AES256", None),
        ("s3:x-amz-storage-class", "StorageClass", "STANDARD_IA", "ONEZONE_IA"),
        ("s3:if-none-match", "IfNoneMatch", "*", None),
    ],
)
def test_headers_of_a_write(s3, bucket, user, key, member, good, bad):
    put_policy(s3, bucket, statement(user, bucket, "s3:PutObject", StringEquals={key: good}))
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    user[0].put_object(**put, **{member: good})
    assert code(user[0].put_object, **put, **({member: bad} if bad else {})) == DENIED


def test_sources_of_copies(s3, bucket, user):
    for key in ("public/a", "private/a"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    source = {"s3:x-amz-copy-source": f"{bucket}/public/*"}
    write = statement(user, bucket, "s3:PutObject", StringLike=source)
    put_policy(s3, bucket, statement(user, bucket, "s3:GetObject"), write)
    user[0].copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/public/a")
    assert code(user[0].copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/private/a") == DENIED


def test_listings(s3, bucket, user):
    few = statement(user, bucket, "s3:ListBucket", StringEquals={"s3:prefix": "public/", "s3:delimiter": "/"})
    put_policy(s3, bucket, few)
    user[0].list_objects_v2(Bucket=bucket, Prefix="public/", Delimiter="/")
    assert code(user[0].list_objects_v2, Bucket=bucket, Prefix="public/") == DENIED
    assert code(user[0].list_objects_v2, Bucket=bucket, Delimiter="/") == DENIED


@pytest.mark.parametrize(
    "change, error",
    [
        ({"Condition": {"StringEquals": {"s3:objectCreationOperation": "CopyObject"}}}, ("NotImplemented", 501)),
        ({"Condition": {"StringEquals": {"s3:weather": "fair"}}}, ("MalformedPolicy", 400)),
        ({"Action": "sqs:SendMessage"}, ("MalformedPolicy", 400)),
        ({"Action": ["s3:GetObject", "ec2:*"]}, ("MalformedPolicy", 400)),
        ({"Effect": "Perhaps"}, ("MalformedPolicy", 400)),
        ({"Principal": None}, ("MalformedPolicy", 400)),
        ({"Resource": "arn:aws:s3:::another-bucket/*"}, ("MalformedPolicy", 400)),
    ],
    ids=str,
)
def test_policies_that_would_not_be_honoured_are_refused(s3, bucket, user, change, error):
    document = {"Version": "2012-10-17", "Statement": [statement(user, bucket, "s3:GetObject") | change]}
    assert code(s3.put_bucket_policy, Bucket=bucket, Policy=json.dumps(document)) == error
    assert code(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", 404)


@pytest.mark.parametrize(
    "actions, resource, message",
    [
        (["s3:GetObject", "s3:ListObjects"], "/*", "Policy has invalid action"),
        (["sqs:SendMessage"], "/*", "Policy has invalid action"),
        (["s3:Weather*"], "/*", "Policy has invalid action"),
        (["s3:GetObject"], "", "Action does not apply to any resource(s) in statement"),
        (["s3:GetObject", "s3:ListBucket"], "/*", "Action does not apply to any resource(s) in statement"),
        (["s3:ListAllMyBuckets"], "*", "Action does not apply to any resource(s) in statement"),
        (["s3:getobject", "s3:Put*", "s3:*", "s3:AbortMultipartUpload"], "/*", None),
        (["s3:ListBucket", "s3:GetObject*"], "*", None),
    ],
)
def test_actions_are_s3_s_and_fit_their_resources(s3, bucket, actions, resource, message):
    statement = {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": actions}
    statement |= {"Resource": f"arn:aws:s3:::{bucket}{resource}", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    if message is None:
        s3.put_bucket_policy(Bucket=bucket, Policy=text)
        return
    with pytest.raises(s3.exceptions.ClientError) as error:
        s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert error.value.response["Error"]["Code"] == "MalformedPolicy"
    assert error.value.response["Error"]["Message"] == message


def test_new_buckets_and_their_tags(shared, s3, unique):
    iam, name = shared.client("iam", "test", "test"), unique("maker")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    maker = shared.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
    only_blue = {"StringEquals": {"aws:RequestTag/team": "blue", "s3:x-amz-object-ownership": "ObjectWriter"}}
    let = {"Effect": "Allow", "Action": ["s3:CreateBucket", "s3:TagResource"], "Resource": "*", "Condition": only_blue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [let]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)

    def make(team, **more):
        tags = {"Tags": [{"Key": "team", "Value": team}]} if team else {}
        wanted = {"Bucket": unique("made"), "CreateBucketConfiguration": tags}
        maker.create_bucket(**wanted, **more)
        return wanted["Bucket"]

    made = make("blue", ObjectOwnership="ObjectWriter")
    assert s3.get_bucket_tagging(Bucket=made)["TagSet"] == [{"Key": "team", "Value": "blue"}]
    for team, ownership in [("red", "ObjectWriter"), ("", "ObjectWriter"), ("blue", "BucketOwnerPreferred")]:
        assert code(make, team=team, ObjectOwnership=ownership) == ("AccessDenied", 403)
    assert code(s3.create_bucket, Bucket=unique("no"), CreateBucketConfiguration={"Tags": [{"Key": "aws:x", "Value": ""}]}) == (
        "InvalidTag",
        400,
    )
