"""CloudFormation through boto3 and the unmodified command line: stacks come, change and go as wholes."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, WaiterError

from conftest import allow, service_role, wait_for

BIN = Path(sys.executable).parent
EXAMPLE = Path(__file__).parent.parent / "examples" / "serverless-data-platform"

LAKE = """
AWSTemplateFormatVersion: "2010-09-09"
Description: A small lake
Parameters:
  Prefix: {Type: String, AllowedPattern: "[a-z0-9-]+"}
  Days: {Type: Number, Default: 7}
  Secret: {Type: String, Default: s3cret, NoEcho: true}
Mappings:
  Owners: {us-east-1: {name: data}}
Conditions:
  Long: !Equals [!Ref Days, 30]
Resources:
  Raw:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${Prefix}-raw-${AWS::AccountId}"
      Tags:
        - {Key: owner, Value: !FindInMap [Owners, !Ref "AWS::Region", name]}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Raw
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Deny, Principal: "*", Action: "s3:DeleteObject", Resource: !Sub "${Raw.Arn}/kept/*"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: glue.amazonaws.com}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: [!Ref Reading]
      Policies:
        - PolicyName: catalogue
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "glue:*", Resource: "*"}]}
  Reading:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: ["s3:GetObject", "s3:ListBucket"], Resource: [!GetAtt Raw.Arn, !Sub "${Raw.Arn}/*"]}
  Database:
    Type: AWS::Glue::Database
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseInput:
        Name: !Join ["_", [!Select [0, !Split ["-", !Ref Prefix]], db, !Select [1, !Split ["-", !Ref Prefix]]]]
        Description: !If [Long, long, short]
  Crawler:
    Type: AWS::Glue::Crawler
    Properties:
      Role: !GetAtt Role.Arn
      DatabaseName: !Ref Database
      Targets: {S3Targets: [{Path: !Sub "s3://${Raw}/", SampleSize: "3"}]}
  WorkGroup:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: !Ref Prefix
      WorkGroupConfiguration: {ResultConfiguration: {OutputLocation: !Sub "s3://${Raw}/results/"}}
  Query:
    Type: AWS::Athena::NamedQuery
    Properties: {Database: !Ref Database, QueryString: SELECT 1, WorkGroup: !Ref WorkGroup}
Outputs:
  Raw: {Value: !Ref Raw, Export: {Name: !Sub "${Prefix}-raw"}}
  Role: {Value: !GetAtt Role.Arn}
  Crawler: {Value: !Ref Crawler}
  Query: {Value: !GetAtt Query.NamedQueryId}
