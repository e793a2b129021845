"""IAM and STS through boto3: users, roles, policies, sessions, and what they may do."""

import json
import os
import signal
import time

import pytest
from botocore.exceptions import ClientError

from conftest import client, document

ACCOUNT = "000000000000"


@pytest.fixture
def server(start):
    return start("--dev")


@pytest.fixture
def iam(server):
    return server.client("iam", "test", "test")


def statement(effect, action, resource="*", **condition):
    made = {"Effect": effect, "Action": action, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def trust(principal, **condition):
    made = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    return document(made | ({"Condition": condition} if condition else {}))


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def code(call, **arguments):
    return refusal(call, **arguments)[0]


def make_user(iam, name, *statements, **more):
    iam.create_user(UserName=name, **more)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return iam.create_access_key(UserName=name)["AccessKey"]


def test_a_user_may_what_its_policy_allows_and_no_more(server, iam):
    key = make_user(iam, "ann", statement("Allow", "glue:GetDatabases"), Path="/eng/")
    assert key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40
    identity = client(server, "sts", key).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/eng/ann"
    assert identity["UserId"].startswith("AIDA") and len(identity["UserId"]) == 21
    glue = client(server, "glue", key)
    assert [database["Name"] for database in glue.get_databases()["DatabaseList"]] == ["default"]
    assert refusal(glue.create_database, DatabaseInput={"Name": "d"}) == (
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/eng/ann is not authorized to perform: glue:CreateDatabase on resource: "
        f"arn:aws:glue:us-east-1:{ACCOUNT}:catalog because no identity-based policy allows the glue:CreateDatabase action",
    )
    own = client(server, "iam", key)
    assert refusal(own.create_user, UserName="eve") == (
        "AccessDenied",
        f"User: arn:aws:iam::{ACCOUNT}:user/eng/ann is not authorized to perform: iam:CreateUser on resource: "
        f"arn:aws:iam::{ACCOUNT}:user/eve because no identity-based policy allows the iam:CreateUser action",
    )


def test_an_explicit_deny_wins(server, iam):
    key = make_user(iam, "ann", statement("Allow", "*"), statement("Deny", "glue:CreateDatabase"))
    glue = client(server, "glue", key)
    assert [database["Name"] for database in glue.get_databases()["DatabaseList"]] == ["default"]
    error, message = refusal(glue.create_database, DatabaseInput={"Name": "d"})
    assert error == "AccessDeniedException" and message.endswith("with an explicit deny in an identity-based policy")


def test_changes_count_at_once(server, iam):
    key = make_user(iam, "ann")
    glue = client(server, "glue", key)
    assert code(glue.get_databases) == "AccessDeniedException"
    policy = iam.create_policy(PolicyName="readers", PolicyDocument=document(statement("Allow", "glue:Get*")))["Policy"]
    assert policy["Arn"] == f"arn:aws:iam::{ACCOUNT}:policy/readers" and policy["PolicyId"].startswith("ANPA")
    iam.attach_user_policy(UserName="ann", PolicyArn=policy["Arn"])
    glue.get_databases()
    iam.create_policy_version(
        PolicyArn=policy["Arn"], PolicyDocument=document(statement("Allow", "s3:*")), SetAsDefault=True
    )
    assert code(glue.get_databases) == "AccessDeniedException"
    iam.set_default_policy_version(PolicyArn=policy["Arn"], VersionId="v1")
    glue.get_databases()
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code(glue.get_databases) == "UnrecognizedClientException"
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Active")
    glue.get_databases()
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    assert code(glue.get_databases) == "UnrecognizedClientException"
    assert code(client(server, "sts", key).get_caller_identity) == "InvalidClientTokenId"


def test_groups_and_aws_managed_policies(server, iam):
    key = make_user(iam, "ann")
    iam.create_group(GroupName="analysts")
    iam.attach_group_policy(GroupName="analysts", PolicyArn="arn:aws:iam::aws:policy/AWSGlueConsoleFullAccess")
    glue = client(server, "glue", key)
    assert code(glue.get_databases) == "AccessDeniedException"
    iam.add_user_to_group(GroupName="analysts", UserName="ann")
    glue.create_database(DatabaseInput={"Name": "d"})
    assert [user["UserName"] for user in iam.get_group(GroupName="analysts")["Users"]] == ["ann"]
    assert code(iam.delete_user, UserName="ann") == "DeleteConflict"
    iam.remove_user_from_group(GroupName="analysts", UserName="ann")
    assert code(glue.get_databases) == "AccessDeniedException"
    names = [policy["PolicyName"] for policy in iam.list_policies(Scope="AWS")["Policies"]]
    assert {"AdministratorAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess"} <= set(names)


def test_variables_and_conditions(server, iam):
    own = f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
    ann = make_user(iam, "ann", statement("Allow", ["iam:GetUser", "iam:*AccessKey*"], own))
    as_ann = client(server, "iam", ann)
    assert as_ann.get_user()["User"]["UserName"] == "ann"
    assert as_ann.get_user(UserName="ann")["User"]["UserName"] == "ann"
    iam.create_user(UserName="bob")
    assert code(as_ann.get_user, UserName="bob") == "AccessDenied"
    second = as_ann.create_access_key()["AccessKey"]
    assert second["UserName"] == "ann"
    assert code(as_ann.create_access_key) == "LimitExceeded"
    as_ann.delete_access_key(AccessKeyId=second["AccessKeyId"])

    glue = client(server, "glue", ann)

    def allowed(**condition):
        policy = document(statement("Allow", "glue:GetDatabases", **condition))
        iam.put_user_policy(UserName="ann", PolicyName="glue", PolicyDocument=policy)
        try:
            glue.get_databases()
            return True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            return False

    assert allowed(IpAddress={"aws:SourceIp": "127.0.0.0/8"})
    assert not allowed(IpAddress={"aws:SourceIp": "203.0.113.0/24"})
    assert not allowed(Bool={"aws:SecureTransport": "true"})
    assert allowed(StringEquals={"aws:RequestedRegion": ["us-east-1", "eu-west-1"]})
    assert allowed(DateGreaterThan={"aws:CurrentTime": "2020-01-01T00:00:00Z"})
    assert not allowed(DateLessThan={"aws:CurrentTime": "2020-01-01T00:00:00Z"})
    assert not allowed(StringEquals={"aws:PrincipalTag/team": "blue"})
    iam.tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "blue"}])
    assert allowed(StringEquals={"aws:PrincipalTag/team": "blue"})
    assert allowed(ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/a*"})
    iam.untag_user(UserName="ann", TagKeys=["Team"])
    assert not allowed(StringEquals={"aws:PrincipalTag/team": "blue"})


def test_a_role_is_assumed_as_its_trust_policy_says(server, iam):
    ann = make_user(iam, "ann")
    role = iam.create_role(
        RoleName="Reader",
        AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, StringEquals={"sts:ExternalId": "x1"}),
        Tags=[{"Key": "team", "Value": "red"}],
    )["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    iam.put_role_policy(
        RoleName="Reader",
        PolicyName="glue",
        PolicyDocument=document(statement("Allow", "glue:*", StringEquals={"aws:PrincipalTag/team": "green"})),
    )
    sts = client(server, "sts", ann)
    wanted = {"RoleArn": role["Arn"], "RoleSessionName": "daily", "ExternalId": "x1"}
    start = f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: sts:AssumeRole on resource: "
    own = "because no identity-based policy allows the sts:AssumeRole action"
    # The account is trusted, so ann's own policy must allow it too.
    assert refusal(sts.assume_role, **wanted) == ("AccessDenied", f"{start}{role['Arn']} {own}")
    # Nobody learns which roles there are from a refusal.
    none = f"arn:aws:iam::{ACCOUNT}:role/None"
    assert refusal(sts.assume_role, **wanted | {"RoleArn": none}) == ("AccessDenied", f"{start}{none} {own}")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(statement("Allow", "sts:*", role["Arn"])))
    theirs = "because no role trust policy allows the sts:AssumeRole action"
    assert refusal(sts.assume_role, **wanted | {"ExternalId": "x2"}) == ("AccessDenied", f"{start}{role['Arn']} {theirs}")
    assert code(sts.assume_role, **wanted | {"RoleArn": none}) == "AccessDenied"
    assert code(sts.assume_role, **wanted | {"DurationSeconds": 7200}) == "ValidationError"
    session = sts.assume_role(**wanted, Tags=[{"Key": "Team", "Value": "green"}])
    assert session["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/daily"
    keys = session["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA")
    assert client(server, "sts", keys).get_caller_identity()["UserId"] == f"{role['RoleId']}:daily"
    client(server, "glue", keys).get_databases()
    assert code(client(server, "iam", keys).list_users) == "AccessDenied"
    plain = sts.assume_role(**wanted)["Credentials"]
    assert code(client(server, "glue", plain).get_databases) == "AccessDeniedException"
    # A policy that names ann herself needs nothing else.
    iam.update_assume_role_policy(
        RoleName="Reader", PolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"})
    )
    iam.delete_user_policy(UserName="ann", PolicyName="p")
    sts.assume_role(RoleArn=role["Arn"], RoleSessionName="daily")


def test_session_policies_narrow(server, iam):
    role = iam.create_role(RoleName="Admin", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))["Role"]
    iam.attach_role_policy(RoleName="Admin", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    sts = server.client("sts", "test", "test")
    wanted = {"RoleArn": role["Arn"], "RoleSessionName": "narrow"}
    narrow = sts.assume_role(**wanted, Policy=document(statement("Allow", "glue:GetDatabases")))["Credentials"]
    client(server, "glue", narrow).get_databases()
    error, message = refusal(client(server, "iam", narrow).list_users)
    assert error == "AccessDenied" and message.endswith("because no session policy allows the iam:ListUsers action")
    managed = sts.assume_role(**wanted, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}])["Credentials"]
    client(server, "iam", managed).list_users()
    assert code(client(server, "iam", managed).create_user, UserName="x") == "AccessDenied"
    assert code(sts.assume_role, **wanted, Policy="{") == "MalformedPolicyDocument"
    full = sts.assume_role(**wanted)["Credentials"]
    assert code(client(server, "sts", full).get_session_token) == "AccessDenied"


