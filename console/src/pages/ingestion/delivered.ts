/** What a delivery stream has delivered, as its bucket shows it. */
import { type S3Object, getObject, listAllObjects } from '../../aws/s3';
import type { DeliveryStream } from '../../aws/firehose';

export type Destination = NonNullable<DeliveryStream['Destinations'][number]['ExtendedS3DestinationDescription']>;

export const destinationOf = (stream: DeliveryStream): Destination | undefined => stream.Destinations[0]?.ExtendedS3DestinationDescription;

export const bucketOf = (destination: Destination) => destination.BucketARN.split(':').at(-1) ?? '';

/** The folder that all keys lie in: a prefix as far as the last slash before its first expression. */
export const fixedPart = (prefix: string | undefined) => ((prefix ?? '').split('!{')[0] ?? '').replace(/[^/]*$/, '');

/** Objects that are looked at. */
export const LOOKED_AT = 10_000;

export interface Delivered {
  /** The newest first. */
  objects: S3Object[];
  failed: S3Object[];
  /** Whether there may be more than was looked at. */
  cut: boolean;
}

/** Names of objects are `stream-version-time-…`, after the prefix. */
export function isOf(stream: string, { key }: S3Object): boolean {
  const name = key.split('/').at(-1) ?? '';
  return name.startsWith(`${stream}-`) && /^\d+-\d{4}-\d\d-\d\d-/.test(name.slice(stream.length + 1));
}

const newestFirst = (objects: S3Object[]) => objects.sort((a, b) => (b.modified?.getTime() ?? 0) - (a.modified?.getTime() ?? 0));

export async function readDelivered(stream: DeliveryStream): Promise<Delivered> {
  const destination = destinationOf(stream);
  if (!destination) return { objects: [], failed: [], cut: false };
  const bucket = bucketOf(destination);
  const [prefix, errors] = [fixedPart(destination.Prefix), fixedPart(destination.ErrorOutputPrefix)];
  const [found, wrong] = await Promise.all([listAllObjects(bucket, prefix, LOOKED_AT), errors ? listAllObjects(bucket, errors, LOOKED_AT) : Promise.resolve([])]);
  const own = (object: S3Object) => isOf(stream.DeliveryStreamName, object);
  const isWrong = (object: S3Object) => errors !== '' && object.key.startsWith(errors) && !(prefix.startsWith(errors) && object.key.startsWith(prefix));
  return {
    objects: newestFirst(found.filter((object) => own(object) && !isWrong(object))),
    failed: newestFirst(wrong.filter((object) => own(object) && isWrong(object))),
    cut: found.length >= LOOKED_AT,
  };
}

export interface Slot {
  at: Date;
  objects: number;
  bytes: number;
  /** Objects with records that failed. */
  failed: number;
  [more: string]: unknown;
}

/** Spans that are shown before the last at least. */
const LEAST = 9;

const STEPS = [60_000, 300_000, 900_000, 3_600_000, 6 * 3_600_000, 86_400_000, 7 * 86_400_000];

/** What arrived when, in at most `most` equal spans of time up to now. */
export function slots({ objects, failed }: Delivered, now: number, most = 60): Slot[] {
  const times = [...objects, ...failed].flatMap(({ modified }) => modified?.getTime() ?? []);
  if (times.length === 0) return [];
  const first = times.reduce((least, time) => Math.min(least, time));
  const span = Math.max(now - first, 0);
  const step = STEPS.find((one) => span / one <= most - 1) ?? Math.ceil(span / (most - 1));
  const end = Math.max(Math.floor(now / step), Math.floor(first / step));
  const begin = Math.min(Math.floor(first / step), end - LEAST);
  const made = Array.from({ length: end - begin + 1 }, (_, at): Slot => ({ at: new Date((begin + at) * step), objects: 0, bytes: 0, failed: 0 }));
  const slotOf = ({ modified }: S3Object) => made[Math.min(Math.floor((modified?.getTime() ?? 0) / step) - begin, made.length - 1)];
  for (const object of objects) {
    const slot = slotOf(object);
    if (!slot) continue;
    slot.objects += 1;
    slot.bytes += object.size;
  }
  for (const object of failed) {
    const slot = slotOf(object);
    if (slot) slot.failed += 1;
  }
  return made;
}

/** Bytes of an object that are read to show records. */
const SHOWN_BYTES = 256 * 1024;

/** The text of an object, unpacked if it is GZIP; undefined for packings that browsers can't read. */
export async function textOf(bucket: string, key: string, compression: string | undefined, signal?: AbortSignal): Promise<string | undefined> {
  const packed = (compression ?? 'UNCOMPRESSED') !== 'UNCOMPRESSED';
  if (packed && compression !== 'GZIP') return undefined;
  const how = { ...(packed ? {} : { first: 0, last: SHOWN_BYTES - 1 }), ...(signal ? { signal } : {}) };
  const response = await getObject(bucket, key, how);
  if (!packed) return response.text();
  // Browsers unpack by themselves what says that it is packed.
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new TextDecoder().decode(bytes);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
}

/** The records of an object: a line each, or JSON documents without anything between them. */
export function recordsOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.flatMap((line) => (line.includes('}{') ? documents(line) : [line]));
}

/** JSON documents that stand one behind the other; the text as it is if it is something else. */
function documents(text: string): string[] {
  const found: string[] = [];
  let [depth, start, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{') depth += 1;
    else if (char === '}') {
      depth -= 1;
      if (depth === 0) {
        found.push(text.slice(start, at + 1).trim());
        start = at + 1;
      }
    }
  }
  return depth === 0 && text.slice(start).trim() === '' ? found : [text];
}
