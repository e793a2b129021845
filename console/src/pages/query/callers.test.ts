import { expect, test } from 'vitest';

import type { Lookup } from '../../aws/cloudtrail';
import { Callers } from './callers';

/** Queries one second apart, each by `user-N`; every third call was refused and began nothing. */
const EVENTS = Array.from({ length: 300 }, (_, at) => 1_000 + at)
  .reverse()
  .map((time) => ({
    EventId: String(time),
    EventName: 'StartQueryExecution',
    EventSource: 'athena.amazonaws.com',
    EventTime: time,
    Username: `user-${time}`,
    CloudTrailEvent: JSON.stringify({ responseElements: time % 3 === 0 ? null : { queryExecutionId: `q-${time}` }, userIdentity: { arn: `arn:aws:iam::0:user/user-${time}` } }),
  }));

function history() {
  let calls = 0;
  const callers = new Callers(async ({ EndTime = 0, NextToken, MaxResults = 50 }: Lookup) => {
    calls += 1;
    const fitting = EVENTS.filter(({ EventTime }) => EventTime <= EndTime);
    const from = Number(NextToken ?? 0);
    const more = from + MaxResults < fitting.length;
    return { Events: fitting.slice(from, from + MaxResults), ...(more ? { NextToken: String(from + MaxResults) } : {}) };
  });
  return { callers, calls: () => calls };
}

test('rows in sight share look-ups, and what is known is not asked again', async () => {
  const { callers, calls } = history();
  const rows = [1_298, 1_297, 1_295, 1_280, 1_270];
  const found = await Promise.all(rows.map((time) => callers.of(`q-${time}`, time + 0.4)));
  expect(found.map((caller) => caller?.name)).toEqual(rows.map((time) => `user-${time}`));
  expect(calls()).toBe(1);
  expect(await callers.of('q-1298', 1_298)).toMatchObject({ arn: 'arn:aws:iam::0:user/user-1298' });
  expect(calls()).toBe(1);
});

test('what lies far apart costs one look-up each, and what the history lacks ends', async () => {
  const { callers, calls } = history();
  const [late, early, never] = await Promise.all([callers.of('q-1298', 1_298), callers.of('q-1010', 1_010), callers.of('q-other', 1_150)]);
  expect([late?.name, early?.name, never]).toEqual(['user-1298', 'user-1010', undefined]);
  expect(calls()).toBe(3);
});

test('a refusal is told to everybody who waits, and the next one asks anew', async () => {
  let refuse = true;
  const callers = new Callers(async () => {
    if (refuse) throw new Error('AccessDenied');
    return { Events: EVENTS.slice(0, 50) };
  });
  await expect(Promise.all([callers.of('q-1298', 1_298), callers.of('q-1297', 1_297)])).rejects.toThrow('AccessDenied');
  refuse = false;
  expect((await callers.of('q-1298', 1_298))?.name).toBe('user-1298');
});
