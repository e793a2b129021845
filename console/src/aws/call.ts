/**
 * Signed calls of the server's own wire protocols, from this page's origin. Every service's module is made of these:
 *
 * | Function | Protocol | Services |
 * |---|---|---|
 * | {@link jsonService} | JSON 1.0, 1.1 | Athena, Glue, Step Functions, EventBridge, Firehose, SQS, CloudWatch Logs, CloudTrail |
 * | {@link streamService} | JSON 1.1 with answers that go on | CloudWatch Logs |
 * | {@link restService} | REST-JSON | Lambda, EventBridge Scheduler, API Gateway |
 * | {@link queryService} | Query (XML back) | IAM, STS, CloudFormation |
 * | {@link s3Call} | REST-XML | S3 |
 * | {@link ownCall} | JSON | the console's own session, lineage |
 */
import { AwsError, isAbort } from './error';
import { events } from './event-stream';
import { endSession, learnTime, requireSession, signingTime } from './session';
import { type Credentials, type Unsigned, UNSIGNED, encode, encodePath, queryString, sign } from './sigv4';
import { Xml } from './xml';

/** How to give a call up. */
export interface CallOptions {
  signal?: AbortSignal;
}

export interface RawRequest extends CallOptions {
  service: string;
  method: string;
  /** Percent-encoded. */
  path: string;
  query?: readonly (readonly [string, string])[];
  headers?: Record<string, string>;
  body?: string | Uint8Array | Blob;
  /** Instead of the session's. */
  credentials?: Credentials;
  region?: string;
}

/** Sends a signed request, and answers whatever comes back with a good status. */
export async function send(request: RawRequest): Promise<Response> {
  for (let attempt = 0; ; attempt += 1) {
    const response = await once(request);
    if (response.ok) return response;
    const error = await errorOf(response);
    if (attempt < 3 && isBusy(error)) {
      await pause(100 * 4 ** attempt, request.signal);
      continue;
    }
    if (attempt === 0 && CLOCK_IS_WRONG.has(error.code)) continue;
    if (error.endsSession && !request.credentials && (await isOver())) endSession('expired');
    throw error;
  }
}

/** IAM answers as if a key were wrong to sessions that may not call it, so only STS knows whether a session is over. */
async function isOver(): Promise<boolean> {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  try {
    const response = await once({ service: 'sts', method: 'POST', path: '/', headers, body });
    return !response.ok && (await errorOf(response)).endsSession;
  } catch (error) {
    return error instanceof AwsError && error.endsSession;
  }
}

const CLOCK_IS_WRONG = new Set(['RequestTimeTooSkewed', 'InvalidSignatureException', 'SignatureDoesNotMatch', 'RequestExpired']);

function isBusy(error: AwsError): boolean {
  return error.status === 503 || error.status === 429 || /^Throttl|^TooManyRequests/.test(error.code);
}

async function once(request: RawRequest): Promise<Response> {
  const session = request.credentials ?? requireSession();
  const region = request.region ?? ('region' in session ? (session as { region: string }).region : 'us-east-1');
  const unsigned: Unsigned = {
    method: request.method,
    host: location.host,
    path: request.path,
    query: request.query ?? [],
    headers: request.headers ?? {},
    body: request.body instanceof Blob ? UNSIGNED : (request.body ?? ''),
  };
  const headers = sign(unsigned, { credentials: session, service: request.service, region, now: signingTime() });
  const query = request.query?.length ? `?${queryString(request.query)}` : '';
  try {
    const response = await fetch(`${location.origin}${request.path}${query}`, {
      method: request.method,
      headers,
      body: (request.body as BodyInit | undefined) || undefined,
      signal: request.signal ?? null,
      // With `no-store` browsers send a `Cache-Control`, which S3 would keep with what is put.
      cache: request.method === 'GET' || request.method === 'HEAD' ? 'no-store' : 'default',
      credentials: 'omit',
    });
    learnTime(response.headers.get('date'));
    return response;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new AwsError('NetworkError', 'The server did not answer', 0);
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('given up', 'AbortError'));
    });
  });
}

/** The error of an answer, in whichever protocol's shape. */
export async function errorOf(response: Response): Promise<AwsError> {
  const id = response.headers.get('x-amzn-requestid') ?? response.headers.get('x-amz-request-id') ?? undefined;
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('xml') || text.startsWith('<')) {
    const root = Xml.parse(text);
    const error = root.name === 'Error' ? root : root.child('Error');
    const code = error.text('Code') || `Http${response.status}`;
    return new AwsError(code, error.text('Message') || response.statusText, response.status, id);
  }
  let document: Record<string, unknown> = {};
  try {
    document = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // An answer without a document, as to HEAD.
  }
  const type_ = response.headers.get('x-amzn-errortype') ?? document.__type ?? document.code ?? document.Code;
  const code = String(type_ ?? (response.status === 404 ? 'NotFound' : `Http${response.status}`));
  const { __type: _, message, Message, ...details } = document;
  const said = message ?? Message ?? text;
  return new AwsError(
    code.replace(/^.*#/, '').replace(/:.*$/, ''),
    String(said || response.statusText || `The server answered ${response.status}`),
    response.status,
    id,
    details,
  );
}

