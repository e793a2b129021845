"""Condition keys that services hand to IAM, each where it allows and where it does not; resource policies by whom they name."""

import datetime
import json

import pytest
from botocore.exceptions import ClientError

from conftest import client, document, wait_for

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from conftest import Server

    server = Server(tmp_path_factory.mktemp("conditions") / "data", "--dev")
    yield server
    server.stop()


@pytest.fixture
def iam(server):
    return server.client("iam", "test", "test")


def allow(*actions, resource="*", **condition):
    made = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def make_user(iam, name, *statements):
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return iam.create_access_key(UserName=name)["AccessKey"]


def message(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException"), error
    return error["Message"]


@pytest.fixture
def room(server, iam, unique):
    """A bucket, a user, and a way to say under which condition the user may do what."""

    class Room:
        bucket, name = unique("bucket"), unique("user")
        root = server.client("s3", "test", "test")

        def __init__(self):
            self.root.create_bucket(Bucket=self.bucket)
            self.s3 = client(server, "s3", make_user(iam, self.name))

        def may(self, *actions, **condition):
            statements = [allow(*actions, **condition), allow("s3:PutObjectTagging", "s3:PutObjectAcl")]
            iam.put_user_policy(UserName=self.name, PolicyName="own", PolicyDocument=document(*statements))

        def put(self, **arguments):
            return self.s3.put_object(**{"Bucket": self.bucket, "Key": "k", "Body": b"1"} | arguments)

        def refused(self, call, **arguments):
            assert "because no identity-based policy allows" in message(call, **arguments)

    return Room()


@pytest.mark.parametrize(
    "condition, right, wrong",
    [
        ({"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}, {"ServerSideEncryption": "AES256"}, {}),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}}, {"StorageClass": "STANDARD_IA"}, {}),
        ({"StringEquals": {"s3:RequestObjectTag/team": "blue"}}, {"Tagging": "team=blue"}, {"Tagging": "team=red"}),
        (
            {"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team"]}},
            {"Tagging": "team=blue"},
            {"Tagging": "team=blue&other=1"},
        ),
        ({"StringEquals": {"s3:if-none-match": "*"}}, {"IfNoneMatch": "*"}, {}),
        ({"Null": {"s3:if-none-match": "false"}}, {"IfNoneMatch": "*"}, {}),
        ({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, {"ACL": "bucket-owner-full-control"}, {}),
        ({"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "k1"}}, None, {}),
    ],
)
def test_writes_are_judged_by_their_headers(room, condition, right, wrong):
    room.may("s3:PutObject", **condition)
    room.refused(room.put, Key="other", **wrong)
    if right is not None:
        room.put(**right)


def test_reads_are_judged_by_tags_and_versions(room):
    room.root.put_bucket_versioning(Bucket=room.bucket, VersioningConfiguration={"Status": "Enabled"})
    first = room.root.put_object(Bucket=room.bucket, Key="k", Body=b"1", Tagging="class=open")["VersionId"]
    second = room.root.put_object(Bucket=room.bucket, Key="k", Body=b"2", Tagging="class=secret")["VersionId"]
    where = {"Bucket": room.bucket, "Key": "k"}
    room.may("s3:GetObject", "s3:GetObjectVersion", StringEquals={"s3:ExistingObjectTag/class": "open"})
    room.refused(room.s3.get_object, **where)
    assert room.s3.get_object(**where, VersionId=first)["Body"].read() == b"1"
    room.may("s3:GetObjectVersion", "s3:DeleteObjectVersion", StringEquals={"s3:VersionId": second})
    assert room.s3.get_object(**where, VersionId=second)["Body"].read() == b"2"
    room.refused(room.s3.get_object, **where, VersionId=first)
    room.refused(room.s3.delete_object, **where, VersionId=first)
    room.s3.delete_object(**where, VersionId=second)
    room.may("s3:PutObjectTagging", StringEquals={"s3:RequestObjectTag/class": "open"})


def test_listings_are_judged_by_prefix_delimiter_and_size(room):
    room.may("s3:ListBucket", StringEquals={"s3:prefix": "a/", "s3:delimiter": "/"}, NumericLessThanEquals={"s3:max-keys": 10})
    right = {"Bucket": room.bucket, "Prefix": "a/", "Delimiter": "/", "MaxKeys": 10}
    room.s3.list_objects_v2(**right)
    for wrong in ({"Prefix": "b/"}, {"Delimiter": "-"}, {"MaxKeys": 11}):
        room.refused(room.s3.list_objects_v2, **right | wrong)


def test_requests_are_judged_by_how_they_were_signed_and_sent(room, server, iam):
    room.root.put_object(Bucket=room.bucket, Key="k", Body=b"1")
    get = {"Bucket": room.bucket, "Key": "k"}
    for condition, allowed in [
        ({"StringEquals": {"s3:authType": "REST-HEADER"}}, True),
        ({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}, False),
        ({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}, True),
        ({"StringEquals": {"s3:signatureversion": "AWS"}}, False),
        ({"NumericLessThan": {"s3:signatureAge": 600_000}}, True),
        ({"NumericGreaterThan": {"s3:signatureAge": 600_000}}, False),
        ({"NumericGreaterThanEquals": {"s3:TlsVersion": 1.2}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.1/32"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1/32"}}, False),
        ({"StringLike": {"aws:UserAgent": "Boto3/*"}}, True),
        ({"StringLike": {"aws:UserAgent": "curl/*"}}, False),
        ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"StringEquals": {"aws:PrincipalType": "User", "aws:PrincipalAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:ResourceAccount": "111111111111"}}, False),
        ({"Bool": {"aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false"}}, True),
        ({"NumericGreaterThan": {"aws:EpochTime": 1_700_000_000}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2100-01-01T00:00:00Z"}}, False),
    ]:
        room.may("s3:GetObject", **condition)
        if allowed:
            room.s3.get_object(**get)
        else:
            room.refused(room.s3.get_object, **get)


def test_retentions_are_judged_by_their_length(server, iam, unique):
    bucket, root = unique("locked"), server.client("s3", "test", "test")
    root.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    root.put_object(Bucket=bucket, Key="k", Body=b"1")
    condition = {"NumericLessThan": {"s3:object-lock-remaining-retention-days": 10}, "StringEquals": {"s3:object-lock-mode": "GOVERNANCE"}}
    s3 = client(server, "s3", make_user(iam, unique("keeper"), allow("s3:PutObjectRetention", **condition)))

    def retain(days, mode="GOVERNANCE"):
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
        s3.put_object_retention(Bucket=bucket, Key="k", Retention={"Mode": mode, "RetainUntilDate": until})

    with pytest.raises(ClientError, match="AccessDenied"):
        retain(20)
    with pytest.raises(ClientError, match="AccessDenied"):
        retain(2, "COMPLIANCE")
    retain(5)


def session_of(server, iam, name, *statements, policy=None):
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
    wanted = {"RoleArn": role, "RoleSessionName": "s1"} | ({"Policy": policy} if policy else {})
    return role, server.client("sts", "test", "test").assume_role(**wanted)["Credentials"]


def test_bucket_policies_grant_by_whom_they_name(server, iam, unique):
    """A session by its own ARN needs nothing else; its role's ARN is held to session policies; a user's to nothing."""
    bucket, root, name = unique("shared"), server.client("s3", "test", "test"), unique("Role")
    root.create_bucket(Bucket=bucket)
    root.put_object(Bucket=bucket, Key="k", Body=b"1")
    role, keys = session_of(server, iam, name, policy=document(allow("glue:*")))
    plain = server.client("sts", "test", "test").assume_role(RoleArn=role, RoleSessionName="s1")["Credentials"]
    narrow_s3, plain_s3 = client(server, "s3", keys), client(server, "s3", plain)
    get = {"Bucket": bucket, "Key": "k"}

    def grant(principal, effect="Allow"):
        statement = {"Effect": effect, "Principal": principal, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        root.put_bucket_policy(Bucket=bucket, Policy=document(statement))

    assert "because no identity-based policy allows" in message(plain_s3.get_object, **get)
    grant({"AWS": role})
    plain_s3.get_object(**get)
    assert message(narrow_s3.get_object, **get).endswith("because no session policy allows the s3:GetObject action")
    grant({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s1"})
    narrow_s3.get_object(**get)
    grant({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s2"})
    assert "because no identity-based policy allows" in message(plain_s3.get_object, **get)
    grant({"AWS": role}, "Deny")
    assert message(plain_s3.get_object, **get).endswith("with an explicit deny in a resource-based policy")
    assert message(narrow_s3.get_object, **get).endswith("with an explicit deny in a resource-based policy")


def test_queue_policies_grant_and_deny(server, iam, unique):
    sqs, name = server.client("sqs", "test", "test"), unique("sender")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    own = client(server, "sqs", make_user(iam, name))
    send = {"QueueUrl": url, "MessageBody": "x"}

    def grant(effect, **condition):
        principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}
        statement = {"Effect": effect, "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn} | condition
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(statement)})

    assert "because no identity-based policy allows the sqs:sendmessage" in message(own.send_message, **send).lower()
    grant("Allow")
    own.send_message(**send)
    grant("Allow", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    message(own.send_message, **send)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("sqs:*")))
    own.send_message(**send)
    grant("Deny")
    assert "with an explicit deny in a resource-based policy" in message(own.send_message, **send)


def test_the_catalogue_s_policy_grants_and_denies(server, iam, unique):
    glue, name = server.client("glue", "test", "test"), unique("reader")
    first, second = (unique("db").replace("-", "_") for _ in range(2))
    for database in (first, second):
        glue.create_database(DatabaseInput={"Name": database})
    own = client(server, "glue", make_user(iam, name))
    catalog = f"arn:aws:glue:us-east-1:{ACCOUNT}:catalog"
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}

    def put(effect, *actions, **more):
        resources = [catalog, f"arn:aws:glue:us-east-1:{ACCOUNT}:database/{first}"]
        statement = {"Effect": effect, "Principal": principal, "Action": list(actions), "Resource": resources}
        return glue.put_resource_policy(PolicyInJson=document(statement), **more)["PolicyHash"]

    assert "because no identity-based policy allows the glue:GetDatabase action" in message(own.get_database, Name=first)
    hashed = put("Allow", "glue:GetDatabase")
    own.get_database(Name=first)
    message(own.get_database, Name=second)
    message(own.delete_database, Name=first)
    assert glue.get_resource_policy()["PolicyHash"] == hashed
    assert len(glue.get_resource_policies()["GetResourcePoliciesResponseList"]) == 1

    def error(call, **arguments):
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        return caught.value.response["Error"]["Code"]

    valid = document({"Effect": "Allow", "Principal": principal, "Action": "glue:*", "Resource": "*"})
    assert error(glue.put_resource_policy, PolicyInJson=valid, PolicyHashCondition="x") == "ConditionCheckFailureException"
    exists = {"PolicyExistsCondition": "NOT_EXIST"}
    assert error(glue.put_resource_policy, PolicyInJson=valid, **exists) == "ConditionCheckFailureException"
    for broken in ("{ ", "{}", document(allow("glue:*")), document(allow("s3:*", resource="arn:aws:s3:::b/*"))):
        assert error(glue.put_resource_policy, PolicyInJson=broken) == "InvalidInputException"
    assert error(glue.put_resource_policy, PolicyInJson=valid, EnableHybrid="TRUE") == "InvalidInputException"
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("glue:*")))
    put("Deny", "glue:*", PolicyHashCondition=hashed)
    assert message(own.get_database, Name=first).endswith("with an explicit deny in a resource-based policy")
    message(own.get_databases)
    glue.delete_resource_policy()
    own.get_database(Name=first)
    assert error(glue.get_resource_policy) == "EntityNotFoundException"


def test_what_a_stack_does_for_its_caller_comes_through_cloudformation(server, iam, unique):
    through = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
    name = unique("deployer")
    key = make_user(iam, name, allow("cloudformation:*"), allow("sqs:*", **through))
    queue, stack = unique("from-stack"), unique("stack")
    assert "sqs:CreateQueue" in message(client(server, "sqs", key).create_queue, QueueName=queue)
    template = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": queue}}}})
    stacks = client(server, "cloudformation", key)
    stacks.create_stack(StackName=stack, TemplateBody=template)
    ended = lambda: (it := stacks.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]).endswith("COMPLETE") and it  # noqa: E731
    assert wait_for(ended, "the stack") == "CREATE_COMPLETE"


def test_what_athena_reads_for_its_caller_comes_through_athena(server, iam, unique):
    root, bucket, database = server.client("s3", "test", "test"), unique("lake"), unique("db").replace("-", "_")
    root.create_bucket(Bucket=bucket)
    root.put_object(Bucket=bucket, Key="t/a.csv", Body=b"1\n2\n")
    server.client("glue", "test", "test").create_database(DatabaseInput={"Name": database})
    table = {
        "Name": "t",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": {
            "Columns": [{"Name": "a", "Type": "int"}],
            "Location": f"s3://{bucket}/t/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"field.delim": ","},
            },
        },
    }
    server.client("glue", "test", "test").create_table(DatabaseName=database, TableInput=table)
    through = {"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}
    name = unique("analyst")
    key = make_user(iam, name, allow("athena:*"), allow("s3:*", "glue:*", **through))
    assert "s3:GetObject" in message(client(server, "s3", key).get_object, Bucket=bucket, Key="t/a.csv")
    message(client(server, "glue", key).get_tables, DatabaseName=database)
    athena = client(server, "athena", key)

    def run():
        started = athena.start_query_execution(
            QueryString="SELECT sum(a) FROM t",
            QueryExecutionContext={"Database": database},
            ResultConfiguration={"OutputLocation": f"s3://{bucket}/results/"},
        )["QueryExecutionId"]

        def ended():
            status = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            return status["State"] in ("SUCCEEDED", "FAILED") and status

        return wait_for(ended, "the query")

    status = run()
    assert status["State"] == "SUCCEEDED", status
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(allow("athena:*"), allow("glue:*")))
    assert run()["State"] == "FAILED"