"""


class World:
    """A caller of CloudFormation with stacks of its own names."""

    def __init__(self, server, unique, key=("test", "test")):
        self.server, self.unique, self.key = server, unique, key
        self.cfn = server.client("cloudformation", *key)

    def client(self, service):
        return self.server.client(service, *self.key)

    def settled(self, name):
        def ended():
            stack = self.cfn.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        return wait_for(ended, f"the end of what happens to {name}", timeout=120)

    def create(self, template, name=None, **options):
        name = name or self.unique("stack")
        options.setdefault("Capabilities", ["CAPABILITY_IAM"])
        self.cfn.create_stack(StackName=name, TemplateBody=text(template), **options)
        return self.settled(name)

    def update(self, name, template, **options):
        options.setdefault("Capabilities", ["CAPABILITY_IAM"])
        self.cfn.update_stack(StackName=name, TemplateBody=text(template), **options)
        return self.settled(name)

    def delete(self, stack):
        self.cfn.delete_stack(StackName=stack["StackName"])
        return self.settled(stack["StackId"])

    def events(self, stack):
        """All events, oldest first: logical id, status, reason."""
        pages = self.cfn.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
        found = [event for page in pages for event in page["StackEvents"]]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in reversed(found)
        ]

    def failures(self, stack):
        return [event for event in self.events(stack) if "FAILED" in event[1]]

    def reason(self, stack, logical, status):
        return next(reason for name, state, reason in self.events(stack) if (name, state) == (logical, status))


def text(template):
    return template if isinstance(template, str) else json.dumps(template)


def outputs(stack):
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def parameters(**values):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def bucket(name, **more):
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}} | more



@pytest.fixture
def world(shared, unique):
    return World(shared, unique)


@pytest.fixture
def aws(shared, tmp_path):
    def call(*arguments, code=0):
        command = [sys.executable, str(BIN / "aws"), *map(str, arguments)]
        done = subprocess.run(
            command, env=shared.environment(), cwd=tmp_path, capture_output=True, text=True, timeout=180
        )
        # Releases of the command differ in how they say that a call was refused.
        assert done.returncode == code or code == 254 and done.returncode == 255, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


def test_a_stack_comes_changes_and_goes(world, unique):
    prefix = unique("lake")
    stack = world.create(LAKE, Parameters=parameters(Prefix=prefix), Tags=[{"Key": "team", "Value": "flights"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    shown = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    assert shown == {"Prefix": prefix, "Days": "7", "Secret": "****"}
    made = outputs(stack)
    assert made["Raw"] == f"{prefix}-raw-000000000000"
    crawler = world.client("glue").get_crawler(Name=made["Crawler"])["Crawler"]
    assert crawler["Targets"]["S3Targets"] == [{"Path": f"s3://{made['Raw']}/", "SampleSize": 3}]
    assert made["Crawler"].startswith(stack["StackName"])
    tags = world.client("s3").get_bucket_tagging(Bucket=made["Raw"])["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"owner": "data", "team": "flights"}
    role = made["Role"].split("/")[-1]
    attached = world.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert len(attached) == 1
    query = world.client("athena").get_named_query(NamedQueryId=made["Query"])["NamedQuery"]
    assert (query["QueryString"], query["WorkGroup"]) == ("SELECT 1", prefix)
    exports = {export["Name"]: export["Value"] for export in world.cfn.list_exports()["Exports"]}
    assert exports[f"{prefix}-raw"] == made["Raw"]

    longer = LAKE.replace("SELECT 1", "SELECT 2").replace('"glue:*"', '"glue:Get*"')
    stack = world.update(stack["StackName"], longer, Parameters=parameters(Prefix=prefix, Days="30"))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", world.failures(stack)
    database = world.client("glue").get_database(Name=prefix.replace("-", "_db_"))["Database"]
    assert database["Description"] == "long"
    policy = world.client("iam").get_role_policy(RoleName=role, PolicyName="catalogue")["PolicyDocument"]
    assert policy["Statement"][0]["Action"] == "glue:Get*"
    assert outputs(stack)["Query"] != made["Query"]
    with pytest.raises(ClientError, match="not found|does not exist"):
        world.client("athena").get_named_query(NamedQueryId=made["Query"])

    resources = world.cfn.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
    assert len(resources) == 8
    assert world.cfn.describe_stack_resource(StackName=stack["StackName"], LogicalResourceId="Raw")[
        "StackResourceDetail"
    ]["PhysicalResourceId"] == made["Raw"]
    assert world.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="404"):
        world.client("s3").head_bucket(Bucket=made["Raw"])
    with pytest.raises(ClientError, match="NoSuchEntity"):
        world.client("iam").get_role(RoleName=role)
    with pytest.raises(ClientError, match=f"Stack with id {stack['StackName']} does not exist"):
        world.cfn.describe_stacks(StackName=stack["StackName"])


def next_second():
    """The command names its change sets by the second, and a stack has a name but once."""
    time.sleep(1.1 - time.time() % 1)


def test_the_command_line_deploys_unmodified(world, aws, unique, tmp_path):
    name, prefix = unique("cli"), unique("cli-lake")
    (tmp_path / "lake.yaml").write_text(LAKE)
    deploy = ["cloudformation", "deploy", "--stack-name", name, "--template-file", "lake.yaml"]
    with_all = [*deploy, "--capabilities", "CAPABILITY_IAM", "--parameter-overrides", f"Prefix={prefix}"]
    assert "CAPABILITY_IAM" in aws(*deploy, "--parameter-overrides", f"Prefix={prefix}", code=255)
    assert "Successfully created/updated stack" in aws(*with_all)
    next_second()
    assert "No changes to deploy" in aws(*with_all, "--no-fail-on-empty-changeset")
    next_second()
    assert "Successfully created/updated stack" in aws(*with_all, "Days=30")
    events = json.loads(aws("cloudformation", "describe-stack-events", "--stack-name", name))["StackEvents"]
    assert events[0]["ResourceStatus"] == "UPDATE_COMPLETE"
    assert aws("cloudformation", "get-template", "--stack-name", name).count("AWS::S3::Bucket") == 2
    aws("cloudformation", "delete-stack", "--stack-name", name)
    aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", name)
    assert world.client("glue").get_databases()["DatabaseList"] is not None


def test_templates_are_read_from_buckets(world, unique):
    artifacts, prefix = unique("artifacts"), unique("s3-lake")
    s3 = world.client("s3")
    s3.create_bucket(Bucket=artifacts)
    # Longer than a request may be.
    s3.put_object(Bucket=artifacts, Key="in a folder/lake.yaml", Body=LAKE + "#" * 60_000)
    url = f"{world.server.url}/{artifacts}/in%20a%20folder/"
    name = unique("stack")
    options = {"Capabilities": ["CAPABILITY_IAM"], "Parameters": parameters(Prefix=prefix)}
    world.cfn.create_stack(StackName=name, TemplateURL=f"{url}lake.yaml", **options)
    assert world.settled(name)["StackStatus"] == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="S3 error"):
        world.cfn.create_stack(StackName=unique("stack"), TemplateURL=f"{url}nothing.yaml")
    with pytest.raises(ClientError, match="templateBody"):
        world.cfn.create_stack(StackName=unique("stack"), TemplateBody=LAKE + "#" * 60_000)


def test_a_failed_creation_is_taken_back_with_its_cause(world, unique):
    taken, fresh = unique("taken"), unique("fresh")
    world.client("s3").create_bucket(Bucket=taken)
    template = {"Resources": {"Fresh": bucket(fresh), "Taken": bucket(taken, DependsOn="Fresh")}}
    stack = world.create(template)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "already exists" in world.reason(stack, "Taken", "CREATE_FAILED")
    states = [(name, state) for name, state, _ in world.events(stack)]
    assert states.index(("Fresh", "CREATE_COMPLETE")) < states.index(("Fresh", "DELETE_COMPLETE"))
    world.client("s3").head_bucket(Bucket=taken)
    with pytest.raises(ClientError, match="404"):
        world.client("s3").head_bucket(Bucket=fresh)
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        world.cfn.update_stack(StackName=stack["StackName"], TemplateBody=text(template))
    name = unique("stack")
    world.cfn.create_stack(StackName=name, TemplateBody=text(template))
    with pytest.raises(WaiterError, match="ROLLBACK"):
        world.cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def test_unknown_types_and_properties_fail_by_name(world, unique):
    stack = world.create({"Resources": {"Machine": {"Type": "AWS::EC2::Instance", "Properties": {}}}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "AWS::EC2::Instance" in world.reason(stack, "Machine", "CREATE_FAILED")
    misspelt = {"Type": "AWS::S3::Bucket", "Properties": {"BuketName": "x"}}
    stack = world.create({"Resources": {"Bucket": misspelt}})
    assert "extraneous key [BuketName] is not permitted" in world.reason(stack, "Bucket", "CREATE_FAILED")


def test_a_failed_update_brings_everything_back(world, unique):
    first, second, taken = unique("first"), unique("second"), unique("taken")
    world.client("s3").create_bucket(Bucket=taken)
    tagged = bucket(first)
    tagged["Properties"]["Tags"] = [{"Key": "v", "Value": "1"}]
    stack = world.create({"Resources": {"First": tagged}})
    changed = json.loads(json.dumps(tagged))
    changed["Properties"]["Tags"][0]["Value"] = "2"
    wanted = {"First": changed, "Second": bucket(second), "Taken": bucket(taken, DependsOn=["First", "Second"])}
    stack = world.update(stack["StackName"], {"Resources": wanted})
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", world.failures(stack)
    tags = world.client("s3").get_bucket_tagging(Bucket=first)["TagSet"]
    assert tags == [{"Key": "v", "Value": "1"}]
    with pytest.raises(ClientError, match="404"):
        world.client("s3").head_bucket(Bucket=second)
    with pytest.raises(ClientError, match="No updates are to be performed"):
        world.update(stack["StackName"], {"Resources": {"First": tagged}})
    assert world.update(stack["StackName"], {"Resources": {"First": changed}})["StackStatus"] == "UPDATE_COMPLETE"


def test_a_replacement_removes_what_it_replaces(world, unique):
    old, new = unique("old"), unique("new")
    stack = world.create({"Resources": {"B": bucket(old)}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": "B.Arn"}}}})
    stack = world.update(stack["StackName"], {"Resources": {"B": bucket(new)}})
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    world.client("s3").head_bucket(Bucket=new)
    with pytest.raises(ClientError, match="404"):
        world.client("s3").head_bucket(Bucket=old)
    kept = bucket(unique("next"), UpdateReplacePolicy="Delete", DeletionPolicy="Retain")
    world.update(stack["StackName"], {"Resources": {"B": kept}})
    world.delete(stack)
    world.client("s3").head_bucket(Bucket=kept["Properties"]["BucketName"])


def test_callers_make_only_what_they_may(shared, world, unique):
    iam, user = world.client("iam"), unique("deployer")
    iam.create_user(UserName=user)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    caller = World(shared, unique, (keys["AccessKeyId"], keys["SecretAccessKey"]))
    template = {"Resources": {"B": bucket(unique("denied"))}}
    with pytest.raises(ClientError, match="AccessDenied"):
        caller.cfn.create_stack(StackName="s", TemplateBody=text(template))
    policy = {"Version": "2012-10-17", "Statement": [allow("cloudformation:*")]}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    stack = caller.create(template)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = caller.reason(stack, "B", "CREATE_FAILED")
    assert "s3:CreateBucket" in reason and user in reason
    # With a role of the stack's, the role's permissions count, and passing it is a permission of its own.
    role = service_role(shared, unique("stack-role"), allow("s3:*"), service="cloudformation.amazonaws.com")
    with pytest.raises(ClientError, match="iam:PassRole"):
        caller.cfn.create_stack(StackName=unique("stack"), TemplateBody=text(template), RoleARN=role)
    policy["Statement"].append(allow("iam:PassRole", resource=role))
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    stack = caller.create(template, RoleARN=role)
    assert stack["StackStatus"] == "CREATE_COMPLETE", caller.failures(stack)
    assert caller.delete(stack)["StackStatus"] == "DELETE_COMPLETE"


def test_permissions_have_to_be_acknowledged(world, unique):
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ],
            }
        },
    }
    with pytest.raises(ClientError, match=r"InsufficientCapabilities.*Requires capabilities : \[CAPABILITY_IAM\]"):
        world.create({"Resources": {"R": role}}, Capabilities=[])
    role["Properties"]["RoleName"] = unique("named")
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_NAMED_IAM\]"):
        world.create({"Resources": {"R": role}})
    stack = world.create({"Resources": {"R": role}}, Capabilities=["CAPABILITY_NAMED_IAM"])
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    validated = world.cfn.validate_template(TemplateBody=text({"Resources": {"R": role}}))
    assert validated["Capabilities"] == ["CAPABILITY_NAMED_IAM"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{", "JSON not well-formed"),
        ("a: [", "YAML not well-formed"),
        ("Resources: {}", "At least one Resources member must be defined"),
        ("Resources: {A: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Ref B}}}", r"Unresolved resource dependencies \[B\]"),
        (
            "Resources: {A: {Type: 'AWS::S3::Bucket', DependsOn: B}, B: {Type: 'AWS::S3::Bucket', DependsOn: A}}",
            r"Circular dependency between resources: \[A, B\]",
        ),
        ("Resources: {A: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !GetAtt A.Foo}}}", "Circular|does not support"),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: 'AWS::S3::Bucket'}}", "Transform"),
        ("Parameters: {P: {Type: String}}\nResources: {A: {Type: 'AWS::S3::Bucket'}}", r"Parameters: \[P\] must have values"),
        ("Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>'}}\nResources: {A: {Type: x}}", "AWS::SSM::Parameter"),
    ],
)
def test_bad_templates_are_refused(world, unique, template, message):
    with pytest.raises(ClientError, match=message) as refused:
        world.create(template)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_change_sets_show_changes_before_they_happen(world, unique):
    name, first, second = unique("stack"), unique("first"), unique("second")
    one = text({"Resources": {"B": bucket(first)}})
    world.cfn.create_change_set(StackName=name, ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=one)
    world.cfn.get_waiter("change_set_create_complete").wait(StackName=name, ChangeSetName="one")
    shown = world.cfn.describe_change_set(StackName=name, ChangeSetName="one")
    assert [change["ResourceChange"]["Action"] for change in shown["Changes"]] == ["Add"]
    assert world.cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    world.cfn.execute_change_set(StackName=name, ChangeSetName="one")
    world.cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    two = text({"Resources": {"B": bucket(second)}})
    made = world.cfn.create_change_set(StackName=name, ChangeSetName="two", TemplateBody=two)
    change = world.cfn.describe_change_set(ChangeSetName=made["Id"])["Changes"][0]["ResourceChange"]
    assert (change["Action"], change["Replacement"], change["PhysicalResourceId"]) == ("Modify", "True", first)
    assert len(world.cfn.list_change_sets(StackName=name)["Summaries"]) == 2
    world.cfn.delete_change_set(ChangeSetName=made["Id"])
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        world.cfn.execute_change_set(ChangeSetName=made["Id"])
    world.client("s3").head_bucket(Bucket=first)


def test_exports_are_imported_and_protected(world, unique):
    export = unique("export")
    giving = {"Resources": {"B": bucket(unique("b"))}, "Outputs": {"O": {"Value": {"Ref": "B"}, "Export": {"Name": export}}}}
    taking = {"Resources": {"P": {"Type": "AWS::S3::BucketPolicy", "Properties": {
        "Bucket": {"Fn::ImportValue": export},
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
            "Action": "s3:GetObject", "Resource": {"Fn::Sub": ["arn:aws:s3:::${b}/x", {"b": {"Fn::ImportValue": export}}]}}]}}}}}
    giver, taker = world.create(giving), world.create(taking)
    assert taker["StackStatus"] == "CREATE_COMPLETE", world.failures(taker)
    assert world.cfn.list_imports(ExportName=export)["Imports"] == [taker["StackName"]]
    assert world.delete(giver)["StackStatus"] == "DELETE_FAILED"
    assert world.delete(taker)["StackStatus"] == "DELETE_COMPLETE"
    assert world.delete(giver)["StackStatus"] == "DELETE_COMPLETE"


def test_nested_stacks_give_their_outputs(world, unique):
    artifacts, inner_bucket = unique("artifacts"), unique("inner")
    world.client("s3").create_bucket(Bucket=artifacts)
    inner = {"Parameters": {"Name": {"Type": "String"}}, "Resources": {"B": bucket({"Ref": "Name"})},
             "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["B", "Arn"]}}}}
    world.client("s3").put_object(Bucket=artifacts, Key="inner.json", Body=text(inner))
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {
        "TemplateURL": f"https://{artifacts}.s3.amazonaws.com/inner.json", "Parameters": {"Name": inner_bucket}}}
    outer = {"Resources": {"Inner": nested}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Arn"]}}}}
    stack = world.create(outer)
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    assert outputs(stack)["Arn"] == f"arn:aws:s3:::{inner_bucket}"
    assert world.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="404"):
        world.client("s3").head_bucket(Bucket=inner_bucket)


def many(count, prefix):
    """A chain beside many: roles that depend on each other, and buckets that depend on nothing."""
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    resources = {}
    for number in range(count):
        role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
        if number:
            role["Properties"]["Description"] = {"Fn::Sub": f"after ${{Role{number - 1}}}"}
        resources[f"Role{number}"] = role
        resources[f"Bucket{number}"] = bucket(f"{prefix}-{number}")
    return {"Resources": resources}


def test_a_killed_server_goes_on_with_its_stacks(start, unique, tmp_path):
    """kill -9 at some moment of a creation, of an update, of a deletion: each ends as if nothing had happened."""
    chance = random.Random(int(os.environ.get("BOATHOUSE_CRASH_SEED", "1")))
    count, server = 25, start("--dev")

    def restarted():
        time.sleep(chance.uniform(0.02, 0.4))
        server.kill()
        return start("--dev")

    for round_number in range(int(os.environ.get("BOATHOUSE_CRASH_ROUNDS", "3"))):
        template = many(count, f"round-{round_number}")
        world, name = World(server, unique), f"round-{round_number}"
        world.cfn.create_stack(StackName=name, TemplateBody=text(template), Capabilities=["CAPABILITY_IAM"])
        server = restarted()
        world = World(server, unique)
        stack = world.settled(name)
        assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
        assert len(world.client("s3").list_buckets()["Buckets"]) == count
        roles = world.client("iam").list_roles(MaxItems=1000)["Roles"]
        assert len([role for role in roles if role["RoleName"].startswith(name)]) == count

        for number in range(count):
            template["Resources"][f"Bucket{number}"]["Properties"]["BucketName"] = f"again-{round_number}-{number}"
        world.cfn.update_stack(StackName=name, TemplateBody=text(template), Capabilities=["CAPABILITY_IAM"])
        server = restarted()
        world = World(server, unique)
        stack = world.settled(name)
        assert stack["StackStatus"] == "UPDATE_COMPLETE", world.failures(stack)
        names = {bucket["Name"] for bucket in world.client("s3").list_buckets()["Buckets"]}
        assert names == {f"again-{round_number}-{number}" for number in range(count)}

        world.cfn.delete_stack(StackName=name)
        server = restarted()
        world = World(server, unique)
        assert world.settled(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
        assert world.client("s3").list_buckets()["Buckets"] == []
        roles = world.client("iam").list_roles(MaxItems=1000)["Roles"]
        assert [role for role in roles if role["RoleName"].startswith(name)] == []


def test_the_example_passes_cfn_lint():
    lint = [sys.executable, str(BIN / "cfn-lint"), str(EXAMPLE / "template.yaml")]
    done = subprocess.run(lint, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


def test_the_example_is_accepted(world):
    template = (EXAMPLE / "template.yaml").read_text()
    validated = world.cfn.validate_template(TemplateBody=template)
    assert validated["Capabilities"] == ["CAPABILITY_IAM"]
    names = {parameter["ParameterKey"] for parameter in validated["Parameters"]}
    assert {"Name", "ArtifactsBucket", "DailyAt"} <= names


class Example(World):
    """The example's stack, with everything that it needs."""

    def deploy(self, name, prefix, **values):
        artifacts = self.unique("artifacts")
        self.client("s3").create_bucket(Bucket=artifacts)
        for job in ("clean", "master"):
            script = (EXAMPLE / "jobs" / f"{job}.py").read_bytes()
            key = f"serverless-data-platform/jobs/{job}.py"
            self.client("s3").put_object(Bucket=artifacts, Key=key, Body=script)
        given = {"ArtifactsBucket": artifacts, "Name": prefix, "Database": prefix.replace("-", "_")} | values
        self.template, self.parameters = (EXAMPLE / "template.yaml").read_text(), parameters(**given)
        self.cfn.create_stack(
            StackName=name, TemplateBody=self.template, Parameters=self.parameters, Capabilities=["CAPABILITY_IAM"]
        )


