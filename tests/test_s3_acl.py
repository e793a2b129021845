"""ACLs, object ownership and S3 Block Public Access."""

import json

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from conftest import allow, code

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def stranger(shared):
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=shared.url, region_name="us-east-1", config=config)


@pytest.fixture
def bucket(s3, unique):
    name = unique("lists")
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerPreferred")
    return name


def grants(answer):
    named = lambda grantee: grantee.get("URI", "owner").rsplit("/", 1)[-1]
    return [(named(it["Grantee"]), it["Permission"]) for it in answer["Grants"]]


def test_new_buckets_have_no_lists(s3, unique):
    bucket = unique("enforced")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    refused = ("AccessControlListNotSupported", 400)
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ACL="public-read") == refused
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"x", GrantRead=f'uri="{EVERYBODY}"') == refused
    assert code(s3.put_object_acl, Bucket=bucket, Key="k", ACL="public-read") == refused
    assert code(s3.put_bucket_acl, Bucket=bucket, ACL="authenticated-read") == refused
    assert code(s3.create_multipart_upload, Bucket=bucket, Key="k", ACL="public-read") == refused
    assert grants(s3.get_object_acl(Bucket=bucket, Key="k")) == [("owner", "FULL_CONTROL")]
    controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert controls == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    both = code(s3.create_bucket, Bucket=unique("both"), ACL="public-read")
    assert both == ("InvalidBucketAclWithObjectOwnership", 400)
    public = {"Bucket": unique("public"), "ACL": "public-read", "ObjectOwnership": "ObjectWriter"}
    assert code(s3.create_bucket, **public) == ("InvalidBucketAclWithBlockPublicAccessError", 400)


def test_public_lists_are_blocked_until_that_is_lifted(s3, stranger, bucket):
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ACL="public-read") == ("AccessDenied", 403)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert code(s3.put_object_acl, Bucket=bucket, Key="k", ACL="public-read") == ("AccessDenied", 403)
    assert code(s3.put_bucket_acl, Bucket=bucket, ACL="public-read") == ("AccessDenied", 403)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="public-read")
    assert grants(s3.get_object_acl(Bucket=bucket, Key="k")) == [("owner", "FULL_CONTROL"), ("AllUsers", "READ")]
    assert stranger.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert code(stranger.put_object, Bucket=bucket, Key="k", Body=b"y") == ("AccessDenied", 403)
    assert code(stranger.get_object_acl, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert code(stranger.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    s3.delete_public_access_block(Bucket=bucket)
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced)
    assert code(stranger.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    assert grants(s3.get_object_acl(Bucket=bucket, Key="k")) == [("owner", "FULL_CONTROL")]
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert stranger.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_lists_of_buckets_let_strangers_list_and_write(s3, stranger, bucket):
    s3.delete_public_access_block(Bucket=bucket)
    assert code(stranger.list_objects_v2, Bucket=bucket) == ("AccessDenied", 403)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    stranger.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert [it["Key"] for it in stranger.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]
    assert code(stranger.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    stranger.delete_object(Bucket=bucket, Key="k")
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    refused = code(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=enforced)
    assert refused == ("InvalidBucketAclWithObjectOwnership", 400)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    assert code(stranger.put_object, Bucket=bucket, Key="k", Body=b"x") == ("AccessDenied", 403)
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    assert code(stranger.list_objects_v2, Bucket=bucket) == ("AccessDenied", 403)


def test_grants_are_kept_with_the_version(shared, s3, stranger, bucket, unique):
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"1", GrantRead=f'uri="{EVERYBODY}"')["VersionId"]
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    assert stranger.get_object(Bucket=bucket, Key="k", VersionId=one)["Body"].read() == b"1"
    assert code(stranger.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]
    policy = {
        "Owner": owner,
        "Grants": [
            {"Grantee": {"Type": "CanonicalUser", "ID": owner["ID"]}, "Permission": "FULL_CONTROL"},
            {"Grantee": {"Type": "Group", "URI": EVERYBODY}, "Permission": "READ_ACP"},
        ],
    }
    s3.put_object_acl(Bucket=bucket, Key="k", VersionId=two, AccessControlPolicy=policy)
    assert ("AllUsers", "READ_ACP") in grants(stranger.get_object_acl(Bucket=bucket, Key="k"))
    iam = shared.client("iam", "test", "test")
    user = unique("writer")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:PutObject")]})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
    writer = shared.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
    writer.put_object(Bucket=bucket, Key="w", Body=b"x")
    assert code(writer.put_object, Bucket=bucket, Key="w", Body=b"x", ACL="public-read") == ("AccessDenied", 403)
    everybody = s3.put_object(Bucket=bucket, Key="auth", Body=b"a", ACL="authenticated-read")["VersionId"]
    assert writer.get_object(Bucket=bucket, Key="auth", VersionId=everybody)["Body"].read() == b"a"
    assert code(stranger.get_object, Bucket=bucket, Key="auth") == ("AccessDenied", 403)


def test_broken_lists_are_refused(s3, bucket):
    s3.delete_public_access_block(Bucket=bucket)
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    assert code(s3.put_object, **put, ACL="aws-exec-read") == ("NotImplemented", 501)
    assert code(s3.put_object, **put, GrantRead='id="0000"') == ("InvalidArgument", 400)
    assert code(s3.put_object, **put, GrantRead='uri="http://example.com"') == ("InvalidArgument", 400)
    mail = 'emailAddress="a@example.com"'
    assert code(s3.put_object, **put, GrantRead=mail) == ("UnresolvableGrantByEmailAddress", 400)
    both = {"ACL": "private", "GrantRead": f'uri="{EVERYBODY}"'}
    assert code(s3.put_object, **put, **both) == ("InvalidRequest", 400)
    assert code(s3.put_bucket_acl, Bucket=bucket, AccessControlPolicy={"Grants": []}) == ("MalformedACLError", 400)
    wrong = {"Rules": [{"ObjectOwnership": "Nobody"}]}
    assert code(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=wrong) == ("MalformedXML", 400)


def test_who_may_list_learns_that_a_key_is_missing(shared, s3, stranger, bucket):
    s3.delete_public_access_block(Bucket=bucket)
    assert code(stranger.get_object, Bucket=bucket, Key="none") == ("AccessDenied", 403)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert code(stranger.get_object, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert code(stranger.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    # To the nameless a refusal says nothing of its reason.
    assert code(stranger.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
    assert code(shared.client("s3", "test", "test").get_object, Bucket=bucket, Key="none") == ("AccessDenied", 403)
