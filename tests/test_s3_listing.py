"""Lists of many keys with odd names: every page of random questions is what a sorted list of the keys says."""

import http.client
import json
import random
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

import pytest

COUNT = 20_000
PIECES = ["a", "b", "Z", "0", "-", "_", ".", "~", " ", "+", "%", "é", "日", "😀", "\uffee", "dir", "year=2026", "x" * 40]


def random_key(numbers):
    depth = numbers.choice([0, 0, 1, 1, 2, 5])
    words = ["".join(numbers.choices(PIECES, k=numbers.randint(1, 4))) for _ in range(depth + 1)]
    return "/".join(words) + numbers.choice(["", "", "", "/", "//", f"{numbers.randrange(10**6)}"])


def expected(keys, prefix, delimiter, after):
    """Objects and common prefixes in order, of keys that are sorted by their UTF-8."""

    def rolled_up(key):
        at = key.find(delimiter, len(prefix)) if delimiter and key.startswith(prefix) else -1
        return key[: at + len(delimiter)] if at >= 0 else None

    found = []
    for key in keys:
        # Behind a common prefix comes what does not begin with it.
        told = key.encode() <= after.encode() or (rolled_up(after) == after and key.startswith(after))
        if not key.startswith(prefix) or told:
            continue
        entry = (rolled_up(key) or key, rolled_up(key) is not None)
        if not found or found[-1] != entry:
            found.append(entry)
    return found


def pages(s3, bucket, **arguments):
    """All pages of a list, each in the order of its names."""
    while True:
        page = s3.list_objects_v2(Bucket=bucket, **arguments)
        objects = [(it["Key"], False) for it in page.get("Contents", [])]
        prefixes = [(it["Prefix"], True) for it in page.get("CommonPrefixes", [])]
        assert page["KeyCount"] == len(objects) + len(prefixes) <= arguments["MaxKeys"]
        yield sorted(objects + prefixes, key=lambda it: it[0].encode())
        if not page["IsTruncated"]:
            return
        assert page["KeyCount"] == arguments["MaxKeys"], "a page that is not the last one is full"
        arguments["ContinuationToken"] = page["NextContinuationToken"]


def put_all(url, bucket, keys):
    """Over plain sockets, unsigned: as fast as Python allows."""
    address = urlsplit(url)

    def some(part):
        connection = http.client.HTTPConnection(address.hostname, address.port)
        for key in part:
            connection.request("PUT", f"/{bucket}/{quote(key, safe='/')}", body=b"")
            answer = connection.getresponse()
            assert answer.status == 200, (key, answer.read())
            answer.read()
        connection.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(some, [keys[at::16] for at in range(16)]))


@pytest.fixture(scope="module")
def bucket(shared, s3):
    name = "many-keys-to-list"
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{name}/*"}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return name


@pytest.fixture(scope="module")
def s3(shared):
    return shared.client("s3", "test", "test", s3={"addressing_style": "path"})


def compare(s3, bucket, keys, numbers, questions):
    ordered = sorted(keys, key=str.encode)
    for _ in range(questions):
        some = numbers.choice(ordered)
        prefix = numbers.choice(["", "", some[: numbers.randint(0, len(some))], f"{some}none"])
        delimiter = numbers.choice(["", "/", "/", "a", "//", "é"])
        after = numbers.choice(["", "", numbers.choice(ordered), f"{prefix}b", some[: len(some) // 2]])
        limit = numbers.choice([1000, 1000, 999, 100])
        wanted = expected(ordered, prefix, delimiter, after)[: 20 * limit]
        arguments = {"Prefix": prefix, "MaxKeys": limit, "StartAfter": after}
        listed = []
        for page in pages(s3, bucket, **arguments, **({"Delimiter": delimiter} if delimiter else {})):
            listed += page
            if len(listed) >= 20 * limit:
                break
        assert listed == wanted, (prefix, delimiter, after, limit)


def test_pages_are_what_a_sorted_list_says(shared, s3, bucket):
    numbers = random.Random(11)
    keys = {random_key(numbers) for _ in range(COUNT)}
    put_all(shared.url, bucket, sorted(keys))
    whole = [name for page in pages(s3, bucket, MaxKeys=1000) for name, _ in page]
    assert whole == sorted(keys, key=str.encode)
    compare(s3, bucket, keys, numbers, 40)

    gone = set(numbers.sample(sorted(keys), len(keys) // 2))
    batches = sorted(gone)
    for at in range(0, len(batches), 1000):
        objects = [{"Key": key} for key in batches[at : at + 1000]]
        assert "Errors" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    compare(s3, bucket, keys - gone, numbers, 40)
