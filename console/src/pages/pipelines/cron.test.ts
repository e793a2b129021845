import { expect, test } from 'vitest';

import { nextTimes } from './cron';

const times = (expression: string, after: string, most = 2, more: { zone?: string; anchor?: number; until?: number } = {}) =>
  nextTimes(expression, { after: Date.parse(after), ...more }, most).map((time) => new Date(time).toISOString().slice(0, 16));

test.each([
  ['0 10 * * ? *', '2026-02-01T10:00', '2026-02-02T10:00'],
  ['0 18 ? * MON-FRI *', '2026-02-02T18:00', '2026-02-03T18:00'],
  ['0/15 * * * ? *', '2026-02-01T00:00', '2026-02-01T00:15'],
  ['0 0 L * ? *', '2026-02-28T00:00', '2026-03-31T00:00'],
  ['0 0 L-2 * ? *', '2026-02-26T00:00', '2026-03-29T00:00'],
  ['0 0 1W * ? *', '2026-02-02T00:00', '2026-03-02T00:00'],
  ['0 0 31W * ? *', '2026-03-31T00:00', '2026-05-29T00:00'],
  ['0 0 LW * ? *', '2026-02-27T00:00', '2026-03-31T00:00'],
  ['0 0 ? * 6L *', '2026-02-27T00:00', '2026-03-27T00:00'],
  ['0 0 ? * FRI#2 *', '2026-02-13T00:00', '2026-03-13T00:00'],
  ['0 0 ? * 1#5 *', '2026-03-29T00:00', '2026-05-31T00:00'],
  ['0 0 ? * L *', '2026-02-07T00:00', '2026-02-14T00:00'],
  ['0 0 29 FEB ? *', '2028-02-29T00:00', '2032-02-29T00:00'],
  ['0 0 1 jan,JUL ? 2027-2030/2', '2027-01-01T00:00', '2027-07-01T00:00'],
  ['0 22-2/2 * * ? *', '2026-02-01T00:00', '2026-02-01T02:00'],
])('cron(%s)', (fields, first, second) => {
  expect(times(`cron(${fields})`, '2026-01-31T23:59:30Z')).toEqual([first, second]);
});

test('what never comes, and what is no expression, has no times', () => {
  for (const wrong of ['cron(0 0 1 1 ? 2020)', 'cron(0 0 31 2 ? *)', 'cron(0 0 * * * *)', 'cron(61 0 * * ? *)', 'cron(0 0 * *)', 'rate(0 minutes)', 'often']) {
    expect(times(wrong, '2026-01-31T23:59:30Z'), wrong).toEqual([]);
  }
});

test('rates count from where they begin, and are unknown without', () => {
  const anchor = Date.parse('2026-03-01T00:01:00Z');
  expect(times('rate(5 minutes)', '2026-03-01T00:07:00Z', 2, { anchor })).toEqual(['2026-03-01T00:11', '2026-03-01T00:16']);
  expect(times('rate(1 day)', '2026-02-01T00:00:00Z', 1, { anchor })).toEqual(['2026-03-01T00:01']);
  expect(times('rate(1 day)', '2026-02-01T00:00:00Z')).toEqual([]);
});

test('schedules end, and one-time schedules happen once', () => {
  expect(times('cron(0 10 * * ? *)', '2026-01-31T23:59:30Z', 5, { until: Date.parse('2026-02-02T10:00:00Z') })).toHaveLength(2);
  expect(times('at(2026-07-01T09:00:00)', '2026-03-01T00:00:00Z', 3, { zone: 'America/New_York' })).toEqual(['2026-07-01T13:00']);
  expect(times('at(2026-07-01T09:00:00)', '2026-07-01T13:00:00Z', 3, { zone: 'America/New_York' })).toEqual([]);
});

test('daylight saving skips a time in spring, and repeats none in autumn', () => {
  const zone = 'America/New_York';
  expect(times('cron(30 2 * * ? *)', '2026-03-06T12:00:00Z', 3, { zone })).toEqual(['2026-03-07T07:30', '2026-03-09T06:30', '2026-03-10T06:30']);
  expect(times('cron(30 1 * * ? *)', '2026-10-31T12:00:00Z', 2, { zone })).toEqual(['2026-11-01T05:30', '2026-11-02T06:30']);
});
