"""Clients that are slow on purpose, and too many of them: each is given up, and says nothing about the others."""

import time

import pytest
from conftest import wait_for
from wire import Answer, connect, plain, signed, talk


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from conftest import Server

    server = Server(tmp_path_factory.mktemp("slow") / "data", "--dev", "--max-connections", "8", "--body-timeout", "1")
    server.client("s3", "test", "test").create_bucket(Bucket="slow")
    yield server
    server.stop()


def received(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return Answer(data)


def trickle(connection, head, pieces, pause):
    """Sends a request piece by piece until the server has had enough; its answer."""
    connection.sendall(head)
    try:
        for piece in pieces:
            time.sleep(pause)
            connection.sendall(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return received(connection)


@pytest.mark.parametrize("pause", [0.1, 5], ids=["a byte now and then", "silence"])
def test_a_body_that_hardly_comes_is_given_up(server, pause):
    body = b"x" * 100
    request = signed(server, "PUT", "/slow/trickled", body)
    with connect(server) as connection:
        pieces = [body[at : at + 1] for at in range(int(5 / pause))]
        answer = trickle(connection, request.removesuffix(body), pieces, pause)
    assert (answer.status, answer.code) == (400, "RequestTimeout")
    assert talk(server, signed(server, "GET", "/slow/trickled")).status == 404


def test_a_body_that_comes_slowly_but_comes_is_kept(server):
    piece = b"x" * 10_000
    body = piece * 6
    with connect(server) as connection:
        answer = trickle(connection, signed(server, "PUT", "/slow/kept", body).removesuffix(body), [piece] * 6, 0.4)
    assert answer.status == 200
    assert talk(server, signed(server, "GET", "/slow/kept")).body == body


def test_one_connection_too_many_is_told_so(server):
    health = plain(server, "GET /_boathouse/health HTTP/1.1")
    held = []
    try:
        for _ in range(8):
            held.append(connect(server))
        # The server counts a connection when it accepts it, which may be after the client has it.
        refused = wait_for(lambda: (answer := talk(server, health)).status == 503 and answer, "a refusal")
        assert refused.code == "SlowDown" and refused.headers["retry-after"] == "1"
        # Those who are in are served.
        held[0].sendall(health)
        assert received(held[0]).status == 200
    finally:
        for connection in held:
            connection.close()
    assert wait_for(lambda: talk(server, health).status == 200, "room for another")
    metrics = talk(server, plain(server, "GET /_boathouse/metrics HTTP/1.1")).raw.decode()
    assert "boathouse_connections_refused_total" in metrics and "\nboathouse_connections " in metrics
    server.log.flush()
    with open(server.log.name) as log:
        assert "connections are refused" in log.read()


def test_headers_have_a_size(server):
    answer = talk(server, signed(server, "GET", "/slow/k", headers=["x-long: " + "a" * 9000]))
    assert (answer.status, answer.code) == (400, "RequestHeaderSectionTooLarge")
    assert b"<MaxSizeAllowed>8192</MaxSizeAllowed>" in answer.body
    assert talk(server, signed(server, "GET", "/slow/k", headers=["x-long: " + "a" * 4000])).status == 404
    target = ["X-Amz-Target: AWSGlue.GetDatabases", "Content-Length: 2", "x-long: " + "a" * 70_000]
    assert talk(server, plain(server, "POST / HTTP/1.1", target) + b"{}").status == 431


def test_a_refusal_before_the_body_says_that_the_connection_ends(server):
    request = signed(server, "PUT", "/nobody-has-this/k", b"body", ["Expect: 100-continue"]).replace(
        b"Connection: close\r\n", b""
    )
    with connect(server) as connection:
        connection.sendall(request.removesuffix(b"body"))
        answer = received(connection)
        assert (answer.status, answer.code, answer.headers["connection"]) == (404, "NoSuchBucket", "close")
