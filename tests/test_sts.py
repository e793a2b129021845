"""STS through boto3 and the command line: web identities of a real issuer, federated users, tags and identities that stay."""

import base64
import datetime
import hashlib
import http.server
import ipaddress
import json
import os
import ssl
import subprocess
import threading
import time

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID

from conftest import client, document, wait_for

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from conftest import Server

    server = Server(tmp_path_factory.mktemp("sts") / "data", "--dev")
    yield server
    server.stop()


@pytest.fixture
def iam(server):
    return server.client("iam", "test", "test")


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def code(call, **arguments):
    return refusal(call, **arguments)[0]


def statement(effect, action, resource="*", **condition):
    made = {"Effect": effect, "Action": action, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def trust(principal, *actions, **condition):
    made = {"Effect": "Allow", "Principal": principal, "Action": list(actions) or ["sts:AssumeRole"]}
    return document(made | ({"Condition": condition} if condition else {}))


def encoded(data):
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Issuer:
    """An identity provider on a loopback address: a discovery document, keys, and tokens signed with them. With files of
    a certificate's chain and its key it speaks TLS."""

    def __init__(self, tls=None):
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.key_id, self.asked, self.broken = "one", 0, None
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                status, answer = issuer.answer(self.path)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self.server.server_port}/realm"
        self.url = f"http{'s' if tls else ''}://{self.name}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, path):
        if self.broken == "status":
            return 503, {}
        if self.broken == "large":
            return 200, {"padding": "x" * 300_000}
        if path == "/realm/.well-known/openid-configuration":
            issuer = "http://other.example" if self.broken == "issuer" else self.url
            return 200, {"issuer": issuer, "jwks_uri": f"{self.url}/keys"}
        if path != "/realm/keys":
            return 404, {}
        public, point = self.rsa.public_key().public_numbers(), self.ec.public_key().public_numbers()
        return 200, {
            "keys": [
                {"kty": "OKP", "kid": "strange", "crv": "Ed25519", "x": "AAAA"},
                {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, "n": number(public.n), "e": number(public.e)},
                {
                    "kty": "EC",
                    "kid": "curve",
                    "crv": "P-256",
                    "x": encoded(point.x.to_bytes(32, "big")),
                    "y": encoded(point.y.to_bytes(32, "big")),
                },
            ]
        }

    def token(self, algorithm="RS256", key=None, key_id=None, **claims):
        now = int(time.time())
        claims = {"iss": self.url, "sub": "user-1", "aud": "app", "iat": now, "exp": now + 600} | claims
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"alg": algorithm, "kid": key_id or ("curve" if algorithm == "ES256" else self.key_id), "typ": "JWT"}
        text = f"{encoded(head)}.{encoded(claims)}"
        if algorithm == "ES256":
            r, s = utils.decode_dss_signature((key or self.ec).sign(text.encode(), ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        elif algorithm == "RS256":
            signature = (key or self.rsa).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = b""
        return f"{text}.{encoded(signature)}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def issuer():
    issuer = Issuer()
    yield issuer
    issuer.stop()


def certificate(name, key, issuer=None, issuer_key=None):
    """A certificate of this machine's loopback address, or with nobody above it an authority."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.issuer_name(issuer.subject if issuer else subject).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    if issuer:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


def thumbprint(made):
    return hashlib.sha1(made.public_bytes(serialization.Encoding.DER)).hexdigest()


@pytest.fixture
def private(tmp_path):
    """An authority that no machine knows; the files of a server's chain and key, and the chain's certificates."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    authority = certificate("an authority", keys[0])
    server = certificate("an issuer", keys[1], authority, keys[0])
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(it.public_bytes(serialization.Encoding.PEM) for it in (server, authority)))
    private_format = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(keys[1].private_bytes(*private_format))
    return (str(chain), str(key)), authority, server


@pytest.mark.parametrize("named", ["authority", "server"])
def test_a_thumbprint_vouches_for_an_issuer_of_a_private_authority(server, iam, private, unique, named):
    files, authority, leaf = private
    issuer = Issuer(files)
    try:
        made = authority if named == "authority" else leaf
        arn = iam.create_open_id_connect_provider(
            Url=issuer.url, ClientIDList=["app"], ThumbprintList=["a" * 40, thumbprint(made)]
        )["OpenIDConnectProviderArn"]
        assume = web_role(server, iam, unique("Web"), arn, issuer)
        if named == "authority":
            assert assume(issuer.token())["Provider"] == arn
        else:  # what another has signed is no authority
            assert refusal(assume, token=issuer.token())[0] == "IDPCommunicationError"
    finally:
        issuer.stop()


def test_nobody_vouches_for_an_issuer_of_a_private_authority(server, iam, private, unique):
    files, authority, _ = private
    issuer = Issuer(files)
    try:
        arn = iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"], ThumbprintList=["a" * 40])
        arn = arn["OpenIDConnectProviderArn"]
        assume = web_role(server, iam, unique("Web"), arn, issuer)
        error, message = refusal(assume, token=issuer.token())
        assert error == "IDPCommunicationError" and "certificate" in message
        assert issuer.asked == 0, "nothing is asked of a server that nobody vouches for"
        iam.update_open_id_connect_provider_thumbprint(
            OpenIDConnectProviderArn=arn, ThumbprintList=[thumbprint(authority).upper()]
        )

        def believed():
            try:
                return assume(issuer.token())
            except ClientError:  # a failure is remembered for some seconds
                return None

        wait_for(believed, "the new thumbprint's effect")
    finally:
        issuer.stop()


def web_role(server, iam, name, provider, issuer):
    """A role that trusts a provider, and the call that assumes it with a token."""
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=trust(
            {"Federated": provider}, "sts:AssumeRoleWithWebIdentity", StringEquals={f"{issuer.name}:aud": "app"}
        ),
    )["Role"]
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 1})
    sts = boto3.client("sts", endpoint_url=server.url, region_name="us-east-1", config=config)
    return lambda token: sts.assume_role_with_web_identity(
        RoleArn=role["Arn"], RoleSessionName="web", WebIdentityToken=token
    )


