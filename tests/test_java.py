"""AWS's SDK for Java against Athena and S3. AWS's JDBC driver is not in Maven's repository; it stands on this SDK."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "java"
# Beside what else is built, so that the jars are fetched once.
JARS = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parent.parent / "target")) / "clients-java"
# The goal that copies a project's jars.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"


@pytest.fixture(scope="module")
def jars():
    for tool in ("mvn", "java"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: the SDK for Java is NOT tested")
    if not JARS.exists():
        fetched = subprocess.run(
            ["mvn", "--quiet", "--batch-mode", "--file", FOLDER / "pom.xml", COPY, f"-DoutputDirectory={JARS}"],
            capture_output=True,
            text=True,
            timeout=600,
        )
        if fetched.returncode:
            shutil.rmtree(JARS, ignore_errors=True)
            pytest.skip(f"the SDK for Java can't be had and is NOT tested: {fetched.stdout[-500:]}")
    return JARS


def test_athena_through_the_sdk_for_java(shared, jars):
    ran = subprocess.run(
        ["java", "-Xmx512m", "--class-path", f"{jars}/*", FOLDER / "Athena.java", shared.url],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    done = ["tables", "pages", "types", "refusals", "prepared statements", "in parallel", "lists"]
    assert ran.stdout.split("\n")[:-1] == done
