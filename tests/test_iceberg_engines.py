"""DuckDB, Spark and Trino on the Iceberg tables of the Data Catalog, by the REST catalog and by Glue's own calls; each writes
what Athena then reads and changes, and reads what Athena wrote."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import trino_server
from test_iceberg_changes import Lake
from test_duckdb import duckdb
from test_java import COPY, JARS

FOLDER = Path(__file__).parent / "spark"
SPARK = os.environ.get("BOATHOUSE_SPARK_PYTHON")
SPARK_JARS = JARS.with_name("clients-spark-jars")
TRINO = os.environ.get("BOATHOUSE_TRINO")
ACCOUNT = "000000000000"


@pytest.fixture
def world(shared, unique):
    """A bucket and a database of this test's own."""
    world = Lake(shared, unique("lake"), unique("lake").replace("-", "_"))
    place = {"Name": world.database, "LocationUri": f"s3://{world.bucket}/db"}
    world.glue.update_database(Name=world.database, DatabaseInput=place)
    return world


def athena_goes_on(world, table):
    """Athena changes what another engine wrote."""
    world.run(f"INSERT INTO {table} (id, name) VALUES (77, 'athena')")
    world.run(f"UPDATE {table} SET name = 'both' WHERE id = 1")
    return world.select(f"SELECT id, name FROM {table} ORDER BY id")


def all_lists(answers):
    """Every statement was answered with rows."""
    failed = [answer for answer in answers if not isinstance(answer, list)]
    assert not failed, failed
    return answers


def test_duckdb_reads_and_writes(world):
    host, _, port = world.server.url.removeprefix("http://").partition(":")
    # DuckDB takes the service and the region that it signs for from the host's name.
    endpoint = f"http://glue.us-east-1.localhost:{port}/iceberg"
    secret = (
        f"CREATE SECRET s (TYPE s3, KEY_ID 'test', SECRET 'test', REGION 'us-east-1', ENDPOINT '{host}:{port}', "
        "USE_SSL false, URL_STYLE 'path')"
    )
    attach = f"ATTACH '{ACCOUNT}' AS lake (TYPE iceberg, ENDPOINT '{endpoint}', AUTHORIZATION_TYPE 'sigv4', SECRET s)"

    def ask(*statements):
        extensions = ("httpfs", "avro", "aws", "iceberg")
        answers, missing = duckdb(dict(os.environ), secret, attach, *statements, extensions=extensions)
        if missing:
            pytest.skip(f"DUCKDB WITH ICEBERG IS NOT TESTED: {missing}")
        return all_lists(answers)[2:]

    table = f"lake.{world.database}.t"
    answers = ask(
        f"CREATE TABLE {table} (id BIGINT, name VARCHAR, day DATE)",
        f"INSERT INTO {table} VALUES (1, 'a', DATE '2024-01-01'), (2, 'b', NULL), (3, 'c', NULL)",
        f"UPDATE {table} SET name = 'z' WHERE id = 1",
        f"DELETE FROM {table} WHERE id = 2",
        f"SELECT * FROM {table} ORDER BY id",
    )
    assert answers[-1] == [[1, "z", "2024-01-01"], [3, "c", None]]
    assert athena_goes_on(world, "t") == [["1", "both"], ["3", "c"], ["77", "athena"]]
    answers = ask(f"SELECT id, name FROM {table} ORDER BY id", f"DROP TABLE {table}")
    assert answers[0] == [[1, "both"], [3, "c"], [77, "athena"]]
    assert world.glue.get_tables(DatabaseName=world.database)["TableList"] == []


@pytest.fixture(scope="module")
def spark_jars():
    if not SPARK:
        pytest.skip("SPARK IS NOT TESTED: BOATHOUSE_SPARK_PYTHON names no interpreter with tests/requirements-spark.txt")
    for tool in ("mvn", "java"):
        if not shutil.which(tool):
            pytest.skip(f"SPARK IS NOT TESTED: {tool} is not installed")
    if not SPARK_JARS.exists():
        fetch = ["mvn", "--quiet", "--batch-mode", "--file", FOLDER / "pom.xml", COPY, f"-DoutputDirectory={SPARK_JARS}"]
        fetched = subprocess.run([*fetch, "-DexcludeTransitive=true"], capture_output=True, text=True, timeout=600)
        if fetched.returncode:
            shutil.rmtree(SPARK_JARS, ignore_errors=True)
            pytest.skip(f"SPARK IS NOT TESTED: Iceberg's runtime can't be had: {fetched.stdout[-500:]}")
    return ",".join(map(str, SPARK_JARS.glob("*.jar")))


