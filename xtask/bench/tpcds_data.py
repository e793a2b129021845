"""TPC-DS by DuckDB's extension: its tables as Parquet files, its queries, and those in Trino's dialect.

As a program it writes them: `python tpcds_data.py SCALE DIRECTORY`, run by an interpreter that has DuckDB and the package
duckdb-extension-tpcds of the same version. The queries' texts stay beside the data, outside of the project.
"""

import glob
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

# What DuckDB reads otherwise than Trino, or means otherwise.
TO_TRINO = [
    # A date is no text.
    (r"'(\d{4}-\d{2}-\d{2})'", r"DATE '\1'"),
    # A date and a number have no sum.
    (r"d_date \+ (\d+)\b", r"d_date + INTERVAL '\1' DAY"),
    # DuckDB divides to doubles and averages to doubles; Trino does neither with decimals, and cuts quotients of integers off.
    (r"(?<!'N)/", " * 1e0 / "),
    (r"\bavg\s*\((?!\s*DISTINCT\b)", "avg(1e0 * "),
]


def to_trino(text):
    """A query of DuckDB's in Trino's dialect, with the same answer."""
    text = re.sub(r"--[^\n]*", "", text).strip().rstrip(";")
    for pattern, replacement in TO_TRINO:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    return text


def without_limit(text):
    """The query with all its rows."""
    return re.sub(r"\blimit\s+\d+\s*;?\s*$", "", text.strip(), flags=re.IGNORECASE)


def prepared(python, scale, directory):
    """Makes tables and queries in a directory, unless they are there, and gives the queries by their number."""
    directory = Path(directory)
    if not directory.exists():
        unfinished = directory.with_suffix(".part")
        subprocess.run([python, __file__, str(scale), str(unfinished)], check=True)
        unfinished.rename(directory)
    return {int(number): text for number, text in json.loads((directory / "queries.json").read_text()).items()}


def write(scale, directory):
    # Only this program needs the older DuckDB for which the extension is made.
    import duckdb

    package = importlib.util.find_spec("duckdb_extension_tpcds")
    if package is None:
        sys.exit("duckdb-extension-tpcds is not installed")
    found = glob.glob(f"{os.path.dirname(package.origin)}/extensions/v{duckdb.__version__}/tpcds.duckdb_extension")
    if not found:
        sys.exit(f"duckdb-extension-tpcds is not made for DuckDB {duckdb.__version__}")
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.load_extension(found[0])
    connection.execute(f"CALL dsdgen(sf = {float(scale)})")
    os.makedirs(directory, exist_ok=True)
    for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        connection.execute(f"COPY {name} TO '{directory}/{name}.parquet' (FORMAT parquet)")
    queries = connection.execute("SELECT query_nr, query FROM tpcds_queries()").fetchall()
    Path(directory, "queries.json").write_text(json.dumps(dict(queries)))


if __name__ == "__main__":
    write(*sys.argv[1:])
