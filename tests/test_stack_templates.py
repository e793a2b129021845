"""CloudFormation: everything that a template may say, what stacks keep, and that a crash makes nothing twice."""

import json
import random
import time

import pytest
from botocore.exceptions import ClientError

from conftest import wait_for
from test_cloudformation import World, bucket, outputs, parameters, text
from test_lambda import archive


@pytest.fixture
def world(shared, unique):
    return World(shared, unique)


def shown(value):
    return {"Value": value}


INTRINSICS = {
    "Parameters": {
        "Stage": {"Type": "String", "AllowedValues": ["dev", "prod"], "Default": "dev"},
        "Names": {"Type": "CommaDelimitedList", "Default": "a,b,c"},
        "Count": {"Type": "Number", "MinValue": 1, "MaxValue": 5, "Default": 3},
        "Secret": {"Type": "String", "NoEcho": True, "Default": "hush"},
    },
    "Mappings": {"Sizes": {"dev": {"size": "small"}, "prod": {"size": "large"}}},
    "Conditions": {
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "IsDev": {"Fn::Not": [{"Condition": "IsProd"}]},
        "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
        "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
    },
    "Resources": {
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": {"Fn::If": ["IsProd", 30, {"Ref": "AWS::NoValue"}]}}},
        "ProdLog": {"Type": "AWS::Logs::LogGroup", "Condition": "IsProd"},
    },
    "Outputs": {
        "Ref": shown({"Ref": "Log"}),
        "GetAtt": shown({"Fn::GetAtt": ["Log", "Arn"]}),
        "Sub": shown({"Fn::Sub": "${Stage}-${AWS::Region}-${Log}-${!Literal}"}),
        "SubMap": shown({"Fn::Sub": ["${x}/${Stage}", {"x": {"Fn::Select": [1, {"Ref": "Names"}]}}]}),
        "Join": shown({"Fn::Join": ["-", {"Ref": "Names"}]}),
        "Split": shown({"Fn::Select": ["2", {"Fn::Split": [".", "p.q.r"]}]}),
        "FindInMap": shown({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "size"]}),
        "Base64": shown({"Fn::Base64": "hello"}),
        "Cidr": shown({"Fn::Select": [1, {"Fn::Cidr": ["10.0.0.0/16", 4, 8]}]}),
        "Azs": shown({"Fn::Select": [0, {"Fn::GetAZs": ""}]}),
        "If": shown({"Fn::If": ["Either", {"Fn::If": ["Both", "both", "one"]}, "none"]}),
        "OnlyProd": {"Value": "x", "Condition": "IsProd"},
        "Pseudo": shown({"Fn::Join": ["|", [{"Ref": "AWS::AccountId"}, {"Ref": "AWS::Partition"}, {"Ref": "AWS::URLSuffix"}, {"Ref": "AWS::StackName"}]]}),
        "StackId": shown({"Ref": "AWS::StackId"}),
        "Number": shown({"Ref": "Count"}),
    },
}


def test_every_intrinsic_function_and_pseudo_parameter(world):
    stack = world.create(INTRINSICS)
    assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
    found = outputs(stack)
    log = found["Ref"]
    assert found.pop("GetAtt") == f"arn:aws:logs:us-east-1:000000000000:log-group:{log}:*"
    assert found.pop("StackId") == stack["StackId"]
    assert found == {
        "Ref": log,
        "Sub": f"dev-us-east-1-{log}-${{Literal}}",
        "SubMap": "b/dev",
        "Join": "a-b-c",
        "Split": "r",
        "FindInMap": "small",
        "Base64": "aGVsbG8=",
        "Cidr": "10.0.1.0/24",
        "Azs": "us-east-1a",
        "If": "one",
        "Pseudo": f"000000000000|aws|amazonaws.com|{stack['StackName']}",
        "Number": "3",
    }
    given = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    assert given == {"Stage": "dev", "Names": "a,b,c", "Count": "3", "Secret": "****"}
    # Another value of a condition brings a resource and an output, and back again they go.
    stack = world.update(stack["StackName"], INTRINSICS, Parameters=parameters(Stage="prod"))
    found = outputs(stack)
    assert (found["FindInMap"], found["OnlyProd"], found["Ref"]) == ("large", "x", log)
    resources = world.cfn.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
    assert {item["LogicalResourceId"] for item in resources} == {"Log", "ProdLog"}
    group = world.client("logs").describe_log_groups(logGroupNamePrefix=log)["logGroups"][0]
    assert group["retentionInDays"] == 30
    stack = world.update(stack["StackName"], INTRINSICS, Parameters=parameters(Stage="dev"))
    assert "OnlyProd" not in outputs(stack)
    resources = world.cfn.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
    assert [item["LogicalResourceId"] for item in resources] == ["Log"]