def test_the_example_is_made_changed_and_removed(shared, unique):
    world, name, prefix = Example(shared, unique), unique("platform"), unique("flights")
    world.deploy(name, prefix)
    stack = world.settled(name)
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    made = outputs(stack)
    functions = world.client("lambda")
    sha = functions.get_function_configuration(FunctionName=f"{prefix}-ingest")["CodeSha256"]

    changes = [
        ("AT_ONCE = 500", "AT_ONCE = 400"),
        ("MemorySize: 512", "MemorySize: 640"),
        ("CompressionFormat: GZIP", "CompressionFormat: UNCOMPRESSED"),
        ("RouteKey: POST /uploads/{name}/url", "RouteKey: POST /uploads/{name}/address"),
        ("Comment: Landing to raw.", "Comment: From landing to raw."),
        ("MaximumRetryAttempts: 10", "MaximumRetryAttempts: 5"),
        ("Description: Accepted to master.", "Description: From accepted to master."),
        ("TablePrefix: master_", "TablePrefix: gold_"),
        ("Description: Everybody who asks about flights.", "Description: Everybody."),
        ("LIMIT 10", "LIMIT 20"),
        ("- glue:DeleteTable", "- glue:DeleteTableVersion"),
    ]
    template = world.template
    for old, new in changes:
        assert old in template, old
        template = template.replace(old, new)
    values = world.parameters + parameters(LogDays="7", DailyAt="cron(0 4 * * ? *)", BufferSeconds="60")
    stack = world.update(name, template, Parameters=values)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", world.failures(stack)
    ingest = functions.get_function_configuration(FunctionName=f"{prefix}-ingest")
    assert ingest["MemorySize"] == 640 and ingest["CodeSha256"] != sha
    stream = world.client("firehose").describe_delivery_stream(DeliveryStreamName=made["Stream"])
    target = stream["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (target["CompressionFormat"], target["BufferingHints"]["IntervalInSeconds"]) == ("UNCOMPRESSED", 60)
    api = made["Uploads"].rsplit("/", 1)[-1]
    routes = {route["RouteKey"] for route in world.client("apigatewayv2").get_routes(ApiId=api)["Items"]}
    assert routes == {"POST /uploads/{name}", "POST /uploads/{name}/address"}
    machine = world.client("stepfunctions").describe_state_machine(stateMachineArn=made["Workflow"])
    assert "From landing to raw." in machine["definition"]
    schedule = world.client("scheduler").get_schedule(Name=f"{prefix}-daily")
    assert schedule["ScheduleExpression"] == "cron(0 4 * * ? *)"
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 5
    glue = world.client("glue")
    assert glue.get_job(JobName=f"{prefix}-master")["Job"]["Description"].startswith("From accepted")
    assert glue.get_crawler(Name=f"{prefix}-master")["Crawler"]["TablePrefix"] == "gold_"
    assert world.client("athena").get_work_group(WorkGroup=prefix)["WorkGroup"]["Description"] == "Everybody."
    groups = world.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{prefix}-")["logGroups"]
    assert {group["retentionInDays"] for group in groups} == {7}

    assert world.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        functions.get_function(FunctionName=f"{prefix}-ingest")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        world.client("firehose").describe_delivery_stream(DeliveryStreamName=made["Stream"])
    with pytest.raises(ClientError, match="EntityNotFound"):
        glue.get_database(Name=made["Database"])


def test_the_example_is_made_by_a_server_that_dies(start, unique):
    chance = random.Random(int(os.environ.get("BOATHOUSE_CRASH_SEED", "1")))
    server = start("--dev")
    Example(server, unique).deploy("platform", "flights")
    for _ in range(3):
        time.sleep(chance.uniform(0.02, 0.25))
        server.kill()
        server = start("--dev")
    world = Example(server, unique)
    stack = world.settled("platform")
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    api = outputs(stack)["Uploads"].rsplit("/", 1)[-1]
    assert len(world.client("apigatewayv2").get_routes(ApiId=api)["Items"]) == 2
    assert len(world.client("athena").list_named_queries(WorkGroup="flights")["NamedQueryIds"]) == 5
    assert world.delete(stack)["StackStatus"] == "DELETE_COMPLETE"


TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com", "scheduler.amazonaws.com",
                                                  "events.amazonaws.com"]}, "Action": "sts:AssumeRole"}]}

