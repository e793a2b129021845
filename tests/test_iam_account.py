"""What tools ask of IAM beside users and roles: instance profiles, service-linked roles, reports, summaries, details."""

import csv
import io
import json

import pytest

from conftest import client, code as refused, document, wait_for

ACCOUNT = "000000000000"


@pytest.fixture
def server(start):
    return start("--dev")


@pytest.fixture
def iam(server):
    return server.client("iam", "test", "test")


def code(call, **arguments):
    return refused(call, **arguments)[0]


def allow(*actions, resource="*", **condition):
    made = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def make_user(iam, name, *statements):
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return iam.create_access_key(UserName=name)["AccessKey"]


def test_instance_profiles_hold_one_role(start, server, iam):
    made = iam.create_instance_profile(InstanceProfileName="web", Path="/x/", Tags=[{"Key": "a", "Value": "b"}])
    profile = made["InstanceProfile"]
    assert profile["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/x/web" and profile["Roles"] == []
    assert profile["InstanceProfileId"].startswith("AIPA")
    assert code(iam.create_instance_profile, InstanceProfileName="WEB") == "EntityAlreadyExists"
    for name in ("R1", "R2"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="R1")
    assert code(iam.add_role_to_instance_profile, InstanceProfileName="web", RoleName="R2") == "LimitExceeded"
    assert code(iam.add_role_to_instance_profile, InstanceProfileName="none", RoleName="R2") == "NoSuchEntity"
    got = iam.get_instance_profile(InstanceProfileName="web")["InstanceProfile"]
    assert [role["RoleName"] for role in got["Roles"]] == ["R1"] and got["Tags"] == [{"Key": "a", "Value": "b"}]
    listed = iam.list_instance_profiles_for_role(RoleName="R1")["InstanceProfiles"]
    assert [each["InstanceProfileName"] for each in listed] == ["web"]
    assert iam.list_instance_profiles_for_role(RoleName="R2")["InstanceProfiles"] == []
    assert len(iam.list_instance_profiles(PathPrefix="/x/")["InstanceProfiles"]) == 1
    assert iam.list_instance_profiles(PathPrefix="/y/")["InstanceProfiles"] == []
    assert code(iam.delete_role, RoleName="R1") == "DeleteConflict"
    assert code(iam.delete_instance_profile, InstanceProfileName="web") == "DeleteConflict"
    iam.tag_instance_profile(InstanceProfileName="web", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_instance_profile(InstanceProfileName="web", TagKeys=["a"])
    assert iam.list_instance_profile_tags(InstanceProfileName="web")["Tags"] == [{"Key": "c", "Value": "d"}]
    server.kill()
    iam = start("--dev").client("iam", "test", "test")
    assert code(iam.remove_role_from_instance_profile, InstanceProfileName="web", RoleName="R2") == "NoSuchEntity"
    iam.remove_role_from_instance_profile(InstanceProfileName="web", RoleName="R1")
    iam.delete_instance_profile(InstanceProfileName="web")
    assert code(iam.get_instance_profile, InstanceProfileName="web") == "NoSuchEntity"
    iam.delete_role(RoleName="R1")


def test_a_role_is_passed_into_a_profile(server, iam):
    iam.create_instance_profile(InstanceProfileName="web")
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    key = make_user(iam, "ann", allow("iam:AddRoleToInstanceProfile", "iam:GetRole"))
    join = client(server, "iam", key).add_role_to_instance_profile
    assert code(join, InstanceProfileName="web", RoleName="R") == "AccessDenied"
    passing = allow("iam:PassRole", resource=role, StringEquals={"iam:PassedToService": "ec2.amazonaws.com"})
    iam.put_user_policy(UserName="ann", PolicyName="pass", PolicyDocument=document(passing))
    join(InstanceProfileName="web", RoleName="R")


def test_service_linked_roles_are_the_service_s(iam):
    role = iam.create_service_linked_role(AWSServiceName="glue.amazonaws.com", Description="d")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/glue.amazonaws.com/AWSServiceRoleForGlue"
    assert code(iam.create_service_linked_role, AWSServiceName="glue.amazonaws.com") == "InvalidInput"
    assert code(iam.create_service_linked_role, AWSServiceName="glue") == "InvalidInput"
    name = role["RoleName"]
    assert code(iam.delete_role, RoleName=name) == "UnmodifiableEntity"
    assert code(iam.put_role_policy, RoleName=name, PolicyName="p", PolicyDocument=document(allow("*"))) == "UnmodifiableEntity"
    assert code(iam.update_assume_role_policy, RoleName=name, PolicyDocument=TRUST) == "UnmodifiableEntity"
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert code(iam.attach_role_policy, RoleName=name, PolicyArn=admin) == "UnmodifiableEntity"
    path = "/aws-service-role/glue.amazonaws.com/"
    assert code(iam.create_role, RoleName="X", Path=path, AssumeRolePolicyDocument=TRUST) == "InvalidInput"
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert task.startswith("task/aws-service-role/glue.amazonaws.com/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert code(iam.get_role, RoleName=name) == "NoSuchEntity"
    assert code(iam.get_service_linked_role_deletion_status, DeletionTaskId=task[:-1] + "x") == "NoSuchEntity"
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument=TRUST)
    assert code(iam.delete_service_linked_role, RoleName="mine") == "InvalidInput"


def test_the_account_has_an_alias_and_rules_for_passwords(iam):
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="data-platform")
    assert iam.list_account_aliases()["AccountAliases"] == ["data-platform"]
    assert code(iam.create_account_alias, AccountAlias="Data_Platform") == "ValidationError"
    assert code(iam.delete_account_alias, AccountAlias="other") == "NoSuchEntity"
    iam.delete_account_alias(AccountAlias="data-platform")
    assert code(iam.get_account_password_policy) == "NoSuchEntity"
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True, MaxPasswordAge=90)
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["RequireSymbols"], policy["ExpirePasswords"]) == (14, True, True)
    assert code(iam.update_account_password_policy, MaxPasswordAge=2000) == "ValidationError"
    iam.delete_account_password_policy()
    assert code(iam.delete_account_password_policy) == "NoSuchEntity"
    assert code(iam.create_login_profile, UserName="x", Password="y") == "InvalidAction"


