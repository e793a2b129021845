import { describe, expect, test } from 'vitest';

import type { ExecutionStatus, HistoryEvent, listExecutionPage } from '../../aws/states';
import { jsonProblems } from '../../lib/json';
import { END, type Flow, START, condition, draw, integration, parseDefinition } from './asl';
import { ExecutionsReader } from './executions-reader';
import { itemsOf, onlyItem, tell } from './history';
import { locate } from './locate';
import { paint } from './paint';
import { HistoryReader } from './reader';

const FLOW: Flow = {
  StartAt: 'Split',
  States: {
    Last: { Type: 'Succeed' },
    Split: {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'A', States: { A: { Type: 'Task', Resource: 'arn:aws:states:::glue:startJobRun.sync', End: true } } },
        { StartAt: 'M', States: { M: { Type: 'Map', ItemProcessor: { StartAt: 'I', States: { I: { Type: 'Pass', End: true } } }, End: true } } },
      ],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Ask' }],
      Next: 'Ask',
    },
    Ask: { Type: 'Choice', Choices: [{ Variable: '$.n', NumericGreaterThan: 1, Next: 'Last' }], Default: 'Last' },
  },
};

describe('definitions', () => {
  const { nodes, edges, frames } = draw(FLOW);

  test('are drawn from their first state on, with frames around what is inside', () => {
    expect(nodes.map(({ id }) => id)).toEqual([START, 'A', 'I', 'Last', 'Ask', END]);
    expect(frames.map(({ title = 'branch', inside }) => `${title} in ${inside ?? 'the machine'}`)).toEqual([
      'branch in Split',
      'branch in Split',
      expect.stringMatching(/^M in Split/),
      'Split in the machine',
    ]);
    expect(nodes.find(({ id }) => id === 'I')?.inside).toBe('M');
    expect(nodes.find(({ id }) => id === 'A')).toMatchObject({ kind: 'Task, glue', detail: 'startJobRun.sync' });
  });

  test('arrows lead from the start to the end, and the ways of errors are dashed', () => {
    expect(edges.map(({ from, to, label = '', dashed }) => `${from}${dashed ? '--' : '>'}${to} ${label}`.trim())).toEqual([
      `${START}>Split`,
      'Split>Ask',
      'Split--Ask any error',
      'Ask>Last n > 1',
      'Ask>Last default',
      `Last>${END}`,
    ]);
  });

  test('are drawn as far as they go while they are wrong', () => {
    expect(draw({ States: { A: { Next: 'B', Catch: {} as never }, B: 3 as never } }).nodes).toHaveLength(1);
    expect(parseDefinition('[]')).toBeUndefined();
    expect(parseDefinition('{')).toBeUndefined();
  });

  test('conditions are said in short', () => {
    expect(condition({ And: [{ Variable: '$.a', StringEquals: 'x' }, { Not: { Variable: '$.b', IsNull: true } }] })).toBe('a = "x" and not b is null');
    expect(condition({ Condition: '{% $n > 3 %}' })).toBe('$n > 3');
    expect(integration('arn:aws:states:::aws-sdk:glue:getJobs')).toEqual(['glue', 'getJobs']);
  });
});

let events: HistoryEvent[] = [];
const event = (previousEventId: number, type: string, details: Record<string, unknown> = {}) => {
  const id = events.length + 1;
  events.push({ id, previousEventId, type, timestamp: 100 + id, someEventDetails: details });
  return id;
};
const told = (make: () => void) => {
  events = [];
  make();
  return tell(events);
};

