import { describe, expect, test } from 'vitest';

import { crc32, events, messages, readMessage } from './event-stream';

const text = (value: string) => new TextEncoder().encode(value);
const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** From the test vectors of AWS's SDKs. */
const KNOWN = bytesOf(
  '0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1',
);

function frame(headers: Record<string, string>, payload: string): Uint8Array {
  const head = Object.entries(headers).flatMap(([name, value]) => [
    name.length,
    ...text(name),
    7,
    value.length >> 8,
    value.length & 255,
    ...text(value),
  ]);
  const body = text(payload);
  const all = new Uint8Array(16 + head.length + body.length);
  const view = new DataView(all.buffer);
  view.setUint32(0, all.length);
  view.setUint32(4, head.length);
  view.setUint32(8, crc32(all.subarray(0, 8)));
  all.set(head, 12);
  all.set(body, 12 + head.length);
  view.setUint32(all.length - 4, crc32(all.subarray(0, -4)));
  return all;
}

const event = (name: string, payload: object) => frame({ ':event-type': name, ':message-type': 'event' }, JSON.stringify(payload));

/** A body that comes in pieces of this size. */
function body(bytes: Uint8Array, piece: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += piece) controller.enqueue(bytes.subarray(at, at + piece));
      controller.close();
    },
  });
}

const all = (...frames: Uint8Array[]) => Uint8Array.from(frames.flatMap((one) => [...one]));

async function collected<T>(items: AsyncGenerator<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('the checksum is the usual one', () => expect(crc32(text('123456789'))).toBe(0xcbf43926));

describe('a message', () => {
  test('of the specification is read', () => {
    const found = readMessage(KNOWN);
    expect(found?.length).toBe(KNOWN.length);
    expect(found?.message.headers).toEqual({ 'content-type': 'application/json' });
    expect(new TextDecoder().decode(found?.message.payload)).toBe("{'foo':'bar'}");
  });

  test('that is not whole is waited for', () => {
    for (let length = 0; length < KNOWN.length; length += 1) expect(readMessage(KNOWN.subarray(0, length))).toBeUndefined();
  });

  test('with any damaged byte is refused', () => {
    for (let at = 0; at < KNOWN.length; at += 1) {
      const other = KNOWN.slice();
      other[at] = (other[at] ?? 0) ^ 1;
      expect(() => readMessage(other), `byte ${at}`).toThrow(/damaged/);
    }
  });

  test('may have headers of other types', () => {
    const head = [1, 97, 0, 1, 98, 4, 0, 0, 0, 7, 1, 99, 7, 0, 1, 120];
    const bare = frame({}, '');
    const bytes = new Uint8Array(bare.length + head.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bytes.length);
    view.setUint32(4, head.length);
    view.setUint32(8, crc32(bytes.subarray(0, 8)));
    bytes.set(head, 12);
    view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)));
    expect(readMessage(bytes)?.message.headers).toEqual({ c: 'x' });
  });
});

describe('an answer that goes on', () => {
  const stream = all(event('initial-response', {}), event('sessionStart', { sessionId: 's' }), event('sessionUpdate', { sessionResults: [] }));

  test.each([1, 7, 1000])('comes in pieces of %d bytes', async (piece) => {
    const found = await collected(events(new Response(body(stream, piece))));
    expect(found).toEqual([{ sessionStart: { sessionId: 's' } }, { sessionUpdate: { sessionResults: [] } }]);
  });

  test('ends with its exception', async () => {
    const failure = frame({ ':exception-type': 'SessionTimeoutException', ':message-type': 'exception' }, '{"message":"over"}');
    const listening = collected(events(new Response(body(all(stream, failure), 50))));
    await expect(listening).rejects.toMatchObject({ code: 'SessionTimeoutException', message: 'over' });
  });

  test('that breaks off says so', async () => {
    await expect(collected(messages(body(stream.subarray(0, -1), 50)))).rejects.toThrow(/damaged/);
  });

  test('is hung up by whoever stops listening', async () => {
    let hungUp = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(event('sessionUpdate', {})),
      cancel: () => {
        hungUp = true;
      },
    });
    for await (const _ of messages(endless)) break;
    expect(hungUp).toBe(true);
  });
});
