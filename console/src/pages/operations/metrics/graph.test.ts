import { describe, expect, test } from 'vitest';

import type { Metric } from '../../../aws/cloudwatch';
import { type Line, MOST_LINES, chartRows, graphLines, graphText, labelsOf, periodOf, queriesOf, sumsOf, unitOf, usualStatistic } from './graph';

const metric = (Namespace: string, MetricName: string, dimensions: Record<string, string> = {}): Metric => ({
  Namespace,
  MetricName,
  Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
});
const line = (one: Metric, stat = 'Sum'): Line => ({ metric: one, stat });

const CLEAN = metric('AWS/Lambda', 'Invocations', { FunctionName: 'clean' });

describe('a graph in the address', () => {
  test('is read as it was written', () => {
    const lines = [line(CLEAN), line(metric('Shop', 'Sales "x"', { Shop: 'a/b', Floor: '1' }), 'p90'), line(metric('Shop', 'All'))];
    expect(graphLines(graphText(lines))).toEqual(lines);
    expect([graphText([]), graphLines('')]).toEqual(['', []]);
  });

  test('that is broken is none', () => {
    for (const text of ['{', '{}', '[1]', '[["a"]]', '[["a","b","c","d"]]', 'null']) expect(graphLines(text), text).toEqual([]);
  });

  test('has a limited number of lines', () => {
    expect(graphLines(graphText(Array.from({ length: 50 }, () => line(CLEAN))))).toHaveLength(MOST_LINES);
  });
});

test('periods follow the range', () => {
  expect(['1h', '3h', '12h', '1d', '7d', '15d', '63d'].map((span) => periodOf('auto', span))).toEqual([60, 60, 300, 900, 3_600, 21_600, 86_400]);
  expect([periodOf('300', '1h'), periodOf('7', '1h'), periodOf('x', '1h')]).toEqual([300, 60, 60]);
});

test('metrics have their usual statistics', () => {
  const of = (namespace: string, name: string) => usualStatistic(metric(namespace, name));
  expect([of('AWS/Lambda', 'Duration'), of('AWS/Lambda', 'Errors'), of('AWS/Lambda', 'ConcurrentExecutions'), of('Shop', 'Sales')]).toEqual(['Average', 'Sum', 'Maximum', 'Average']);
  expect(of('AWS/Firehose', 'DeliveryToS3.DataFreshness')).toBe('Average');
});

test('labels say what tells lines apart', () => {
  const other = metric('AWS/Lambda', 'Invocations', { FunctionName: 'load' });
  expect(labelsOf([line(CLEAN), line(other)])).toEqual(['clean', 'load']);
  expect(labelsOf([line(CLEAN), line(CLEAN, 'p90')])).toEqual(['clean Sum', 'clean p90']);
  expect(labelsOf([line(CLEAN), line(metric('AWS/Lambda', 'Errors', { FunctionName: 'clean' }))])).toEqual(['clean Invocations', 'clean Errors']);
  expect(labelsOf([line(metric('Shop', 'All'))])).toEqual(['All']);
  expect(labelsOf([line(CLEAN), line(CLEAN)])).toEqual(['clean', 'clean (2)']);
});

test('rows hold the points of all lines', () => {
  const lines = [line(CLEAN), line(metric('Shop', 'All'))];
  const results = [
    { Id: 'm1', Label: '', Timestamps: [60, 120], Values: [5, 6] },
    { Id: 'm0', Label: '', Timestamps: [0, 60], Values: [1, 2] },
  ];
  expect(chartRows(lines, results)).toEqual([
    [new Date(0), 1, null],
    [new Date(60_000), 2, 5],
    [new Date(120_000), null, 6],
  ]);
  expect(queriesOf(lines, 300).map(({ Id, MetricStat }) => [Id, MetricStat.Period])).toEqual([['m0', 300], ['m1', 300]]);
});

test('values have units where all lines have', () => {
  expect(unitOf([line(metric('AWS/Lambda', 'Duration'), 'p99')])).toBe('duration');
  expect(unitOf([line(metric('AWS/Firehose', 'IncomingBytes'))])).toBe('bytes');
  expect(unitOf([line(metric('AWS/Firehose', 'IncomingBytes')), line(CLEAN)])).toBeUndefined();
  expect(unitOf([])).toBeUndefined();
});

test('values are summed up', () => {
  expect(sumsOf([3, 1, 2])).toEqual({ last: 2, least: 1, most: 3 });
  expect(sumsOf([])).toEqual({ last: undefined, least: undefined, most: undefined });
});