def test_summaries_and_details_count_what_is_there(iam):
    make_user(iam, "ann", allow("s3:*"))
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="ann")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(allow("glue:*")))["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="team", PolicyArn=arn)
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="R", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="R")
    counts = iam.get_account_summary()["SummaryMap"]
    assert [counts[name] for name in ("Users", "Groups", "Roles", "Policies", "InstanceProfiles")] == [1, 1, 1, 1, 1]
    details = iam.get_account_authorization_details()
    (user,), (group,), (role,) = details["UserDetailList"], details["GroupDetailList"], details["RoleDetailList"]
    assert user["UserPolicyList"] == [{"PolicyName": "own", "PolicyDocument": json.loads(document(allow("s3:*")))}]
    assert user["GroupList"] == ["team"] and group["AttachedManagedPolicies"] == [{"PolicyName": "p", "PolicyArn": arn}]
    assert role["InstanceProfileList"][0]["InstanceProfileName"] == "web"
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    names = {policy["PolicyName"]: policy for policy in details["Policies"]}
    assert set(names) == {"p", "AmazonS3ReadOnlyAccess"}
    assert names["p"]["PolicyVersionList"][0]["Document"] == json.loads(document(allow("glue:*")))
    only = iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])
    assert [policy["PolicyName"] for policy in only["Policies"]] == ["p"] and only["UserDetailList"] == []
    pages = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2})
    assert sum(len(page[name]) for page in pages for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")) == 5
    assert code(iam.get_account_authorization_details, Filter=["Nonsense"]) == "ValidationError"


def test_credential_reports_tell_the_use_of_keys(server, iam):
    assert code(iam.get_credential_report) == "ReportNotPresent"
    key = make_user(iam, "ann", allow("glue:*"))
    client(server, "glue", key).get_databases()
    assert iam.generate_credential_report()["State"] in ("STARTED", "COMPLETE")
    wait_for(lambda: iam.generate_credential_report()["State"] == "COMPLETE", "the report")
    report = iam.get_credential_report()
    assert report["ReportFormat"] == "text/csv"
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(report["Content"].decode()))}
    assert set(rows) == {"<root_account>", "ann"} and len(rows["ann"]) == 22
    assert rows["ann"]["access_key_1_active"] == "true" and rows["ann"]["access_key_2_active"] == "false"
    assert rows["ann"]["access_key_1_last_used_service"] == "glue"
    assert rows["ann"]["access_key_1_last_used_region"] == "us-east-1"


