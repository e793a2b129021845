"""PyAthena, unmodified: its cursors and its SQLAlchemy dialect over files that really are in S3."""

import datetime
import decimal
import functools
import io
import urllib.parse

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from pyathena import connect
from pyathena.arrow.cursor import ArrowCursor
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.error import DatabaseError, OperationalError
from pyathena.pandas.cursor import PandasCursor

pytestmark = [
    pytest.mark.usefixtures("client_environment"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]

FLIGHTS = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int64()),
        "carrier": pa.array(["UA", None, "Ünïted, \"quoted\""]),
        "delay": pa.array([1.5, None, -2.0]),
        "late": pa.array([True, False, None]),
        "day": pa.array([datetime.date(2013, 1, day) for day in (1, 2, 3)]),
        "at": pa.array([datetime.datetime(2013, 1, 1, 5, 17, 30, 250000), None, datetime.datetime(2013, 1, 3)], pa.timestamp("us")),
        "fare": pa.array([decimal.Decimal("10.50"), None, decimal.Decimal("-0.01")], pa.decimal128(10, 2)),
        "seats": pa.array([[1, 2], [], None], pa.list_(pa.int32())),
    }
)
COLUMNS = (
    "id bigint, carrier string, delay double, late boolean, day date, at timestamp, fare decimal(10,2), seats array<int>"
)


@pytest.fixture
def place(shared, unique):
    """A database of its own, a folder of results and a table `flights` of three rows."""
    bucket, database = unique("athena"), unique("pyathena").replace("-", "_")
    s3 = shared.client("s3", "test", "test")
    s3.create_bucket(Bucket=bucket)
    file = io.BytesIO()
    pq.write_table(FLIGHTS, file)
    s3.put_object(Bucket=bucket, Key="flights/a.parquet", Body=file.getvalue())
    found = Place(f"s3://{bucket}/results/", f"s3://{bucket}/", database)
    cursor = found.connect("default").cursor()
    cursor.execute(f"CREATE DATABASE {database}")
    cursor.execute(
        f"CREATE EXTERNAL TABLE {database}.flights ({COLUMNS}) STORED AS PARQUET LOCATION 's3://{bucket}/flights/'"
    )
    return found


class Place:
    def __init__(self, results, root, database):
        self.results, self.root, self.database = results, root, database

    def connect(self, database=None, **options):
        return connect(
            s3_staging_dir=self.results,
            region_name="us-east-1",
            schema_name=database or self.database,
            poll_interval=0.02,
            **options,
        )


def test_rows_come_as_python_values(place):
    cursor = place.connect().cursor()
    cursor.execute("SELECT * FROM flights ORDER BY id")
    assert [column[0] for column in cursor.description] == FLIGHTS.column_names
    assert [column[1] for column in cursor.description] == [
        "bigint", "varchar", "double", "boolean", "date", "timestamp", "decimal", "array",
    ]
    rows = cursor.fetchall()
    assert rows[0] == (
        1,
        "UA",
        1.5,
        True,
        datetime.date(2013, 1, 1),
        datetime.datetime(2013, 1, 1, 5, 17, 30, 250000),
        decimal.Decimal("10.50"),
        [1, 2],
    )
    assert rows[1][:4] == (2, None, None, False) and rows[1][5:7] == (None, None)
    assert rows[2][1] == 'Ünïted, "quoted"' and rows[2][6] == decimal.Decimal("-0.01") and rows[2][7] is None
    assert cursor.state == "SUCCEEDED" and cursor.data_scanned_in_bytes > 0
    assert cursor.output_location.startswith(place.results) and cursor.statement_type == "DML"


def test_rows_come_in_pages(place):
    cursor = place.connect().cursor()
    cursor.arraysize = 700
    cursor.execute("SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n")
    assert cursor.fetchone() == (1,)
    assert [row[0] for row in cursor.fetchmany(3)] == [2, 3, 4]
    assert [row[0] for row in cursor] == list(range(5, 2501))
    assert cursor.fetchone() is None


def test_dict_cursor(place):
    cursor = place.connect(cursor_class=DictCursor).cursor()
    cursor.execute("SELECT carrier, count(*) AS flights FROM flights WHERE carrier IS NOT NULL GROUP BY 1 ORDER BY 1")
    assert cursor.fetchall() == [{"carrier": "UA", "flights": 1}, {"carrier": 'Ünïted, "quoted"', "flights": 1}]


