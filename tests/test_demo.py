"""`boathouse demo`, as a newcomer runs it; and once more on the same data, which must add nothing twice."""

import os
import re
import subprocess

from conftest import BINARY


def demo(data_dir):
    answer = subprocess.run([BINARY, "demo", "--data-dir", data_dir], capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr[-4000:]
    return answer.stdout


def table(screen, title):
    """The rows of a result table on the screen, cells apart."""
    lines = screen[screen.index(title) :].splitlines()[3:]
    rows = lines[: lines.index("")] if "" in lines else lines
    return [re.split(r"\s{2,}", row.strip()) for row in rows]


def test_the_demonstration_twice_on_the_same_data(tmp_path):
    data_dir = tmp_path / "data"
    first = demo(data_dir)
    assert "27004 departures" in first
    carriers = table(first, "Average departure delays by airline")
    assert sum(int(row[1]) for row in carriers) == 27004, "every departure is counted once"
    assert ["United Air Lines Inc.", "4637"] in [row[:2] for row in carriers]
    assert table(first, "What has not been accepted, and why"), "the broken records are in quarantine"
    assert os.path.exists(data_dir / "credentials")

    second = demo(data_dir)
    for title in ("Average departure delays by airline", "How delays grow over the day", "What has not been accepted"):
        assert table(second, title) == table(first, title)