@pytest.fixture
def federation(server, iam, issuer, unique):
    """A provider in the account and a role that trusts it; calls of STS without a key."""
    arn = iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"], ThumbprintList=["a" * 40])
    provider = arn["OpenIDConnectProviderArn"]
    assert provider == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.name}"
    name = unique("Web")
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=trust(
            {"Federated": provider},
            "sts:AssumeRoleWithWebIdentity",
            "sts:TagSession",
            "sts:SetSourceIdentity",
            StringEquals={f"{issuer.name}:aud": "app"},
            StringLike={f"{issuer.name}:sub": "user-*"},
        ),
    )["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(statement("Allow", "glue:GetDatabases")))
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 1})
    sts = boto3.client("sts", endpoint_url=server.url, region_name="us-east-1", config=config)

    def assume(token, **more):
        wanted = {"RoleArn": role["Arn"], "RoleSessionName": "web", "WebIdentityToken": token}
        return sts.assume_role_with_web_identity(**wanted | more)

    assume.role, assume.provider, assume.sts = role, provider, sts
    return assume


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_of_a_trusted_issuer_is_a_session_of_the_role(server, federation, issuer, algorithm):
    answer = federation(issuer.token(algorithm), DurationSeconds=900)
    assert answer["SubjectFromWebIdentityToken"] == "user-1" and answer["Audience"] == "app"
    assert answer["Provider"] == federation.provider
    name = federation.role["RoleName"]
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/web"
    keys = answer["Credentials"]
    assert client(server, "sts", keys).get_caller_identity()["Arn"].endswith(f"/{name}/web")
    client(server, "glue", keys).get_databases()
    assert code(client(server, "iam", keys).list_users) == "AccessDenied"