async function json<Output>(response: Response): Promise<Output> {
  const text = await response.text();
  return (text ? JSON.parse(text) : {}) as Output;
}

type JsonVersion = '1.0' | '1.1';

function jsonRequest(service: string, prefix: string, version: JsonVersion) {
  return (operation: string, input: object, options: CallOptions): Promise<Response> => {
    const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': `${prefix}.${operation}` };
    return send({ ...options, service, method: 'POST', path: '/', headers, body: JSON.stringify(input) });
  };
}

/** The caller of a JSON service: `athena<Output>('GetQueryExecution', {…})`. */
export function jsonService(service: string, prefix: string, version: JsonVersion) {
  const request = jsonRequest(service, prefix, version);
  return async <Output>(operation: string, input: object = {}, options: CallOptions = {}): Promise<Output> =>
    json<Output>(await request(operation, input, options));
}

/** The caller of a JSON service's operations whose answers go on: their events, as they come. */
export function streamService(service: string, prefix: string, version: JsonVersion) {
  const request = jsonRequest(service, prefix, version);
  return async function* <Event>(operation: string, input: object, options: CallOptions = {}): AsyncGenerator<Event> {
    yield* events<Event>(await request(operation, input, options));
  };
}

/** What a call of a REST service has beside method and path. */
export interface RestInput extends CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: object | undefined;
  /** A body that is no JSON, as the payload of an invocation. */
  raw?: string | Uint8Array;
  headers?: Record<string, string>;
}

function pairs(query: RestInput['query']): [string, string][] {
  return Object.entries(query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
}

/** The callers of a REST-JSON service; the path is a template literal's plain text: its segments are encoded here. */
export function restService(service: string) {
  const raw = (method: string, segments: readonly string[], input: RestInput = {}): Promise<Response> => {
    const path = `/${segments.map((segment) => encode(segment)).join('/')}`;
    const body = input.raw ?? (input.body === undefined ? '' : JSON.stringify(input.body));
    const headers = { ...(body ? { 'content-type': 'application/json' } : {}), ...input.headers };
    const signal = input.signal ? { signal: input.signal } : {};
    return send({ service, method, path, query: pairs(input.query), headers, body, ...signal });
  };
  const call = async <Output>(method: string, segments: readonly string[], input: RestInput = {}): Promise<Output> =>
    json<Output>(await raw(method, segments, input));
  return { raw, call };
}

/** A parameter of the query protocol; lists become `.member.N`, objects `.Name`. */
export type QueryValue = string | number | boolean | undefined | readonly QueryValue[] | { [name: string]: QueryValue };

/** Parameters laid out as a form. */
export function flatten(value: QueryValue, name = ''): [string, string][] {
  if (value === undefined) return [];
  if (Array.isArray(value)) {
    return (value as QueryValue[]).flatMap((item, index) => flatten(item, `${name}.member.${index + 1}`));
  }
  if (typeof value === 'object') {
    const below = (key: string) => (name ? `${name}.${key}` : key);
    return Object.entries(value as Record<string, QueryValue>).flatMap(([key, item]) => flatten(item, below(key)));
  }
  return [[name, String(value)]];
}

/** The caller of a query service; it answers the element `…Result`. */
export function queryService(service: string, version: string) {
  return async (
    action: string,
    parameters: { [name: string]: QueryValue } = {},
    options: CallOptions & { credentials?: Credentials } = {},
  ): Promise<Xml> => {
    const body = queryString([['Action', action], ['Version', version], ...flatten(parameters)]);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await send({ ...options, service, method: 'POST', path: '/', headers, body });
    return Xml.parse(await response.text()).child(`${action}Result`);
  };
}

/** What a call of S3 has beside method, bucket and key. */
export interface S3Input extends CallOptions {
  query?: RestInput['query'];
  headers?: Record<string, string>;
  body?: string | Uint8Array | Blob;
}

/** The path of a bucket or an object. */
export function s3Path(bucket?: string, key?: string): string {
  if (!bucket) return '/';
  return key === undefined ? `/${bucket}` : `/${bucket}/${encodePath(key)}`;
}

/** A call of S3; the body of the answer is the caller's to read. */
export function s3Call(method: string, bucket?: string, key?: string, input: S3Input = {}): Promise<Response> {
  const { query, headers, body, signal } = input;
  return send({
    service: 's3',
    method,
    path: s3Path(bucket, key),
    query: pairs(query),
    ...(headers ? { headers } : {}),
    ...(body === undefined ? {} : { body }),
    ...(signal ? { signal } : {}),
  });
}

/** A signed call of one of the server's own addresses, such as `/_boathouse/lineage/…`. */
export async function ownCall<Output>(service: string, path: string, options: CallOptions = {}): Promise<Output> {
  return json<Output>(await send({ ...options, service, method: 'GET', path }));
}

/** All pages of a list, up to `most` items. */
export async function collect<Item>(
  page: (token: string | undefined) => Promise<{ items: readonly Item[]; next: string | undefined }>,
  most = 10_000,
): Promise<Item[]> {
  const found: Item[] = [];
  let token: string | undefined;
  do {
    const { items, next } = await page(token);
    found.push(...items);
    token = next || undefined;
  } while (token && found.length < most);
  return found;
}
