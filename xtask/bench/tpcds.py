"""TPC-DS's 99 queries through Athena's API, against DuckDB in this process on the same Parquet files, with two threads.

Data and queries come from DuckDB's extension and are kept for the next run. Every answer is compared with DuckDB's.
"""

import argparse
import os

from against_duckdb import Failed, Query, measure
from answers import difference, unordered_difference
from common import WORK
from tpcds_data import prepared, to_trino, without_limit

ROUNDS = 2


class Limited(Query):
    """A query whose order leaves open which of several equal rows come, and come first."""

    def difference(self, athena, duck, rows, expected):
        if not difference(rows, expected):
            return ""
        try:
            execution, _ = athena.run(without_limit(self.text))
        except Failed as failed:
            return f"without LIMIT: {failed}"
        return unordered_difference(athena.rows(execution), duck.rows(without_limit(self.duck_text)))

    def difference_to_trino(self, rows, expected):
        # Rows that a LIMIT may choose among have been compared with DuckDB's.
        different = difference(rows, expected)
        return different and unordered_difference(rows, expected)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", default="1")
    parser.add_argument("--queries", type=int, nargs="*", help="only these")
    arguments = parser.parse_args()
    directory = WORK / f"tpcds-sf{arguments.scale}"
    texts = prepared(os.environ["BOATHOUSE_DUCKDB_PYTHON"], arguments.scale, directory)
    queries = [
        Limited(f"Q{number:02}", to_trino(text), text)
        for number, text in sorted(texts.items())
        if not arguments.queries or number in arguments.queries
    ]
    remarks = (
        "Data and queries are those of DuckDB's extension. In Trino's texts dates are date literals, and quotients and "
        "averages are computed as doubles, as DuckDB computes them; where an order leaves open which rows a LIMIT cuts off, "
        "the rows without it are compared."
    )
    title = f"TPC-DS, scale factor {arguments.scale}"
    measure("tpcds", title, directory, queries, ROUNDS, remarks=remarks)


# Another process looks at DuckDB alone, and begins by reading this file.
if __name__ == "__main__":
    main()
