"""Checks what is built into the binary against deny.toml: licences, sources, banned crates, wildcards.

The same lists as `cargo deny check licenses bans sources`, without having to install it. Advisories need the network and the
tools themselves: `cargo deny` and `cargo audit` are run where they are installed, and said to be missing where not.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
# An alternative is bound by `OR`, or by the slash of old manifests.
TOKENS = re.compile(r"\(|\)|/|[\w.+-]+(?: WITH [\w.-]+)?")


def accepted(expression, allowed):
    """Whether an SPDX expression can be fulfilled with the allowed licences. AND binds closer than OR."""
    tokens = TOKENS.findall(expression)

    def either():
        good = both()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            good = both() or good
        return good

    def both():
        good = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            good = one() and good
        return good

    def one():
        token = tokens.pop(0)
        if token != "(":
            return token in allowed
        good = either()
        tokens.pop(0)
        return good

    return either() and not tokens


def check_expressions():
    """The reader of expressions, on some whose outcome is known."""
    allowed = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"}
    good = ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR MIT", "(MIT OR GPL-3.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
    bad = ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR GPL-3.0) AND AGPL-3.0", "MIT WITH other"]
    assert all(accepted(it, allowed) for it in good) and not any(accepted(it, allowed) for it in bad)


def metadata(manifest):
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", str(manifest)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def faults(packages, rules):
    allowed = set(rules["licenses"]["allow"])
    # Without a list, one registry is allowed: the one that most come from.
    (registry, _), *_ = Counter(package["source"] for package in packages if package["source"]).most_common(1)
    banned = {it["crate"] for it in rules["bans"]["deny"]}
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if not accepted(package["license"] or "none", allowed):
            yield f"{name}: the licence {package['license']} is not among those of deny.toml"
        if package["source"] not in (registry, None):
            yield f"{name}: it comes from {package['source']}"
        if package["name"] in banned:
            yield f"{name}: it is banned"
        own = package["source"] is None
        wild = [it["name"] for it in package["dependencies"] if own and it["req"] == "*" and not it.get("path")]
        yield from (f"{name}: any version of {it} would do" for it in wild)


def tools():
    """Runs what looks advisories up; missing tools and networks are said, findings fail."""
    for tool, arguments in (("cargo-deny", ["check"]), ("cargo-audit", [])):
        if not shutil.which(tool):
            print(f"{tool} is not installed: known vulnerabilities are NOT looked up with it", file=sys.stderr)
            continue
        subprocess.run(["cargo", tool.removeprefix("cargo-"), *arguments], check=True, cwd=ROOT)


if __name__ == "__main__":
    check_expressions()
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    packages = metadata(ROOT / "Cargo.toml")["packages"]
    found = list(faults(packages, rules))
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"{len(packages)} packages, {len(found)} faults")
    tools()
    sys.exit(bool(found))
