"""Spark with Iceberg: `python statements.py URL JARS` reads statements as JSON and writes each one's rows, or its error, as JSON."""

import json
import sys

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

URL, JARS = sys.argv[1:]
FILES = {
    "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    "s3.endpoint": URL,
    "s3.path-style-access": "true",
    "s3.access-key-id": "test",
    "s3.secret-access-key": "test",
    "client.region": "us-east-1",
}
CATALOGS = {
    "rest": {
        "type": "rest",
        "uri": f"{URL}/iceberg",
        "warehouse": "000000000000",
        "rest.sigv4-enabled": "true",
        "rest.signing-name": "glue",
        "rest.signing-region": "us-east-1",
        "rest.access-key-id": "test",
        "rest.secret-access-key": "test",
    },
    "glue": {"type": "glue", "glue.endpoint": URL},
}
SETTINGS = {
    "spark.jars": JARS,
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
}
for name, properties in CATALOGS.items():
    SETTINGS[f"spark.sql.catalog.{name}"] = "org.apache.iceberg.spark.SparkCatalog"
    SETTINGS |= {f"spark.sql.catalog.{name}.{key}": value for key, value in (FILES | properties).items()}


def run(spark, sql):
    try:
        return [list(row) for row in spark.sql(sql).collect()]
    except Exception as error:  # Java's exceptions come as Py4J's own
        return error.getCondition() if isinstance(error, PySparkException) else str(error)


spark = SparkSession.builder.master("local[2]").config(map=SETTINGS).getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
answers = [run(spark, sql) for sql in json.load(sys.stdin)]
spark.stop()
print(json.dumps(answers, default=str))
