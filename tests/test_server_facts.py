"""What the server tells of itself to those who look after it, and to nobody else."""

import json
import time

from conftest import allow, own_call


def facts(server, key="test", secret="test", method="GET"):
    return own_call(server, "operations", "server", key, secret, method)


def test_version_memory_and_what_is_kept(shared, unique):
    s3 = shared.client("s3", "test", "test")
    bucket = unique("kept")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="large", Body=b"x" * 3_000_000)
    status, found = facts(shared)
    assert status == 200, found
    assert found["Version"][0].isdigit() and found["UptimeSeconds"] >= 0 and found["Processors"] >= 1
    assert 0 < found["Memory"]["ResidentBytes"] <= found["Memory"]["PeakBytes"] < found["Memory"]["MachineBytes"]
    # The first one who asks lets it be measured, and nobody waits for that.
    deadline = time.time() + 10
    while found["DataDirectory"] is None and time.time() < deadline:
        time.sleep(0.05)
        found = facts(shared)[1]
    parts = {part["Part"]: part for part in found["DataDirectory"]["Parts"]}
    assert {"objects", "indexes", "metadata", "journal", "logs", "audit", "functions", "work", "other"} <= set(parts)
    assert parts["objects"]["Bytes"] > 0 and parts["metadata"]["Files"] >= 1
    assert "/" not in json.dumps(found), "paths are nobody's business"


def test_they_are_for_who_may_know(shared, unique):
    iam = shared.client("iam", "test", "test")
    name = unique("keeper")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    pair = key["AccessKeyId"], key["SecretAccessKey"]
    status, answer = facts(shared, *pair)
    assert answer["__type"] == "AccessDeniedException" and "operations:GetServer" in answer["message"], (status, answer)
    assert facts(shared, None)[0] in (400, 403)
    assert facts(shared, "test", "wrong")[0] == 403
    document = {"Version": "2012-10-17", "Statement": [allow("operations:GetServer")]}
    iam.put_user_policy(UserName=name, PolicyName="see", PolicyDocument=json.dumps(document))
    assert facts(shared, *pair)[0] == 200
    assert facts(shared, *pair, method="POST")[0] == 405
