"""S3 through other people's programs: aws-cli, boto3's transfers, pyarrow, s3fs, MinIO's client, the SDK for
JavaScript, rclone, s3cmd.

DuckDB, PyIceberg and awswrangler have suites of their own.
"""

import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig

FOLDER = Path(__file__).parent
# Beside what else is built, so that programs are fetched once.
CACHE = Path(os.environ.get("CARGO_TARGET_DIR", FOLDER.parent / "target"))
AWS = [sys.executable, os.path.join(os.path.dirname(sys.executable), "aws")]
MIB = 1 << 20
# Names that files can have and that clients are known to stumble over.
NAMES = [
    "plain.txt", "with space.txt", "plus+plus", "percent%41%", "ünïcödé/日本語.txt", "emoji😀", "quote'\"", "<&>.xml",
    "hash#question?", "semi;colon:comma,", "star*brace{}[]", "deep/" * 20 + "file", "dots.../..a/.hidden", "tilde~", "back\\slash",
    "=equals&and=", "@at$dollar!(bang)", "trailing space ", "-dash", "a/b", "a.b", "a-b/c",
]  # fmt: skip


def content(name):
    """Some files are empty, some are short, one is sent in parts."""
    size = {"plain.txt": 0, "a/b": 9 * MIB + 1}.get(name, len(name))
    return random.Random(name).randbytes(size)


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    for name in NAMES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(name))
    return root


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("clients")
    s3.create_bucket(Bucket=name)
    return name


def keys(s3, bucket, prefix=""):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [it["Key"].removeprefix(prefix) for page in pages for it in page.get("Contents", [])]


def run(shared, *command, **options):
    environment = shared.environment() | options.pop("environment", {})
    done = subprocess.run(
        [str(part) for part in command], env=environment, capture_output=True, text=True, timeout=120, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr + shared.latest()
    return done.stdout


def test_aws_cli_copies_and_syncs_a_tree(shared, s3, bucket, tree, tmp_path):
    def aws(*arguments):
        return run(shared, *AWS, "s3", *arguments, cwd=tmp_path)

    aws("sync", tree, f"s3://{bucket}/in/")
    assert sorted(keys(s3, bucket, "in/")) == sorted(NAMES)
    aws("cp", "--recursive", f"s3://{bucket}/in/", tmp_path / "back")
    assert files(tmp_path / "back") == files(tree)
    (tree / "a.b").unlink()
    (tree / "new one").write_text("x")
    aws("sync", "--delete", "--exclude", "*.txt", tree, f"s3://{bucket}/in/")
    assert sorted(keys(s3, bucket, "in/")) == sorted({*NAMES, "new one"} - {"a.b"})
    aws("cp", "--recursive", "--exclude", "*", "--include", "*.txt", tree, f"s3://{bucket}/texts/")
    assert sorted(keys(s3, bucket, "texts/")) == sorted(name for name in NAMES if name.endswith(".txt"))
    printed = aws("sync", "--exclude", "*.txt", f"s3://{bucket}/in/", f"s3://{bucket}/copied/")
    assert sorted(keys(s3, bucket, "copied/")) == sorted({*keys(s3, bucket, "in/")} - {*keys(s3, bucket, "texts/")})
    assert printed.count("copy: ") == len(keys(s3, bucket, "copied/"))
    aws("rm", "--recursive", "--exclude", "*/deep/*", f"s3://{bucket}/")
    assert keys(s3, bucket) == ["copied/" + "deep/" * 20 + "file", "in/" + "deep/" * 20 + "file"]


def test_folders_that_are_objects(shared, s3, bucket, tmp_path):
    """Consoles make folders as empty objects whose names end in a slash."""
    for key in ("folder/", "folder/file", "folder/empty/"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" if key.endswith("file") else b"")
    run(shared, *AWS, "s3", "sync", f"s3://{bucket}/", tmp_path / "out")
    assert list(files(tmp_path / "out")) == ["folder/file"]
    assert "PRE folder/" in run(shared, *AWS, "s3", "ls", f"s3://{bucket}/")


def test_boto3_transfers_with_threads(s3, bucket, tmp_path):
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=8)
    bodies = {f"big {n}": random.Random(n).randbytes(11 * MIB + n) for n in range(4)}

    def there_and_back(name):
        path = tmp_path / name
        path.write_bytes(bodies[name])
        s3.upload_file(str(path), bucket, name, ExtraArgs={"Metadata": {"n": name[-1]}}, Config=config)
        s3.copy({"Bucket": bucket, "Key": name}, bucket, f"copy of {name}", Config=config)
        s3.download_file(bucket, f"copy of {name}", f"{path}.back", Config=config)
        assert (tmp_path / f"{name}.back").read_bytes() == bodies[name]
        head = s3.head_object(Bucket=bucket, Key=name)
        assert (head["Metadata"], head["ETag"][-3:]) == ({"n": name[-1]}, '-3"')

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(there_and_back, bodies))