def spark(world, jars, *statements):
    """What Spark answers, in one run for all statements: it takes long to start."""
    ran = subprocess.run(
        [SPARK, FOLDER / "statements.py", world.server.url, jars],
        input=json.dumps(statements),
        capture_output=True,
        text=True,
        timeout=300,
        # Glue's client takes its keys from the environment alone.
        env={**os.environ, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def test_spark_reads_and_writes(world, spark_jars):
    world.table("seen", "id bigint, name string", values="(1, 'from athena')")
    work = [
        "CREATE TABLE {t} (id bigint, name string, day date, at timestamp_ntz, price decimal(10,2)) USING iceberg "
        "PARTITIONED BY (months(day))",
        "INSERT INTO {t} VALUES (1, 'a', date'2024-01-01', timestamp_ntz'2024-01-01 10:00:00.123456', 1.25), "
        "(2, 'b', date'2024-02-02', null, null)",
        "UPDATE {t} SET name = 'zz' WHERE id = 1",
        "DELETE FROM {t} WHERE id = 2",
        "MERGE INTO {t} t USING (SELECT * FROM VALUES (1, 'm'), (9, 'n') v(i, n)) s ON t.id = s.i "
        "WHEN MATCHED THEN UPDATE SET name = s.n "
        "WHEN NOT MATCHED THEN INSERT (id, name, day, at, price) VALUES (s.i, s.n, date'2024-02-01', null, null)",
        "ALTER TABLE {t} ADD COLUMN extra int",
        "ALTER TABLE {t} ADD PARTITION FIELD bucket(4, id)",
        "CALL {catalog}.system.expire_snapshots(table => '{database}.{name}', older_than => TIMESTAMP '2100-01-01', "
        "retain_last => 1)",
        "SELECT count(*) FROM {t}.snapshots",
        "ALTER TABLE {t} CREATE BRANCH aside",
        "INSERT INTO {t}.branch_aside SELECT 100, 'aside', null, null, null, null",
        "SELECT count(*) FROM {t} VERSION AS OF 'aside'",
        "SELECT id, name, at, price FROM {t} ORDER BY id",
        "CREATE TABLE {t}_gone USING iceberg AS SELECT 1 x",
        "DROP TABLE {t}_gone PURGE",
        "SELECT * FROM {catalog}.{database}.seen",
    ]
    statements = []
    for catalog in ("rest", "glue"):
        of = {"t": f"{catalog}.{world.database}.by_{catalog}", "name": f"by_{catalog}"}
        statements += [sql.format(catalog=catalog, database=world.database, **of) for sql in work]
    answers = all_lists(spark(world, spark_jars, *statements))
    for catalog, found in (("rest", answers[: len(work)]), ("glue", answers[len(work) :])):
        assert found[8] == [[1]], "one snapshot is left"
        assert found[11] == [[3]]
        assert found[12] == [[1, "m", "2024-01-01 10:00:00.123456", "1.25"], [9, "n", None, None]]
        assert found[15] == [[1, "from athena"]]
        assert athena_goes_on(world, f"by_{catalog}") == [["1", "both"], ["9", "n"], ["77", "athena"]]
    names = [table["Name"] for table in world.glue.get_tables(DatabaseName=world.database)["TableList"]]
    assert names == ["by_glue", "by_rest", "seen"]


@pytest.fixture(scope="module")
def trino(shared, tmp_path_factory):
    if not TRINO:
        pytest.skip("TRINO IS NOT TESTED: BOATHOUSE_TRINO names no unpacked server (`cargo xtask bench tpch` fetches one)")
    url = shared.url
    s3 = {
        "fs.native-s3.enabled": "true",
        "s3.endpoint": url,
        "s3.region": "us-east-1",
        "s3.path-style-access": "true",
        "s3.aws-access-key": "test",
        "s3.aws-secret-key": "test",
    }
    glue = {
        "hive.metastore.glue.region": "us-east-1",
        "hive.metastore.glue.endpoint-url": url,
        "hive.metastore.glue.aws-access-key": "test",
        "hive.metastore.glue.aws-secret-key": "test",
    }
    rest = {
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": f"{url}/iceberg",
        "iceberg.rest-catalog.warehouse": ACCOUNT,
        "iceberg.rest-catalog.sigv4-enabled": "true",
        "iceberg.rest-catalog.signing-name": "glue",
    }
    catalogs = {
        "rest": {"connector.name": "iceberg", **rest, **s3},
        "glue": {"connector.name": "iceberg", "iceberg.catalog.type": "glue", **glue, **s3},
        "hive": {"connector.name": "hive", "hive.metastore": "glue", **glue, **s3},
    }
    try:
        server = trino_server.Trino(TRINO, tmp_path_factory.mktemp("trino"), "1g", catalogs)
    except trino_server.Unavailable as reason:
        pytest.skip(f"TRINO IS NOT TESTED: {reason}")
    yield server
    server.stop()


def test_trino_reads_and_writes(world, trino):
    for catalog in ("rest", "glue"):
        table = f"{catalog}.{world.database}.by_{catalog}"
        columns = "id bigint, name varchar, day date, at timestamp(6)"
        trino.rows(f"CREATE TABLE {table} ({columns}) WITH (partitioning = ARRAY['month(day)'])")
        first = "(1, 'a', DATE '2024-01-01', TIMESTAMP '2024-01-01 10:00:00.123456'), (2, 'b', NULL, NULL)"
        trino.patiently(f"INSERT INTO {table} VALUES {first}")
        trino.rows(f"UPDATE {table} SET name = 'zz' WHERE id = 1")
        trino.rows(f"DELETE FROM {table} WHERE id = 2")
        trino.rows(
            f"MERGE INTO {table} t USING (VALUES (1, 'm'), (9, 'n')) v(i, n) ON t.id = v.i "
            "WHEN MATCHED THEN UPDATE SET name = v.n WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.i, v.n)"
        )
        trino.rows(f"ALTER TABLE {table} ADD COLUMN extra integer")
        trino.rows(f"ALTER TABLE {table} EXECUTE optimize")
        trino.rows(f"ANALYZE {table}")
        assert athena_goes_on(world, f"by_{catalog}") == [["1", "both"], ["9", "n"], ["77", "athena"]]
        assert trino.rows(f"SELECT id, name FROM {table} ORDER BY id") == [[1, "both"], [9, "n"], [77, "athena"]]
        trino.rows(f"DROP TABLE {table}")
    assert world.glue.get_tables(DatabaseName=world.database)["TableList"] == []


def test_trino_shares_hives_tables(world, trino):
    table = f"hive.{world.database}.t"
    properties = "format = 'PARQUET', partitioned_by = ARRAY['day']"
    trino.rows(f"CREATE TABLE {table} (id bigint, name varchar, day date) WITH ({properties})")
    trino.patiently(f"INSERT INTO {table} VALUES (1, 'a', DATE '2024-01-01'), (2, 'b', DATE '2024-01-02')")
    assert trino.rows(f"SHOW STATS FOR {table}")[0][:2] == ["id", None]
    world.run("INSERT INTO t VALUES (77, 'athena', DATE '2024-03-01')")
    days = [["1", "2024-01-01"], ["2", "2024-01-02"], ["77", "2024-03-01"]]
    assert world.select("SELECT id, day FROM t ORDER BY 1") == days
    trino.rows(f"CREATE TABLE {table}2 AS SELECT name, count(*) n FROM {table} GROUP BY 1")
    assert world.select("SELECT * FROM t2 ORDER BY 1") == [["a", "1"], ["athena", "1"], ["b", "1"]]
