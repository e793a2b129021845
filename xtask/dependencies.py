"""Checks what is built into the binary: licences, sources and bans by deny.toml, and known vulnerabilities.

cargo-deny and cargo-audit do it. Where they are missing, they are built beside the tests' other tools, once.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TOOLS = {"cargo-deny": "0.20.2", "cargo-audit": "0.22.2"}
# How the tools say that they could not get at what is known.
UNKNOWN = ("failed to fetch advisory database", "couldn't fetch advisory database")


def tool(name):
    """The path of a tool."""
    folder = TARGET / "tools"
    found = shutil.which(name) or shutil.which(name, path=folder / "bin")
    if found:
        return found
    build = TARGET / "tools-build"
    command = ["cargo", "install", name, "--version", TOOLS[name], "--locked", "--root", folder, "--target-dir", build]
    subprocess.run(command, check=True)
    shutil.rmtree(build)
    return folder / "bin" / name


def look_up(command):
    """Whether there are no known vulnerabilities; that nobody knows is said, and no fault of the code."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout, done.stderr, sep="", file=sys.stderr)
    if done.returncode and any(words in done.stderr for words in UNKNOWN):
        print(f"{command[0]}: without a network known vulnerabilities are NOT looked up", file=sys.stderr)
        return True
    return done.returncode == 0


def main():
    deny, audit = tool("cargo-deny"), tool("cargo-audit")
    subprocess.run([deny, "check", "bans", "licenses", "sources"], check=True, cwd=ROOT)
    good = [look_up([deny, "check", "advisories"]), look_up([audit, "audit"])]
    sys.exit(not all(good))


main()
