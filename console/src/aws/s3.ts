/** S3: buckets and objects. Whatever is not here is a line with {@link s3Call}. */
import { type CallOptions, collect, s3Call, s3Path } from './call';
import { requireSession, signingTime } from './session';
import { presign } from './sigv4';
import { Xml, escapeXml } from './xml';

export interface Bucket {
  name: string;
  created: Date | undefined;
}

export interface S3Object {
  key: string;
  size: number;
  modified: Date | undefined;
  etag: string;
  storageClass: string;
}

export interface Listing {
  objects: S3Object[];
  /** What the keys below each shared prefix begin with; they end with the delimiter. */
  prefixes: string[];
  next: string | undefined;
}

export async function listBuckets(options: CallOptions = {}): Promise<Bucket[]> {
  const root = Xml.parse(await (await s3Call('GET', undefined, undefined, options)).text());
  const buckets = root.child('Buckets').children('Bucket');
  return buckets.map((bucket) => ({ name: bucket.text('Name'), created: bucket.time('CreationDate') }));
}

/** One page of a bucket's keys. With `delimiter` `/` it is a folder's. */
export async function listObjects(
  bucket: string,
  input: { prefix?: string; delimiter?: string; token?: string | undefined; maxKeys?: number } & CallOptions = {},
): Promise<Listing> {
  const { prefix, delimiter, token, maxKeys, signal } = input;
  const query = {
    'list-type': 2,
    'encoding-type': 'url',
    prefix,
    delimiter,
    'continuation-token': token,
    'max-keys': maxKeys,
  };
  const response = await s3Call('GET', bucket, undefined, { query, ...(signal ? { signal } : {}) });
  const root = Xml.parse(await response.text());
  const plain = (text: string) => decodeURIComponent(text.replaceAll('+', '%20'));
  return {
    objects: root.children('Contents').map((item) => ({
      key: plain(item.text('Key')),
      size: item.number('Size'),
      modified: item.time('LastModified'),
      etag: item.text('ETag').replaceAll('"', ''),
      storageClass: item.text('StorageClass'),
    })),
    prefixes: root.children('CommonPrefixes').map((item) => plain(item.text('Prefix'))),
    next: root.maybe('NextContinuationToken'),
  };
}

/** All keys below a prefix, up to `most`. */
export function listAllObjects(bucket: string, prefix: string, most = 10_000): Promise<S3Object[]> {
  const page = async (token: string | undefined) => {
    const { objects, next } = await listObjects(bucket, { prefix, token });
    return { items: objects, next };
  };
  return collect(page, most);
}

export async function createBucket(bucket: string): Promise<void> {
  await s3Call('PUT', bucket);
}

export async function deleteBucket(bucket: string): Promise<void> {
  await s3Call('DELETE', bucket);
}

export function headObject(bucket: string, key: string, versionId?: string): Promise<Headers> {
  return s3Call('HEAD', bucket, key, { query: { versionId } }).then((response) => response.headers);
}

/** An object, or the bytes `first` to `last` of it. */
export function getObject(
  bucket: string,
  key: string,
  input: { first?: number; last?: number; versionId?: string } & CallOptions = {},
): Promise<Response> {
  const { first, last, versionId, signal } = input;
  const headers: Record<string, string> = first === undefined ? {} : { range: `bytes=${first}-${last ?? ''}` };
  return s3Call('GET', bucket, key, { headers, query: { versionId }, ...(signal ? { signal } : {}) });
}

export async function putObject(bucket: string, key: string, body: string | Blob, contentType?: string): Promise<void> {
  await s3Call('PUT', bucket, key, { body, headers: contentType ? { 'content-type': contentType } : {} });
}

/** Deletes up to 1,000 keys with one call; answers those that could not be deleted. */
export async function deleteObjects(
  bucket: string,
  keys: readonly { key: string; versionId?: string }[],
): Promise<{ key: string; code: string; message: string }[]> {
  const one = (item: { key: string; versionId?: string }) => {
    const version = item.versionId === undefined ? '' : `<VersionId>${escapeXml(item.versionId)}</VersionId>`;
    return `<Object><Key>${escapeXml(item.key)}</Key>${version}</Object>`;
  };
  const body = `<Delete><Quiet>true</Quiet>${keys.map(one).join('')}</Delete>`;
  // The digest that S3 demands here is the payload's own, which is signed anyway.
  const response = await s3Call('POST', bucket, undefined, { query: { delete: '' }, body, headers: await digest(body) });
  const root = Xml.parse(await response.text());
  const failed = root.children('Error');
  return failed.map((e) => ({ key: e.text('Key'), code: e.text('Code'), message: e.text('Message') }));
}

async function digest(body: string): Promise<Record<string, string>> {
  const { sha256 } = await import('@noble/hashes/sha2.js');
  const hash = sha256(new TextEncoder().encode(body));
  return { 'x-amz-checksum-sha256': btoa(String.fromCharCode(...hash)) };
}

/** A link to an object that anybody can follow for `seconds`, as whoever is signed in. */
export function presignedUrl(bucket: string, key: string, seconds: number, query: [string, string][] = []): string {
  const session = requireSession();
  const request = { method: 'GET', host: location.host, path: s3Path(bucket, key), query };
  const scope = { credentials: session, service: 's3', region: session.region, now: signingTime() };
  return `${location.origin}${presign(request, scope, seconds)}`;
}
