"""Requests as bytes on a socket: for what no client library would send."""

import re
import socket
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Answer:
    """What came back: all of it, and of the first answer the status and the error's code."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.status = int(head[9:12] or 0)
        self.headers = dict(re.findall(r"^([\w-]+): (.*?)\r?$", head.decode("latin-1").lower(), re.MULTILINE))
        found = re.search(rb"<Code>(\w+)</Code>", self.body)
        self.code = found.group(1).decode() if found else ""

    def __repr__(self):
        return f"{self.status} {self.code}"


def signed(server, method, path, body=b"", headers=(), length=True):
    """A signed request. `headers` are lines that come on top and are not signed."""
    request = AWSRequest(method, server.url + path, data=body)
    S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(request)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(server.url).netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines += [f"Content-Length: {len(body)}"] * length + ["Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def plain(server, line, headers=()):
    """An unsigned request without a body."""
    return "\r\n".join([line, f"Host: {urlsplit(server.url).netloc}", "Connection: close", *headers, "", ""]).encode()


def connect(server):
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def talk(server, data):
    """Sends the bytes and answers what comes until the server closes the connection."""
    received = b""
    with connect(server) as connection:
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    return Answer(received)