def test_wrong_and_foreign_tokens_are_refused(server, iam):
    ann = make_user(iam, "ann", statement("Allow", "*"))
    token = client(server, "sts", ann).get_session_token(DurationSeconds=900)["Credentials"]
    assert client(server, "sts", token).get_caller_identity()["Arn"].endswith(":user/ann")
    client(server, "glue", token).get_databases()
    assert code(client(server, "iam", token).list_users) == "InvalidClientTokenId"
    assert code(client(server, "sts", token).get_session_token) == "AccessDenied"
    other = client(server, "sts", ann).get_session_token()["Credentials"]
    for wrong in (
        token | {"SessionToken": other["SessionToken"]},
        token | {"SessionToken": token["SessionToken"][:-8] + "AAAAAAA="},
        {name: token[name] for name in ("AccessKeyId", "SecretAccessKey")},
        ann | {"SessionToken": token["SessionToken"]},
    ):
        assert code(client(server, "sts", wrong).get_caller_identity) == "InvalidClientTokenId"
    wrong_secret = token | {"SecretAccessKey": "x" * 40}
    assert code(client(server, "sts", wrong_secret).get_caller_identity) == "SignatureDoesNotMatch"
    iam.delete_access_key(UserName="ann", AccessKeyId=ann["AccessKeyId"])
    iam.delete_user_policy(UserName="ann", PolicyName="own")
    iam.delete_user(UserName="ann")
    assert code(client(server, "sts", token).get_caller_identity) == "InvalidClientTokenId"