def test_pandas_cursor_reads_the_result_file(place):
    cursor = place.connect(cursor_class=PandasCursor).cursor()
    frame = cursor.execute("SELECT id, carrier, delay, day, fare FROM flights ORDER BY id").as_pandas()
    assert frame["id"].tolist() == [1, 2, 3] and str(frame["id"].dtype) == "Int64"
    assert frame["delay"].isna().tolist() == [False, True, False]
    assert frame["fare"].tolist()[0] == decimal.Decimal("10.50")
    assert frame["carrier"].tolist()[2] == 'Ünïted, "quoted"'
    assert frame["day"].dt.day.tolist() == [1, 2, 3]
    assert cursor.execute("SELECT 1 AS one WHERE false").as_pandas().empty


def test_pandas_cursor_unloads(place):
    cursor = place.connect(cursor_class=PandasCursor).cursor(unload=True)
    frame = cursor.execute("SELECT id, delay, seats FROM flights").as_pandas().sort_values("id")
    assert frame["id"].tolist() == [1, 2, 3] and list(frame["seats"].tolist()[0]) == [1, 2]


@pytest.mark.parametrize("unload", [False, True], ids=["csv", "unload"])
def test_arrow_cursor(place, shared, monkeypatch, unload):
    # The cursor opens Arrow's own S3 client, and has no way to tell it an endpoint.
    elsewhere = functools.partial(pa.fs.S3FileSystem, endpoint_override=shared.url)
    monkeypatch.setattr(pa.fs, "S3FileSystem", elsewhere)
    cursor = place.connect(cursor_class=ArrowCursor).cursor(unload=unload)
    table = cursor.execute("SELECT id, carrier, delay, late FROM flights").as_arrow().sort_by("id")
    assert table["id"].to_pylist() == [1, 2, 3] and table["late"].to_pylist() == [True, False, None]
    assert table["delay"].to_pylist() == [1.5, None, -2.0]
    assert table["carrier"].to_pylist()[2] == 'Ünïted, "quoted"'


def test_parameters(place):
    cursor = place.connect().cursor()
    cursor.execute("SELECT id FROM flights WHERE carrier = %(carrier)s", {"carrier": 'Ünïted, "quoted"'})
    assert cursor.fetchall() == [(3,)]
    cursor.execute("SELECT %(text)s, %(none)s", {"text": "it's; --x", "none": None})
    assert cursor.fetchall() == [("it's; --x", None)]
    cursor.execute("SELECT id FROM flights WHERE id > ? AND carrier = ?", ["1", "'UA'"], paramstyle="qmark")
    assert cursor.fetchall() == []
    cursor.execute("SELECT id FROM flights WHERE day >= ? ORDER BY id", ["DATE '2013-01-02'"], paramstyle="qmark")
    assert cursor.fetchall() == [(2,), (3,)]


def test_statements_that_change_things(place):
    cursor = place.connect().cursor()
    cursor.execute(
        f"CREATE TABLE late WITH (format = 'PARQUET', external_location = '{place.root}late/', partitioned_by = ARRAY['day']) "
        "AS SELECT id, delay, day FROM flights WHERE delay IS NOT NULL"
    )
    assert sorted(cursor.execute("SELECT id, day FROM late").fetchall()) == [
        (1, datetime.date(2013, 1, 1)),
        (3, datetime.date(2013, 1, 3)),
    ]
    cursor.execute("INSERT INTO late SELECT 9, 9.5, DATE '2013-01-09'")
    assert cursor.execute("SELECT count(*), max(day) FROM late").fetchall() == [(3, datetime.date(2013, 1, 9))]
    assert [row[0].strip() for row in cursor.execute("SHOW TABLES").fetchall()] == ["flights", "late"]
    cursor.execute("CREATE OR REPLACE VIEW early AS SELECT id FROM flights WHERE delay < 0")
    assert cursor.execute("SELECT * FROM early").fetchall() == [(3,)]
    cursor.execute("DROP TABLE late")
    with pytest.raises(OperationalError, match="TABLE_NOT_FOUND"):
        cursor.execute("SELECT * FROM late")