def test_tokens_that_are_not_believed(federation, issuer):
    code_of = lambda token: refusal(federation, token=token)  # noqa: E731
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    wrong_issuer = issuer.token(iss="https://accounts.example.com")
    assert code_of(wrong_issuer) == (
        "InvalidIdentityToken",
        "No OpenIDConnect provider found in your account for https://accounts.example.com",
    )
    assert code_of(issuer.token(aud="other")) == ("InvalidIdentityToken", "Incorrect token audience")
    assert code_of(issuer.token(key=stranger))[0] == "InvalidIdentityToken"
    assert code_of(issuer.token(algorithm="none"))[0] == "InvalidIdentityToken"
    assert code_of("not-a-token")[0] == "InvalidIdentityToken"
    assert code_of(issuer.token(sub=None)) == ("InvalidIdentityToken", "Missing a required claim: sub")
    error, message = code_of(issuer.token(exp=int(time.time()) - 1))
    assert error == "ExpiredTokenException" and message.startswith("Token expired: current date/time ")
    assert code_of(issuer.token(nbf=int(time.time()) + 3600))[0] == "IDPRejectedClaim"
    refused = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    assert code_of(issuer.token(sub="somebody")) == refused
    none = f"arn:aws:iam::{ACCOUNT}:role/None"
    assert refusal(federation, token=issuer.token(), RoleArn=none) == refused
    assert refusal(federation, token=issuer.token(), DurationSeconds=7200)[0] == "ValidationError"
    assert refusal(federation, token=issuer.token(), ProviderId="www.amazon.com")[0] == "NotImplemented"


def test_an_issuer_s_new_keys_are_fetched_and_answers_remembered(federation, issuer):
    federation(issuer.token())
    asked = issuer.asked
    for _ in range(5):
        federation(issuer.token())
    assert issuer.asked == asked == 2
    # A token of an unknown key makes the server ask again, but not each time.
    issuer.key_id = "two"
    issuer.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    deadline = time.monotonic() + 30
    while True:
        try:
            federation(issuer.token())
            break
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidIdentityToken"
            assert time.monotonic() < deadline
            time.sleep(0.5)
    assert issuer.asked == asked + 2


@pytest.mark.parametrize(
    "broken, expected",
    [("status", "IDPRejectedClaim"), ("issuer", "IDPRejectedClaim"), ("large", "IDPCommunicationError")],
)
def test_issuers_that_answer_nothing_useful(federation, issuer, broken, expected):
    issuer.broken = broken
    assert refusal(federation, token=issuer.token())[0] == expected


def test_an_issuer_that_is_gone(federation, issuer):
    token = issuer.token()
    issuer.server.shutdown()
    issuer.server.server_close()
    assert refusal(federation, token=token)[0] == "IDPCommunicationError"


def test_tags_and_source_identities_in_tokens(server, iam, federation, issuer, unique):
    tags = {"principal_tags": {"team": ["blue"]}, "transitive_tag_keys": ["team"]}
    claims = {"https://aws.amazon.com/tags": tags, "https://aws.amazon.com/source_identity": "ann"}
    answer = federation(issuer.token(**claims))
    assert answer["SourceIdentity"] == "ann"
    name = federation.role["RoleName"]
    needs = {"StringEquals": {"aws:PrincipalTag/team": "blue", "aws:SourceIdentity": "ann", f"{issuer.name}:sub": "user-1"}}
    iam.put_role_policy(
        RoleName=name, PolicyName="p", PolicyDocument=document(statement("Allow", "glue:GetDatabases", **needs))
    )
    client(server, "glue", answer["Credentials"]).get_databases()
    plain = federation(issuer.token())["Credentials"]
    assert code(client(server, "glue", plain).get_databases) == "AccessDeniedException"
    wrong = issuer.token(**{"https://aws.amazon.com/tags": {"principal_tags": "no"}})
    assert refusal(federation, token=wrong)[0] == "IDPRejectedClaim"


