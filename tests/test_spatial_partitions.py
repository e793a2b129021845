"""Spatial partitions in Athena: made of geometries, kept as text, asked for."""

import json

import pytest

from test_formats import Lake

GRID = "SELECT ST_Point(x, y) AS g, x, y FROM UNNEST(sequence(0, 29)) a(x) CROSS JOIN UNNEST(sequence(0, 19)) b(y)"


@pytest.fixture
def lake(shared, unique):
    return Lake(shared, unique("spatial").replace("-", "_"))


def leaves(node):
    return [node] if "leafId" in node else leaves(node["left"]) + leaves(node["right"])


def test_geometries_fall_into_partitions(lake):
    [[text]] = lake.rows(f"SELECT spatial_partitioning(g) FROM ({GRID})")
    tree = json.loads(text)
    assert tree["root"]["extent"] == {"xmin": "-Infinity", "ymin": "-Infinity", "xmax": "Infinity", "ymax": "Infinity"}
    numbers = [leaf["leafId"] for leaf in leaves(tree["root"])]
    assert numbers == list(range(len(numbers))) and 100 <= len(numbers) <= 200
    # Each point lies in one partition, and all partitions have some.
    counted = lake.rows(
        f"WITH t AS ({GRID}), k AS (SELECT CAST(spatial_partitioning(g) AS KdbTree) AS tree FROM t) "
        "SELECT cardinality(spatial_partitions(tree, g)), count(*), count(DISTINCT spatial_partitions(tree, g)[1]) FROM t, k GROUP BY 1"
    )
    assert counted == [["1", "600", str(len(numbers))]]
    [[around]] = lake.rows(f"SELECT spatial_partitions(CAST('{text}' AS KdbTree), ST_Point(3, 3), 100)")
    assert sorted(json.loads(around)) == numbers
    [[none, empty]] = lake.rows(
        f"SELECT spatial_partitions(CAST('{text}' AS KdbTree), NULL), spatial_partitions(CAST('{text}' AS KdbTree), ST_GeometryFromText('POINT EMPTY'))"
    )
    assert (none, empty) == (None, None)
    assert lake.rows("SELECT spatial_partitioning(g) FROM (SELECT ST_Point(1, 1) AS g WHERE false)") == [[None]]


@pytest.mark.parametrize(
    "sql,said",
    [
        ("SELECT CAST('{}' AS KdbTree)", "Invalid JSON string for KDB tree"),
        (
            """SELECT spatial_partitions(CAST('{"root":{"extent":{"xmin":0,"ymin":0,"xmax":1,"ymax":1},"leafId":0}}' AS KdbTree), ST_Point(0, 0), -1)""",
            "distance is negative",
        ),
        ("SELECT spatial_partitions('x', ST_Point(0, 0))", "Unexpected parameters"),
    ],
)
def test_what_is_none_is_refused(lake, sql, said):
    assert said in lake.fails(sql)