@pytest.mark.parametrize(
    "given, message",
    [
        ({"Stage": "test"}, "Stage"),
        ({"Count": "9"}, "Count"),
        ({"Count": "many"}, "Count"),
        ({"Unknown": "x"}, "Unknown"),
    ],
)
def test_parameters_keep_their_constraints(world, given, message):
    with pytest.raises(ClientError, match=message) as error:
        world.create(INTRINSICS, Parameters=parameters(**given))
    assert error.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize(
    "resource, message",
    [
        ({"Fn::GetAtt": ["B", "Nothing"]}, "Nothing"),
        ({"Fn::FindInMap": ["None", "a", "b"]}, "None"),
        ({"Fn::If": ["None", "a", "b"]}, "None"),
        ({"Fn::Select": [5, ["a"]]}, "Fn::Select|index|outside|range"),
        ({"Fn::ImportValue": "no-such-export-anywhere"}, "no-such-export-anywhere"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "Transform"),
        ({"Fn::Unknown": 1}, "Fn::Unknown|encountered unsupported function"),
        ({"Ref": "AWS::Nothing"}, "AWS::Nothing"),
    ],
)
def test_functions_that_can_not_be_evaluated_fail_by_name(world, unique, resource, message):
    template = {"Resources": {"B": bucket(unique("b"))}, "Outputs": {"O": shown(resource)}}
    try:
        stack = world.create(template)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationError"
        said = str(error)
    else:
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE", stack
        said = " ".join(reason for _, _, reason in world.events(stack))
    import re

    assert re.search(message, said), said


def test_stack_policies_and_what_else_is_missing_are_refused_by_name(world, unique):
    template = text({"Resources": {"B": bucket(unique("b"))}})
    for options in [
        {"StackPolicyBody": "{}"},
        {"NotificationARNs": ["arn:aws:sns:us-east-1:000000000000:t"]},
        {"RollbackConfiguration": {"MonitoringTimeInMinutes": 5}},
    ]:
        with pytest.raises(ClientError, match=next(iter(options))):
            world.cfn.create_stack(StackName=unique("stack"), TemplateBody=template, **options)
    with pytest.raises(ClientError, match="SetStackPolicy"):
        world.cfn.set_stack_policy(StackName="x", StackPolicyBody="{}")


def test_policies_decide_what_outlives_its_stack(world, unique):
    s3 = world.client("s3")
    kept, gone, replaced, next_one = unique("kept"), unique("gone"), unique("replaced"), unique("next")
    template = {
        "Resources": {
            "Kept": bucket(kept, DeletionPolicy="Retain"),
            "Gone": bucket(gone),
            "Replaced": bucket(replaced, UpdateReplacePolicy="Retain"),
        }
    }
    stack = world.create(template)
    template["Resources"]["Replaced"] = bucket(next_one, UpdateReplacePolicy="Retain")
    stack = world.update(stack["StackName"], template)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    del template["Resources"]["Kept"]
    stack = world.update(stack["StackName"], template)
    world.delete(stack)
    for name, there in [(kept, True), (gone, False), (replaced, True), (next_one, False)]:
        if there:
            s3.head_bucket(Bucket=name)
        else:
            with pytest.raises(ClientError, match="404"):
                s3.head_bucket(Bucket=name)


