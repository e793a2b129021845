/**
 * Answers that go on, as messages of their own frames ("Amazon Event Stream Specification"): two lengths, a checksum of these,
 * headers, a payload, a checksum of all.
 *
 *     for await (const event of events<LiveTailEvent>(response)) if (event.sessionUpdate) …
 */
import { AwsError } from './error';

export interface Message {
  /** Those whose values are text. */
  headers: Readonly<Record<string, string>>;
  payload: Uint8Array;
}

const PRELUDE = 12;
const CHECKSUM = 4;
/** No service frames more. */
const LARGEST = 24 << 20;
/** Bytes of a header's value by its type; texts and bytes (6, 7) say their own length. */
const SIZES: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };
const TEXT = 7;
const SIZED = 6;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum >>> 0;
});

export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}

const damaged = (what: string) => new AwsError('DamagedStream', `The answer's ${what} is damaged`, 0);

/** The message that `bytes` begin with, and its length; undefined while it has not come whole. */
export function readMessage(bytes: Uint8Array): { message: Message; length: number } | undefined {
  if (bytes.length < PRELUDE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(8) !== crc32(bytes.subarray(0, 8))) throw damaged('frame');
  const [length, headersLength] = [view.getUint32(0), view.getUint32(4)];
  if (length > LARGEST || headersLength > length - PRELUDE - CHECKSUM) throw damaged('length');
  if (bytes.length < length) return undefined;
  if (view.getUint32(length - CHECKSUM) !== crc32(bytes.subarray(0, length - CHECKSUM))) throw damaged('message');
  const payloadAt = PRELUDE + headersLength;
  const headers = readHeaders(bytes.subarray(PRELUDE, payloadAt));
  return { message: { headers, payload: bytes.slice(payloadAt, length - CHECKSUM) }, length };
}

function readHeaders(bytes: Uint8Array): Record<string, string> {
  const [headers, decoder]: [Record<string, string>, TextDecoder] = [{}, new TextDecoder()];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw damaged('header');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const name = decoder.decode(take(take(1)[0] ?? 0));
    const type = take(1)[0] ?? 0;
    const size = type === TEXT || type === SIZED ? view.getUint16((take(2), at - 2)) : SIZES[type];
    if (size === undefined) throw damaged('header');
    const value = take(size);
    if (type === TEXT) headers[name] = decoder.decode(value);
  }
  return headers;
}

/** The messages of a body, as they come. */
export async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const reader = body.getReader();
  let rest = new Uint8Array();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rest = joined(rest, value);
      for (let found = readMessage(rest); found; found = readMessage(rest)) {
        rest = rest.subarray(found.length);
        yield found.message;
      }
    }
  } finally {
    // Whoever stops listening hangs up.
    void reader.cancel().catch(() => undefined);
  }
  if (rest.length > 0) throw damaged('end');
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** The events of an answer: objects with one member, the event's name. An exception in the stream is thrown. */
export async function* events<Event>(response: Response): AsyncGenerator<Event> {
  if (!response.body) return;
  for await (const { headers, payload } of messages(response.body)) {
    const document = JSON.parse(new TextDecoder().decode(payload) || '{}') as Record<string, unknown>;
    const [type, exception] = [headers[':event-type'], headers[':exception-type'] ?? headers[':error-code']];
    if (exception) throw new AwsError(exception, String(document.message ?? exception), 0);
    if (type && type !== 'initial-response') yield { [type]: document } as Event;
  }
}
