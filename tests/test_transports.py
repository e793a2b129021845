"""HTTPS with a certificate of one's own, and HTTP/2 with and without it, through boto3 and httpx."""

import ssl

import boto3
import httpx
import pytest
import trustme
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import SSLError


@pytest.fixture
def authority(tmp_path):
    """A certificate authority, and the files of a certificate that it gave to 127.0.0.1."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    files = {name: str(tmp_path / f"{name}.pem") for name in ("authority", "certificate", "key")}
    authority.cert_pem.write_to_path(files["authority"])
    issued.private_key_pem.write_to_path(files["key"])
    for place, pem in enumerate(issued.cert_chain_pems):
        pem.write_to_path(files["certificate"], append=place > 0)
    return files


@pytest.fixture
def secure(start, authority):
    return start("--dev", "--tls-certificate", authority["certificate"], "--tls-key", authority["key"])


def s3(server, trusted):
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        verify=trusted,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}),
    )


def signed(method, url, body=b""):
    request = AWSRequest(method, url, data=body)
    S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(request)
    return dict(request.headers)


def test_https_serves_who_trusts_the_certificate(secure, authority, tmp_path):
    assert secure.url.startswith("https://")
    client = s3(secure, authority["authority"])
    client.create_bucket(Bucket="over-tls")
    client.put_object(Bucket="over-tls", Key="big", Body=b"x" * (9 << 20))
    assert client.get_object(Bucket="over-tls", Key="big")["Body"].read() == b"x" * (9 << 20)
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    with pytest.raises(SSLError):
        s3(secure, str(stranger)).list_buckets()


def test_https_does_not_answer_plain_http(secure):
    with pytest.raises(httpx.TransportError):
        httpx.get(secure.url.replace("https://", "http://") + "/_boathouse/health")


def test_http2_is_chosen_over_tls(secure, authority):
    trusting = ssl.create_default_context(cafile=authority["authority"])
    with httpx.Client(http2=True, verify=trusting) as client:
        answer = client.get(secure.url + "/_boathouse/health")
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")


def test_http2_without_tls_by_prior_knowledge(shared, unique):
    bucket = f"{shared.url}/{unique('h2c')}"
    body = b"carried in frames " * 100_000
    with httpx.Client(http1=False, http2=True) as client:
        made = client.put(bucket, headers=signed("PUT", bucket))
        assert (made.status_code, made.http_version) == (200, "HTTP/2")
        key = bucket + "/object"
        assert client.put(key, content=body, headers=signed("PUT", key, body)).status_code == 200
        assert client.get(key, headers=signed("GET", key)).content == body
        assert client.get(key, headers=signed("GET", bucket)).status_code == 403


@pytest.mark.parametrize("missing", ["--tls-certificate", "--tls-key"])
def test_half_a_pair_is_refused(start, authority, missing):
    pair = {"--tls-certificate": authority["certificate"], "--tls-key": authority["key"]}
    del pair[missing]
    server = start("--dev", *next(iter(pair.items())))
    assert server.url == ""
    assert server.process.wait(timeout=15) != 0
    server.log.seek(0)
    assert missing in server.log.read()
