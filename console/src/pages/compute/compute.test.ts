import { beforeEach, describe, expect, test } from 'vitest';

import type { LogEvent } from '../../aws/logs';
import { ArchiveError, base64, crc32, pack, readArchive, unpack, writeArchive } from './archive';
import { handlerFile, languageOf, textOf } from './code';
import { NO_DRAFT, archiveOf, edited, isDirty, pathsOf, without, wrongPath } from './draft';
import { TEMPLATES, keepEvent, keptEvents, templateText } from './events';
import { culprit, failureOf } from './failure';
import { bucketsOf, invocationsOf, percentile } from './invocations';
import { foldersOf, rowsOf } from './tree';
import { isOf, principalOf, sourceOf, statementsOf } from './triggers';

/** As Python's zipfile writes it: an executable bootstrap, lib/a.py, and the folder lib/. */
const ZIP = 'UEsDBBQAAAAIAABgP1zoem33FQAAAFIAAAAJAAAAYm9vdHN0cmFwU1bUT8rM0y/O4EpNzshXyMikmAYAUEsDBBQAAAAIAABgP1w7ifaLCAAAAAYAAAAIAAAAbGliL2EucHmrULBVMOQCAFBLAwQUAAAACAAAYD9cAAAAAAIAAAAAAAAABAAAAGxpYi8DAFBLAQIUAxQAAAAIAABgP1zoem33FQAAAFIAAAAJAAAAAAAAAAAAAADtAQAAAABib290c3RyYXBQSwECFAMUAAAACAAAYD9cO4n2iwgAAAAGAAAACAAAAAAAAAAAAAAApAE8AAAAbGliL2EucHlQSwECFAMUAAAACAAAYD9cAAAAAAIAAAAAAAAABAAAAAAAAAAAAAAA7QFqAAAAbGliL1BLBQYAAAAAAwADAJ8AAACOAAAAAAA=';

const bytesOf = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const text = async (file: Parameters<typeof unpack>[0]) => new TextDecoder().decode(await unpack(file));

describe('archives', () => {
  test('files are read, with their permissions', async () => {
    const files = readArchive(bytesOf(ZIP));
    expect(files.map(({ path }) => path)).toEqual(['bootstrap', 'lib/a.py']);
    expect(files.map(({ attributes }) => attributes >>> 16)).toEqual([0o755, 0o644]);
    expect(await text(files[0]!)).toBe(`#!/bin/sh\n${'echo hi\n'.repeat(9)}`);
    expect(crc32(await unpack(files[0]!))).toBe(files[0]!.crc);
  });

  test('what is changed is packed anew, the rest stays as it was', async () => {
    const before = readArchive(bytesOf(ZIP));
    const draft = edited(edited(NO_DRAFT, 'lib/a.py', 'x = 2\n', 'x = 1\n'), 'lib/ä.json', '{}', undefined);
    const after = readArchive(await archiveOf(before, draft));
    expect(after.map(({ path }) => path)).toEqual(['bootstrap', 'lib/a.py', 'lib/ä.json']);
    expect(await Promise.all(after.slice(1).map(text))).toEqual(['x = 2\n', '{}']);
    expect(after[0]).toEqual(before[0]);
    expect(after[2]!.attributes >>> 16).toBe(0o100644);
  });

  test('the same files make the same archive, and text of any length its own again', async () => {
    const long = 'a line of code\n'.repeat(20_000);
    const make = async () => base64(writeArchive([await pack('a.py', new TextEncoder().encode(long)), await pack('e', new Uint8Array())]));
    const made = await make();
    expect(await make()).toBe(made);
    const [first, second] = readArchive(bytesOf(made));
    expect([await text(first!), await text(second!)]).toEqual([long, '']);
  });

  test('what is no archive is refused', () => {
    for (const wrong of [new Uint8Array(), new Uint8Array(100), bytesOf(ZIP).subarray(0, 60)]) expect(() => readArchive(wrong)).toThrow(ArchiveError);
    const damaged = bytesOf(ZIP);
    damaged.fill(0, 0, 8);
    expect(() => readArchive(damaged)).toThrow('damaged');
  });

  test('text is told from other files', async () => {
    const file = (content: Uint8Array<ArrayBuffer>) => pack('x', content);
    expect(await textOf(await file(new TextEncoder().encode('für')))).toEqual({ text: 'für' });
    expect(await textOf(await file(new Uint8Array([1, 0, 2])))).toEqual({ reason: 'It is no text.' });
    expect(await textOf(await file(new Uint8Array([0xff, 0xfe])))).toEqual({ reason: 'It is no text.' });
    expect(await textOf({ ...(await file(new Uint8Array())), size: 5_000_000 })).toMatchObject({ reason: /too large/ });
  });
});