def test_pyarrows_file_system(shared, bucket):
    fs = pytest.importorskip("pyarrow.fs")
    s3 = fs.S3FileSystem(
        endpoint_override=shared.url.removeprefix("http://"), scheme="http", access_key="test", secret_key="test",
        region="us-east-1", allow_bucket_creation=True, allow_bucket_deletion=True,
    )  # fmt: skip
    s3.create_dir(f"{bucket}/dir/sub", recursive=True)
    assert s3.get_file_info(f"{bucket}/dir/sub").type == fs.FileType.Directory
    for name in NAMES:
        with s3.open_output_stream(f"{bucket}/tree/{name}", metadata={"Content-Type": "text/x"}) as out:
            out.write(content(name))
    found = s3.get_file_info(fs.FileSelector(f"{bucket}/tree", recursive=True))
    sizes = {it.path.removeprefix(f"{bucket}/tree/"): it.size for it in found if it.type == fs.FileType.File}
    assert sizes == {name: len(content(name)) for name in NAMES}
    with s3.open_input_file(f"{bucket}/tree/a/b") as file:
        assert file.read_at(100, 5 * MIB) == content("a/b")[5 * MIB : 5 * MIB + 100]
        assert file.metadata()["Content-Type"] == b"text/x"
    s3.copy_file(f"{bucket}/tree/emoji😀", f"{bucket}/copy + 😀")
    s3.move(f"{bucket}/copy + 😀", f"{bucket}/moved % 😀")
    with s3.open_input_stream(f"{bucket}/moved % 😀") as file:
        assert file.read() == content("emoji😀")
    assert s3.get_file_info(f"{bucket}/copy + 😀").type == fs.FileType.NotFound
    with pytest.raises(FileNotFoundError):
        s3.open_input_file(f"{bucket}/none")
    s3.delete_dir_contents(f"{bucket}/tree")
    s3.delete_dir(bucket)
    assert s3.get_file_info(bucket).type == fs.FileType.NotFound


def own_python(variable, module):
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} names no interpreter with {module}: it is NOT tested")
    return python


def test_s3fs(shared, bucket):
    """An environment of its own, as it wants another botocore."""
    python = own_python("BOATHOUSE_S3_PYTHON", "s3fs")
    run(shared, python, FOLDER / "s3fs_client.py", bucket, *NAMES)


def test_minios_client(shared, unique):
    python = own_python("BOATHOUSE_S3_PYTHON", "minio")
    run(shared, python, FOLDER / "minio_client.py", shared.url, unique("minio"), *NAMES)


def test_s3cmd(shared, s3, bucket, tree, tmp_path):
    command = Path(own_python("BOATHOUSE_S3_PYTHON", "s3cmd")).with_name("s3cmd")
    host = shared.url.removeprefix("http://")
    base = [command, "--config=/dev/null", "--access_key=test", "--secret_key=test", f"--host={host}", f"--host-bucket={host}"]

    def s3cmd(*arguments):
        return run(shared, *base, "--no-ssl", "--region=us-east-1", *arguments)

    s3cmd("sync", "--multipart-chunk-size-mb=5", f"{tree}/", f"s3://{bucket}/in/")
    assert sorted(keys(s3, bucket, "in/")) == sorted(NAMES)
    s3cmd("cp", f"s3://{bucket}/in/emoji😀", f"s3://{bucket}/in/copy of it")
    s3cmd("mv", f"s3://{bucket}/in/copy of it", f"s3://{bucket}/in/moved")
    s3cmd("sync", f"s3://{bucket}/in/", f"{tmp_path / 'back'}/")
    assert files(tmp_path / "back") == files(tree) | {"moved": content("emoji😀")}
    assert "plain.txt" in s3cmd("ls", f"s3://{bucket}/in/")
    s3cmd("setpolicy", policy(tmp_path, bucket), f"s3://{bucket}")
    assert "Payer:     BucketOwner" in s3cmd("info", f"s3://{bucket}")
    s3cmd("del", "--recursive", "--force", f"s3://{bucket}/")
    s3cmd("rb", f"s3://{bucket}")


