"""DuckDB's answers, and whether Athena's are the same."""

import datetime
import decimal
import json
import math

import duckdb

HIVE_TYPES = {"BIGINT": "bigint", "INTEGER": "int", "VARCHAR": "string", "DATE": "date", "DOUBLE": "double"}


class Duck:
    """DuckDB in this process over a directory of Parquet files, each a table."""

    def __init__(self, directory, threads):
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads={threads}")
        self.tables = [file.stem for file in sorted(directory.glob("*.parquet"))]
        for name in self.tables:
            self.connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{directory / name}.parquet')")

    def described(self, name):
        """Names and types of a table's columns."""
        return [(column, kind) for column, kind, *_ in self.connection.execute(f"DESCRIBE {name}").fetchall()]

    def columns(self, name):
        """Names and Hive types of a table's columns."""
        return [(column, HIVE_TYPES.get(kind, kind.lower())) for column, kind in self.described(name)]

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def analysed(self, sql):
        """The plan with what each operator took."""
        ((_, plan),) = self.rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        return json.loads(plan)


def same(text, value):
    """Whether a field of a result file says what DuckDB says. Trino rounds averages of decimals to their scale."""
    if isinstance(value, (int, float, decimal.Decimal)):
        return text != "" and math.isclose(float(text), float(value), rel_tol=1e-6, abs_tol=0.01)
    if isinstance(value, datetime.datetime):
        return text == value.isoformat(" ", "milliseconds")
    return text == ("" if value is None else str(value))


def difference(rows, expected):
    """What the first difference is, or nothing."""
    if len(rows) != len(expected):
        return f"{len(rows)} rows, not {len(expected)}"
    for number, (row, values) in enumerate(zip(rows, expected, strict=True), 1):
        if len(row) != len(values) or not all(map(same, row, values)):
            return f"row {number}: {row}, not {values}"
    return ""


def place(row):
    """By what rows are sorted, whether they come from a result file or from DuckDB. Numbers that are almost the same are."""
    return [field_place("" if value is None else str(value)) for value in row]


def field_place(text):
    try:
        return (0, round(float(text), 1), "")
    except ValueError:
        return (1, 0.0, text)


def unordered_difference(rows, expected):
    """What the first difference is where the order does not count, or nothing."""
    return difference(sorted(rows, key=place), sorted(expected, key=place))