NEIGHBOURS = """
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: $TRUST}}
  Working:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: working
      Roles: [!Ref Role]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
  Group: {Type: AWS::IAM::Group, Properties: {ManagedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}}
  User: {Type: AWS::IAM::User, Properties: {Groups: [!Ref Group], Tags: [{Key: a, Value: 1}]}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Runtime: python3.12
      Handler: index.handler
      Code: {ZipFile: "def handler(event, context): return {'said': event}"}
      Environment: {Variables: {NUMBER: 5, FLAG: true}}
      ReservedConcurrentExecutions: 2
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function, Description: first}}
  Alias: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Function, Name: live, FunctionVersion: !GetAtt Version.Version}}
  Invokes:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: !Ref Function, Qualifier: $LATEST, MaximumRetryAttempts: 0}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !GetAtt Function.Arn, Action: "lambda:InvokeFunction", Principal: events.amazonaws.com}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: !Sub "${AWS::StackName}-bus"}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [flights]}
      Targets: [{Id: function, Arn: !GetAtt Function.Arn}]
  ScheduleGroup: {Type: AWS::Scheduler::ScheduleGroup}
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      GroupName: !Ref ScheduleGroup
      ScheduleExpression: rate(1 day)
      FlexibleTimeWindow: {Mode: "OFF"}
      Target: {Arn: !GetAtt Function.Arn, RoleArn: !GetAtt Role.Arn}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !GetAtt Role.Arn
      DefinitionString: !Sub '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${!function}", "End": true}}}'
      DefinitionSubstitutions: {function: !GetAtt Function.Arn}
  MachineVersion: {Type: AWS::StepFunctions::StateMachineVersion, Properties: {StateMachineArn: !Ref Machine}}
  MachineAlias:
    Type: AWS::StepFunctions::StateMachineAlias
    Properties: {Name: live, RoutingConfiguration: [{StateMachineVersionArn: !Ref MachineVersion, Weight: 100}]}
  Activity: {Type: AWS::StepFunctions::Activity, Properties: {Name: !Sub "${AWS::StackName}-activity"}}
  LogGroup: {Type: AWS::Logs::LogGroup}
  LogStream: {Type: AWS::Logs::LogStream, Properties: {LogGroupName: !Ref LogGroup}}
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: things, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ["*"]}}}
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      Name: everybody
      AuthorizerType: REQUEST
      AuthorizerUri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
      AuthorizerPayloadFormatVersion: "2.0"
      EnableSimpleResponses: true
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Function.Arn, PayloadFormatVersion: "2.0"}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: GET /things
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Authorizer
      Target: !Sub "integrations/${Integration}"
  Deployment: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: Route, Properties: {ApiId: !Ref Api}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: live, DeploymentId: !Ref Deployment}}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      CorsConfiguration: {CorsRules: [{AllowedMethods: [GET], AllowedOrigins: ["*"], MaxAge: "60"}]}
      NotificationConfiguration: {EventBridgeConfiguration: {EventBridgeEnabled: true}}
  WorkGroup: {Type: AWS::Athena::WorkGroup, Properties: {Name: !Sub "${AWS::StackName}-group", State: DISABLED}}
  Statement:
    Type: AWS::Athena::PreparedStatement
    Properties: {StatementName: ask, WorkGroup: !Ref WorkGroup, QueryStatement: SELECT ?}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
Outputs:
  Function: {Value: !Ref Function}
  Alias: {Value: !Ref Alias}
  Machine: {Value: !Ref MachineAlias}
  Bucket: {Value: !Ref Bucket}
"""