describe('drafts', () => {
  const files = readArchive(bytesOf(ZIP));

  test('a change that is taken back is none', () => {
    const changed = edited(NO_DRAFT, 'lib/a.py', 'y', 'x');
    expect([isDirty(changed), isDirty(edited(changed, 'lib/a.py', 'x', 'x'))]).toEqual([true, false]);
  });

  test('files come and go', () => {
    const draft = without(edited(NO_DRAFT, 'new.py', '', undefined), 'bootstrap', true);
    expect(pathsOf(files, draft)).toEqual(['lib/a.py', 'new.py']);
    expect(pathsOf(files, without(draft, 'new.py', false))).toEqual(['lib/a.py']);
    expect(pathsOf(files, edited(draft, 'bootstrap', 'x', 'y'))).toContain('bootstrap');
  });

  test('paths', () => {
    expect([wrongPath('lib/b.py', ['a']), wrongPath('a', ['a'])]).toEqual([undefined, 'There is one already']);
    for (const wrong of ['', '/a', 'a/', '../a', 'a//b', 'a/./b']) expect(wrongPath(wrong, []), wrong).toBeDefined();
  });
});

test('the tree shows what is in open folders', () => {
  const paths = ['a.py', 'lib/b.py', 'lib/deep/c.py'];
  expect(rowsOf(paths, new Set()).map(({ path }) => path)).toEqual(['lib/', 'a.py']);
  expect(rowsOf(paths, new Set(['lib/', 'lib/deep/'])).map(({ name, depth }) => `${depth} ${name}`)).toEqual(['0 lib', '1 deep', '2 c.py', '1 b.py', '0 a.py']);
  expect(foldersOf('lib/deep/c.py')).toEqual(['lib/', 'lib/deep/']);
});

test('the file of a handler', () => {
  expect(handlerFile(['README', 'src/app.py', 'x.py'], 'src/app.handler')).toBe('src/app.py');
  expect(handlerFile(['src/app.py', 'x.py'], 'src.app.handler')).toBe('src/app.py');
  expect(handlerFile(['bootstrap', 'x.py'], 'whatever')).toBe('bootstrap');
  expect(handlerFile(['README', 'x.json'], undefined)).toBe('x.json');
  expect(['a.PY', 'b.mjs', 'c.yml', 'README'].map(languageOf)).toEqual(['python', 'javascript', 'yaml', 'text']);
});

