/** More of S3 about objects: what a HEAD tells, tags, versions, copies, uploads in parts. */
import { type CallOptions, s3Call, s3Path } from './call';
import { encode } from './sigv4';
import { Xml, escapeXml } from './xml';

/** What is known of an object beside its bytes. */
export interface ObjectFacts {
  size: number;
  modified: Date | undefined;
  etag: string;
  contentType: string;
  contentEncoding: string | undefined;
  storageClass: string;
  versionId: string | undefined;
  encryption: string | undefined;
  encryptionKey: string | undefined;
  expiration: string | undefined;
  parts: number | undefined;
  lockMode: string | undefined;
  lockUntil: Date | undefined;
  legalHold: boolean;
  /** System headers that somebody gave: cache-control and the like. */
  headers: Record<string, string>;
  metadata: Record<string, string>;
  checksums: Record<string, string>;
}

const CHECKSUM = /^x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256)$/;
const SYSTEM = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires'];

export function factsOf(headers: Headers): ObjectFacts {
  const maybe = (name: string) => headers.get(name) ?? undefined;
  const time = (name: string) => (headers.has(name) ? new Date(headers.get(name) ?? '') : undefined);
  const named = (pattern: RegExp) =>
    Object.fromEntries([...headers].flatMap(([name, value]) => (pattern.test(name) ? [[name.replace(pattern, '$1'), value]] : [])));
  const etag = (headers.get('etag') ?? '').replaceAll('"', '');
  return {
    size: Number(headers.get('content-length') ?? 0),
    modified: time('last-modified'),
    etag,
    contentType: headers.get('content-type') ?? 'binary/octet-stream',
    contentEncoding: maybe('content-encoding'),
    storageClass: headers.get('x-amz-storage-class') ?? 'STANDARD',
    versionId: maybe('x-amz-version-id'),
    encryption: maybe('x-amz-server-side-encryption'),
    encryptionKey: maybe('x-amz-server-side-encryption-aws-kms-key-id'),
    expiration: maybe('x-amz-expiration'),
    parts: Number(/-(\d+)$/.exec(etag)?.[1]) || undefined,
    lockMode: maybe('x-amz-object-lock-mode'),
    lockUntil: time('x-amz-object-lock-retain-until-date'),
    legalHold: headers.get('x-amz-object-lock-legal-hold') === 'ON',
    headers: Object.fromEntries(SYSTEM.flatMap((name) => (headers.has(name) ? [[name, headers.get(name) ?? '']] : []))),
    metadata: named(/^x-amz-meta-(.*)$/),
    checksums: named(CHECKSUM),
  };
}

export async function objectFacts(bucket: string, key: string, versionId?: string, options: CallOptions = {}): Promise<ObjectFacts> {
  const headers = { 'x-amz-checksum-mode': 'ENABLED' };
  return factsOf((await s3Call('HEAD', bucket, key, { ...options, headers, query: { versionId } })).headers);
}

export interface Tag {
  Key: string;
  Value: string;
}

export async function getTags(bucket: string, key?: string, versionId?: string): Promise<Tag[]> {
  const root = Xml.parse(await (await s3Call('GET', bucket, key, { query: { tagging: '', versionId } })).text());
  return root.child('TagSet').children('Tag').map((tag) => ({ Key: tag.text('Key'), Value: tag.text('Value') }));
}

/** Sets the tags of an object, or of a bucket without a key; none takes them away. */
export async function putTags(tags: readonly Tag[], bucket: string, key?: string, versionId?: string): Promise<void> {
  const query = { tagging: '', versionId };
  if (tags.length === 0) {
    await s3Call('DELETE', bucket, key, { query });
    return;
  }
  const one = ({ Key, Value }: Tag) => `<Tag><Key>${escapeXml(Key)}</Key><Value>${escapeXml(Value)}</Value></Tag>`;
  await s3Call('PUT', bucket, key, { query, body: `<Tagging><TagSet>${tags.map(one).join('')}</TagSet></Tagging>` });
}

export interface ObjectVersion {
  key: string;
  versionId: string;
  latest: boolean;
  /** A delete marker has neither bytes nor an entity tag. */
  marker: boolean;
  size: number;
  modified: Date | undefined;
  etag: string;
  storageClass: string;
}

