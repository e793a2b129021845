// S3 through AWS's SDK for JavaScript: each subject prints its name when it went well.
const assert = require("node:assert/strict");
const { createHash } = require("node:crypto");
const { Readable } = require("node:stream");
const {
  S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand, HeadObjectCommand, CopyObjectCommand,
  DeleteObjectsCommand, DeleteBucketCommand, GetObjectAttributesCommand, PutBucketVersioningCommand,
  ListObjectVersionsCommand, AbortMultipartUploadCommand, CreateMultipartUploadCommand, ListMultipartUploadsCommand,
  paginateListObjectsV2, waitUntilObjectExists, waitUntilBucketNotExists,
} = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const [endpoint, Bucket] = process.argv.slice(2);
const settings = { endpoint, region: "us-east-1", forcePathStyle: true, maxAttempts: 1,
  credentials: { accessKeyId: "test", secretAccessKey: "test" } };
const s3 = new S3Client(settings);
// Else the SDK signs the checksum of the empty body that it is given when it presigns.
const signer = new S3Client({ ...settings, requestChecksumCalculation: "WHEN_REQUIRED" });
const send = (Command, input) => s3.send(new Command({ Bucket, ...input }));
const text = async (answer) => answer.Body.transformToString();
const refused = async (promise, name, status) => {
  const error = await promise.then(() => assert.fail(`${name} was expected`), (error) => error);
  assert.equal(error.name, name);
  assert.equal(error.$metadata.httpStatusCode, status);
};