def test_a_role_made_anew_does_not_revive_old_sessions(server, iam):
    sts = server.client("sts", "test", "test")

    def make():
        arn = iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))["Role"]["Arn"]
        return sts.assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"]

    old = make()
    client(server, "sts", old).get_caller_identity()
    iam.delete_role(RoleName="R")
    assert code(client(server, "sts", old).get_caller_identity) == "InvalidClientTokenId"
    new = make()
    assert code(client(server, "sts", old).get_caller_identity) == "InvalidClientTokenId"
    client(server, "sts", new).get_caller_identity()


def test_sessions_can_be_revoked_by_their_time(server, iam):
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))["Role"]
    iam.attach_role_policy(RoleName="R", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    keys = server.client("sts", "test", "test").assume_role(RoleArn=role["Arn"], RoleSessionName="s1")["Credentials"]
    glue = client(server, "glue", keys)
    glue.get_databases()
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    revoke = document(statement("Deny", "*", DateLessThan={"aws:TokenIssueTime": until}))
    iam.put_role_policy(RoleName="R", PolicyName="AWSRevokeOlderSessions", PolicyDocument=revoke)
    assert code(glue.get_databases) == "AccessDeniedException"


def test_s3_asks_for_leave_on_buckets_objects_and_prefixes(server, iam):
    home = "home/${aws:username}/*"
    ann = make_user(
        iam,
        "ann",
        statement("Allow", ["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::data/{home}"),
        statement("Allow", "s3:ListBucket", "arn:aws:s3:::data", StringLike={"s3:prefix": home}),
        statement("Deny", "s3:*", "arn:aws:s3:::data/*/secret/*"),
    )
    root, own = server.client("s3", "test", "test"), client(server, "s3", ann)
    root.create_bucket(Bucket="data")
    own.put_object(Bucket="data", Key="home/ann/a", Body=b"1")
    assert own.get_object(Bucket="data", Key="home/ann/a")["Body"].read() == b"1"
    assert own.list_objects_v2(Bucket="data", Prefix="home/ann/")["KeyCount"] == 1
    assert code(own.list_objects_v2, Bucket="data", Prefix="home/bob/") == "AccessDenied"
    assert code(own.list_objects_v2, Bucket="data") == "AccessDenied"
    assert code(own.create_bucket, Bucket="other") == "AccessDenied"
    who = f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform:"
    assert refusal(own.get_object, Bucket="data", Key="home/bob/a") == (
        "AccessDenied",
        f'{who} s3:GetObject on resource: "arn:aws:s3:::data/home/bob/a" because no identity-based policy allows the '
        "s3:GetObject action",
    )
    assert refusal(own.put_object, Bucket="data", Key="home/ann/secret/a", Body=b"") == (
        "AccessDenied",
        f'{who} s3:PutObject on resource: "arn:aws:s3:::data/home/ann/secret/a" with an explicit deny in an '
        "identity-based policy",
    )


def test_bucket_policies_grant_and_deny(server, iam):
    ann, bob = make_user(iam, "ann"), make_user(iam, "bob", statement("Allow", "s3:*"))
    root = server.client("s3", "test", "test")
    root.create_bucket(Bucket="data")
    root.put_object(Bucket="data", Key="k", Body=b"1")

    def principal(name):
        return {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}}

    allow, deny = statement("Allow", "s3:GetObject", "arn:aws:s3:::data/*"), statement("Deny", "s3:*", "arn:aws:s3:::data/*")
    get = {"Bucket": "data", "Key": "k"}
    assert code(client(server, "s3", ann).get_object, **get) == "AccessDenied"
    client(server, "s3", bob).get_object(**get)
    root.put_bucket_policy(Bucket="data", Policy=document(allow | principal("ann"), deny | principal("bob")))
    client(server, "s3", ann).get_object(**get)
    error, message = refusal(client(server, "s3", bob).get_object, **get)
    assert error == "AccessDenied" and message.endswith("with an explicit deny in a resource-based policy")
    root.delete_bucket_policy(Bucket="data")
    assert code(client(server, "s3", ann).get_object, **get) == "AccessDenied"
    client(server, "s3", bob).get_object(**get)


def test_boundaries_bound(server, iam):
    arn = iam.create_policy(PolicyName="bound", PolicyDocument=document(statement("Allow", "glue:*")))["Policy"]["Arn"]
    key = make_user(iam, "ann", statement("Allow", "*"), PermissionsBoundary=arn)
    client(server, "glue", key).get_databases()
    error, message = refusal(client(server, "iam", key).list_users)
    assert error == "AccessDenied" and message.endswith("because no permissions boundary allows the iam:ListUsers action")
    assert iam.get_user(UserName="ann")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert code(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.delete_user_permissions_boundary(UserName="ann")
    client(server, "iam", key).list_users()


def test_everything_survives_a_restart_and_kill_9(start):
    server = start("--dev")
    iam = server.client("iam", "test", "test")
    ann = make_user(iam, "ann", statement("Allow", "glue:*"))
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))["Role"]
    session = server.client("sts", "test", "test").assume_role(RoleArn=role["Arn"], RoleSessionName="s1")["Credentials"]
    server.stop()

    server = start("--dev")
    client(server, "glue", ann).get_databases()
    assert client(server, "sts", session).get_caller_identity()["Arn"].endswith(":assumed-role/R/s1")
    bob = make_user(server.client("iam", "test", "test"), "bob", statement("Allow", "glue:*"))
    server.client("iam", "test", "test").delete_access_key(UserName="ann", AccessKeyId=ann["AccessKeyId"])
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()

    server = start("--dev")
    client(server, "glue", bob).get_databases()
    assert code(client(server, "glue", ann).get_databases) == "UnrecognizedClientException"