def test_the_neighbours_of_the_examples_types(world, unique):
    template = NEIGHBOURS.replace("$TRUST", json.dumps(TRUST))
    stack = world.create(template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    made = outputs(stack)
    configuration = world.client("lambda").get_function(FunctionName=made["Function"])
    assert configuration["Configuration"]["Environment"]["Variables"] == {"NUMBER": "5", "FLAG": "true"}
    assert configuration["Concurrency"]["ReservedConcurrentExecutions"] == 2
    alias = world.client("lambda").get_alias(FunctionName=made["Function"], Name="live")
    assert (alias["AliasArn"], alias["FunctionVersion"]) == (made["Alias"], "1")
    cors = world.client("s3").get_bucket_cors(Bucket=made["Bucket"])["CORSRules"]
    assert cors == [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 60}]

    for old, new in [
        ("NUMBER: 5", "NUMBER: 6"),
        ("MaximumRetryAttempts: 0", "MaximumRetryAttempts: 1"),
        ("source: [flights]", "source: [planes]"),
        ("rate(1 day)", "rate(2 days)"),
        ("Description: first", "Description: second"),
        ("Value: 1}]", "Value: 2}]"),
        ("MaxAge: \"60\"", "MaxAge: 30"),
        ("State: DISABLED", "State: ENABLED"),
        ("SELECT ?", "SELECT ? + 1"),
        ("GET /things", "GET /all-things"),
        ("ReservedConcurrentExecutions: 2", "ReservedConcurrentExecutions: 3"),
    ]:
        assert old in template, old
        template = template.replace(old, new)
    stack = world.update(stack["StackName"], template)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", world.failures(stack)
    alias = world.client("lambda").get_alias(FunctionName=made["Function"], Name="live")
    assert alias["FunctionVersion"] == "2"
    assert world.delete(stack)["StackStatus"] == "DELETE_COMPLETE", world.failures(stack)