const subjects = {
  async objects() {
    const Key = "folder/näme +%&?.txt";
    const put = await send(PutObjectCommand, { Key, Body: "hello", ContentType: "text/plain", Metadata: { a: "1" } });
    assert.ok(put.ETag && put.ChecksumCRC32, "the SDK sends a checksum by itself");
    const got = await send(GetObjectCommand, { Key });
    assert.equal(await text(got), "hello");
    assert.deepEqual([got.ContentType, got.Metadata, got.ContentLength], ["text/plain", { a: "1" }, 5]);
    assert.equal(await text(await send(GetObjectCommand, { Key, Range: "bytes=1-3" })), "ell");
    await send(CopyObjectCommand, { Key: "copy", CopySource: `${Bucket}/${encodeURIComponent(Key)}` });
    assert.equal((await send(HeadObjectCommand, { Key: "copy" })).ContentLength, 5);
    const attributes = await send(GetObjectAttributesCommand, { Key, ObjectAttributes: ["Checksum", "ObjectSize"] });
    assert.deepEqual([attributes.ObjectSize, attributes.Checksum.ChecksumCRC32], [5, put.ChecksumCRC32]);
    await waitUntilObjectExists({ client: s3, minDelay: 1, maxWaitTime: 10 }, { Bucket, Key });
  },
  async streams() {
    const body = Buffer.alloc(3_000_000, "stream");
    // A stream of known length goes in chunks with a trailer.
    await send(PutObjectCommand, { Key: "stream", Body: Readable.from([body.subarray(0, 9), body.subarray(9)]),
      ContentLength: body.length, ChecksumAlgorithm: "SHA256" });
    const got = await send(GetObjectCommand, { Key: "stream", ChecksumMode: "ENABLED" });
    assert.equal(got.ChecksumSHA256, createHash("sha256").update(body).digest("base64"));
    assert.ok(body.equals(Buffer.from(await got.Body.transformToByteArray())));
  },
  async uploads() {
    const body = Buffer.alloc(17 * 1024 * 1024, "multipart ");
    for (const Body of [body, Readable.from([body.subarray(0, 7_000_001), body.subarray(7_000_001)])]) {
      const upload = new Upload({ client: s3, params: { Bucket, Key: "parts", Body }, partSize: 5 << 20, queueSize: 3 });
      const done = await upload.done();
      assert.match(done.ETag, /-4"$/);
      const part = await send(GetObjectCommand, { Key: "parts", PartNumber: 4 });
      assert.deepEqual([part.PartsCount, part.ContentLength], [4, 2 << 20]);
      const whole = await send(GetObjectCommand, { Key: "parts" });
      assert.ok(body.equals(Buffer.from(await whole.Body.transformToByteArray())));
    }
    const { UploadId } = await send(CreateMultipartUploadCommand, { Key: "given up" });
    await send(AbortMultipartUploadCommand, { Key: "given up", UploadId });
    assert.equal((await send(ListMultipartUploadsCommand, {})).Uploads, undefined);
  },
  async conditions() {
    const first = await send(PutObjectCommand, { Key: "once", Body: "1", IfNoneMatch: "*" });
    await refused(send(PutObjectCommand, { Key: "once", Body: "2", IfNoneMatch: "*" }), "PreconditionFailed", 412);
    await send(PutObjectCommand, { Key: "once", Body: "2", IfMatch: first.ETag });
    await refused(send(PutObjectCommand, { Key: "once", Body: "3", IfMatch: first.ETag }), "PreconditionFailed", 412);
    await refused(send(GetObjectCommand, { Key: "never" }), "NoSuchKey", 404);
    await refused(send(HeadObjectCommand, { Key: "never" }), "NotFound", 404);
    await refused(s3.send(new GetObjectCommand({ Bucket: "no-such-bucket-here", Key: "k" })), "NoSuchBucket", 404);
  },
  async pages() {
    await Promise.all([...Array(25).keys()].map((n) => send(PutObjectCommand, { Key: `page/${n % 5}/${n}`, Body: "" })));
    const keys = [], folders = [];
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 4 }, { Bucket, Prefix: "page/" }))
      keys.push(...page.Contents.map((it) => it.Key));
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket, Prefix: "page/", Delimiter: "/" }))
      folders.push(...page.CommonPrefixes.map((it) => it.Prefix));
    assert.equal(new Set(keys).size, 25);
    assert.deepEqual(folders, ["page/0/", "page/1/", "page/2/", "page/3/", "page/4/"]);
    const gone = await send(DeleteObjectsCommand, { Delete: { Objects: keys.map((Key) => ({ Key })) } });
    assert.equal(gone.Deleted.length, 25);
  },
  async urls() {
    const Key = "signed é+ %.txt";
    const put = await getSignedUrl(signer, new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 });
    assert.equal((await fetch(put, { method: "PUT", body: "by a browser" })).status, 200);
    const get = await getSignedUrl(signer, new GetObjectCommand({ Bucket, Key, ResponseContentType: "text/x" }), { expiresIn: 60 });
    const answer = await fetch(get);
    assert.deepEqual([await answer.text(), answer.headers.get("content-type")], ["by a browser", "text/x"]);
    assert.equal((await fetch(get.replace("Signature=", "Signature=00"))).status, 403);
    assert.equal((await fetch(get, { method: "DELETE" })).status, 403);
  },
  async versions() {
    await send(PutBucketVersioningCommand, { VersioningConfiguration: { Status: "Enabled" } });
    const { VersionId } = await send(PutObjectCommand, { Key: "v", Body: "1" });
    await send(PutObjectCommand, { Key: "v", Body: "2" });
    assert.equal(await text(await send(GetObjectCommand, { Key: "v", VersionId })), "1");
    for (;;) {
      const { Versions = [], DeleteMarkers = [] } = await send(ListObjectVersionsCommand, { MaxKeys: 3 });
      const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
      if (!Objects.length) break;
      await send(DeleteObjectsCommand, { Delete: { Objects } });
    }
    await send(DeleteBucketCommand, {});
    await waitUntilBucketNotExists({ client: s3, minDelay: 1, maxWaitTime: 10 }, { Bucket });
  },
};

(async () => {
  await send(CreateBucketCommand, {});
  for (const [name, subject] of Object.entries(subjects)) {
    await subject();
    console.log(name);
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