def test_secrets_are_sealed_on_disk(start, tmp_path):
    server = start("--dev")
    ann = make_user(server.client("iam", "test", "test"), "ann")
    server.stop()
    data = tmp_path / "data"
    assert (data / "identity.key").stat().st_mode & 0o777 == 0o600
    for file in (path for path in data.rglob("*") if path.is_file()):
        assert ann["SecretAccessKey"].encode() not in file.read_bytes()
    (data / "identity.key").unlink()
    assert start("--dev").url == ""  # it refuses to start rather than to lose the keys


def test_entities_and_their_errors(iam):
    user = iam.create_user(UserName="Ann", Tags=[{"Key": "a", "Value": "1"}])["User"]
    assert user["Path"] == "/" and user["Tags"] == [{"Key": "a", "Value": "1"}]
    assert refusal(iam.create_user, UserName="ann") == ("EntityAlreadyExists", "User with name ann already exists.")
    assert refusal(iam.get_user, UserName="x") == ("NoSuchEntity", "The user with name x cannot be found.")
    assert code(iam.create_user, UserName="a b") == "ValidationError"
    bad = "{}"
    assert code(iam.put_user_policy, UserName="Ann", PolicyName="p", PolicyDocument=bad) == "MalformedPolicyDocument"
    assert code(iam.create_policy, PolicyName="p", PolicyDocument=bad) == "MalformedPolicyDocument"
    assert code(iam.create_role, RoleName="r", AssumeRolePolicyDocument=bad) == "MalformedPolicyDocument"
    nobody = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"})
    error, message = refusal(iam.create_role, RoleName="r", AssumeRolePolicyDocument=nobody)
    assert error == "MalformedPolicyDocument" and message.startswith("Invalid principal in policy")
    nothing = f"arn:aws:iam::{ACCOUNT}:policy/none"
    assert code(iam.attach_user_policy, UserName="Ann", PolicyArn=nothing) == "NoSuchEntity"
    assert code(iam.get_user_policy, UserName="Ann", PolicyName="none") == "NoSuchEntity"
    big = document(*[statement("Allow", "s3:Get*", f"arn:aws:s3:::bucket{n}/*") for n in range(60)])
    assert code(iam.put_user_policy, UserName="Ann", PolicyName="p", PolicyDocument=big) == "LimitExceeded"
    iam.update_user(UserName="Ann", NewUserName="Anna", NewPath="/x/")
    assert iam.get_user(UserName="Anna")["User"]["Arn"].endswith(":user/x/Anna")
    assert code(iam.get_user, UserName="Ann") == "NoSuchEntity"
    assert iam.get_user()["User"]["Arn"].endswith(":root")
    assert code(iam.create_access_key) == "ValidationError"


