"""Functions: the first invocation of an instance (cold) and the later ones (warm), per runtime.

The peers are the bare interpreters on the same machine: what a cold start can't be faster than. The client is botocore's own
HTTP layer with signatures made beforehand, so that its time does not hide the server's.
"""

import base64
import io
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.parse
import zipfile
from http.client import HTTPConnection

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from common import boathouse, machine, milliseconds, prose, scratch, table, timed, write

COLD = 15
WARM = 500
KEY = Credentials("test", "test")
SHELL_BOOTSTRAP = """#!/usr/bin/perl
use Socket;
my ($host, $port) = split /:/, $ENV{AWS_LAMBDA_RUNTIME_API};
socket(my $s, PF_INET, SOCK_STREAM, 0); connect($s, sockaddr_in($port, inet_aton($host))) or die $!;
sub answer {
  my ($buffer, $head, $body) = ("");
  sysread $s, $buffer, 65536, length $buffer until ($head, $body) = $buffer =~ /(.*?)\\r\\n\\r\\n(.*)/s;
  my ($length) = $head =~ /content-length: (\\d+)/i;
  while (length $body < $length) { sysread $s, $body, 65536, length $body }
  return ($head, $body);
}
while (1) {
  syswrite $s, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n";
  my ($head, $body) = answer();
  my ($id) = $head =~ /aws-request-id: (\\S+)/i;
  my $length = length $body;
  syswrite $s, "POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: $length\\r\\n\\r\\n$body";
  answer();
}
"""
RUNTIMES = {
    "Python": ("python3.12", "app.handler", {"app.py": "def handler(event, context):\n    return event\n"}),
    "Node.js": ("nodejs20.x", "index.handler", {"index.mjs": "export const handler = async (event) => event;\n"}),
    "`provided` (a Perl script)": ("provided.al2023", "none", {"bootstrap": SHELL_BOOTSTRAP}),
}
BARE = {
    "Python": [sys.executable, "-c", "pass"],
    "Node.js": ["node", "-e", ""],
    "`provided` (a Perl script)": ["perl", "-e", "use Socket"],
}


def archive(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            file.writestr(entry, text)
    return buffer.getvalue()


class Invoker:
    """Sends one signed request again and again over one connection; answers the body and the log."""

    def __init__(self, url, function):
        self.connection = HTTPConnection(urllib.parse.urlsplit(url).netloc)
        self.path = f"/2015-03-31/functions/{function}/invocations"
        request = AWSRequest("POST", url + self.path, data=b'{"a":1}', headers={"X-Amz-Log-Type": "Tail"})
        SigV4Auth(KEY, "lambda", "us-east-1").add_auth(request)
        self.headers = dict(request.headers)

    def __call__(self):
        self.connection.request("POST", self.path, body=b'{"a":1}', headers=self.headers)
        answer = self.connection.getresponse()
        body, headers = answer.read(), answer.headers
        assert json.loads(body) == {"a": 1}, (answer.status, body)
        return base64.b64decode(headers["X-Amz-Log-Result"]).decode()


def init_seconds(log):
    return float(re.search(r"Init Duration: ([\d.]+) ms", log).group(1)) / 1000


def measure(client, url, role, runtime, handler, files):
    name = f"bench-{runtime.replace('.', '-')}"
    client.create_function(
        FunctionName=name, Role=role, Runtime=runtime, Handler=handler, Code={"ZipFile": archive(files)}, MemorySize=256
    )
    invoke = Invoker(url, name)
    invoke()  # the interpreter is looked for once
    cold, inits = [], []
    for number in range(COLD):
        client.update_function_configuration(FunctionName=name, Description=str(number))
        log, seconds = timed(invoke)
        cold.append(seconds)
        inits.append(init_seconds(log))
    warm = [timed(invoke)[1] for _ in range(WARM)]
    client.delete_function(FunctionName=name)
    return cold, inits, warm


def main():
    rows = []
    with scratch() as directory, boathouse(directory) as server:
        iam = server.client("iam", "test", "test")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        client = server.client("lambda", "test", "test")
        for title, (runtime, handler, files) in RUNTIMES.items():
            if not shutil.which(BARE[title][0]):
                rows.append([title, "not on this machine", "", "", "", ""])
                continue
            cold, inits, warm = measure(client, server.url, role, runtime, handler, files)
            bare = [timed(lambda title=title: subprocess.run(BARE[title], check=True))[1] for _ in range(COLD)]
            over = statistics.median(cold) - statistics.median(bare)
            p99 = sorted(warm)[int(len(warm) * 0.99)] * 1000
            rows.append(
                [title, milliseconds(cold), milliseconds(inits), milliseconds(bare), f"{over * 1000:.1f} ms",
                 f"{milliseconds(warm)} (p99 {p99:.1f})"]
            )  # fmt: skip
            time.sleep(0.5)
    write(
        "lambda",
        "Lambda",
        machine("boto3"),
        prose(
            f"Medians of {COLD} cold and {WARM} warm synchronous invocations with 256 MB, one after the other, as the client "
            "sees them: one connection, requests signed beforehand, the log's tail asked for. Cold: a new sandbox with its "
            "namespaces, mounts and limits, the interpreter, the runtime client and the handler's module; `init` is what the "
            "REPORT line says of it. The interpreter alone is a process that does nothing."
        ),
        table(["", "cold", "of that init", "interpreter alone", "cold over it", "warm"], rows),
    )


main()