QUEUES = """
Resources:
  Dead: {Type: AWS::SQS::Queue}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: %s
      VisibilityTimeout: %d
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
      Tags: [{Key: team, Value: data}]
  Ordered: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Work]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: "sqs:SendMessage", Resource: !GetAtt Work.Arn}
  Raw:
    Type: AWS::S3::Bucket
    DependsOn: Policy
    Properties:
      NotificationConfiguration:
        QueueConfigurations: [{Event: "s3:ObjectCreated:*", Queue: !GetAtt Work.Arn}]
Outputs:
  Url: {Value: !Ref Work}
  Same: {Value: !GetAtt Work.QueueUrl}
  Name: {Value: !GetAtt Work.QueueName}
  Dead: {Value: !Ref Dead}
  Ordered: {Value: !GetAtt Ordered.QueueName}
  Raw: {Value: !Ref Raw}
"""


def test_queues_and_their_policies(world, unique):
    sqs, name = world.client("sqs"), unique("work")
    stack = world.create(QUEUES % (name, 7))
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    made = outputs(stack)
    assert made["Url"] == made["Same"] == sqs.get_queue_url(QueueName=name)["QueueUrl"]
    assert made["Name"] == name and made["Ordered"].endswith(".fifo")
    assert sqs.list_dead_letter_source_queues(QueueUrl=made["Dead"])["queueUrls"] == [made["Url"]]
    shown = sqs.get_queue_attributes(QueueUrl=made["Url"], AttributeNames=["All"])["Attributes"]
    assert shown["VisibilityTimeout"] == "7" and "s3.amazonaws.com" in shown["Policy"]
    world.client("s3").put_object(Bucket=made["Raw"], Key="k", Body=b"x")
    received = sqs.receive_message(QueueUrl=made["Url"], WaitTimeSeconds=10, MaxNumberOfMessages=10)["Messages"]
    assert "s3:TestEvent" in received[0]["Body"]
    stack = world.update(stack["StackName"], QUEUES % (name, 9))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", world.failures(stack)
    shown = sqs.get_queue_attributes(QueueUrl=made["Url"], AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert shown == {"VisibilityTimeout": "9"}
    taken = world.create(QUEUES % (name, 7))  # somebody else's queue is not taken over
    assert "already exists" in str(world.failures(taken))
    world.client("s3").delete_object(Bucket=made["Raw"], Key="k")
    assert world.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="NonExistentQueue"):
        sqs.get_queue_url(QueueName=name)