def test_a_renamed_user_keeps_its_key(server, iam):
    key = make_user(iam, "ann", statement("Allow", "glue:*"))
    iam.update_user(UserName="ann", NewUserName="anna")
    client(server, "glue", key).get_databases()
    assert client(server, "sts", key).get_caller_identity()["Arn"].endswith(":user/anna")
    last = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    assert last["UserName"] == "anna" and last["AccessKeyLastUsed"]["LastUsedDate"]


def test_policy_versions_and_attachments(iam):
    first = document(statement("Allow", "s3:*"))
    arn = iam.create_policy(PolicyName="p", Path="/team/", PolicyDocument=first, Description="d")["Policy"]["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/team/p"
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=first)
    assert code(iam.create_policy_version, PolicyArn=arn, PolicyDocument=first) == "LimitExceeded"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [version["VersionId"] for version in versions] == ["v5", "v4", "v3", "v2", "v1"]
    got = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert got["Document"] == json.loads(first) and got["IsDefaultVersion"]
    assert code(iam.delete_policy_version, PolicyArn=arn, VersionId="v1") == "DeleteConflict"
    assert code(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    for version in ("v2", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert [user["UserName"] for user in iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]] == ["ann"]
    iam.create_user(UserName="bob", PermissionsBoundary=arn)
    held = lambda **usage: [user["UserName"] for user in iam.list_entities_for_policy(PolicyArn=arn, **usage)["PolicyUsers"]]
    assert held(PolicyUsageFilter="PermissionsPolicy") == ["ann"] and held(PolicyUsageFilter="PermissionsBoundary") == ["bob"]
    assert held() == ["ann", "bob"] and held(EntityFilter="Role") == []
    assert held(PathPrefix="/team/") == [] and held(PathPrefix="/", EntityFilter="User") == ["ann", "bob"]
    assert code(iam.list_entities_for_policy, PolicyArn=arn, EntityFilter="Robot") == "ValidationError"
    named = lambda **usage: [policy["PolicyName"] for policy in iam.list_policies(Scope="Local", **usage)["Policies"]]
    other = iam.create_policy(PolicyName="unheld", PolicyDocument=first)["Policy"]["Arn"]
    assert named(PolicyUsageFilter="PermissionsPolicy") == named(PolicyUsageFilter="PermissionsBoundary") == ["p"]
    assert code(iam.list_policies, PolicyUsageFilter="Any") == "ValidationError"
    iam.delete_policy(PolicyArn=other)
    iam.delete_user(UserName="bob")
    assert named() == named(PolicyUsageFilter="PermissionsPolicy") == ["p"]
    assert named(PolicyUsageFilter="PermissionsBoundary") == []
    assert iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"] == [{"PolicyName": "p", "PolicyArn": arn}]
    assert code(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    assert code(iam.delete_user, UserName="ann") == "DeleteConflict"
    iam.detach_user_policy(UserName="ann", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    assert code(iam.get_policy, PolicyArn=arn) == "NoSuchEntity"


def test_listings_have_pages_and_paths(iam):
    for number in range(5):
        iam.create_user(UserName=f"u{number}", Path="/even/" if number % 2 == 0 else "/odd/")
    pages = list(iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert [user["UserName"] for page in pages for user in page["Users"]] == [f"u{number}" for number in range(5)]
    assert len(iam.list_users(PathPrefix="/odd/")["Users"]) == 2
    assert code(iam.list_users, Marker="%%%") == "ValidationError"


def test_the_simulator_answers_as_iam_would(iam):
    make_user(iam, "ann", statement("Allow", "s3:*", "arn:aws:s3:::b/*"), statement("Deny", "s3:Delete*"))
    results = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/ann",
        ActionNames=["s3:GetObject", "s3:DeleteObject", "glue:GetTable"],
        ResourceArns=["arn:aws:s3:::b/k"],
    )["EvaluationResults"]
    assert [result["EvalDecision"] for result in results] == ["allowed", "explicitDeny", "implicitDeny"]
    custom = iam.simulate_custom_policy(
        PolicyInputList=[document(statement("Allow", "s3:ListBucket", StringLike={"s3:prefix": "home/*"}))],
        ActionNames=["s3:ListBucket"],
        ContextEntries=[{"ContextKeyName": "s3:prefix", "ContextKeyValues": ["home/x"], "ContextKeyType": "string"}],
    )["EvaluationResults"]
    assert [result["EvalDecision"] for result in custom] == ["allowed"]
