"""AWS SDK for pandas, unmodified: files, the catalogue and queries, as a data engineer's notebook calls them."""

import datetime
import decimal

import awswrangler as wr
import numpy as np
import pandas as pd
import pytest

pytestmark = [
    pytest.mark.usefixtures("client_environment"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def place(s3, unique):
    """A folder in a bucket of its own."""
    bucket = unique("wrangled")
    s3.create_bucket(Bucket=bucket)
    return f"s3://{bucket}/data/"


@pytest.fixture
def database(unique):
    name = unique("wrangler").replace("-", "_")
    wr.catalog.create_database(name)
    return name


@pytest.fixture
def flights():
    return pd.DataFrame(
        {
            "id": pd.array([1, 2, 3, 4], dtype="Int64"),
            "carrier": pd.array(["UA", "AA", None, "Ünïted"], dtype="string"),
            "delay": [1.5, np.nan, -2.0, 0.0],
            "day": [datetime.date(2013, 1, day) for day in (1, 2, 3, 4)],
            "fare": [decimal.Decimal("10.50"), decimal.Decimal("99.99"), None, decimal.Decimal("0.01")],
            "at": pd.to_datetime(["2013-01-01 05:17", "2013-01-02", None, "2013-01-04 23:59:59.123456"], format="ISO8601"),
            "month": [1, 1, 2, 2],
        }
    )


# Files


def test_parquet_there_and_back(place, flights):
    wr.s3.to_parquet(flights, f"{place}flights.parquet")
    back = wr.s3.read_parquet(f"{place}flights.parquet")
    assert list(back.columns) == list(flights.columns)
    assert back["carrier"].fillna("").tolist() == ["UA", "AA", "", "Ünïted"]
    assert back["delay"].isna().tolist() == [False, True, False, False]
    assert back["fare"].tolist()[:2] == [decimal.Decimal("10.50"), decimal.Decimal("99.99")]
    assert back["at"][3] == pd.Timestamp("2013-01-04 23:59:59.123456")
    types, _ = wr.s3.read_parquet_metadata(f"{place}flights.parquet")
    assert (types["id"], types["fare"], types["at"]) == ("bigint", "decimal(4,2)", "timestamp")


def test_datasets_with_partitions(place, flights):
    wr.s3.to_parquet(flights, place, dataset=True, partition_cols=["month"])
    assert len(wr.s3.list_objects(place)) == 2
    february = wr.s3.read_parquet(place, dataset=True, partition_filter=lambda part: part["month"] == "2")
    assert february["id"].tolist() == [3, 4]
    wr.s3.to_parquet(flights.iloc[:1], place, dataset=True, partition_cols=["month"], mode="overwrite_partitions")
    assert sorted(wr.s3.read_parquet(place, dataset=True)["id"]) == [1, 3, 4]


def test_parquet_in_chunks_and_columns(place):
    frame = pd.DataFrame({"n": range(10_000), "text": "x"})
    wr.s3.to_parquet(frame, place, dataset=True, max_rows_by_file=2_500)
    assert len(wr.s3.list_objects(place)) == 4
    chunks = list(wr.s3.read_parquet(place, columns=["n"], chunked=3_000))
    assert sum(len(chunk) for chunk in chunks) == 10_000
    assert all(list(chunk.columns) == ["n"] for chunk in chunks)


def test_csv_and_json(place, flights):
    plain = flights[["id", "carrier", "delay"]]
    wr.s3.to_csv(plain, f"{place}a.csv", index=False)
    assert wr.s3.read_csv(f"{place}a.csv")["delay"].sum() == plain["delay"].sum()
    wr.s3.to_csv(plain, f"{place}b.csv.gz", index=False, compression="gzip")
    assert wr.s3.read_csv(f"{place}b.csv.gz")["id"].tolist() == [1, 2, 3, 4]
    wr.s3.to_json(plain, f"{place}c.json", orient="records", lines=True)
    assert wr.s3.read_json(f"{place}c.json", orient="records", lines=True)["id"].tolist() == [1, 2, 3, 4]


def test_objects_are_listed_copied_described_and_deleted(place, tmp_path):
    paths = [f"{place}{name}" for name in ("a.txt", "deep/b.txt", "c d+e.txt")]
    for path in paths:
        (tmp_path / "file").write_text(path)
        wr.s3.upload(str(tmp_path / "file"), path)
    assert sorted(wr.s3.list_objects(place)) == sorted(paths)
    assert wr.s3.list_objects(f"{place}*.txt", suffix="e.txt") == [f"{place}c d+e.txt"]
    assert wr.s3.list_directories(place) == [f"{place}deep/"]
    assert wr.s3.does_object_exist(paths[0]) and not wr.s3.does_object_exist(f"{place}none")
    assert wr.s3.size_objects(place)[paths[1]] == len(paths[1])
    wr.s3.copy_objects(paths[:1], source_path=place, target_path=f"{place}copy/")
    wr.s3.download(f"{place}copy/a.txt", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == paths[0]
    wr.s3.delete_objects(place)
    assert wr.s3.list_objects(place) == []


def test_large_files_go_up_in_parts(place, s3):
    frame = pd.DataFrame({"n": np.random.default_rng(7).integers(0, 2**62, 2_000_000)})
    wr.s3.to_parquet(frame, f"{place}big.parquet", compression=None)
    bucket, key = place.removeprefix("s3://").split("/", 1)
    head = s3.head_object(Bucket=bucket, Key=f"{key}big.parquet")
    assert head["ContentLength"] > 10_000_000 and "-" in head["ETag"]
    assert (wr.s3.read_parquet(f"{place}big.parquet")["n"] == frame["n"]).all()


def test_what_is_not_there_is_said(place):
    with pytest.raises(wr.exceptions.NoFilesFound):
        wr.s3.read_parquet(f"{place}none/")
    with pytest.raises(Exception, match="NoSuchBucket|does not exist"):
        wr.s3.to_csv(pd.DataFrame({"a": [1]}), "s3://never-made-bucket/a.csv")


# The catalogue


def test_databases(database):
    assert database in wr.catalog.databases(limit=1000)["Database"].tolist()
    assert any(found["Name"] == database for found in wr.catalog.get_databases())
    with pytest.raises(wr.exceptions.AlreadyExists):
        wr.catalog.create_database(database)
    wr.catalog.delete_database(database)
    assert not any(found["Name"] == database for found in wr.catalog.get_databases())


def test_datasets_register_themselves(place, database, flights):
    options = {"dataset": True, "database": database, "table": "flights", "partition_cols": ["month"]}
    comments = {"carrier": "who flies"}
    wr.s3.to_parquet(
        flights, place, **options, glue_table_settings={"description": "departures", "columns_comments": comments}
    )
    types = wr.catalog.get_table_types(database, "flights")
    assert types == {
        "id": "bigint",
        "carrier": "string",
        "delay": "double",
        "day": "date",
        "fare": "decimal(4,2)",
        "at": "timestamp",
        "month": "bigint",
    }
    assert wr.catalog.get_table_description(database, "flights") == "departures"
    assert wr.catalog.get_columns_comments(database, "flights")["carrier"] == "who flies"
    assert wr.catalog.get_table_location(database, "flights") == place
    assert wr.catalog.get_partitions(database, "flights") == {f"{place}month=1/": ["1"], f"{place}month=2/": ["2"]}
    more = flights.assign(month=3, gate="B1")
    wr.s3.to_parquet(more, place, **options, mode="append", schema_evolution=True, catalog_versioning=True)
    assert wr.catalog.get_table_types(database, "flights")["gate"] == "string"
    assert len(wr.catalog.get_partitions(database, "flights")) == 3
    assert len(wr.s3.read_parquet(place, dataset=True, validate_schema=False)) == 8
    assert wr.catalog.get_table_number_of_versions(database, "flights") >= 2


def test_tables_are_found_changed_and_deleted(place, database, flights):
    for name in ("flights", "flights_old", "planes"):
        wr.s3.to_csv(flights[["id", "carrier"]], f"{place}{name}/", dataset=True, database=database, table=name, index=False)
    assert wr.catalog.does_table_exist(database, "planes") and not wr.catalog.does_table_exist(database, "boats")
    assert wr.catalog.tables(database=database)["Table"].tolist() == ["flights", "flights_old", "planes"]
    wr.catalog.add_column(database, "planes", "seats", column_type="int", column_comment="")
    assert wr.catalog.get_table_types(database, "planes")["seats"] == "int"
    wr.catalog.upsert_table_parameters({"owner": "sail"}, database, "planes")
    assert wr.catalog.get_table_parameters(database, "planes")["owner"] == "sail"
    assert wr.catalog.delete_table_if_exists(database, "planes") is True
    assert wr.catalog.delete_table_if_exists(database, "planes") is False


def test_tables_are_found_by_pattern(place, database):
    for name in ("flights", "flights_old", "planes", "old_planes"):
        wr.catalog.create_parquet_table(database=database, table=name, path=place, columns_types={"n": "bigint"})

    def found(**pattern):
        return sorted(table["Name"] for table in wr.catalog.get_tables(database=database, **pattern))

    assert found(name_contains="old") == ["flights_old", "old_planes"]
    assert found(name_suffix="planes") == ["old_planes", "planes"]
    assert found(name_prefix="flights") == ["flights", "flights_old"]


def test_partitions_are_added_and_deleted(place, database):
    wr.catalog.create_parquet_table(
        database=database, table="days", path=place, columns_types={"n": "bigint"}, partitions_types={"day": "int"}
    )
    wr.catalog.add_parquet_partitions(database, "days", {f"{place}day={day}/": [str(day)] for day in range(120)})
    assert len(wr.catalog.get_partitions(database, "days")) == 120
    over = wr.catalog.get_partitions(database, "days", expression="day >= 118")
    assert sorted(over.values()) == [["118"], ["119"]]
    wr.catalog.delete_partitions("days", database, [["118"], ["119"]])
    assert len(wr.catalog.get_partitions(database, "days")) == 118
    wr.catalog.delete_all_partitions("days", database)
    assert wr.catalog.get_partitions(database, "days") == {}


# Queries


@pytest.fixture
def sales(place, database):
    """A partitioned Parquet dataset `sales` of 1200 rows, and what queries need: its database and a place for results."""
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=number % 30) for number in range(1200)]
    frame = pd.DataFrame(
        {
            "id": range(1200),
            "region": pd.array(["north", "south", None] * 400, dtype="string"),
            "amount": [decimal.Decimal(number) / 4 for number in range(1200)],
            "weight": np.linspace(0.5, 600, 1200),
            "day": days,
            "at": pd.date_range("2024-01-01", periods=1200, freq="min"),
            "month": [1, 2] * 600,
        }
    )
    types = {"amount": "decimal(12,2)"}
    wr.s3.to_parquet(
        frame, f"{place}sales/", dataset=True, database=database, table="sales", partition_cols=["month"], dtype=types
    )
    return {"database": database, "s3_output": place.replace("/data/", "/results/")}


@pytest.mark.parametrize(
    "approach",
    [{"ctas_approach": True}, {"ctas_approach": False}, {"ctas_approach": False, "unload_approach": True}],
    ids=["ctas", "csv", "unload"],
)
def test_queries_become_frames(sales, approach):
    sql = """
        SELECT region, month, count(*) AS sales, sum(amount) AS amount, max(day) AS day, max(at) AS at, avg(weight) AS weight
        FROM sales WHERE region IS NOT NULL GROUP BY region, month ORDER BY region, month
    """
    frame = wr.athena.read_sql_query(sql, **sales, **approach).sort_values(["region", "month"], ignore_index=True)
    assert frame["region"].tolist() == ["north", "north", "south", "south"]
    assert frame["month"].tolist() == [1, 2, 1, 2] and frame["sales"].tolist() == [200] * 4
    assert sum(frame["amount"]) == sum(decimal.Decimal(n) / 4 for n in range(1200) if n % 3 != 2)
    assert frame["day"].tolist() == [datetime.date(2024, 1, day) for day in (25, 28, 29, 26)]
    assert pd.api.types.is_datetime64_any_dtype(frame["at"])
    assert wr.catalog.tables(database=sales["database"])["Table"].tolist() == ["sales"], "no temporary table is left"


@pytest.mark.parametrize("ctas", [True, False], ids=["ctas", "csv"])
def test_whole_tables_in_chunks(sales, ctas):
    chunks = list(wr.athena.read_sql_table("sales", **sales, ctas_approach=ctas, chunksize=500))
    assert sum(len(chunk) for chunk in chunks) == 1200 and len(chunks) > 1
    assert sorted(pd.concat(chunks)["id"]) == list(range(1200))


def test_nothing_found_is_an_empty_frame(sales):
    frame = wr.athena.read_sql_query("SELECT id, region FROM sales WHERE id < 0", **sales, ctas_approach=False)
    assert frame.empty and list(frame.columns) == ["id", "region"]
    assert str(frame["id"].dtype) == "Int64"


def test_parameters_of_queries(sales):
    named = wr.athena.read_sql_query(
        "SELECT id FROM sales WHERE region = :region AND id > :id ORDER BY id",
        params={"region": "north", "id": 1190},
        **sales,
        ctas_approach=False,
    )
    assert named["id"].tolist() == [1191, 1194, 1197]
    marked = wr.athena.read_sql_query(
        "SELECT id FROM sales WHERE region = ? AND id > ? ORDER BY id",
        params=["'north'", "1190"],
        paramstyle="qmark",
        **sales,
        ctas_approach=False,
    )
    assert marked["id"].tolist() == [1191, 1194, 1197]


def test_unload(sales, place):
    made = wr.athena.unload(
        "SELECT id, region, month FROM sales WHERE id < 100",
        path=f"{place}unloaded/",
        partitioned_by=["month"],
        database=sales["database"],
    )
    assert made.raw_payload["Status"]["State"] == "SUCCEEDED"
    files = wr.s3.list_objects(f"{place}unloaded/month=1/") + wr.s3.list_objects(f"{place}unloaded/month=2/")
    assert sorted(wr.s3.read_parquet(files)["id"]) == list(range(100))
    assert [path for path in wr.s3.list_objects(f"{place}unloaded/") if path.endswith("-manifest.csv")]


def test_create_table_as(sales, place):
    made = wr.athena.create_ctas_table(
        "SELECT * FROM sales WHERE month = 1",
        ctas_table="january",
        s3_output=f"{place}january/",
        database=sales["database"],
        storage_format="parquet",
        write_compression="snappy",
        wait=True,
    )
    assert made["ctas_query_metadata"].raw_payload["Status"]["State"] == "SUCCEEDED"
    found = wr.athena.read_sql_query("SELECT count(*) AS n FROM january", **sales, ctas_approach=False)
    assert found["n"].tolist() == [600]
    assert wr.catalog.get_table_types(sales["database"], "january")["amount"] == "decimal(12,2)"


def test_executions_are_started_watched_and_stopped(sales):
    query = wr.athena.start_query_execution("SELECT count(*) AS n FROM sales", **sales)
    done = wr.athena.wait_query(query, athena_query_wait_polling_delay=0.05)
    assert done["Status"]["State"] == "SUCCEEDED" and done["Statistics"]["DataScannedInBytes"] >= 0
    assert wr.athena.get_query_results(query)["n"].tolist() == [1200]
    assert wr.athena.get_query_execution(query)["StatementType"] == "DML"
    assert query in wr.athena.list_query_executions()
    with pytest.raises(wr.exceptions.QueryFailed, match="COLUMN_NOT_FOUND"):
        wr.athena.read_sql_query("SELECT nothing FROM sales", **sales, ctas_approach=False)
    slow = wr.athena.start_query_execution(
        "SELECT count(*) FROM sales a, sales b, sales c, sales d WHERE (a.id * b.id * c.id * d.id) % 7 = 3", **sales
    )
    wr.athena.stop_query_execution(slow)
    with pytest.raises(wr.exceptions.QueryCancelled):
        wr.athena.wait_query(slow, athena_query_wait_polling_delay=0.05)


def test_tables_are_described_and_repaired(sales, place):
    described = wr.athena.describe_table("sales", **sales)
    assert described["Column Name"].tolist()[:2] == ["id", "region"]
    assert wr.athena.show_create_table("sales", **sales).startswith("CREATE EXTERNAL TABLE")
    frame = pd.DataFrame({"id": [5000], "region": ["west"]})
    wr.s3.to_parquet(frame, f"{place}sales/month=3/new.parquet")
    assert wr.athena.repair_table("sales", **sales) == "SUCCEEDED"
    found = wr.athena.read_sql_query("SELECT id, month FROM sales WHERE month = 3", **sales, ctas_approach=False)
    assert found.values.tolist() == [[5000, 3]]


def test_prepared_statements(sales):
    wr.athena.create_prepared_statement("SELECT id FROM sales WHERE id < ? ORDER BY id", "below")
    assert any(it["StatementName"] == "below" for it in wr.athena.list_prepared_statements())
    found = wr.athena.read_sql_query("EXECUTE below USING 3", **sales, ctas_approach=False)
    assert found["id"].tolist() == [0, 1, 2]
    wr.athena.delete_prepared_statement("below")