def test_keys_and_roles_tell_when_they_were_last_used(start, server, iam):
    key = make_user(iam, "ann", allow("glue:*", "s3:*"))
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["ServiceName"] == "N/A"
    wrong = key | {"SecretAccessKey": "x" * 40}
    assert code(client(server, "glue", wrong).get_databases) == "InvalidSignatureException"
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["ServiceName"] == "N/A"
    client(server, "glue", key).get_databases()
    client(server, "s3", key).list_buckets()
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("s3", "us-east-1") and used["LastUsedDate"]
    server.stop()
    iam = start("--dev").client("iam", "test", "test")
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert used["ServiceName"] in ("glue", "s3")


def test_services_last_accessed_are_real(server, iam):
    key = make_user(iam, "ann", allow("glue:*", "s3:Get*", "lambda:*"))
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    client(server, "glue", key).get_databases()

    def report(of):
        job = iam.generate_service_last_accessed_details(Arn=of)["JobId"]
        answer = iam.get_service_last_accessed_details(JobId=job)
        assert answer["JobStatus"] == "COMPLETED"
        return {service["ServiceNamespace"]: service for service in answer["ServicesLastAccessed"]}

    services = report(arn)
    assert set(services) == {"glue", "s3", "lambda"}
    assert services["glue"]["TotalAuthenticatedEntities"] == 1 and services["glue"]["LastAuthenticatedEntity"] == arn
    assert services["s3"]["TotalAuthenticatedEntities"] == 0 and "LastAuthenticated" not in services["s3"]
    iam.create_group(GroupName="team")
    iam.put_group_policy(GroupName="team", PolicyName="g", PolicyDocument=document(allow("glue:*")))
    group = f"arn:aws:iam::{ACCOUNT}:group/team"
    assert report(group)["glue"]["TotalAuthenticatedEntities"] == 0
    iam.add_user_to_group(GroupName="team", UserName="ann")
    assert report(group)["glue"]["TotalAuthenticatedEntities"] == 1
    assert code(iam.get_service_last_accessed_details, JobId="0" * 36) == "NoSuchEntity"
    assert code(iam.generate_service_last_accessed_details, Arn=f"arn:aws:iam::{ACCOUNT}:user/none") == "NoSuchEntity"
    assert code(iam.generate_service_last_accessed_details, Arn=arn, Granularity="ACTION_LEVEL") == "NotImplemented"
    granting = iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=["glue", "sqs"])
    glue, sqs = granting["PoliciesGrantingServiceAccess"]
    assert sorted(policy["PolicyName"] for policy in glue["Policies"]) == ["g", "own"] and sqs["Policies"] == []