def test_an_export_in_use_does_not_change(world, unique):
    export, first, second = unique("export"), unique("b"), unique("b")

    def giving(name):
        return {
            "Resources": {"B": bucket(name)},
            "Outputs": {"O": {"Value": {"Ref": "B"}, "Export": {"Name": export}}},
        }

    taking = {"Resources": {"L": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::ImportValue": export}}}}}
    giver, taker = world.create(giving(first)), world.create(taking)
    changed = world.update(giver["StackName"], giving(second))
    assert changed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("in use by" in reason for _, _, reason in world.events(changed)), world.events(changed)[-5:]
    assert world.cfn.list_exports()["Exports"] and outputs(changed)["O"] == first
    with pytest.raises(ClientError, match="already exported|already exists"):
        twice = world.create(giving(unique("b")), name=unique("other"))
        reasons = [reason for _, _, reason in world.events(twice)]
        raise ClientError({"Error": {"Code": "x", "Message": " ".join(reasons)}}, "CreateStack")
    world.delete(taker)
    assert world.delete(giver)["StackStatus"] == "DELETE_COMPLETE"


def test_events_come_newest_first_in_pages(world, unique):
    names = {f"B{n}": bucket(unique("b")) for n in range(40)}
    stack = world.create({"Resources": names})
    pages = list(world.cfn.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"]))
    found = [event for page in pages for event in page["StackEvents"]]
    assert len(pages) > 1 and len({event["EventId"] for event in found}) == len(found) >= 2 + 3 * 40
    times = [event["Timestamp"] for event in found]
    assert times == sorted(times, reverse=True)
    assert (found[0]["ResourceStatus"], found[-1]["ResourceStatus"]) == ("CREATE_COMPLETE", "CREATE_IN_PROGRESS")
    assert found[0]["LogicalResourceId"] == found[-1]["LogicalResourceId"] == stack["StackName"]


def test_a_change_set_without_changes_fails_and_says_so(world, unique):
    template = {"Resources": {"B": bucket(unique("b"))}}
    stack = world.create(template)
    made = world.cfn.create_change_set(StackName=stack["StackName"], ChangeSetName="same", TemplateBody=text(template))
    shown = wait_for(
        lambda: (found := world.cfn.describe_change_set(ChangeSetName=made["Id"]))["Status"] == "FAILED" and found,
        "the change set's end",
    )
    assert "didn't contain changes" in shown["StatusReason"]
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        world.cfn.execute_change_set(ChangeSetName=made["Id"])
    moved = {"Resources": {"B": template["Resources"]["B"], "L": {"Type": "AWS::Logs::LogGroup"}}}
    made = world.cfn.create_change_set(StackName=stack["StackName"], ChangeSetName="more", TemplateBody=text(moved))
    world.cfn.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"])
    # What happened since makes the set useless.
    world.update(stack["StackName"], moved)
    with pytest.raises(ClientError, match="InvalidChangeSetStatus|ChangeSetNotFound"):
        world.cfn.execute_change_set(ChangeSetName=made["Id"])


def nameless(artifacts, count):
    """Things without names of their own, of which a call made twice would make two."""
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Code": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Role": {"Fn::GetAtt": "Role.Arn"},
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Code": {"ZipFile": "def handler(e, c):\n    return e\n"},
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Code"}}},
    }
    for n in range(count):
        api = {"Ref": f"Api{n}"}
        resources |= {
            f"Layer{n}": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"LayerName": f"layer-{n}", "Content": {"S3Bucket": artifacts, "S3Key": "layer.zip"}}},
            f"Api{n}": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": f"api-{n}", "ProtocolType": "HTTP"}},
            f"Integration{n}": {
                "Type": "AWS::ApiGatewayV2::Integration",
                "Properties": {
                    "ApiId": api,
                    "IntegrationType": "AWS_PROXY",
                    "IntegrationUri": {"Fn::GetAtt": "Code.Arn"},
                    "PayloadFormatVersion": "2.0",
                },
            },
            f"Route{n}": {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {"ApiId": api, "RouteKey": "$default", "Target": {"Fn::Sub": f"integrations/${{Integration{n}}}"}},
            },
            f"Deployment{n}": {"Type": "AWS::ApiGatewayV2::Deployment", "DependsOn": f"Route{n}", "Properties": {"ApiId": api}},
            f"Stage{n}": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "Properties": {"ApiId": api, "StageName": "prod", "DeploymentId": {"Ref": f"Deployment{n}"}},
            },
        }
    return {"Resources": resources}


def test_a_crash_makes_nothing_without_a_name_twice(start, unique):
    chance, server, count = random.Random(7), start("--dev"), 8
    s3 = server.client("s3", "test", "test")
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="layer.zip", Body=archive({"python/tools.py": "x = 1\n"}))
    for turn in range(4):
        world, name = World(server, unique), f"turn-{turn}"
        template = text(nameless("artifacts", count))
        world.cfn.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        for _ in range(3):
            time.sleep(chance.uniform(0.02, 0.25))
            server.kill()
            server = start("--dev")
        world = World(server, unique)
        stack = world.settled(name)
        assert stack["StackStatus"] == "CREATE_COMPLETE", world.failures(stack)
        gateway, functions = world.client("apigatewayv2"), world.client("lambda")
        apis = gateway.get_apis()["Items"]
        assert sorted(api["Name"] for api in apis) == [f"api-{n}" for n in range(count)]
        for api in apis:
            counts = [
                len(call(ApiId=api["ApiId"])["Items"])
                for call in [gateway.get_integrations, gateway.get_routes, gateway.get_deployments, gateway.get_stages]
            ]
            assert counts == [1, 1, 1, 1], api
        for n in range(count):
            assert len(functions.list_layer_versions(LayerName=f"layer-{n}")["LayerVersions"]) == 1
        (function,) = functions.list_functions()["Functions"]
        versions = functions.list_versions_by_function(FunctionName=function["FunctionName"])["Versions"]
        assert [version["Version"] for version in versions] == ["$LATEST", "1"]
        assert world.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
        assert gateway.get_apis()["Items"] == []
