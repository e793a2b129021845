import { expect, test } from 'vitest';

import type { JobRun } from '../../aws/glue';
import type { ScheduleDetails } from '../../aws/events';
import { isExpression } from './cron';
import { placeOf, readArguments } from './jobs';
import { EXAMPLES, eventFor } from './patterns';
import { factText, factsOf, failedNode, paintRun } from './run-facts';
import { draftOf, problemOfMoment, scheduleOf } from './schedule-draft';
import { TEMPLATES } from './templates';
import { draw } from './asl';
import { drawNodes, mappingOf, settingsOf, visualNodes } from './visual';

const SCHEDULE: ScheduleDetails = {
  Name: 'nightly',
  GroupName: 'default',
  Arn: 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/nightly',
  State: 'DISABLED',
  ScheduleExpression: 'cron(30 3 * * ? *)',
  ScheduleExpressionTimezone: 'Europe/Berlin',
  StartDate: 1_772_323_200,
  FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
  ActionAfterCompletion: 'NONE',
  Target: { Arn: 'arn:aws:sqs:us-east-1:000000000000:q', RoleArn: 'arn:r', Input: '{}', DeadLetterConfig: { Arn: 'arn:aws:sqs:us-east-1:000000000000:dead' } },
};

test('a schedule that is edited without a change stays what it was', () => {
  const { Arn: _arn, ...input } = SCHEDULE;
  expect(scheduleOf(draftOf(SCHEDULE), input)).toEqual(input);
});

test('what the form takes away is gone, and what it does not know stays', () => {
  const { Arn: _arn, ...input } = SCHEDULE;
  const changed = scheduleOf({ ...draftOf(SCHEDULE), input: '', begins: '', window: '0', attempts: '3', expression: 'at(2026-03-01T00:00:00)', once: true }, input);
  expect(changed.Target).toEqual({ Arn: SCHEDULE.Target?.Arn, RoleArn: 'arn:r', DeadLetterConfig: SCHEDULE.Target?.DeadLetterConfig, RetryPolicy: { MaximumRetryAttempts: 3 } });
  expect(changed).toMatchObject({ FlexibleTimeWindow: { Mode: 'OFF' }, ActionAfterCompletion: 'DELETE' });
  expect(changed.StartDate).toBeUndefined();
  expect([problemOfMoment(''), problemOfMoment('2026-03-01T00:00:00Z'), problemOfMoment('soon')]).toEqual([undefined, undefined, 'This is no time']);
});

test('expressions are told from other texts', () => {
  expect(['rate(5 minutes)', 'cron(0 3 * * ? *)', 'at(2026-03-01T00:00:00)'].every(isExpression)).toBe(true);
  expect(['', 'rate(5)', 'cron(0 3 * * * *)', 'at(tomorrow)', 'daily'].some(isExpression)).toBe(false);
});

test('an event is suggested for each pattern', () => {
  for (const { pattern, event } of EXAMPLES) {
    expect(JSON.parse(eventFor(JSON.stringify(pattern), '1', 'r', 0))).toMatchObject({ ...event, account: '1', region: 'r', time: '1970-01-01T00:00:00Z' });
  }
  const own = JSON.stringify({ source: ['mine'], detail: { price: [{ numeric: ['>', 3] }], name: [{ prefix: 'a' }], $or: [{ x: [1] }] } });
  expect(JSON.parse(eventFor(own, '1', 'r', 0))).toMatchObject({ source: 'mine', 'detail-type': 'Order placed', detail: { price: 3, name: 'a…' } });
  expect(JSON.parse(eventFor('{', '1', 'r', 0))).toMatchObject({ source: 'shop.orders' });
});

test('arguments are names and texts, and scripts lie in buckets', () => {
  expect(readArguments('{"--day": "1"}')).toEqual({ '--day': '1' });
  expect([readArguments('{"--day": 1}'), readArguments('[]'), readArguments('{')]).toEqual([undefined, undefined, undefined]);
  expect(placeOf('s3://b/k/x.py')).toEqual({ bucket: 'b', key: 'k/x.py' });
  expect([placeOf('s3://b/'), placeOf(undefined)]).toEqual([undefined, undefined]);
});