def policy(folder, bucket):
    path = folder / "policy.json"
    deny = f'{{"Effect":"Deny","Principal":"*","Action":"s3:PutBucketCORS","Resource":"arn:aws:s3:::{bucket}"}}'
    path.write_text(f'{{"Version":"2012-10-17","Statement":[{deny}]}}')
    return path


@pytest.fixture(scope="module")
def rclone():
    """The one that is installed, or Debian's, unpacked beside what is built."""
    if installed := shutil.which("rclone"):
        return installed
    folder = CACHE / "clients-rclone"
    program = folder / "usr/bin/rclone"
    if not program.exists():
        if not shutil.which("apt-get"):
            pytest.skip("there is neither rclone nor Debian's apt-get: rclone is NOT tested")
        folder.mkdir(parents=True, exist_ok=True)
        fetch = "apt-get download --quiet rclone && dpkg-deb -x rclone_*.deb . && rm rclone_*.deb"
        fetched = subprocess.run(fetch, shell=True, cwd=folder, capture_output=True, text=True, timeout=120)
        if fetched.returncode:
            pytest.skip(f"rclone can't be had and is NOT tested: {fetched.stderr[-300:]}")
    return program


def test_rclone(shared, s3, bucket, tree, tmp_path, rclone):
    remote = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_BH_TYPE": "s3",
        "RCLONE_CONFIG_BH_PROVIDER": "Other",
        "RCLONE_CONFIG_BH_ENV_AUTH": "true",
        "RCLONE_CONFIG_BH_ENDPOINT": shared.url,
        "RCLONE_CONFIG_BH_CHUNK_SIZE": "5M",
        "RCLONE_CONFIG_BH_UPLOAD_CUTOFF": "5M",
        "RCLONE_RETRIES": "1",
    }

    def call(*arguments):
        return run(shared, rclone, *arguments, environment=remote)

    call("sync", tree, f"bh:{bucket}/in")
    assert sorted(keys(s3, bucket, "in/")) == sorted(NAMES)
    call("check", "--download", tree, f"bh:{bucket}/in")
    (tree / "a.b").unlink()
    call("sync", tree, f"bh:{bucket}/in")
    call("moveto", f"bh:{bucket}/in/emoji😀", f"bh:{bucket}/in/moved")
    call("copy", f"bh:{bucket}/in", tmp_path / "back")
    wanted = files(tree)
    wanted["moved"] = wanted.pop("emoji😀")
    assert files(tmp_path / "back") == wanted
    assert "ünïcödé/" in call("lsf", f"bh:{bucket}/in")
    call("purge", f"bh:{bucket}")


@pytest.fixture(scope="module")
def modules():
    """The SDK for JavaScript, from npm."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: the SDK for JavaScript is NOT tested")
    folder = CACHE / "clients-js"
    wanted = FOLDER / "js/package.json"
    if not (folder / "node_modules").exists() or (folder / "package.json").read_text() != wanted.read_text():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(wanted, folder / "package.json")
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
        fetched = subprocess.run(npm, cwd=folder, capture_output=True, text=True, timeout=300)
        if fetched.returncode:
            (folder / "package.json").unlink()
            pytest.skip(f"the SDK for JavaScript can't be had and is NOT tested: {fetched.stderr[-300:]}")
    return folder / "node_modules"


def test_the_sdk_for_javascript(shared, unique, modules):
    path = {"NODE_PATH": str(modules)}
    printed = run(shared, "node", FOLDER / "js/s3.cjs", shared.url, unique("javascript"), environment=path)
    assert printed.split() == ["objects", "streams", "uploads", "conditions", "pages", "urls", "versions"]
