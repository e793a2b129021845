import { describe, expect, test } from 'vitest';

import { AwsError } from '../aws/error';
import type { LogEvent, LogFilter } from '../aws/logs';
import { buckets } from './log-buckets';
import { LogFeed, MOST, merge } from './log-feed';
import { jsonOf, kindOf, reportOf, requestOf, unfolded } from './log-lines';
import { rangeLabel, rangeOf, rangeText } from './log-range';

const ID = '0af7651a-0000-4000-8000-123456789abc';

const event = (timestamp: number, message = `line ${timestamp}`): LogEvent => ({ timestamp, message, logStreamName: 's', eventId: `${timestamp} ${message}` });

/** A server that answers these pages, one after the other, and remembers what it was asked. */
function server(pages: ({ events: LogEvent[]; nextToken?: string } | Error)[]) {
  const asked: LogFilter[] = [];
  const read = (input: LogFilter) => {
    asked.push(input);
    const page = pages.shift() ?? { events: [] };
    return page instanceof Error ? Promise.reject(page) : Promise.resolve(page);
  };
  return { asked, read };
}

describe('reading a log', () => {
  test('pages of a search follow each other, and then what is new', async () => {
    const { asked, read } = server([{ events: [event(10_000)], nextToken: 't' }, { events: [event(20_000)] }, { events: [event(20_000), event(30_000)] }]);
    const feed = new LogFeed({ group: 'g', streams: ['s'], pattern: 'x', from: 5_000 }, read);
    expect((await feed.more()).ended).toBe(false);
    expect((await feed.more()).ended).toBe(true);
    const { lines } = await feed.more();
    expect(lines.map(({ timestamp }) => timestamp)).toEqual([10_000, 20_000, 30_000]);
    const base = { logGroupName: 'g', logStreamNames: ['s'], filterPattern: 'x' };
    expect(asked).toEqual([{ ...base, startTime: 5_000 }, { ...base, startTime: 5_000, nextToken: 't' }, { ...base, startTime: 15_000 }]);
  });

  test('what comes late stands in its place', async () => {
    const { read } = server([{ events: [event(10_000), event(12_000)] }, { events: [event(11_000)] }]);
    const feed = new LogFeed({ group: 'g' }, read);
    await feed.more();
    expect((await feed.more()).lines.map(({ timestamp }) => timestamp)).toEqual([10_000, 11_000, 12_000]);
  });

  test('the last lines are kept', async () => {
    const many = Array.from({ length: MOST }, (_, at) => event(at));
    const { read } = server([{ events: many, nextToken: 't' }, { events: [event(MOST), event(MOST + 1)] }]);
    const feed = new LogFeed({ group: 'g' }, read);
    await feed.more();
    const { lines, dropped } = await feed.more();
    expect([lines.length, dropped, lines[0]?.timestamp]).toEqual([MOST, 2, 2]);
  });

  test('a group that is not there yet is no error, others are', async () => {
    const { read } = server([new AwsError('ResourceNotFoundException', 'none', 400), new AwsError('InvalidParameterException', 'bad', 400)]);
    const feed = new LogFeed({ group: 'g' }, read);
    expect(await feed.more()).toEqual({ lines: [], ended: true, dropped: 0, missing: true });
    await expect(feed.more()).rejects.toThrow('bad');
  });
});

describe('lines', () => {
  test('kinds', () => {
    const kinds: Record<string, string> = {
      [`START RequestId: ${ID} Version: $LATEST`]: 'start',
      [`END RequestId: ${ID}`]: 'end',
      [`REPORT RequestId: ${ID}\tDuration: 1.50 ms\t`]: 'report',
      [`REPORT RequestId: ${ID}\tDuration: 1.50 ms\tStatus: timeout`]: 'error',
      '[ERROR] KeyError: x\rTraceback (most recent call last):': 'error',
      'ValueError: no such airport': 'error',
      [`2026-01-01T00:00:00.000Z ${ID} Task timed out after 3.00 seconds`]: 'error',
      [`2026-01-01T00:00:00.000Z\t${ID}\tWARN\tslow`]: 'warning',
      '[DEBUG] x': 'debug',
      '{"level": "error", "message": "x"}': 'error',
      '{"level": "info", "message": "no ERROR here"}': 'plain',
      'no errors at all': 'plain',
    };
    for (const [message, kind] of Object.entries(kinds)) expect(kindOf(message), message).toBe(kind);
  });

  test('JSON, alone and behind what Node.js writes before it', () => {
    expect(jsonOf('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(jsonOf(`2026-01-01T00:00:00.000Z\t${ID}\tINFO\t{"a":1}`)).toBe('{\n  "a": 1\n}');
    expect(jsonOf('[ERROR] x')).toBeUndefined();
    expect(jsonOf('plain')).toBeUndefined();
  });

  test('requests and reports', () => {
    expect(requestOf(`END RequestId: ${ID}`)).toBe(ID);
    expect(requestOf('nothing')).toBeUndefined();
    const line = `REPORT RequestId: ${ID}\tDuration: 1.50 ms\tBilled Duration: 92 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 90.00 ms\t`;
    expect(reportOf(line)).toEqual({ requestId: ID, duration: 1.5, billed: 92, memorySize: 128, maxMemory: 40, init: 90 });
    expect(reportOf(`REPORT RequestId: ${ID}\tDuration: 3000.00 ms\tStatus: timeout`)).toMatchObject({ duration: 3000, status: 'timeout' });
    expect(reportOf('x')).toBeUndefined();
    expect(unfolded('a\rb\r\nc\n')).toBe('a\nb\nc');
  });
});

test('ranges', () => {
  expect(rangeOf('15m', 1_000_000)).toEqual({ from: 100_000 });
  expect(rangeOf('all', 5)).toEqual({});
  expect(rangeOf(rangeText(10.5, 20.2), 5)).toEqual({ from: 10, to: 21 });
  expect(rangeLabel('1h')).toBe('Last hour');
  expect(rangeLabel(rangeText(1_764_220_000_000, 1_764_220_001_000))).toMatch(/^20\d\d-\d\d-\d\d \d\d:\d\d:40 – \d\d:\d\d:41$/);
});

test('lines of several groups stand in one order', () => {
  const state = (lines: LogEvent[], ended = true) => ({ lines, ended, dropped: 1, missing: false });
  const merged = merge([state([event(1), event(3)]), state([event(2)], false)]);
  expect(merged.lines.map(({ timestamp }) => timestamp)).toEqual([1, 2, 3]);
  expect([merged.ended, merged.dropped]).toEqual([false, 2]);
});

test('lines are counted in lengths of time that people know', () => {
  const minute = 60_000;
  const found = buckets([event(10 * minute), event(10 * minute + 1, 'ERROR x'), event(70 * minute)], { from: 9.5 * minute }, 71 * minute);
  expect(found[0]).toMatchObject({ from: 9 * minute, to: 10 * minute - 1, lines: 0 });
  expect(found[1]).toMatchObject({ lines: 2, errors: 1 });
  expect(found.at(-1)).toMatchObject({ from: 71 * minute, lines: 0 });
  expect(found.reduce((sum, { lines }) => sum + lines, 0)).toBe(3);
  expect(buckets([], {}, minute)).toEqual([]);
  expect(buckets([event(1), event(86_400_000 * 1_000)], {}, 0).length).toBeLessThan(90);
});