def test_tags_of_the_request_and_the_resource_are_keys_of_iam(server, iam, unique):
    name = unique("tagger")
    key = make_user(
        iam,
        name,
        allow("iam:CreateUser", "iam:TagUser", StringEquals={"aws:RequestTag/team": "blue"}),
        allow("iam:DeleteUser", StringEquals={"aws:ResourceTag/team": "blue"}),
        allow("iam:UntagUser", **{"ForAllValues:StringEquals": {"aws:TagKeys": ["other"]}}),
    )
    own, made = client(server, "iam", key), unique("made")
    blue = [{"Key": "team", "Value": "blue"}]
    message(own.create_user, UserName=made)
    message(own.create_user, UserName=made, Tags=[{"Key": "team", "Value": "red"}])
    own.create_user(UserName=made, Tags=blue)
    message(own.untag_user, UserName=made, TagKeys=["team"])
    own.untag_user(UserName=made, TagKeys=["other"])
    iam.create_user(UserName=f"{made}-red", Tags=[{"Key": "team", "Value": "red"}])
    message(own.delete_user, UserName=f"{made}-red")
    own.delete_user(UserName=made)


def test_attaching_is_judged_by_policy_and_boundary(server, iam, unique):
    name, made = unique("delegate"), unique("made")
    bound = iam.create_policy(PolicyName=unique("bound"), PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    reading = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    key = make_user(
        iam,
        name,
        allow("iam:CreateUser", StringEquals={"iam:PermissionsBoundary": bound}),
        allow("iam:AttachUserPolicy", ArnEquals={"iam:PolicyARN": reading}),
    )
    own = client(server, "iam", key)
    message(own.create_user, UserName=made)
    own.create_user(UserName=made, PermissionsBoundary=bound)
    message(own.attach_user_policy, UserName=made, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    own.attach_user_policy(UserName=made, PolicyArn=reading)
