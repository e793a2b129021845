"""Some thousand statements whose columns, rows and errors are Trino's, which `cargo xtask goldens` has recorded.

The statements stand in tests/goldens/*.sql, what Trino 435 made of them in the .jsonl beside each file (see
xtask/goldens/Goldens.java for the form, and geospatial/Geospatial.java for the release that made the geospatial ones). differences.sql repeats the statements that may differ, each under a comment
that says why; one that has become equal has to go from there.
"""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

FOLDER = Path(__file__).parent / "goldens"
NOT_COMPARED = {"setup", "differences"}
KINDS = sorted(file.stem for file in FOLDER.glob("*.sql") if file.stem not in NOT_COMPARED)
RESULTS = "s3://results/out/"
MAX_SHARE_OF_DIFFERENCES = 0.008

# Athena's ColumnInfo of Trino's types without parameters: name, precision, scale.
SIMPLE = {
    "tinyint": ("tinyint", 3, 0),
    "smallint": ("smallint", 5, 0),
    "integer": ("integer", 10, 0),
    "bigint": ("bigint", 19, 0),
    "real": ("float", 17, 0),
    "double": ("double", 17, 0),
    "varchar": ("varchar", 2147483647, 0),
    "varbinary": ("varbinary", 1073741824, 0),
    "Geometry": ("Geometry", 0, 0),
    "SphericalGeography": ("SphericalGeography", 0, 0),
    "BingTile": ("BingTile", 0, 0),
}
# What an error met while constants are computed has in front here, and not in Trino.
POSITION = re.compile(r"line \d+:\d+: ")
# What the parser or the function would have taken instead: that list is the grammar's or the table's, and not compared.
EXPECTED_INSTEAD = re.compile(r"\. (Expecting|Expected): .*", re.DOTALL)


def statements(file):
    """A file's statements with the comment before each, as Goldens.java reads them."""
    found, lines, comment, last = [], [], [], ""
    for line in file.read_text().splitlines():
        if not lines and (not line.strip() or line.startswith("--")):
            comment += [line.removeprefix("--").strip()] * line.startswith("--")
            continue
        if comment:
            last, comment = " ".join(comment), []
        lines.append(line.removesuffix(";"))
        if line.endswith(";"):
            found.append(("\n".join(lines), last))
            lines = []
    assert not lines, f"{file} ends within a statement"
    return found


def goldens(kind):
    return [json.loads(line) for line in (FOLDER / f"{kind}.jsonl").read_text().splitlines()]


def differences():
    return dict(statements(FOLDER / "differences.sql"))


def column_info(name, trino_type):
    if trino_type in SIMPLE:
        return (name, *SIMPLE[trino_type])
    if trino_type.endswith("with time zone"):
        return name, trino_type.split("(")[0] + " with time zone", 3, 0
    base, _, parameters = trino_type.lower().partition("(")
    if base in ("varchar", "char"):
        return name, base, int(parameters.rstrip(")")), 0
    if base == "decimal":
        precision, scale = parameters.rstrip(")").split(",")
        return name, base, int(precision), int(scale)
    return name, base, 3 if base in ("time", "timestamp") else 0, 0


class Lake:
    """A server with the tables of setup.sql."""

    def __init__(self, server):
        self.athena = server.client("athena", "test", "test", max_pool_connections=4)
        server.client("s3", "test", "test").create_bucket(Bucket="results")
        for sql, _ in statements(FOLDER / "setup.sql"):
            assert "error" not in (made := self.outcome(sql)), made

    def outcome(self, sql):
        """What comes out of a statement, in the form of the goldens with ColumnInfo for types."""
        try:
            execution = self.athena.start_query_execution(
                QueryString=sql,
                QueryExecutionContext={"Database": "default"},
                ResultConfiguration={"OutputLocation": RESULTS},
            )["QueryExecutionId"]
        except ClientError as refused:
            return {"error": "SYNTAX_ERROR", "message": refused.response["Error"]["Message"]}
        status = self.ended(execution)
        if status["State"] != "SUCCEEDED":
            error, _, message = status["StateChangeReason"].partition(": ")
            return {"error": error, "message": message}
        found = self.athena.get_query_results(QueryExecutionId=execution)["ResultSet"]
        columns = [
            (info["Name"], info["Type"], info["Precision"], info["Scale"])
            for info in found["ResultSetMetadata"]["ColumnInfo"]
        ]
        rows = [[datum.get("VarCharValue") for datum in row["Data"]] for row in found["Rows"][1:]]
        return {"columns": columns, "rows": rows}

    def ended(self, execution):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            status = self.athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                return status
            time.sleep(0.002)
        self.athena.stop_query_execution(QueryExecutionId=execution)
        return {"State": "CANCELLED", "StateChangeReason": "LATE: it does not end"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    from conftest import Server

    server = Server(tmp_path_factory.mktemp("goldens") / "data", "--dev")
    yield Lake(server)
    server.stop()


def wanted(golden):
    if "error" in golden:
        return {"error": golden["error"], "message": EXPECTED_INSTEAD.sub("", golden["message"] or "")}
    return {"columns": [column_info(*column) for column in golden["columns"]], "rows": golden["rows"]}


def difference(golden, found):
    """What differs, or None."""
    want = wanted(golden)
    if "message" in found and "message" in want:
        message = EXPECTED_INSTEAD.sub("", found["message"])
        found = found | {"message": message if POSITION.match(want["message"]) else POSITION.sub("", message, count=1)}
    if want == found:
        return None
    parts = [part for part in want | found if want.get(part) != found.get(part)]
    return "; ".join(f"{part}: {found.get(part)} and not {want.get(part)}" for part in parts)


def compared(lake, kind):
    """Each statement of a kind with what differs."""
    recorded = goldens(kind)
    stored = [golden["sql"] for golden in recorded]
    assert stored == [sql for sql, _ in statements(FOLDER / f"{kind}.sql")], "`cargo xtask goldens` has not been run"
    with ThreadPoolExecutor(2) as threads:
        found = threads.map(lake.outcome, stored)
        return {golden["sql"]: difference(golden, outcome) for golden, outcome in zip(recorded, found)}


@pytest.mark.parametrize("kind", KINDS)
def test_athena_gives_what_trino_gives(lake, kind):
    explained = differences()
    found = compared(lake, kind)
    unexplained = {sql: what for sql, what in found.items() if what and sql not in explained}
    assert not unexplained
    settled = [sql for sql, what in found.items() if not what and sql in explained]
    assert not settled, "these have become equal and don't belong into differences.sql"


def test_few_statements_differ_and_each_for_a_reason():
    every = {golden["sql"] for kind in KINDS for golden in goldens(kind)}
    explained = differences()
    assert all(explained.values())
    assert not explained.keys() - every, "no longer statements of any file"
    assert len(explained) <= len(every) * MAX_SHARE_OF_DIFFERENCES
