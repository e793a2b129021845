"""Durable records a second into a delivery stream, against Moto's server.

Records of 1 KB go by PutRecord from one client and from 64 at once, and by PutRecordBatch of 500 from eight. So that the
client is not what is measured, requests are signed beforehand and one process drives all keep-alive sockets. Boathouse
answers when the records are on disk (fdatasync); Moto keeps them in memory. While this goes on, Boathouse delivers the
records to S3, in objects of 64 MiB.
"""

import base64
import json
import selectors
import socket
import time
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from common import boathouse, cpu_seconds, machine, moto, prose, scratch, table, write

STREAM = "bench"
SECONDS = 6
RECORD = base64.b64encode(b"x" * 1024).decode()
# How many clients, and how many records each puts at once.
CASES = [(1, 1), (64, 1), (8, 500)]


def prepare(server):
    """A bucket, a role and a stream."""
    options = {
        "endpoint_url": server.url,
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    boto3.client("s3", **options).create_bucket(Bucket=STREAM)
    statement = {"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = boto3.client("iam", **options)
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName=STREAM, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=STREAM, PolicyName="work", PolicyDocument=json.dumps(policy))
    boto3.client("firehose", **options).create_delivery_stream(
        DeliveryStreamName=STREAM,
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{STREAM}",
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
        },
    )


def signed(url, batch):
    """A request that puts `batch` records, as bytes."""
    if batch == 1:
        operation, body = "PutRecord", {"DeliveryStreamName": STREAM, "Record": {"Data": RECORD}}
    else:
        operation, body = "PutRecordBatch", {"DeliveryStreamName": STREAM, "Records": [{"Data": RECORD}] * batch}
    headers = {"X-Amz-Target": f"Firehose_20150804.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", url + "/", headers=headers, data=json.dumps(body))
    SigV4Auth(Credentials("test", "test"), "firehose", "us-east-1").add_auth(request)
    sent = {**request.headers, "Host": urlsplit(url).netloc, "Content-Length": len(request.data)}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"POST / HTTP/1.1\r\n{head}\r\n{request.data}".encode()


class Client:
    """One keep-alive socket that puts the same request again and again."""

    def __init__(self, url, request):
        self.address = (urlsplit(url).hostname, urlsplit(url).port)
        self.request, self.answers = request, 0
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(self.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.left, self.received = memoryview(self.request), b""

    def wants(self):
        return selectors.EVENT_WRITE if self.left else selectors.EVENT_READ

    def go_on(self):
        """Sends or receives what is possible now; says whether the socket is another one than before."""
        if self.left:
            self.left = self.left[self.socket.send(self.left) :]
            return False
        piece = self.socket.recv(1 << 20)
        assert piece, f"the connection ended after {self.received}"
        self.received += piece
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return False
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")), self.received
        lines = head.lower().split(b"\r\n")
        (length,) = (int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
        if len(body) < length:
            return False
        assert b'"FailedPutCount":0' in body.replace(b" ", b"") or b"FailedPutCount" not in body, body
        self.answers += 1
        self.left, self.received = memoryview(self.request), b""
        if b"connection: close" in lines or head.startswith(b"HTTP/1.0"):
            self.socket.close()
            self.connect()
            return True
        return False


def measure(url, count, batch):
    """Records a second."""
    request = signed(url, batch)
    clients = [Client(url, request) for _ in range(count)]
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, client.wants(), client)
        begun = time.perf_counter()
        while (elapsed := time.perf_counter() - begun) < SECONDS:
            for key, _ in selector.select(timeout=1):
                client = key.data
                before = key.fileobj
                if client.go_on():
                    selector.unregister(before)
                    selector.register(client.socket, client.wants(), client)
                elif client.wants() != key.events:
                    selector.modify(client.socket, client.wants(), client)
    for client in clients:
        client.socket.close()
    return sum(client.answers for client in clients) * batch / elapsed


def every_case(server):
    prepare(server)
    rates = {}
    for case in CASES:
        before = cpu_seconds(server.process.pid)
        rate = measure(server.url, *case)
        rates[case] = (rate, (cpu_seconds(server.process.pid) - before) / SECONDS)
    return rates


def main():
    with scratch() as directory, boathouse(directory) as server:
        ours = every_case(server)
    with moto() as server:
        peer = every_case(server)
    rows = [
        [
            f"{count} client{'s' if count > 1 else ''}, {batch} record{'s' if batch > 1 else ''} a call",
            f"{ours[count, batch][0] / peer[count, batch][0]:.1f}",
            f"{ours[count, batch][0]:,.0f}",
            f"{ours[count, batch][0] / ours[count, batch][1]:,.0f}",
            f"{peer[count, batch][0]:,.0f}",
            f"{peer[count, batch][0] / peer[count, batch][1]:,.0f}",
        ]
        for count, batch in CASES
    ]
    write(
        "firehose",
        "Firehose: durable records a second",
        machine("moto"),
        prose(
            "Records a second, and records for each second of processor time that the server used. "
            "Records of 1 KB; an answer of Boathouse means that they are on disk, one of Moto that they are in memory. "
            "The client's own work (a single Python process) shares the cores."
        ),
        table(["Puts", "Boathouse / Moto", "Boathouse/s", "… per CPU second", "Moto/s", "… per CPU second"], rows),
    )


if __name__ == "__main__":
    main()
