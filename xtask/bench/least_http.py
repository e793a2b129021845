"""The least of an HTTP client, so that the client is not what is measured."""

import re
import socket
from urllib.parse import urlsplit


class Connection:
    """The least of an HTTP client: sends prepared requests, reads answers into one buffer."""

    def __init__(self, url):
        self.address = (urlsplit(url).hostname, urlsplit(url).port)
        self.socket = None
        self.buffer = memoryview(bytearray(1 << 20))

    def call(self, request, body=b"", times=1, bare=False):
        """The number of bytes in the answer's body, which a `bare` one lacks. The request's is sent so many times over."""
        if self.socket is None:
            self.socket = socket.create_connection(self.address)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        for _ in range(times if body else 0):
            self.socket.sendall(body)
        received = self.socket.recv_into(self.buffer)
        while (end := bytes(self.buffer[: min(received, 1 << 16)]).find(b"\r\n\r\n")) < 0:
            assert (more := self.socket.recv_into(self.buffer[received:])), "the server closed the connection"
            received += more
        head = bytes(self.buffer[:end]).lower()
        assert head.split(b" ", 2)[1] in (b"200", b"204"), bytes(self.buffer[:received])
        if b"transfer-encoding: chunked" in head:
            length = self.chunked(received, end + 4)
        else:
            declared = re.search(rb"content-length: *(\d+)", head)
            length = int(declared.group(1)) if declared and not bare else 0
            remaining = length - (received - end - 4)
            while remaining > 0:
                read = self.socket.recv_into(self.buffer)
                assert read, "the server closed the connection within a body"
                remaining -= read
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self.socket.close()
            self.socket = None
        return length

    def chunked(self, received, begin):
        """Reads to the end of a body in chunks, of a short list or a document."""
        while not bytes(self.buffer[begin:received]).endswith(b"0\r\n\r\n"):
            read = self.socket.recv_into(self.buffer[received:])
            assert read, "the server closed the connection within a body"
            received += read
        return received - begin


def prepared(method, url, length=0, headers=()):
    parts = urlsplit(url)
    lines = [f"Host: {parts.netloc}", f"Content-Length: {length}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([f"{method} {parts.path}?{parts.query} HTTP/1.1", *lines, "", ""]).encode()
