"""The workflow's work in PySpark, local[2]: clean and aggregate the files in SOURCE into Parquet below OUT."""

import os

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

SOURCE, OUT = os.environ["SOURCE"], os.environ["OUT"]
NUMBERS = ["flight", "dep_time", "dep_delay", "arr_delay", "air_time", "distance", "hour"]
TEXTS = ["carrier", "tailnum", "origin", "dest", "time_hour", "year", "month"]

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "8")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.driver.memory", "6g")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
lines = spark.read.text(f"{SOURCE}/flights").withColumnRenamed("value", "record")
parsed = F.from_json("record", ", ".join(f"{name} string" for name in TEXTS + NUMBERS))
typed = lines.withColumn("row", parsed)


def text(name):
    trimmed = F.trim(F.col(f"row.{name}"))
    return F.when((trimmed == "NA") | (trimmed == ""), None).otherwise(trimmed)


bad = F.lit(False)
for name in ["carrier", "flight", "origin", "dest", "time_hour"]:
    bad = bad | text(name).isNull()
for name in NUMBERS:
    bad = bad | (text(name).isNotNull() & text(name).cast("int").isNull())
typed = typed.select(
    *[text(name).alias(name) for name in TEXTS[:4]],
    *[text(name).cast("int").alias(name) for name in NUMBERS],
    F.to_timestamp(text("time_hour")).alias("time_hour"),
    F.concat(text("year"), F.lit("-"), F.lpad(text("month"), 2, "0")).alias("month"),
    bad.alias("bad"),
    F.when(bad, F.col("record")).alias("record"),
).persist()
# What decides between rows of one key, as in the job.
order = ["tailnum", "origin", "dest", "hour", "dep_time", "dep_delay", "arr_delay", "air_time", "distance", "month"]
nth = F.row_number().over(Window.partitionBy("carrier", "flight", "time_hour").orderBy(*map(F.asc_nulls_last, order)))
good = typed.where(~F.col("bad")).withColumn("nth", nth).where("nth = 1").drop("nth", "bad", "record")
good.write.partitionBy("month").parquet(f"{OUT}/accepted")
typed.where("bad").select("record").write.option("compression", "gzip").json(f"{OUT}/quarantine")
typed.unpersist()
flights = spark.read.parquet(f"{OUT}/accepted")


def file(name):
    return spark.read.option("header", True).option("nullValue", "NA").option("inferSchema", True).csv(f"{SOURCE}/{name}.csv")


airlines = file("airlines").select("carrier", F.col("name").alias("airline"))
airports = file("airports").select(F.col("faa").alias("dest"), F.col("name").alias("airport_name"))
weather = file("weather").select("origin", "time_hour", "visib", "precip", "wind_speed", F.lit(True).alias("known"))
kind = (
    F.when(F.col("known").isNull(), "unknown")
    .when(F.col("visib") < 3, "poor visibility")
    .when(F.col("precip") > 0, "rain or snow")
    .when(F.col("wind_speed") > 20, "strong wind")
    .otherwise("fair")
)
measures = [
    F.count("*").alias("flights"),
    F.count(F.when(F.col("dep_time").isNull(), 1)).alias("cancelled"),
    F.count("dep_delay").alias("departed"),
    F.sum("dep_delay").alias("dep_minutes"),
    F.count("arr_delay").alias("arrived"),
    F.sum("arr_delay").alias("arr_minutes"),
    F.max("dep_delay").alias("worst_dep_delay"),
]
tables = {
    "carrier": (flights.join(airlines, "carrier", "left"), ["carrier", "airline"]),
    "airport": (flights.join(airports, "dest", "left"), ["origin", "dest", "airport_name"]),
    "hour": (flights, ["hour"]),
    "weather": (flights.join(weather, ["origin", "time_hour"], "left").withColumn("weather", kind), ["weather"]),
}
for name, (rows, keys) in tables.items():
    rows.groupBy(*keys, "month").agg(*measures).write.partitionBy("month").parquet(f"{OUT}/delays_by_{name}")
sums = spark.read.parquet(f"{OUT}/delays_by_carrier").groupBy("carrier").agg(F.sum("flights"), F.sum("dep_minutes"))
for row in sums.collect():
    print(*row, sep=",")