test('every template has states and ends', () => {
  for (const { definition, id } of TEMPLATES) expect(draw(definition).nodes.map(({ title }) => title), id).toEqual(expect.arrayContaining(['Start', 'End']));
});

const NODES = {
  s: { S3CsvSource: { Name: 'Flights', Paths: ['s3://b/in/'], WithHeader: true, Separator: 'comma' } },
  m: { ApplyMapping: { Name: 'Types', Inputs: ['s'], Mapping: [{ FromPath: ['delay'], FromType: 'string', ToKey: 'minutes', ToType: 'int' }, { FromPath: ['x'], FromType: 'string', Dropped: true }] } },
  f: {
    Filter: {
      Name: 'Late',
      Inputs: ['m'],
      LogicalOperator: 'OR',
      Filters: [
        { Operation: 'GT', Values: [{ Type: 'COLUMNEXTRACTED', Value: ['delay'] }, { Type: 'CONSTANT', Value: ['0'] }] },
        { Operation: 'ISNULL', Negated: true, Values: [{ Type: 'COLUMNEXTRACTED', Value: ['day'] }] },
      ],
    },
  },
  j: { Join: { Name: 'Names', Inputs: ['f', 's'], JoinType: 'left', Columns: [{ From: 'f', Keys: [['code']] }, { From: 's', Keys: [['carrier']] }] } },
  a: { Aggregate: { Name: 'Sums', Inputs: ['j'], Groups: [['day']], Aggs: [{ Column: ['delay'], AggFunc: 'avg' }] } },
  t: { S3GlueParquetTarget: { Name: 'Master', Inputs: ['a'], Path: 's3://b/out/', SchemaChangePolicy: { EnableUpdateCatalog: true, Table: 'flights' } } },
};

test('settings of nodes are said as people say them', () => {
  const of = (id: string) => settingsOf(visualNodes(NODES).find((node) => node.id === id)!).map(({ label, text }) => `${label}: ${text}`);
  expect(of('s')).toEqual(['With header: Yes', 'Separator: comma']);
  expect(of('f')).toEqual(['Logical operator: OR', 'Filters: delay > "0" or not day is null']);
  expect(of('j')).toEqual(['Join type: left', 'Columns: code = carrier']);
  expect(of('a')).toEqual(['Groups: day', 'Aggs: avg(delay)']);
  expect(of('t')).toEqual(['Schema change policy: Enable update catalog: Yes, Table: flights']);
  expect(mappingOf(visualNodes(NODES).find(({ id }) => id === 'm')!)).toEqual([
    { from: 'delay', to: 'minutes', type: 'string → int' },
    { from: 'x', to: undefined, type: 'string' },
  ]);
});

test("a run's log tells what its nodes have read and written", () => {
  const facts = factsOf(["node 'Flights' (s): 3 objects to read, 1 known from earlier runs", "node 'Master' (t): 1200 rows in 2 files, 2048 bytes, 1 partitions", 'Job run succeeded']);
  expect(facts.map((fact) => `${fact.id}: ${factText(fact)}`)).toEqual(['s: 3 objects read, 1 known', 't: 1,200 rows, 2 KB']);
  const run = (state: JobRun['JobRunState'], ErrorMessage?: string): JobRun => ({ Id: 'jr', JobName: 'j', JobRunState: state, ...(ErrorMessage ? { ErrorMessage } : {}) });
  const tones = (of: JobRun, known = facts) => paintRun(drawNodes(visualNodes(NODES)), known, of).nodes.map(({ id, tone }) => `${id} ${tone}`);
  expect(tones(run('SUCCEEDED'))).toContain('f good');
  expect(tones(run('RUNNING'), facts.slice(0, 1))).toEqual(expect.arrayContaining(['s busy', 'f undefined']));
  const failed = run('FAILED', "node 'Late' (f): there is no column 'delay'");
  expect(failedNode(failed)).toBe('f');
  expect(tones(failed, [])).toContain('f bad');
});