describe('errors', () => {
  test('of Python: the innermost line is the last one', () => {
    const stackTrace = ['  File "/var/task/app.py", line 4, in handler\n    return deep()\n', '  File "/var/task/lib/a.py", line 2, in deep\n    raise ValueError("x")\n', '  File "/usr/lib/python3/json.py", line 9, in loads\n'];
    const failure = failureOf(JSON.stringify({ errorType: 'ValueError', errorMessage: 'x', stackTrace }));
    expect(failure).toMatchObject({ type: 'ValueError', message: 'x' });
    expect(failure?.stack).toHaveLength(5);
    expect(culprit(failure!)).toMatchObject({ file: 'lib/a.py', line: 2 });
  });

  test('of Node.js: the innermost line is the first one', () => {
    const trace = ['TypeError: x', '    at deep (file:///var/task/lib/a.mjs:2:9)', '    at Runtime.handler (file:///var/task/index.mjs:5:3)'];
    expect(culprit(failureOf(JSON.stringify({ errorType: 'TypeError', errorMessage: 'x', trace }))!)).toMatchObject({ file: 'lib/a.mjs', line: 2 });
  });

  test('others', () => {
    expect(failureOf('{"errorMessage": "RequestId: 1 Error: Task timed out after 3.00 seconds"}')).toMatchObject({ type: 'Error', stack: [] });
    expect([failureOf('"text"'), failureOf('no json'), failureOf('{"a": 1}'), failureOf('null')]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('invocations', () => {
  const line = (timestamp: number, message: string, logStreamName = 's'): LogEvent => ({ timestamp, message, logStreamName });
  const report = (id: string, more = '') => `REPORT RequestId: ${id}\tDuration: 20.00 ms\tBilled Duration: 30 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t${more}`;

  test('each has its outcome and what it took', () => {
    const found = invocationsOf([
      line(1000, 'START RequestId: a Version: $LATEST'),
      line(1001, 'START RequestId: b Version: 3', 't'),
      line(1010, '[ERROR] ValueError: no such airport\rTraceback (most recent call last):', 't'),
      line(1020, report('a', 'Init Duration: 90.00 ms\t')),
      line(1021, report('b'), 't'),
      line(2000, 'START RequestId: c Version: $LATEST'),
      line(2001, '[ERROR]\t2026-01-01T00:00:00.000Z\tc\tlogged, not failed'),
      line(2020, report('c')),
      line(3000, 'START RequestId: d Version: $LATEST'),
      line(3020, report('d', 'Status: timeout')),
      line(4000, 'START RequestId: e Version: $LATEST'),
    ]);
    expect(found.map(({ requestId, outcome, error }) => [requestId, outcome, error])).toEqual([
      ['e', 'RUNNING', undefined],
      ['d', 'TIMED_OUT', 'Timed out'],
      ['c', 'SUCCEEDED', undefined],
      ['b', 'FAILED', 'ValueError: no such airport'],
      ['a', 'SUCCEEDED', undefined],
    ]);
    expect(found.at(-1)).toMatchObject({ start: 1000, end: 1020, duration: 20, billed: 30, memorySize: 128, maxMemory: 40, init: 90 });
    expect(found[3]?.version).toBe('3');
  });

  test('what could not start, Node.js, and a beginning that lies before the range', () => {
    const found = invocationsOf([
      line(500, report('z')),
      line(990, "[ERROR] Runtime.ImportModuleError: Unable to import module 'app'"),
      line(1000, 'START RequestId: a Version: 1'),
      line(1001, report('a', 'Status: error\tError Type: Runtime.ImportModuleError')),
      line(2000, 'START RequestId: b Version: 1', 't'),
      line(2001, '2026-01-01T00:00:00.000Z\tb\tERROR\tInvoke Error \t{"errorType":"TypeError","errorMessage":"x is not a function"}', 't'),
      line(2002, report('b'), 't'),
    ]);
    expect(found.map(({ requestId, outcome, error }) => [requestId, outcome, error])).toEqual([
      ['b', 'FAILED', 'TypeError: x is not a function'],
      ['a', 'FAILED', "Runtime.ImportModuleError: Unable to import module 'app'"],
      ['z', 'SUCCEEDED', undefined],
    ]);
    expect(found[2]?.start).toBe(480);
  });

  test('stretches of time, with those in which nothing happened', () => {
    const found = invocationsOf([line(60_000, report('a')), line(61_000, report('b', 'Status: timeout')), line(180_500, report('c'))]);
    const buckets = bucketsOf(found, 0, 240_000);
    expect(buckets).toHaveLength(49);
    expect(buckets.filter(({ count }) => count > 0).map(({ at, count, errors, average, maxMemory }) => [at.getTime(), count, errors, average, maxMemory])).toEqual([
      [55_000, 1, 0, 20, 40],
      [60_000, 1, 1, 20, 40],
      [180_000, 1, 0, 20, 40],
    ]);
    expect(bucketsOf([], 0, 7 * 86_400_000).length).toBeLessThan(92);
    expect([percentile([3, 1, 2], 0.5), percentile([1], 0.95), percentile([], 0.5)]).toEqual([2, 1, undefined]);
  });
});

describe('test events', () => {
  beforeEach(() => localStorage.clear());

  test('templates are JSON', () => {
    const place = { region: 'eu-central-1', account: '000000000000', arn: 'arn', now: new Date(0) };
    for (const { id } of TEMPLATES) expect(() => JSON.parse(templateText(id, place)), id).not.toThrow();
    expect(templateText('firehose', place)).toContain('eu-central-1');
  });

  test('what is kept is found again, for its function only', () => {
    keepEvent('f', { name: 'b', body: '1' });
    keepEvent('f', { name: 'a', body: '2' });
    keepEvent('f', { name: 'b', body: '3' });
    expect(keptEvents('f')).toEqual([{ name: 'a', body: '2' }, { name: 'b', body: '3' }]);
    expect(keepEvent('f', { name: 'a' })).toEqual([{ name: 'b', body: '3' }]);
    expect(keptEvents('g')).toEqual([]);
    localStorage.setItem('boathouse.events.g', 'damaged');
    expect(keptEvents('g')).toEqual([]);
  });
});

test('policies', () => {
  const statement = { Sid: 's', Principal: { Service: 's3.amazonaws.com' }, Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::b' } } };
  const [found] = statementsOf(JSON.stringify({ Statement: [statement] }));
  expect([sourceOf(found!), principalOf(found!), principalOf({ Principal: '*' })]).toEqual(['arn:aws:s3:::b', 's3.amazonaws.com', '*']);
  const arn = 'arn:aws:lambda:r:1:function:f';
  expect([arn, `${arn}:live`, `arn:aws:apigateway:r:lambda:path/2015-03-31/functions/${arn}/invocations`, `${arn}ull`, undefined].map((one) => isOf(arn, one))).toEqual([true, true, true, false, false]);
});
