import { expect, test, vi } from 'vitest';

const ids = Array.from({ length: 1234 }, (_, at) => `id-${String(at).padStart(5, '0')}`);
let newest: string[] = [];
let gets = 0;

vi.mock('../../aws/athena', () => ({
  isOver: (state: string) => state === 'SUCCEEDED',
  athena: async (operation: string, input: { NextToken?: string; QueryExecutionIds?: string[] }) => {
    if (operation === 'ListQueryExecutions') {
      const all = [...newest, ...ids];
      // Tokens name the last one given, so that new ones don't move the pages.
      const from = input.NextToken ? all.indexOf(input.NextToken) + 1 : 0;
      const part = all.slice(from, from + 50);
      return { QueryExecutionIds: part, NextToken: from + 50 < all.length ? part.at(-1) : undefined };
    }
    gets += input.QueryExecutionIds?.length ?? 0;
    return {
      QueryExecutions: (input.QueryExecutionIds ?? []).map((id) => ({
        QueryExecutionId: id,
        Status: { State: id === 'running' ? 'RUNNING' : 'SUCCEEDED', SubmissionDateTime: newest.includes(id) ? 9e8 : 8e8 - Number(id.slice(3)) },
      })),
    };
  },
}));

test('the past is read in strides, each execution once', async () => {
  const { readHistory } = await import('./history');
  const first = await readHistory(['primary']);
  expect([first.executions.length, first.complete]).toEqual([50, false]);
  let found = await readHistory(['primary']);
  while (!found.complete) found = await readHistory(['primary']);
  expect(found.executions.map((one) => one.QueryExecutionId)).toEqual(ids);
  expect(gets).toBe(ids.length);
  newest = ['running'];
  expect((await readHistory(['primary'])).executions[0]?.QueryExecutionId).toBe('running');
  // What is not over is read again, and nothing else.
  await readHistory(['primary']);
  expect(gets).toBe(ids.length + 2);
});