def test_sdks_find_the_token_in_a_file(server, federation, issuer, tmp_path):
    """As on Kubernetes: the file and the role are named in the environment, and boto3 does the rest."""
    file = tmp_path / "token"
    file.write_text(issuer.token())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_ROLE_ARN": federation.role["Arn"],
        "AWS_ROLE_SESSION_NAME": "pod",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    aws = [os.path.join(os.path.dirname(os.sys.executable), "aws"), "sts", "get-caller-identity", "--output", "json"]
    told = subprocess.run(aws, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["Arn"].endswith("/pod")


def test_providers_are_kept_and_their_limits(start, iam, issuer, unique):
    url = f"https://{unique('id')}.example.com/realm"
    made = iam.create_open_id_connect_provider(Url=url, ClientIDList=["a"], Tags=[{"Key": "k", "Value": "v"}])
    arn = made["OpenIDConnectProviderArn"]
    assert code(iam.create_open_id_connect_provider, Url=url) == "EntityAlreadyExists"
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert got["Url"] == url.removeprefix("https://") and got["ClientIDList"] == ["a"]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "x", "Value": "y"}])
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["k"])
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (got["ClientIDList"], got["ThumbprintList"], got["Tags"]) == (["b"], ["b" * 40], [{"Key": "x", "Value": "y"}])
    assert iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"] == got["Tags"]
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert code(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn) == "NoSuchEntity"
    for wrong in ("http://id.example.com", "ftp://id.example.com", "id.example.com", "https://a/?b=c"):
        assert code(iam.create_open_id_connect_provider, Url=wrong) == "InvalidInput"
    assert code(iam.create_open_id_connect_provider, Url=url, ThumbprintList=["z" * 40]) == "InvalidInput"
    # Without --dev not even a loopback address may do without TLS.
    strict = start()
    environment = strict.process.args
    directory = environment[environment.index("--data-dir") + 1]
    lines = open(f"{directory}/credentials").read().splitlines()
    pair = dict(line.split(" = ") for line in lines if " = " in line)
    root = strict.client("iam", pair["aws_access_key_id"], pair["aws_secret_access_key"])
    assert code(root.create_open_id_connect_provider, Url=issuer.url) == "InvalidInput"


def make_user(iam, name, *statements):
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return iam.create_access_key(UserName=name)["AccessKey"]


def test_a_federated_user_has_what_both_allow(server, iam, unique):
    name = unique("fed")
    key = make_user(iam, name, statement("Allow", ["glue:*", "sts:GetFederationToken", "sts:TagSession"]))
    sts = client(server, "sts", key)
    policy = document(statement("Allow", ["glue:GetDatabases", "iam:ListUsers"]))
    answer = sts.get_federation_token(Name="guest", Policy=policy, DurationSeconds=900, Tags=[{"Key": "a", "Value": "b"}])
    assert answer["FederatedUser"] == {
        "FederatedUserId": f"{ACCOUNT}:guest",
        "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
    }
    guest = answer["Credentials"]
    assert client(server, "sts", guest).get_caller_identity()["Arn"].endswith(":federated-user/guest")
    client(server, "glue", guest).get_databases()
    error, message = refusal(client(server, "glue", guest).create_database, DatabaseInput={"Name": "d"})
    assert error == "AccessDeniedException" and "because no session policy allows" in message
    assert code(client(server, "iam", guest).list_users) == "InvalidClientTokenId"
    assert code(client(server, "sts", guest).get_federation_token, Name="other") == "AccessDenied"
    nothing = sts.get_federation_token(Name="guest")["Credentials"]
    assert code(client(server, "glue", nothing).get_databases) == "AccessDeniedException"
    assert code(sts.get_federation_token, Name="g/h") == "ValidationError"
    assert code(sts.get_federation_token, Name="guest", Policy="{") == "MalformedPolicyDocument"
    # The user's own rights end, and so do the guest's.
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(statement("Allow", "s3:*")))
    assert code(client(server, "glue", guest).get_databases) == "AccessDeniedException"
    error, message = refusal(sts.get_federation_token, Name="guest")
    assert error == "AccessDenied" and "because no identity-based policy allows the sts:GetFederationToken" in message
    by_root = server.client("sts", "test", "test").get_federation_token(Name="guest", Policy=policy)["Credentials"]
    client(server, "glue", by_root).get_databases()


