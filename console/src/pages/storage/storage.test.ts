import { describe, expect, test } from 'vitest';

import { factsOf } from '../../aws/s3-objects';
import { nameProblem } from './CreateBucket';
import { trail } from './Objects';
import { whatOf } from './RemoveObjects';
import { choices } from './ShareLink';
import { sumOf } from './UploadPanel';
import { CsvReader, delimiterOf, hasHeader } from './csv';
import { documents, shown, tableOf } from './records';
import { lifecycleRules, notifications } from './rules';
import { baseName, contentType, folderOf, isText, lookOf } from './types';
import { partSize, type UploadItem } from './uploads';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('CSV', () => {
  const file = 'a,b\r\n1,"x, ""y"""\n\n2,"two\nlines"\r3,\n"",last';
  const rows = [['a', 'b'], ['1', 'x, "y"'], ['2', 'two\nlines'], ['3', ''], ['', 'last']];

  test('quotes, line ends and empty cells', () => {
    expect(new CsvReader().push(file, true)).toEqual(rows);
  });

  test('the same in pieces, wherever they are cut', () => {
    for (let size = 1; size < file.length; size += 1) {
      const reader = new CsvReader();
      const found: string[][] = [];
      for (let at = 0; at < file.length; at += size) found.push(...reader.push(file.slice(at, at + size), at + size >= file.length));
      expect(found, `pieces of ${size}`).toEqual(rows);
    }
  });

  test('a delimiter at the very end, and quotes that are never closed', () => {
    expect(new CsvReader().push('1,', true)).toEqual([['1', '']]);
    expect(new CsvReader().push('1,"open', true)).toEqual([['1', 'open']]);
  });

  test('delimiters and headers are guessed', () => {
    expect(delimiterOf('a;b;c\n1,5;2;3')).toBe(';');
    expect(hasHeader([['id', 'name'], ['1', 'x']])).toBe(true);
    expect(hasHeader([['1', 'x'], ['2', 'y']])).toBe(false);
    expect(hasHeader([['id', 'id'], ['1', '2']])).toBe(false);
  });
});

describe('JSON', () => {
  test('documents follow each other in any way, and the last may be cut off', () => {
    const { found, rest, broken } = documents('{"a":"}"}{"a":2}\n{"a":3},\n{"a":');
    expect([found, rest, broken]).toEqual([[{ a: '}' }, { a: 2 }, { a: 3 }], '{"a":', false]);
    expect(documents('{"a":1}\nno json\n')).toMatchObject({ found: [{ a: 1 }], broken: true });
  });

  test('a table has every column once, in the order in which they come up', () => {
    expect(tableOf([{ a: 1 }, { b: 2, a: 3 }])?.columns).toEqual(['a', 'b']);
    expect(tableOf([1, 2])).toBeUndefined();
  });

  test('values of Parquet and JSON as text', () => {
    expect([shown(null), shown(12n), shown({ a: 1n }), shown(new Date(0)), shown(new Uint8Array([1, 255]))]).toEqual([
      '', '12', '{"a":"1"}', '1970-01-01 00:00:00', '0x01ff',
    ]);
  });
});

test('how an object is shown', () => {
  const view = (key: string, type: string, head: string) => lookOf(key, type, undefined, bytes(head)).view;
  expect(view('a.csv', '', 'a,b')).toBe('csv');
  expect(view('part-0', 'binary/octet-stream', 'PAR1....')).toBe('parquet');
  expect(view('part-0', 'binary/octet-stream', '{"a":1}')).toBe('json');
  expect(view('a.parquet', '', 'not one')).toBe('text');
  expect(view('x', 'image/png', '')).toBe('image');
  expect(lookOf('a.json.gz', '', undefined, new Uint8Array([0x1f, 0x8b]))).toMatchObject({ view: 'json', gzip: true });
  expect(lookOf('a.bin', '', undefined, new Uint8Array([0, 1]))).toMatchObject({ view: 'none' });
  expect([isText(bytes('ä').slice(0, 1)), isText(new Uint8Array([0xff]))]).toEqual([true, false]);
});

test('names and folders', () => {
  expect([baseName('a/b.csv'), baseName('a/b/'), folderOf('a/b.csv'), folderOf('b')]).toEqual(['b.csv', 'b/', 'a/', '']);
  expect([contentType('x.parquet', ''), contentType('x.unknown', '')]).toEqual(['application/vnd.apache.parquet', 'application/octet-stream']);
  expect(trail('b', 'x/y/').map(({ text }) => text)).toEqual(['b', 'x', 'y']);
  expect([nameProblem('flights.raw-1'), nameProblem('A1b') !== undefined, nameProblem('1.2.3.4') !== undefined]).toEqual([undefined, true, true]);
  expect(whatOf(1200, 1)).toBe('1,200 objects and 1 folder');
});

test('uploads: parts and sums', () => {
  expect(partSize(1)).toBe(8 * 1024 * 1024);
  expect(Math.ceil(5e12 / partSize(5e12))).toBeLessThanOrEqual(10_000);
  const item = (state: UploadItem['state'], sent: number): UploadItem => ({ id: 1, bucket: 'b', key: 'k', size: 10, sent, state, error: undefined });
  expect(sumOf([item('done', 10), item('running', 4), item('failed', 7)])).toEqual({ active: 1, done: 1, failed: 1, cancelled: 0, sent: 14, size: 20 });
});

test('links last no longer than the session', () => {
  expect(choices(4000)).toEqual([60, 300, 900, 1800, 3600]);
  expect(choices(1000.7)).toEqual([60, 300, 900, 1000]);
});

test('rules in words', () => {
  const [rule] = lifecycleRules({
    Rules: [{ ID: 'r', Status: 'Enabled', Filter: { And: { Prefix: 'a/', Tags: [{ Key: 'k', Value: 'v' }] } }, Expiration: { Days: 1 }, NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 2 } }],
  });
  expect(rule).toEqual({ id: 'r', enabled: true, scope: 'Objects below a/, tagged k=v', actions: ['expire after 1 day', 'delete old versions after 3 days, beyond the newest 2'] });
  const told = notifications({ QueueConfigurations: [{ Id: 'q', QueueArn: 'arn', Events: ['e'], Filter: { Key: { FilterRules: [{ Name: 'Prefix', Value: 'in/' }] } } }], EventBridgeConfiguration: {} });
  expect(told.map(({ kind, filter }) => [kind, filter])).toEqual([['SQS queue', 'prefix in/'], ['EventBridge', '']]);
});

test('what a HEAD tells', () => {
  const facts = factsOf(new Headers({ 'content-length': '5', etag: '"abc-3"', 'x-amz-meta-owner': 'ann', 'x-amz-checksum-crc32c': 'AAAA', 'x-amz-checksum-type': 'FULL_OBJECT' }));
  expect(facts).toMatchObject({ size: 5, parts: 3, storageClass: 'STANDARD', metadata: { owner: 'ann' }, checksums: { crc32c: 'AAAA' } });
});
