"""What test_s3_clients.py does with s3fs: `s3fs_client.py BUCKET NAME...`, the server by the environment."""

import sys

import s3fs

bucket, *names = sys.argv[1:]
fs = s3fs.S3FileSystem(anon=False)
for name in names:
    with fs.open(f"{bucket}/tree/{name}", "wb") as file:
        file.write(name.encode())
found = sorted(path.removeprefix(f"{bucket}/tree/") for path in fs.find(f"{bucket}/tree"))
assert found == sorted(names), set(found) ^ set(names)
assert all(fs.cat(f"{bucket}/tree/{name}") == name.encode() for name in names)

large = bytes(range(256)) * 50_000
with fs.open(f"{bucket}/large", "wb", block_size=5 << 20) as file:
    file.write(large)
assert "-" in fs.info(f"{bucket}/large")["ETag"], "it is sent in parts"
with fs.open(f"{bucket}/large", "rb") as file:
    file.seek(7_000_000)
    assert file.read(100) == large[7_000_000:7_000_100]
fs.pipe(f"{bucket}/dir/one", b"1")
with fs.open(f"{bucket}/dir/one", "ab") as file:
    file.write(b"2")
assert fs.cat(f"{bucket}/dir/one") == b"12"
fs.copy(f"{bucket}/dir/one", f"{bucket}/dir/two + two")
fs.mv(f"{bucket}/dir/two + two", f"{bucket}/dir/three % 3")
assert sorted(fs.ls(f"{bucket}/dir")) == [f"{bucket}/dir/one", f"{bucket}/dir/three % 3"]
assert fs.glob(f"{bucket}/dir/t*") == [f"{bucket}/dir/three % 3"]
assert fs.isdir(f"{bucket}/dir") and not fs.exists(f"{bucket}/dir/four")
assert fs.du(f"{bucket}/dir") == 4
fs.setxattr(f"{bucket}/dir/one", copy_kwargs={"ContentType": "text/x"}, note="kept")
fs.invalidate_cache()
assert fs.getxattr(f"{bucket}/dir/one", "note") == "kept"
fs.rm(bucket, recursive=True)
assert not fs.exists(bucket)
