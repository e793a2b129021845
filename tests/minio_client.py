"""What test_s3_clients.py does with MinIO's own client: `minio_client.py URL BUCKET NAME...`."""

import io
import sys
from datetime import timedelta
from urllib.request import Request, urlopen

from minio import Minio
from minio.commonconfig import ENABLED, ComposeSource, CopySource, Filter, Tags
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.versioningconfig import VersioningConfig

url, bucket, *names = sys.argv[1:]
client = Minio(url.removeprefix("http://"), access_key="test", secret_key="test", secure=False)
MIB = 1 << 20


def put(name, body, **arguments):
    return client.put_object(bucket_name=bucket, object_name=name, data=io.BytesIO(body), length=len(body), **arguments)


def get(name, **arguments):
    with client.get_object(bucket_name=bucket, object_name=name, **arguments) as answer:
        return answer.read()


client.make_bucket(bucket_name=bucket)
assert client.bucket_exists(bucket_name=bucket) and not client.bucket_exists(bucket_name="no-such-bucket-here")
for name in names:
    put(f"tree/{name}", name.encode(), content_type="text/x")
    assert get(f"tree/{name}") == name.encode()
    assert client.stat_object(bucket_name=bucket, object_name=f"tree/{name}").content_type == "text/x"
found = [it.object_name for it in client.list_objects(bucket_name=bucket, prefix="tree/", recursive=True)]
assert sorted(found) == sorted(f"tree/{name}" for name in names)

# A stream of unknown length goes in parts.
large = bytes(range(256)) * 50_000
client.put_object(bucket_name=bucket, object_name="large", data=io.BytesIO(large), length=-1, part_size=5 * MIB)
assert client.stat_object(bucket_name=bucket, object_name="large").etag.endswith("-3")
assert get("large", offset=6_000_000, length=10) == large[6_000_000:6_000_010]
client.copy_object(bucket_name=bucket, object_name="copy", source=CopySource(bucket_name=bucket, object_name="large"))
sources = [ComposeSource(bucket_name=bucket, object_name=name) for name in ("large", "copy")]
client.compose_object(bucket_name=bucket, object_name="both", sources=sources)
assert get("both") == large * 2

tags = Tags.new_object_tags()
tags["a"] = "1"
client.set_object_tags(bucket_name=bucket, object_name="copy", tags=tags)
assert client.get_object_tags(bucket_name=bucket, object_name="copy") == tags
rule = Rule(status=ENABLED, rule_filter=Filter(prefix="tmp/"), rule_id="tmp", expiration=Expiration(days=3))
client.set_bucket_lifecycle(bucket_name=bucket, config=LifecycleConfig([rule]))
assert client.get_bucket_lifecycle(bucket_name=bucket).rules[0].expiration.days == 3
client.set_bucket_versioning(bucket_name=bucket, config=VersioningConfig(ENABLED))
put("copy", b"newer")
versions = [it for it in client.list_objects(bucket_name=bucket, prefix="copy", include_version=True)]
assert len(versions) == 2 and get("copy") == b"newer"

signed = client.presigned_put_object(bucket_name=bucket, object_name="signed é+", expires=timedelta(minutes=1))
urlopen(Request(signed, data=b"put", method="PUT"))
assert urlopen(client.presigned_get_object(bucket_name=bucket, object_name="signed é+")).read() == b"put"
try:
    get("none")
    raise AssertionError("it is not there")
except S3Error as error:
    assert error.code == "NoSuchKey"
everything = client.list_objects(bucket_name=bucket, recursive=True, include_version=True)
gone = [DeleteObject(it.object_name, it.version_id) for it in everything]
assert not list(client.remove_objects(bucket_name=bucket, delete_object_list=gone))
client.remove_bucket(bucket_name=bucket)