describe('histories', () => {
  test('a step that fails, and is redriven', () => {
    const steps = told(() => {
      event(0, 'ExecutionStarted');
      event(0, 'TaskStateEntered', { name: 'J', input: '{}' });
      event(2, 'TaskScheduled');
      event(3, 'TaskStarted');
      event(4, 'TaskFailed', { error: 'E', cause: 'c' });
      event(5, 'ExecutionFailed', { error: 'E', cause: 'c' });
      event(6, 'ExecutionRedriven');
      event(5, 'TaskScheduled');
      event(8, 'TaskFailed', { error: 'F', cause: 'd' });
      event(9, 'ExecutionFailed', { error: 'F', cause: 'd' });
    });
    expect(steps).toMatchObject([{ name: 'J', status: 'FAILED', retries: 1, error: 'F', cause: 'd', began: 102, ended: 109 }]);
  });

  test('a Fail inside of a Parallel that is caught', () => {
    const steps = told(() => {
      event(0, 'ParallelStateEntered', { name: 'Split' });
      event(1, 'ParallelStateStarted');
      event(2, 'FailStateEntered', { name: 'F' });
      event(2, 'WaitStateEntered', { name: 'W' });
      event(3, 'ParallelStateFailed');
      event(5, 'ParallelStateExited', { name: 'Split' });
      event(6, 'ChoiceStateEntered', { name: 'Ask' });
      event(7, 'ChoiceStateExited', { name: 'Ask' });
    });
    expect(steps.map(({ name, status }) => `${name} ${status}`)).toEqual(['Split CAUGHT', 'F FAILED', 'W ABORTED', 'Ask SUCCEEDED']);
    expect(steps.map(({ after }) => after)).toEqual([undefined, 'Split', 'Split', 'Split']);
    const { edges, frames } = paint(draw(FLOW), steps, 0);
    expect(edges.filter(({ tone }) => tone === 'bad' || tone === 'good').map(({ from, to, dashed, tone }) => `${from}${dashed ? '--' : '>'}${to} ${tone}`)).toEqual([`${START}>Split good`, 'Split--Ask bad']);
    expect(frames.find(({ id }) => id === 'Split')).toMatchObject({ tone: 'waiting' });
  });

  test('items of a Map are steps of their own, and the picture counts them', () => {
    const steps = told(() => {
      event(0, 'MapStateEntered', { name: 'M' });
      event(1, 'MapStateStarted', { length: 2 });
      event(2, 'MapIterationStarted', { name: 'M', index: 0 });
      event(2, 'MapIterationStarted', { name: 'M', index: 1 });
      event(3, 'PassStateEntered', { name: 'I' });
      event(4, 'PassStateEntered', { name: 'I' });
      event(5, 'PassStateExited', { name: 'I' });
      event(7, 'MapIterationSucceeded', { name: 'M', index: 0 });
    });
    expect(steps.map(({ name, index, status, parent }) => [name, index, status, parent?.name])).toEqual([
      ['M', undefined, 'RUNNING', undefined],
      ['I', 0, 'SUCCEEDED', 'M'],
      ['I', 1, 'RUNNING', 'M'],
    ]);
    const [map] = steps;
    if (!map) throw new Error('there is no Map');
    expect(itemsOf(map).map(({ index, status }) => `${index} ${status}`)).toEqual(['0 SUCCEEDED', '1 RUNNING']);
    const { nodes } = paint(draw(FLOW), steps, 0);
    expect(nodes.find(({ id }) => id === 'I')).toMatchObject({ tone: 'busy', detail: '1 running, 1 succeeded' });
    const first = paint(draw(FLOW), onlyItem(steps, map, 0), 200_000);
    expect(first.nodes.find(({ id }) => id === 'I')).toMatchObject({ tone: 'good' });
    expect(first.frames.find(({ id }) => id === 'M')?.detail).toContain('1 running, 1 succeeded');
  });

  test('are read as they grow, each event once', async () => {
    const all: HistoryEvent[] = Array.from({ length: 1500 }, (_, at) => ({ id: at + 1, timestamp: at, type: 'X' }));
    let calls = 0;
    const reader = new HistoryReader('arn', async (_, token, most) => {
      calls += 1;
      const end = token ? Number(token) : all.length;
      const from = Math.max(0, end - most);
      return { events: all.slice(from, end).reverse(), ...(from > 0 ? { nextToken: String(from) } : {}) };
    });
    expect((await reader.more()).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(calls).toBe(2);
    for (let id = 1501; id <= 1700; id += 1) all.push({ id, timestamp: id, type: 'X' });
    await Promise.all([reader.more(), reader.more()]);
    expect((await reader.more()).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  });
});

describe('ten thousand executions', () => {
  const server = () => {
    const all = Array.from({ length: 10_000 }, (_, at) => ({ executionArn: `e${at}`, stateMachineArn: 'm', name: `e${at}`, status: 'SUCCEEDED' as ExecutionStatus, startDate: at }));
    const calls: string[] = [];
    const page: typeof listExecutionPage = async (_, { nextToken, maxResults, statusFilter }) => {
      calls.push(statusFilter ?? `page ${nextToken ?? 0}`);
      const fitting = all.filter(({ status }) => !statusFilter || status === statusFilter).reverse();
      const from = Number(nextToken ?? 0);
      const more = from + maxResults < fitting.length;
      return { executions: fitting.slice(from, from + maxResults).map((one) => ({ ...one })), ...(more ? { nextToken: String(from + maxResults) } : {}) };
    };
    const describeOne = async (arn: string) => {
      calls.push(arn);
      return { ...all.find(({ executionArn }) => executionArn === arn)! };
    };
    return { all, calls, reader: new ExecutionsReader('m', page, describeOne) };
  };

  test('are read page by page, and a look costs two calls however many are known', async () => {
    const { all, calls, reader } = server();
    while (!reader.complete) {
      await reader.look();
      reader.wantOlder();
    }
    calls.length = 0;
    expect((await reader.look()).map(({ name }) => name)).toEqual(all.map(({ name }) => name).reverse());
    expect(calls).toEqual(['page 0', 'RUNNING']);
  });

  test('those that run are followed to their end, and new ones are not missed', async () => {
    const { all, calls, reader } = server();
    all[9_000]!.status = 'RUNNING';
    for (let pages = 0; pages < 4; pages += 1) {
      await reader.look();
      reader.wantOlder();
    }
    expect((await reader.look()).find(({ name }) => name === 'e9000')?.status).toBe('RUNNING');
    all[9_000]!.status = 'FAILED';
    all.push(...Array.from({ length: 700 }, (_, at) => ({ ...all[0]!, executionArn: `n${at}`, name: `n${at}`, startDate: 20_000 + at })));
    calls.length = 0;
    const found = await reader.look();
    expect(found.slice(0, 700).map(({ name }) => name)).toEqual(Array.from({ length: 700 }, (_, at) => `n${699 - at}`));
    expect(found.find(({ name }) => name === 'e9000')?.status).toBe('FAILED');
    expect(calls).toEqual(['page 0', 'page 500', 'RUNNING', 'e9000']);
  });
});

test('problems stand where they are', () => {
  const text = '{\n  "States": {\n    "A/b": {"Next": [1, {"x": "]"}, 3]}\n  }\n}';
  expect(locate(text, '/States/A~1b/Next')).toEqual({ line: 3, column: 13 });
  expect(locate(text, '/States/A~1b/Next/2')).toEqual({ line: 3, column: 37 });
  expect(locate(text, '/States/A~1b/Missing')).toEqual({ line: 3, column: 5 });
  expect(locate(text, '')).toEqual({ line: 1, column: 1 });
  expect(jsonProblems('{}')).toEqual([]);
  expect(jsonProblems('{\n "a": }')[0]).toMatchObject({ line: 2 });
});
