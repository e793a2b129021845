"""ListObjects and its kin: every combination of prefix, delimiter, beginning, length and encoding gives S3's page."""

import itertools

import pytest
from conftest import code
from wire import signed, talk

KEYS = sorted(["asdf", "bar", "baz", "foo/bar", "foo/baz/xyzzy", "foo/q", "quux/thud", "a+b/c d", "é/ü", "under_"])


@pytest.fixture(scope="module")
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture(scope="module")
def bucket(s3):
    s3.create_bucket(Bucket="all-listings")
    for key in KEYS:
        s3.put_object(Bucket="all-listings", Key=key, Body=key.encode())
    return "all-listings"


def expected(prefix, delimiter, after, count):
    """What S3 documents, of a list of keys: objects, common prefixes, whether there is more, the last entry."""
    entries, seen = [], set()
    for key in KEYS:
        rest = key[len(prefix) :]
        if not key.startswith(prefix):
            continue
        folded = delimiter and delimiter in rest
        entry = prefix + rest[: rest.index(delimiter) + len(delimiter)] if folded else key
        if entry not in seen and key > after and not (folded and entry == after):
            seen.add(entry)
            entries.append((entry, folded))
    page, more = entries[:count], len(entries) > count > 0
    names = [name for name, folded in page if not folded], [name for name, folded in page if folded]
    return *names, more, page[-1][0] if page else None


def shown(page):
    keys = [it["Key"] for it in page.get("Contents", [])]
    return keys, [it["Prefix"] for it in page.get("CommonPrefixes", [])], page["IsTruncated"]


def test_every_combination(s3, bucket):
    for prefix, delimiter, after, count in itertools.product(
        ["", "foo/", "ba", "é/"], ["", "/", "a", "o/"], ["", "bar", "foo/bar", "foo/", "zzz"], [0, 2, 1000]
    ):
        *wanted, last = expected(prefix, delimiter, after, count)
        given = {"Bucket": bucket, "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": count}
        new, old = s3.list_objects_v2(**given, StartAfter=after), s3.list_objects(**given, Marker=after)
        assert list(shown(new)) == wanted, (given, after)
        assert list(shown(old)) == wanted, (given, after)
        assert new["KeyCount"] == len(wanted[0]) + len(wanted[1])
        assert ("NextContinuationToken" in new) == wanted[2]
        assert old.get("NextMarker") == (last if wanted[2] and delimiter else None)


def test_pages_add_up(s3, bucket):
    for delimiter, size in itertools.product(["", "/"], [1, 2, 3]):
        whole = expected("", delimiter, "", 1000)
        given = {"Bucket": bucket, "Delimiter": delimiter, "PaginationConfig": {"PageSize": size}}
        for operation in ("list_objects", "list_objects_v2"):
            pages = [shown(page) for page in s3.get_paginator(operation).paginate(**given)]
            assert [sum((page[n] for page in pages), []) for n in (0, 1)] == list(whole[:2]), (operation, given)


def test_what_a_page_says_of_its_request(s3, bucket):
    page = s3.list_objects_v2(Bucket=bucket, Prefix="foo/", Delimiter="/", StartAfter="foo/a", MaxKeys=5)
    told = [page[name] for name in ("Name", "Prefix", "Delimiter", "StartAfter", "MaxKeys")]
    assert told == [bucket, "foo/", "/", "foo/a", 5]
    assert s3.list_objects(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    first = s3.list_objects_v2(Bucket=bucket, StartAfter="bar", MaxKeys=1)
    token = first["NextContinuationToken"]
    rest = s3.list_objects_v2(Bucket=bucket, StartAfter="zzz", ContinuationToken=token)
    assert (rest["ContinuationToken"], rest["StartAfter"]) == (token, "zzz")
    assert shown(rest)[0] == [key for key in KEYS if key > "baz"], "a token outweighs the beginning"
    for wanted in (True, False):
        assert ("Owner" in s3.list_objects_v2(Bucket=bucket, FetchOwner=wanted)["Contents"][0]) is wanted


def test_names_are_coded_on_request(shared, bucket):
    def listing(query):
        return talk(shared, signed(shared, "GET", f"/{bucket}?{query}")).body.decode()

    coded = listing("delimiter=%2F&encoding-type=url&list-type=2&start-after=a%20b")
    assert "<Prefix>%C3%A9/</Prefix>" in coded and "<StartAfter>a%20b</StartAfter>" in coded
    assert "<EncodingType>url</EncodingType>" in coded and "<Delimiter>/</Delimiter>" in coded
    assert "<Key>a%2Bb/c%20d</Key>" in listing("encoding-type=url&list-type=2")
    assert "<Key>a+b/c d</Key>" in listing("list-type=2")


@pytest.mark.parametrize(
    "query",
    [
        "max-keys=x", "max-keys=-1", "max-keys=2147483648", "encoding-type=base64", "continuation-token=%21&list-type=2",
        "max-uploads=x&uploads=", "max-uploads=-1&uploads=", "encoding-type=x&versions=", "version-id-marker=1&versions=",
    ],
)  # fmt: skip
def test_requests_that_mean_nothing(shared, bucket, query):
    answer = talk(shared, signed(shared, "GET", f"/{bucket}?{query}"))
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_the_order_is_that_of_bytes(s3, unique):
    bucket = unique("bytes")
    s3.create_bucket(Bucket=bucket)
    keys = ["z", "é", "\uffee", "😀", "a", "A", "_", "~"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key)
    assert shown(s3.list_objects_v2(Bucket=bucket))[0] == sorted(keys, key=str.encode)


def test_lists_of_nothing(s3, unique):
    assert code(s3.list_objects_v2, Bucket="no-such-bucket-here") == ("NoSuchBucket", 404)
    bucket = unique("empty")
    s3.create_bucket(Bucket=bucket)
    assert shown(s3.list_objects_v2(Bucket=bucket)) == ([], [], False)
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