def test_a_buckets_configuration_comes_changes_and_goes(world, unique):
    s3, name = world.client("s3"), unique("configured")

    def template(**properties):
        return {"Resources": {"Bucket": bucket(name) | {"Properties": {"BucketName": name, **properties}}}}

    listed = {
        "Id": "daily",
        "Enabled": "true",
        "IncludedObjectVersions": "Current",
        "ScheduleFrequency": "Daily",
        "OptionalFields": ["Size", "ETag"],
        "Destination": {"BucketArn": f"arn:aws:s3:::{name}", "Format": "CSV", "Prefix": "lists"},
    }
    expire = {"Id": "tmp", "Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 3}
    tidy = {
        "Id": "tidy",
        "Status": "Enabled",
        "TagFilters": [{"Key": "class", "Value": "cold"}],
        "ObjectSizeGreaterThan": "1000",
        "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": 30}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7, "NewerNoncurrentVersions": 2},
    }
    locked = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    stack = world.create(
        template(
            VersioningConfiguration={"Status": "Enabled"},
            LifecycleConfiguration={"Rules": [expire, tidy]},
            ObjectLockEnabled=True,
            ObjectLockConfiguration=locked,
            InventoryConfigurations=[listed],
        )
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    first, second = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert (first["Filter"], first["Expiration"]) == ({"Prefix": "tmp/"}, {"Days": 3})
    assert second["Filter"]["And"]["Tags"] == tidy["TagFilters"] and second["Filter"]["And"]["ObjectSizeGreaterThan"] == 1000
    assert second["Transitions"] == [{"StorageClass": "STANDARD_IA", "Days": 30}]
    assert second["NoncurrentVersionExpiration"] == tidy["NoncurrentVersionExpiration"]
    assert s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"] == locked
    inventory = s3.get_bucket_inventory_configuration(Bucket=name, Id="daily")["InventoryConfiguration"]
    assert (inventory["IsEnabled"], inventory["OptionalFields"]) == (True, ["Size", "ETag"])
    assert inventory["Destination"]["S3BucketDestination"]["Prefix"] == "lists"

    weekly = listed | {"Id": "weekly", "ScheduleFrequency": "Weekly"}
    changed = template(
        VersioningConfiguration={"Status": "Enabled"},
        LifecycleConfiguration={"Rules": [expire | {"ExpirationInDays": 5}]},
        ObjectLockEnabled=True,
        InventoryConfigurations=[weekly],
    )
    stack = world.update(stack["StackName"], changed)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", world.failures(stack)
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert [rule["Expiration"]["Days"] for rule in rules] == [5]
    assert "Rule" not in s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    inventories = s3.list_bucket_inventory_configurations(Bucket=name)["InventoryConfigurationList"]
    assert [it["Id"] for it in inventories] == ["weekly"]
    assert world.delete(stack)["StackStatus"] == "DELETE_COMPLETE"


def test_a_bucket_that_logs_into_another(world, unique):
    s3, logs, name = world.client("s3"), unique("logs"), unique("logged")
    deliver = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{logs}/*",
    }
    policy = {"Bucket": logs, "PolicyDocument": {"Version": "2012-10-17", "Statement": [deliver]}}
    logging = {"DestinationBucketName": logs, "LogFilePrefix": "of-it/"}

    def template(**properties):
        own = {"Type": "AWS::S3::Bucket", "DependsOn": "Policy", "Properties": {"BucketName": name, **properties}}
        allow = {"Type": "AWS::S3::BucketPolicy", "DependsOn": "Logs", "Properties": policy}
        return {"Resources": {"Logs": bucket(logs), "Policy": allow, "Bucket": own}}

    stack = world.create(template(LoggingConfiguration=logging))
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    told = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]
    assert (told["TargetBucket"], told["TargetPrefix"]) == (logs, "of-it/")
    stack = world.update(stack["StackName"], template())
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=name)
    world.delete(stack)
