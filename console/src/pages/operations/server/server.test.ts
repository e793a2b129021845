import { expect, test } from 'vitest';

import { parseMetrics } from '../../../aws/platform';
import { countersOf, quantile, ratesOf, trafficBetween } from './traffic';

const page = (ok: number, failed: number) => parseMetrics(`# HELP boathouse_calls Calls.
boathouse_calls_total{service="s3",operation="GetObject",status="200"} ${ok}
boathouse_calls_total{service="s3",operation="PutObject",status="503"} ${failed}
boathouse_calls_total{service="s3",operation="GetObject",status="404"} 1
boathouse_calls_total{service="console",operation="Page",status="200"} 99
boathouse_call_seconds_sum{service="s3",operation="GetObject"} ${ok / 100}
boathouse_call_seconds_bucket{le="0.01",service="s3",operation="GetObject"} ${ok}
boathouse_call_seconds_bucket{le="0.1",service="s3",operation="GetObject"} ${ok + failed}
boathouse_call_seconds_bucket{le="+Inf",service="s3",operation="GetObject"} ${ok + failed + 1}
`);

test('traffic is what was counted between two looks', () => {
  const [before, after] = [countersOf(page(10, 0), 0), countersOf(page(30, 1), 2_000)];
  const [found, ...others] = trafficBetween(before, after);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ service: 's3', rate: 10.5, calls: 21, failed: 1, refused: 0 });
  expect(trafficBetween(undefined, after)[0]).toMatchObject({ calls: 32, refused: 1, rate: 0 });
  // A start in between.
  expect(trafficBetween(after, countersOf(page(5, 0), 4_000))[0]).toMatchObject({ calls: 6, rate: 3 });
});

test('quantiles lie within their bounds', () => {
  const within = [[0.01, 50], [0.1, 90], [Infinity, 100]] as const;
  expect(quantile(within, 0.5)).toBeCloseTo(10);
  expect(quantile(within, 0.7)).toBeCloseTo(55);
  expect(quantile(within, 0.99)).toBeCloseTo(100);
  expect(quantile([], 0.5)).toBeUndefined();
});

test('rates are drawn for the busiest services', () => {
  const looks = [0, 1_000, 2_000].map((at, step) => countersOf(page(step * 5, 0), at));
  expect(ratesOf(looks)).toEqual([
    [new Date(1_000), 5, 's3'],
    [new Date(2_000), 5, 's3'],
  ]);
});
