"""Writes docs/COVERAGE.md from what the binary serves and from AWS's service models, as botocore carries them.

With --check it only fails if the file is not what it would write.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import botocore
import botocore.session

FILE = Path("docs/COVERAGE.md")
# Services that botocore calls otherwise than their signatures do.
MODELS = {"apigateway": "apigatewayv2", "states": "stepfunctions"}


def implemented():
    """The operations of every service, as the binary's own tables name them."""
    answer = subprocess.run([os.environ["BOATHOUSE_BINARY"], "operations"], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


class Service:
    def __init__(self, session, name, operations):
        self.name = name
        model = session.get_service_model(MODELS.get(name, name))
        self.title = model.metadata["serviceFullName"]
        self.present = sorted(set(operations) & set(model.operation_names))
        self.missing = sorted(set(model.operation_names) - set(operations))
        self.beyond = sorted(set(operations) - set(model.operation_names))

    def row(self):
        total = len(self.present) + len(self.missing)
        link = f"[{self.title}](#{self.name})"
        return f"| {link} | {len(self.present)} | {len(self.missing)} | {len(self.present) / total:.0%} |"

    def section(self):
        lines = [f"## {self.name}", "", f"**Implemented ({len(self.present)}):** {', '.join(self.present)}", ""]
        if self.beyond:
            lines += [f"**Implemented, though not in the model:** {', '.join(self.beyond)}", ""]
        if self.missing:
            summary = f"<summary>Missing ({len(self.missing)})</summary>"
            lines += ["<details>", summary, "", ", ".join(self.missing), "", "</details>", ""]
        return lines


def document():
    session = botocore.session.get_session()
    services = [Service(session, name, operations) for name, operations in sorted(implemented().items())]
    lines = [
        "# Coverage",
        "",
        "Written by `cargo xtask coverage` from the tables that the server answers with and from the service models of",
        f"botocore {botocore.__version__}, not by hand. A missing operation answers with an error that names it.",
        "A name among the implemented says that the operation is there, not that every option of it is.",
        "",
        "| Service | Implemented | Missing | Share |",
        "|---|---:|---:|---:|",
        *(service.row() for service in services),
        "",
        *(line for service in services for line in service.section()),
    ]
    return "\n".join(lines)


def main():
    text = document()
    if "--check" not in sys.argv:
        FILE.write_text(text)
    elif FILE.read_text() != text:
        sys.exit(f"{FILE} is not up to date: run cargo xtask coverage")


main()
