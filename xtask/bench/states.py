"""State transitions per second through Step Functions, durable and express.

So that the client is not what is measured, StartExecution and StartSyncExecution requests are signed beforehand and go as
ready-made bytes over keep-alive sockets, from one process for each client; they have no name, so each starts another
execution. The loop of tasks runs inside the server: a handful of calls start it, and the history says when it ended.
A transition is one state entered.
"""

import json
import multiprocessing
import socket
import statistics
import time
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from common import boathouse, cpu_seconds, machine, memory_mb, prose, scratch, table, write

from conftest import allow, service_role

CLIENTS = [1, 16, 64]
SECONDS = 5
CHAIN = 10
LOOPS = 50
PARALLEL = 200


def chain(length):
    states = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(length - 1)}
    states[f"S{length - 1}"] = {"Type": "Pass", "End": True}
    return json.dumps({"StartAt": "S0", "States": states})


def loop():
    """LOOPS times: a task, a Pass that counts, a Choice."""
    return json.dumps(
        {
            "StartAt": "Task",
            "States": {
                "Task": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::aws-sdk:sts:getCallerIdentity",
                    "Parameters": {},
                    "ResultPath": "$.who",
                    "Next": "Count",
                },
                "Count": {
                    "Type": "Pass",
                    "Parameters": {"n.$": "States.MathAdd($.n, 1)"},
                    "Next": "More",
                },
                "More": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.n", "NumericLessThan": LOOPS, "Next": "Task"}],
                    "Default": "Done",
                },
                "Done": {"Type": "Succeed"},
            },
        }
    )


def prepared(url, operation, arn):
    """A signed request as bytes."""
    body = json.dumps({"stateMachineArn": arn})
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AWSStepFunctions.{operation}"}
    request = AWSRequest(method="POST", url=url + "/", data=body, headers=headers)
    credentials = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test").get_credentials()
    SigV4Auth(credentials, "states", "us-east-1").add_auth(request)
    lines = ["POST / HTTP/1.1", f"Host: {urlsplit(url).netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "host"]
    return "\r\n".join([*lines, "", body]).encode()


def work(address, request, seconds, counts):
    """Sends the request over and over and puts the number of answers."""
    connection = socket.create_connection(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], answer
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(rest) < length:
            rest += connection.recv(65536)
        count += 1
    counts.put(count)


def executions_per_second(server, operation, arn, clients):
    request = prepared(server.url, operation, arn)
    address = (urlsplit(server.url).hostname, urlsplit(server.url).port)
    counts = multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=work, args=(address, request, SECONDS, counts)) for _ in range(clients)
    ]
    for process in processes:
        process.start()
    total = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return total / SECONDS


def task_loop(server, sfn, arn):
    """Transitions per second of PARALLEL executions that loop over tasks."""
    begun = time.monotonic()
    started = [
        sfn.start_execution(stateMachineArn=arn, input='{"n": 0}')["executionArn"] for _ in range(PARALLEL)
    ]
    while sfn.list_executions(stateMachineArn=arn, statusFilter="RUNNING", maxResults=1)["executions"]:
        time.sleep(0.05)
    seconds = time.monotonic() - begun
    statuses = {sfn.describe_execution(executionArn=execution)["status"] for execution in started}
    assert statuses == {"SUCCEEDED"}, statuses
    return PARALLEL * (LOOPS * 3 + 1) / seconds


def main():
    rows = []
    with scratch() as directory, boathouse(directory) as server:
        role = service_role(server, "bench", allow("*"), service="states.amazonaws.com")
        sfn = server.client("stepfunctions", "test", "test", inject_host_prefix=False)

        def create(name, definition, kind="STANDARD"):
            return sfn.create_state_machine(name=name, definition=definition, roleArn=role, type=kind)["stateMachineArn"]

        standard, express = create("chain", chain(CHAIN)), create("express", chain(CHAIN), "EXPRESS")
        looping = create("loop", loop())
        for clients in CLIENTS:
            for name, operation, arn in [
                ("standard", "StartExecution", standard),
                ("express, synchronous", "StartSyncExecution", express),
            ]:
                rate = executions_per_second(server, operation, arn, clients)
                rows.append([f"{name}, {CHAIN} Pass states", clients, f"{rate:.0f}", f"{rate * CHAIN:.0f}"])
        before = cpu_seconds(server.process.pid)
        rates = [task_loop(server, sfn, looping) for _ in range(3)]
        used = (cpu_seconds(server.process.pid) - before) / (3 * PARALLEL * (LOOPS * 3 + 1))
        rows.append([f"standard, loop of task, Pass, Choice", f"{PARALLEL} executions", "", f"{statistics.median(rates):.0f}"])
        memory = memory_mb(server.process)
    write(
        "states",
        "State transitions",
        machine(),
        prose(
            "Executions and state transitions (states entered) per second. A standard execution's start, with all the Pass "
            "states that follow, is one commit that is synced to disk before the answer; in the loop every task takes two "
            "commits (scheduled, ended), shared by the executions that run side by side. Express executions are not kept. "
            "Clients and server share the machine's cores."
        ),
        table(["workload", "clients", "executions/s", "transitions/s"], rows),
        prose(
            f"In the loop a transition costs the server {used * 1e6:.0f} µs of processor time. "
            f"Memory at the end: {memory:.0f} MB."
        ),
    )


if __name__ == "__main__":
    main()
