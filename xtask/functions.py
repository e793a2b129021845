"""Writes docs/functions.md from the binary's table of functions and from the documented list in functions.txt.

With --check it only fails if the file is not what it would write.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

FILE = Path("docs/functions.md")
DOCUMENTED = Path("xtask/functions.txt")


def table():
    """The functions by name, as the binary's own table has them."""
    answer = subprocess.run([os.environ["BOATHOUSE_BINARY"], "functions"], capture_output=True, text=True, check=True)
    return {function["name"]: function for function in json.loads(answer.stdout)}


def topics():
    """Each topic of the documented list with its names."""
    for line in DOCUMENTED.read_text().splitlines():
        if line and not line.startswith("#"):
            topic, names = line.split(": ")
            yield topic, sorted(names.split(), key=lambda name: name.lstrip("="))


def row(name, functions):
    if name.startswith("="):
        return f"| `{name[1:]}` | | syntax | works | |"
    function = functions.get(name)
    if not function:
        return f"| `{name}` | | | **missing** | |"
    # Aliases have the signatures of what they stand for.
    calls = [name + signature[signature.index("(") :] for signature in function["signatures"]]
    signatures = "<br>".join(f"`{call}`" for call in calls)
    return f"| `{name}` | {signatures} | {function['kind']} | works | {function['description']} |"


def document():
    functions = table()
    sections = list(topics())
    documented = {name for _, names in sections for name in names}
    missing = sorted(name for name in documented if not name.startswith("=") and name not in functions)
    beyond = sorted(set(functions) - documented)
    header = ["| Function | Signatures | Kind | Status | What it does |", "|---|---|---|---|---|"]
    lines = [
        "# Functions",
        "",
        "Written by `cargo xtask functions` from the table that queries are resolved with, beside the list of Trino's",
        "documentation for the releases that Athena engine version 3 follows; machine learning and Teradata",
        "functions are left out. A missing function is refused with FUNCTION_NOT_FOUND.",
        "",
        f"**{len(documented)} documented, {len(documented) - len(missing)} work, {len(missing)} missing**"
        + (": " + ", ".join(f"`{name}`" for name in missing) if missing else "") + ".",
        "",
    ]
    for topic, names in sections:
        lines += [f"## {topic}", "", *header, *(row(name, functions) for name in names), ""]
    if beyond:
        lines += ["## Beyond the list", "", *header, *(row(name, functions) for name in beyond), ""]
    return "\n".join(lines)


def main():
    text = document()
    if "--check" not in sys.argv:
        FILE.write_text(text)
    elif not FILE.exists() or FILE.read_text() != text:
        sys.exit(f"{FILE} is not up to date: run cargo xtask functions")


main()