def test_context_keys_and_the_simulator_s_details(iam):
    conditional = allow("s3:ListBucket", StringLike={"s3:prefix": "${aws:username}/*"})
    make_user(iam, "ann", conditional, allow("glue:*"), {"Effect": "Deny", "Action": "glue:Delete*", "Resource": "*"})
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)["ContextKeyNames"] == ["aws:username", "s3:prefix"]
    custom = iam.get_context_keys_for_custom_policy(PolicyInputList=[document(allow("*", Bool={"aws:SecureTransport": "true"}))])
    assert custom["ContextKeyNames"] == ["aws:SecureTransport"]
    assert code(iam.get_context_keys_for_custom_policy, PolicyInputList=["{"]) == "MalformedPolicyDocument"
    simulate = iam.simulate_principal_policy
    listing, deletion = simulate(PolicySourceArn=arn, ActionNames=["s3:ListBucket", "glue:DeleteTable"])["EvaluationResults"]
    assert listing["EvalDecision"] == "implicitDeny" and listing["MissingContextValues"] == ["s3:prefix"]
    assert deletion["EvalDecision"] == "explicitDeny"
    (denying,) = deletion["MatchedStatements"]
    assert (denying["SourcePolicyId"], denying["SourcePolicyType"]) == ("user_ann_own", "user")
    text = iam.get_user_policy(UserName="ann", PolicyName="own")["PolicyDocument"]
    assert [statement["Effect"] for statement in text["Statement"]] == ["Allow", "Allow", "Deny"]
    assert denying["StartPosition"]["Line"] == denying["EndPosition"]["Line"] == 1
    assert denying["StartPosition"]["Column"] < denying["EndPosition"]["Column"]
    bounded = simulate(
        PolicySourceArn=arn,
        ActionNames=["glue:GetTable"],
        PermissionsBoundaryPolicyInputList=[document(allow("s3:*"))],
    )["EvaluationResults"][0]
    assert bounded["EvalDecision"] == "implicitDeny"
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    lines = '{"Version": "2012-10-17",\n "Statement": [\n  {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},\n' \
        '  {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    (both,) = iam.simulate_custom_policy(PolicyInputList=[lines, document(allow("s3:Get*"))], ActionNames=["s3:GetObject"])["EvaluationResults"]
    first, second = both["MatchedStatements"]
    assert (first["SourcePolicyId"], second["SourcePolicyId"]) == ("PolicyInputList.1", "PolicyInputList.2")
    assert (first["StartPosition"], first["EndPosition"]) == ({"Line": 4, "Column": 3}, {"Line": 4, "Column": 57})
    iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    managed = simulate(PolicySourceArn=arn, ActionNames=["s3:ListAllMyBuckets"])["EvaluationResults"][0]
    assert [match["SourcePolicyType"] for match in managed["MatchedStatements"]] == ["aws-managed"]
    iam.create_group(GroupName="team")
    iam.put_group_policy(GroupName="team", PolicyName="g", PolicyDocument=document(allow("sqs:*")))
    group = simulate(PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:group/team", ActionNames=["sqs:SendMessage"])
    assert group["EvaluationResults"][0]["EvalDecision"] == "allowed"
    assert code(simulate, PolicySourceArn=arn, ActionNames=["GetTable"]) == "InvalidInput"
    assert code(simulate, PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/none", ActionNames=["s3:*"]) == "NoSuchEntity"


def test_a_renamed_group_keeps_its_members(server, iam):
    key = make_user(iam, "ann", allow("iam:GetUser"))
    iam.create_group(GroupName="team")
    iam.create_group(GroupName="taken")
    iam.put_group_policy(GroupName="team", PolicyName="g", PolicyDocument=document(allow("glue:*")))
    iam.add_user_to_group(GroupName="team", UserName="ann")
    iam.update_group(GroupName="team", NewGroupName="crew", NewPath="/x/")
    client(server, "glue", key).get_databases()
    got = iam.get_group(GroupName="crew")
    assert got["Group"]["Arn"].endswith(":group/x/crew") and [user["UserName"] for user in got["Users"]] == ["ann"]
    assert code(iam.get_group, GroupName="team") == "NoSuchEntity"
    assert code(iam.update_group, GroupName="crew", NewGroupName="taken") == "EntityAlreadyExists"
