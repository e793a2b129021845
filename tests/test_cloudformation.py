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
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


def test_a_stack_comes_changes_and_goes(world, unique):
    prefix = unique("lake")
    stack = world.create(LAKE, Parameters=parameters(Prefix=prefix), Tags=[{"Key": "team", "Value": "flights"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.events(stack)
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
    assert stack["StackStatus"] == "UPDATE_COMPLETE", world.events(stack)
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


def test_the_command_line_deploys_unmodified(world, aws, unique, tmp_path):
    name, prefix = unique("cli"), unique("cli-lake")
    (tmp_path / "lake.yaml").write_text(LAKE)
    deploy = ["cloudformation", "deploy", "--stack-name", name, "--template-file", "lake.yaml"]
    with_all = [*deploy, "--capabilities", "CAPABILITY_IAM", "--parameter-overrides", f"Prefix={prefix}"]
    assert "CAPABILITY_IAM" in aws(*deploy, "--parameter-overrides", f"Prefix={prefix}", code=254)
    assert "Successfully created/updated stack" in aws(*with_all)
    assert "No changes to deploy" in aws(*with_all, "--no-fail-on-empty-changeset")
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
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", world.events(stack)
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
    assert stack["StackStatus"] == "CREATE_COMPLETE", caller.events(stack)
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
    assert taker["StackStatus"] == "CREATE_COMPLETE", world.events(taker)
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
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.events(stack)
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
        assert stack["StackStatus"] == "CREATE_COMPLETE", world.events(stack)
        assert len(world.client("s3").list_buckets()["Buckets"]) == count
        roles = world.client("iam").list_roles(MaxItems=1000)["Roles"]
        assert len([role for role in roles if role["RoleName"].startswith(name)]) == count

        for number in range(count):
            template["Resources"][f"Bucket{number}"]["Properties"]["BucketName"] = f"again-{round_number}-{number}"
        world.cfn.update_stack(StackName=name, TemplateBody=text(template), Capabilities=["CAPABILITY_IAM"])
        server = restarted()
        world = World(server, unique)
        stack = world.settled(name)
        assert stack["StackStatus"] == "UPDATE_COMPLETE", world.events(stack)
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