def test_metadata(place):
    cursor = place.connect().cursor()
    assert place.database in [it.name for it in cursor.list_databases(None)]
    (table,) = cursor.list_table_metadata(None, None)
    assert (table.name, [column.name for column in table.columns]) == ("flights", FLIGHTS.column_names)
    assert cursor.get_table_metadata("flights").location.endswith("/flights/")


def test_asynchronous_queries_and_cancelling(place):
    cursor = place.connect(cursor_class=AsyncCursor).cursor()
    running = [cursor.execute(f"SELECT {number} + id FROM flights ORDER BY 1") for number in range(8)]
    results = {query: future.result(timeout=60).fetchall() for query, future in running}
    assert len(results) == 8
    assert sorted(rows[0][0] for rows in results.values()) == list(range(1, 9))
    slow, future = cursor.execute(
        "SELECT count(*) FROM UNNEST(sequence(1, 9000)) a(x) CROSS JOIN UNNEST(sequence(1, 9000)) b(y) "
        "CROSS JOIN UNNEST(sequence(1, 9000)) c(z) WHERE (x * y * z) % 7 = 3"
    )
    cursor.cancel(slow).result(timeout=30)
    assert future.result(timeout=30).state == "CANCELLED"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELEC 1", "mismatched input 'SELEC'"),
        ("SELECT nothing FROM flights", "COLUMN_NOT_FOUND"),
        ("SELECT * FROM nowhere", "TABLE_NOT_FOUND"),
        ("SELECT nofunction(1)", "FUNCTION_NOT_FOUND"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO"),
        ("SELECT 1 + 'a'", "TYPE_MISMATCH"),
        ("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT"),
    ],
)
def test_mistakes_are_named_as_trino_names_them(place, statement, told):
    cursor = place.connect().cursor()
    with pytest.raises(DatabaseError, match=told):
        cursor.execute(statement)
    assert cursor.execute("SELECT 1").fetchall() == [(1,)]


@pytest.fixture
def engine(place):
    staging = urllib.parse.quote_plus(place.results)
    address = f"awsathena+rest://test:test@athena.us-east-1.amazonaws.com:443/{place.database}?s3_staging_dir={staging}"
    made = sa.create_engine(f"{address}&poll_interval=0.02", connect_args={"poll_interval": 0.02})
    yield made
    made.dispose()


def test_sqlalchemy_reads_tables_it_has_looked_up(engine):
    with engine.connect() as connection:
        flights = sa.Table("flights", sa.MetaData(), autoload_with=connection)
        assert [column.name for column in flights.columns] == FLIGHTS.column_names
        assert isinstance(flights.c.id.type, sa.BigInteger) and isinstance(flights.c.day.type, sa.Date)
        query = sa.select(flights.c.carrier, sa.func.sum(flights.c.delay).label("delay")).where(flights.c.id < 3)
        rows = connection.execute(query.group_by(flights.c.carrier).order_by(flights.c.carrier)).all()
        assert [tuple(row) for row in rows] == [("UA", 1.5), (None, None)]
        assert connection.execute(sa.text("SELECT id FROM flights WHERE id = :id"), {"id": 2}).scalar() == 2


def test_sqlalchemy_inspects_and_creates(engine, place):
    inspector = sa.inspect(engine)
    assert inspector.get_table_names(place.database) == ["flights"]
    assert place.database in inspector.get_schema_names()
    assert inspector.has_table("flights") and not inspector.has_table("none")
    made = sa.Table(
        "made",
        sa.MetaData(),
        sa.Column("n", sa.Integer),
        sa.Column("text", sa.String),
        awsathena_location=f"{place.root}made/",
        awsathena_file_format="PARQUET",
    )
    with engine.connect() as connection:
        made.create(connection)
        connection.execute(made.insert().values(n=1, text="it's"))
        connection.execute(made.insert(), [{"n": 2, "text": None}, {"n": 3, "text": "c"}])
        rows = connection.execute(sa.select(made).order_by(made.c.n)).all()
        assert [tuple(row) for row in rows] == [(1, "it's"), (2, None), (3, "c")]
        made.drop(connection)
    assert not sa.inspect(engine).has_table("made")
