"""PyAthena's other cursors: threads, asyncio, files, polars; and its dialects of SQLAlchemy, as dashboards use them."""

import asyncio
import functools
import urllib.parse

import pyarrow.fs
import pytest
import sqlalchemy as sa
from pyathena import aio_connect, connect
from pyathena.aio.arrow.cursor import AioArrowCursor
from pyathena.aio.cursor import AioCursor, AioDictCursor
from pyathena.aio.pandas.cursor import AioPandasCursor
from pyathena.aio.polars.cursor import AioPolarsCursor
from pyathena.aio.s3fs.cursor import AioS3FSCursor
from pyathena.arrow.async_cursor import AsyncArrowCursor
from pyathena.async_cursor import AsyncDictCursor
from pyathena.error import OperationalError
from pyathena.pandas.async_cursor import AsyncPandasCursor
from pyathena.polars.async_cursor import AsyncPolarsCursor
from pyathena.polars.cursor import PolarsCursor
from pyathena.s3fs.async_cursor import AsyncS3FSCursor
from pyathena.s3fs.cursor import S3FSCursor
from sqlalchemy.ext.asyncio import create_async_engine

from test_pyathena import place, pytestmark  # noqa: F401

QUERY = "SELECT id, carrier, delay FROM flights ORDER BY id"
ROWS = [(1, "UA", 1.5), (2, None, None), (3, 'Ünïted, "quoted"', -2.0)]
WRONG = "SELECT 1 / (id - id) AS nothing FROM flights"


@pytest.fixture(autouse=True)
def arrow_finds_the_server(shared, monkeypatch):
    """Arrow's own S3 client has no way to be told an endpoint by these cursors."""
    elsewhere = functools.partial(pyarrow.fs.S3FileSystem, endpoint_override=shared.url)
    monkeypatch.setattr(pyarrow.fs, "S3FileSystem", elsewhere)


def plain(rows):
    """Rows as tuples, with None for what pandas reads as not a number, and Arrow as an empty text."""
    values = [row.values() if isinstance(row, dict) else row for row in rows]
    return [tuple(None if value in (None, "") or value != value else value for value in row) for row in values]


@pytest.mark.parametrize("unload", [False, True], ids=["csv", "unload"])
def test_polars(place, unload):
    cursor = place.connect(cursor_class=PolarsCursor).cursor(unload=unload)
    frame = cursor.execute("SELECT id, carrier, delay, day FROM flights").as_polars().sort("id")
    assert frame.select("id", "carrier", "delay").rows() == ROWS
    assert [day.day for day in frame["day"]] == [1, 2, 3]
    with pytest.raises(OperationalError, match="DIVISION_BY_ZERO"):
        cursor.execute(WRONG)


def test_files_are_read_as_they_are(place):
    cursor = place.connect(cursor_class=S3FSCursor).cursor()
    assert plain(cursor.execute(QUERY).fetchall()) == ROWS


@pytest.mark.parametrize(
    "cursor_class",
    [AsyncDictCursor, AsyncPandasCursor, AsyncArrowCursor, AsyncPolarsCursor, AsyncS3FSCursor],
    ids=lambda cursor_class: cursor_class.__name__,
)
def test_threads(place, cursor_class):
    cursor = place.connect(cursor_class=cursor_class).cursor()
    running = [cursor.execute(QUERY) for _ in range(4)]
    for _, future in running:
        assert plain(future.result(timeout=60).fetchall()) == ROWS
    _, failed = cursor.execute(WRONG)
    assert failed.result(timeout=60).state == "FAILED"
    cursor.close()


@pytest.mark.parametrize(
    "cursor_class",
    [AioCursor, AioDictCursor, AioPandasCursor, AioArrowCursor, AioPolarsCursor, AioS3FSCursor],
    ids=lambda cursor_class: cursor_class.__name__,
)
def test_asyncio(place, cursor_class):
    async def rows():
        options = {"s3_staging_dir": place.results, "region_name": "us-east-1", "schema_name": place.database}
        connection = await aio_connect(cursor_class=cursor_class, poll_interval=0.02, **options)
        async with connection.cursor() as cursor:
            await cursor.execute(QUERY)
            found = await fetched(cursor)
            with pytest.raises(OperationalError, match="DIVISION_BY_ZERO"):
                await cursor.execute(WRONG)
        connection.close()
        return found

    assert plain(asyncio.run(rows())) == ROWS


async def fetched(cursor):
    found = cursor.fetchall()
    return await found if asyncio.iscoroutine(found) else found


def address(place, dialect):
    staging = urllib.parse.quote_plus(place.results)
    server = "test:test@athena.us-east-1.amazonaws.com:443"
    return f"{dialect}://{server}/{place.database}?s3_staging_dir={staging}&poll_interval=0.02"


@pytest.mark.parametrize("dialect", ["rest", "pandas", "arrow", "polars", "s3fs"])
def test_dialects_of_sqlalchemy(place, dialect):
    engine = sa.create_engine(address(place, f"awsathena+{dialect}"))
    with engine.connect() as connection:
        assert plain(connection.execute(sa.text(QUERY)).fetchall()) == ROWS
    engine.dispose()


def test_sqlalchemy_by_asyncio(place):
    async def rows():
        engine = create_async_engine(address(place, "awsathena+aiorest"))
        async with engine.connect() as connection:
            found = (await connection.execute(sa.text(QUERY))).fetchall()
        await engine.dispose()
        return found

    assert plain(asyncio.run(rows())) == ROWS


def test_what_a_dashboard_asks(place):
    """Superset's way: schemas, tables, views and columns by the inspector, then its own SELECT around the user's query."""
    with connect(
        s3_staging_dir=place.results, region_name="us-east-1", schema_name=place.database, poll_interval=0.02
    ).cursor() as cursor:
        cursor.execute("CREATE VIEW late AS SELECT id, delay FROM flights WHERE delay > 0")
    engine = sa.create_engine(address(place, "awsathena+rest"))
    inspector = sa.inspect(engine)
    assert inspector.get_view_names(place.database) == ["late"]
    assert "flights" in inspector.get_table_names(place.database)
    assert [column["name"] for column in inspector.get_columns("late", place.database)] == ["id", "delay"]
    assert inspector.get_pk_constraint("flights", place.database) == {"name": None, "constrained_columns": []}
    with engine.connect() as connection:
        inner = sa.text("SELECT day, delay FROM flights").columns(sa.column("day"), sa.column("delay")).subquery("virtual_table")
        month = sa.func.date_trunc("month", inner.c.day).label("__timestamp")
        query = sa.select(month, sa.func.count(sa.text("*")).label("n")).group_by(month).order_by(sa.desc("n")).limit(1000)
        assert [row.n for row in connection.execute(query)] == [3]
    engine.dispose()
