"""TPC-H's 22 queries through Athena's API, against DuckDB in this process on the same Parquet files, with two threads.

Data come from tpchgen-cli and are kept for the next run. Every answer is compared with DuckDB's.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from against_duckdb import Query, measure
from common import ROOT, WORK

ROUNDS = 3
QUERIES = sorted((ROOT / "crates/analysis/trino-parser/tests/tpch").glob("q*.sql"))


def generated(scale):
    """The directory with one Parquet file for each table."""
    directory = WORK / f"tpch-sf{scale}"
    if not directory.exists():
        unfinished = directory.with_suffix(".part")
        command = Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run([command, "parquet", "-s", scale, "--output-dir", unfinished, "--overwrite"], check=True)
        unfinished.rename(directory)
    return directory


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", default="1")
    scale = parser.parse_args().scale
    queries = [Query(file.stem.upper(), file.read_text()) for file in QUERIES]
    name = "tpch" if scale == "1" else f"tpch{scale}"
    measure(name, f"TPC-H, scale factor {scale}", generated(scale), queries, ROUNDS, "tpchgen-cli")


# Another process looks at DuckDB alone, and begins by reading this file.
if __name__ == "__main__":
    main()
