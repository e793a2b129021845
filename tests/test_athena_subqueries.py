"""Athena: subqueries wherever there are expressions, and plans in Trino's words."""

import json

import pytest
from conftest import wait_for

ORDERS = """CREATE TABLE orders WITH (external_location = 's3://{lake}/orders/', format = 'PARQUET') AS
SELECT * FROM (VALUES (1, 'ann', 10.0), (2, 'ann', 30.0), (3, 'bob', 20.0), (4, NULL, 5.0)) AS t (id, who, paid)"""


class Lake:
    def __init__(self, server, name):
        self.athena, self.name = server.client("athena", "test", "test"), name
        server.client("s3", "test", "test").create_bucket(Bucket=name)
        server.client("glue", "test", "test").create_database(DatabaseInput={"Name": name})
        self.rows(ORDERS.format(lake=name))

    def execution(self, sql):
        name = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.name},
            ResultConfiguration={"OutputLocation": f"s3://{self.name}/results/"},
        )["QueryExecutionId"]

        def ended():
            found = self.athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]
            return found if found["Status"]["State"] not in ("QUEUED", "RUNNING") else None

        return wait_for(ended, f"the end of {sql}")

    def rows(self, sql):
        execution = self.execution(sql)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        rows = self.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
        return [tuple(datum.get("VarCharValue") for datum in row["Data"]) for row in rows]

    def text(self, sql):
        return "\n".join(row[0] or "" for row in self.rows(sql))

    def refused(self, sql):
        status = self.execution(sql)["Status"]
        assert status["State"] == "FAILED", status
        return status["StateChangeReason"]


@pytest.fixture(scope="module")
def lake(shared):
    return Lake(shared, "subqueries")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT id, who IN (SELECT who FROM orders WHERE paid > 25) AS it FROM orders ORDER BY id",
            [("1", "true"), ("2", "true"), ("3", "false"), ("4", None)],
        ),
        (
            "SELECT id, who NOT IN (SELECT who FROM orders WHERE paid < 15) AS it FROM orders ORDER BY id",
            [("1", "false"), ("2", "false"), ("3", None), ("4", None)],
        ),
        (
            "SELECT id FROM orders WHERE paid > 25 OR who IN (SELECT who FROM orders WHERE paid = 20) ORDER BY id",
            [("2",), ("3",)],
        ),
        (
            "SELECT id, CASE WHEN EXISTS (SELECT 1 FROM orders i WHERE i.who = o.who AND i.id <> o.id) THEN 'more' "
            "ELSE 'one' END AS it FROM orders o ORDER BY id",
            [("1", "more"), ("2", "more"), ("3", "one"), ("4", "one")],
        ),
        (
            "SELECT id, (SELECT i.id FROM orders i WHERE i.who = o.who ORDER BY i.paid DESC LIMIT 1) AS best "
            "FROM orders o ORDER BY id",
            [("1", "2"), ("2", "2"), ("3", "3"), ("4", None)],
        ),
        ("SELECT id, paid >= ALL (SELECT paid FROM orders) AS it FROM orders ORDER BY id DESC LIMIT 2", [("4", "false"), ("3", "false")]),
        (
            "SELECT o.id, l.n FROM orders o CROSS JOIN LATERAL (SELECT count(*) AS n FROM orders i WHERE i.who = o.who) l "
            "ORDER BY 1",
            [("1", "2"), ("2", "2"), ("3", "1"), ("4", "0")],
        ),
    ],
)
def test_subqueries_are_expressions(lake, sql, expected):
    assert lake.rows(sql)[1:] == expected


def test_what_no_plan_is_found_for_is_refused_by_name(lake):
    sql = "SELECT l.id FROM orders l LEFT JOIN orders r ON (SELECT max(i.id) FROM orders i WHERE i.who = l.who AND i.id = r.id) = 3"
    reason = lake.refused(sql)
    assert reason.startswith("NOT_SUPPORTED") and "Given correlated subquery is not supported" in reason


def test_plans_are_shown_in_trinos_words(lake):
    sql = "SELECT who, sum(paid) AS paid FROM orders WHERE id < 4 GROUP BY who ORDER BY 2 DESC LIMIT 1"
    plan = lake.text(f"EXPLAIN {sql}")
    assert plan.startswith("Output[columnNames = [who, paid]]")
    for part in ["Aggregate[type = FINAL, keys = [who]]", "filterPredicate = (\"id\" < 4)", "awsdatacatalog:subqueries:orders", "TopN"]:
        assert part in plan, plan
    assert "Exec[" not in plan
    assert lake.text(f"EXPLAIN (TYPE DISTRIBUTED) {sql}").startswith("Fragment 0 [SINGLE]")
    tree = json.loads(lake.text(f"EXPLAIN (FORMAT JSON) {sql}"))
    assert (tree["name"], tree["outputs"][0]) == ("Output", {"symbol": "who", "type": "varchar(3)"})
    assert lake.text(f"EXPLAIN (FORMAT GRAPHVIZ) {sql}").startswith("digraph logical_plan {")
    assert lake.text(f"EXPLAIN (TYPE VALIDATE) {sql}") == "true"


def test_explain_analyze_measures(lake):
    ran = lake.execution("EXPLAIN ANALYZE SELECT * FROM orders WHERE id < 3")
    assert ran["Statistics"]["DataScannedInBytes"] > 0
    told = json.loads(lake.text("EXPLAIN ANALYZE (FORMAT JSON) SELECT * FROM orders WHERE id < 3"))
    assert told["fragments"][0]["stageStats"]["outputRows"] == "2 rows"
    assert "only in Athena engine version 2" in lake.refused("EXPLAIN (TYPE IO, FORMAT JSON) SELECT 1")
    written = lake.text("EXPLAIN CREATE TABLE x AS SELECT 1 AS n")
    assert "TableWriter[target = awsdatacatalog:" in written and "Values" in written
    assert "EXPLAIN ANALYZE of statements that write" in lake.refused("EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1 AS n")
