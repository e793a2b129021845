/**
 * Signature Version 4, as "Signing AWS API requests" describes it. The hashes are our own dependency's and not the
 * browser's, because browsers give `crypto.subtle` to pages from HTTPS and localhost only.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** What requests are signed with. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** A request before it is signed. */
export interface Unsigned {
  method: string;
  /** As the client will send it: `127.0.0.1:4566`. */
  host: string;
  /** Percent-encoded, as it stands in the request line. */
  path: string;
  query?: readonly (readonly [string, string])[];
  headers?: Readonly<Record<string, string>>;
  /** The body, or `UNSIGNED` for bodies of S3 that are too large to be hashed first. */
  body?: string | Uint8Array | typeof UNSIGNED;
}

/** Who signs what for which service, when. */
export interface Scope {
  credentials: Credentials;
  service: string;
  region: string;
  now: Date;
}

/** Stands for a body whose hash is not signed. Only S3 takes it. */
export const UNSIGNED = Symbol('unsigned payload');

const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Percent-encodes everything but unreserved characters. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Percent-encodes a path's segments and leaves its slashes. */
export function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

/** A query as it is sent, in the order given. */
export function queryString(query: readonly (readonly [string, string])[]): string {
  return query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
}

function canonicalQuery(query: readonly (readonly [string, string])[]): string {
  const pairs = query.map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.sort((a, b) => (pairKey(a) < pairKey(b) ? -1 : 1)).join('&');
}

/** Names come first in the order, and `=` must not take part in it. */
function pairKey(pair: string): string {
  return pair.replace('=', '\0');
}

export function sha256Hex(data: string | Uint8Array): string {
  return bytesToHex(sha256(typeof data === 'string' ? utf8ToBytes(data) : data));
}

function key(scope: Scope, date: string): Uint8Array {
  const parts = [date, scope.region, scope.service, 'aws4_request'];
  const first = utf8ToBytes(`AWS4${scope.credentials.secretAccessKey}`);
  return parts.reduce((secret, part) => hmac(sha256, secret, utf8ToBytes(part)), first);
}

interface Stamp {
  date: string;
  time: string;
  credential: string;
}

function stamp(scope: Scope): Stamp {
  const time = scope.now.toISOString().replace(/[-:]|\.\d+/g, '');
  const date = time.slice(0, 8);
  return { date, time, credential: `${date}/${scope.region}/${scope.service}/aws4_request` };
}

/** S3 signs paths as they are sent; every other service encodes them once more. */
function canonicalPath(path: string, service: string): string {
  return service === 's3' ? path : encodePath(path);
}

function signature(scope: Scope, at: Stamp, canonical: string): string {
  const text = [ALGORITHM, at.time, at.credential, sha256Hex(canonical)].join('\n');
  return bytesToHex(hmac(sha256, key(scope, at.date), utf8ToBytes(text)));
}

/** The headers to send, `host` excepted, which the browser sends by itself. */
export function sign(request: Unsigned, scope: Scope): Record<string, string> {
  const at = stamp(scope);
  const hash = request.body === UNSIGNED ? UNSIGNED_PAYLOAD : sha256Hex(request.body ?? '');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
  headers['x-amz-date'] = at.time;
  headers['x-amz-content-sha256'] = hash;
  if (scope.credentials.sessionToken) headers['x-amz-security-token'] = scope.credentials.sessionToken;
  const signed = { ...headers, host: request.host } as Record<string, string>;
  const names = Object.keys(signed).sort();
  const canonical = [
    request.method,
    canonicalPath(request.path, scope.service),
    canonicalQuery(request.query ?? []),
    ...names.map((name) => `${name}:${(signed[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    hash,
  ].join('\n');
  const credential = `${scope.credentials.accessKeyId}/${at.credential}`;
  headers['authorization'] =
    `${ALGORITHM} Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature(scope, at, canonical)}`;
  return headers;
}

/** A URL's path and query that anybody can use for `seconds`. */
export function presign(request: Omit<Unsigned, 'body' | 'headers'>, scope: Scope, seconds: number): string {
  const at = stamp(scope);
  const query: [string, string][] = [
    ...(request.query ?? []).map(([name, value]): [string, string] => [name, value]),
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${scope.credentials.accessKeyId}/${at.credential}`],
    ['X-Amz-Date', at.time],
    ['X-Amz-Expires', String(seconds)],
    ['X-Amz-SignedHeaders', 'host'],
  ];
  if (scope.credentials.sessionToken) query.push(['X-Amz-Security-Token', scope.credentials.sessionToken]);
  const canonical = [
    request.method,
    canonicalPath(request.path, scope.service),
    canonicalQuery(query),
    `host:${request.host}`,
    '',
    'host',
    UNSIGNED_PAYLOAD,
  ].join('\n');
  query.push(['X-Amz-Signature', signature(scope, at, canonical)]);
  return `${request.path}?${queryString(query)}`;
}