def role(iam, name, principal, *actions, **condition):
    document = trust(principal, *(actions or ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")), **condition)
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


def test_source_identities_and_transitive_tags_stay_through_the_chain(server, iam, unique):
    first, second = unique("First"), unique("Second")
    one = role(iam, first, {"AWS": ACCOUNT})
    iam.put_role_policy(
        RoleName=first, PolicyName="p", PolicyDocument=document(statement("Allow", "sts:*"))
    )
    two = role(iam, second, {"AWS": one}, StringEquals={"aws:SourceIdentity": "ann", "aws:PrincipalTag/team": "blue"})
    sts = server.client("sts", "test", "test")
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "other", "Value": "x"}]
    wanted = {"RoleArn": one, "RoleSessionName": "s1", "Tags": tags, "TransitiveTagKeys": ["team"], "SourceIdentity": "ann"}
    answer = sts.assume_role(**wanted)
    assert answer["SourceIdentity"] == "ann"
    chained = client(server, "sts", answer["Credentials"])
    next_one = chained.assume_role(RoleArn=two, RoleSessionName="s2")
    assert next_one["SourceIdentity"] == "ann"
    iam.put_role_policy(
        RoleName=second,
        PolicyName="p",
        PolicyDocument=document(
            statement(
                "Allow",
                "glue:GetDatabases",
                StringEquals={"aws:PrincipalTag/team": "blue", "aws:SourceIdentity": "ann"},
                Null={"aws:PrincipalTag/other": "true"},
            )
        ),
    )
    client(server, "glue", next_one["Credentials"]).get_databases()
    again = {"RoleArn": two, "RoleSessionName": "s2"}
    assert code(chained.assume_role, **again, Tags=[{"Key": "team", "Value": "red"}]) == "InvalidParameterValue"
    assert code(chained.assume_role, **again, SourceIdentity="bob") == "AccessDenied"
    assert code(chained.assume_role, **again, DurationSeconds=7200) == "ValidationError"
    assert code(sts.assume_role, RoleArn=one, RoleSessionName="s1", TransitiveTagKeys=["none"]) == "InvalidParameterValue"
    assert code(sts.assume_role, RoleArn=one, RoleSessionName="s1", SourceIdentity="aws:x") == "ValidationError"
    plain = sts.assume_role(RoleArn=one, RoleSessionName="s1")["Credentials"]
    assert code(client(server, "sts", plain).assume_role, **again) == "AccessDenied"


def test_a_source_identity_needs_leave(server, iam, unique):
    arn = role(iam, unique("Plain"), {"AWS": ACCOUNT}, "sts:AssumeRole")
    sts = server.client("sts", "test", "test")
    sts.assume_role(RoleArn=arn, RoleSessionName="s1")
    root = f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: "
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="s1", SourceIdentity="ann") == (
        "AccessDenied",
        f"{root}sts:SetSourceIdentity on resource: {arn} because no role trust policy allows the sts:SetSourceIdentity "
        "action",
    )
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="s1", Tags=[{"Key": "a", "Value": "b"}]) == (
        "AccessDenied",
        f"{root}sts:TagSession on resource: {arn} because no role trust policy allows the sts:TagSession action",
    )


def test_what_is_not_there_is_refused_by_name(server):
    sts = server.client("sts", "test", "test")
    assert code(sts.decode_authorization_message, EncodedMessage="abc") == "InvalidAuthorizationMessageException"
    assert code(sts.get_session_token, SerialNumber="GAHT12345678", TokenCode="123456") == "NotImplemented"
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 1})
    anonymous = boto3.client("sts", endpoint_url=server.url, region_name="us-east-1", config=config)
    saml = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/R", "PrincipalArn": f"arn:aws:iam::{ACCOUNT}:saml-provider/P"}
    error, message = refusal(anonymous.assume_role_with_saml, **saml, SAMLAssertion="AAAA")
    assert error == "InvalidAction" and "AssumeRoleWithSAML" in message
    assert code(anonymous.get_caller_identity) == "MissingAuthenticationToken"