export interface VersionsPage {
  versions: ObjectVersion[];
  next: { key: string; versionId: string } | undefined;
}

/** One page of a bucket's versions, in the order of keys, the newest of each first. */
export async function listVersions(
  bucket: string,
  input: { prefix?: string; from?: VersionsPage['next'] } & CallOptions = {},
): Promise<VersionsPage> {
  const { prefix, from, signal } = input;
  const query = { versions: '', 'encoding-type': 'url', prefix, 'key-marker': from?.key, 'version-id-marker': from?.versionId };
  const root = Xml.parse(await (await s3Call('GET', bucket, undefined, { query, ...(signal ? { signal } : {}) })).text());
  const plain = (text: string) => decodeURIComponent(text.replaceAll('+', '%20'));
  const found = root.children().filter(({ name }) => name === 'Version' || name === 'DeleteMarker');
  const more = root.flag('IsTruncated');
  return {
    versions: found.map((item) => ({
      key: plain(item.text('Key')),
      versionId: item.text('VersionId'),
      latest: item.flag('IsLatest'),
      marker: item.name === 'DeleteMarker',
      size: item.number('Size'),
      modified: item.time('LastModified'),
      etag: item.text('ETag').replaceAll('"', ''),
      storageClass: item.text('StorageClass'),
    })),
    next: more ? { key: plain(root.text('NextKeyMarker')), versionId: root.text('NextVersionIdMarker') } : undefined,
  };
}

/** All versions of one key. Those of a longer key come behind them, so the first other key ends the search. */
export async function versionsOf(bucket: string, key: string, options: CallOptions = {}): Promise<ObjectVersion[]> {
  const found: ObjectVersion[] = [];
  let from: VersionsPage['next'];
  do {
    const page: VersionsPage = await listVersions(bucket, { prefix: key, from, ...options });
    found.push(...page.versions.filter((version) => version.key === key));
    from = page.versions.some((version) => version.key !== key) ? undefined : page.next;
  } while (from);
  return found;
}

export async function deleteObject(bucket: string, key: string, versionId?: string): Promise<void> {
  await s3Call('DELETE', bucket, key, { query: { versionId } });
}

/** Copies an object, or a version of it, within a bucket. */
export async function copyObject(bucket: string, from: string, key: string, versionId?: string): Promise<void> {
  const source = `${s3Path(bucket, from)}${versionId === undefined ? '' : `?versionId=${encode(versionId)}`}`;
  await s3Call('PUT', bucket, key, { headers: { 'x-amz-copy-source': source } });
}

export interface Upload {
  key: string;
  uploadId: string;
  started: Date | undefined;
}

/** Uploads in parts that nobody has completed. */
export async function listUploads(bucket: string, options: CallOptions = {}): Promise<Upload[]> {
  const response = await s3Call('GET', bucket, undefined, { ...options, query: { uploads: '', 'encoding-type': 'url' } });
  const plain = (text: string) => decodeURIComponent(text.replaceAll('+', '%20'));
  return Xml.parse(await response.text())
    .children('Upload')
    .map((item) => ({ key: plain(item.text('Key')), uploadId: item.text('UploadId'), started: item.time('Initiated') }));
}

export async function beginUpload(bucket: string, key: string, contentType: string, options: CallOptions = {}): Promise<string> {
  const headers = { 'content-type': contentType };
  const response = await s3Call('POST', bucket, key, { ...options, query: { uploads: '' }, headers });
  return Xml.parse(await response.text()).text('UploadId');
}

/** Sends one part; answers its entity tag. */
export async function uploadPart(
  bucket: string,
  key: string,
  part: { uploadId: string; number: number; body: Blob },
  options: CallOptions = {},
): Promise<string> {
  const { uploadId, number: partNumber, body } = part;
  const response = await s3Call('PUT', bucket, key, { ...options, query: { partNumber, uploadId }, body });
  return response.headers.get('etag') ?? '';
}

export async function completeUpload(bucket: string, key: string, uploadId: string, etags: readonly string[]): Promise<void> {
  const parts = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
  await s3Call('POST', bucket, key, { query: { uploadId }, body });
}

export async function abortUpload(bucket: string, key: string, uploadId: string): Promise<void> {
  await s3Call('DELETE', bucket, key, { query: { uploadId } });
}
