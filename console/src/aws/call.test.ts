import { describe, expect, test } from 'vitest';

import { collect, errorOf, flatten } from './call';
import { AwsError, advice } from './error';
import { parseMetrics } from './platform';
import { Xml } from './xml';

describe('parameters of the query protocol', () => {
  test('lists, objects and what is missing', () => {
    const given = { Name: 'a', Tags: [{ Key: 'k', Value: 'v' }], Ids: ['x', 'y'], Missing: undefined, Deep: { Flag: true } };
    expect(flatten(given)).toEqual([
      ['Name', 'a'],
      ['Tags.member.1.Key', 'k'],
      ['Tags.member.1.Value', 'v'],
      ['Ids.member.1', 'x'],
      ['Ids.member.2', 'y'],
      ['Deep.Flag', 'true'],
    ]);
  });
});

describe('errors', () => {
  const answer = (body: string, headers: Record<string, string> = {}, status = 400) =>
    errorOf(new Response(body, { status, headers: { 'x-amzn-requestid': 'r', ...headers } }));

  test('of JSON', async () => {
    const error = await answer('{"__type":"com.amazonaws#EntityNotFoundException","Message":"no","Detail":1}');
    expect([error.code, error.message, error.requestId, error.details]).toEqual(['EntityNotFoundException', 'no', 'r', { Detail: 1 }]);
    expect(error.isMissing).toBe(true);
  });

  test('of REST-JSON, whose code stands in a header', async () => {
    const error = await answer('{"message":"no"}', { 'x-amzn-errortype': 'ResourceNotFoundException:http://x' }, 404);
    expect([error.code, error.message, error.status]).toEqual(['ResourceNotFoundException', 'no', 404]);
  });

  test('of S3 and of the query protocol', async () => {
    const xml = { 'content-type': 'application/xml' };
    const s3 = await answer('<Error><Code>NoSuchKey</Code><Message>a &amp; b</Message></Error>', xml, 404);
    expect([s3.code, s3.message]).toEqual(['NoSuchKey', 'a & b']);
    const query = await answer('<ErrorResponse><Error><Code>ExpiredToken</Code><Message>m</Message></Error></ErrorResponse>', xml, 403);
    expect([query.code, query.endsSession]).toEqual(['ExpiredToken', true]);
  });

  test('without a document', async () => {
    expect((await answer('', {}, 404)).code).toBe('NotFound');
    expect((await answer('oops', {}, 502)).message).toBe('oops');
  });

  test('a refusal is no end of the session', () => {
    const error = new AwsError('AccessDeniedException', 'no', 403);
    expect([error.isDenied, error.endsSession]).toEqual([true, false]);
    expect(advice(error)).toContain('permission');
  });
});

test('pages are collected until there is no next one, or enough', async () => {
  const pages: Record<string, { items: number[]; next: string | undefined }> = {
    '': { items: [1, 2], next: 'a' },
    a: { items: [3], next: 'b' },
    b: { items: [4], next: undefined },
  };
  const page = async (token: string | undefined) => pages[token ?? ''] ?? { items: [], next: undefined };
  expect(await collect(page)).toEqual([1, 2, 3, 4]);
  expect(await collect(page, 3)).toEqual([1, 2, 3]);
});

test('XML is read by names, and what is missing is empty', () => {
  const xml = Xml.parse('<R xmlns="u"><Roles><member><Name>a</Name></member><member><Name>b</Name></member></Roles><N>3</N><T>true</T></R>');
  expect(xml.members('Roles').map((role) => role.text('Name'))).toEqual(['a', 'b']);
  expect([xml.number('N'), xml.flag('T'), xml.text('No', 'Way'), xml.maybe('No'), xml.time('No')]).toEqual([3, true, '', undefined, undefined]);
});

test('metrics', () => {
  const text = '# HELP x y\nboathouse_calls_total{service="s3",operation="Get\\"Object"} 12\nup 1\nbroken';
  expect(parseMetrics(text)).toEqual([
    { name: 'boathouse_calls_total', labels: { service: 's3', operation: 'Get"Object' }, value: 12 },
    { name: 'up', labels: {}, value: 1 },
  ]);
});
