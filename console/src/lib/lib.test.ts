import { describe, expect, test } from 'vitest';

import { type ChartSpec, axisKind, chartOption, seriesOf } from './chart-option';
import { ago, bytes, date, duration, localTime, shortName, utcTime } from './format';
import { place, placeWithin } from './graph-layout';
import { jsonProblems } from './json';
import { matchPath, to } from './router';
import { arrange, compare } from './rows';
import { stateText, tone } from './status';

describe('formats', () => {
  test('sizes', () => {
    expect([0, 1023, 1024, 1536, 10 * 1024 ** 2, 1.234 * 1024 ** 3].map(bytes)).toEqual(['0 B', '1023 B', '1 KB', '1.5 KB', '10 MB', '1.23 GB']);
    expect(bytes(undefined)).toBe('–');
  });

  test('durations', () => {
    expect([0, 999, 1500, 59_960, 185_000, 7_800_000, 273_600_000].map(duration)).toEqual([
      '0 ms', '999 ms', '1.5 s', '1 min', '3 min 5 s', '2 h 10 min', '3 d 4 h',
    ]);
  });

  test('times, whatever the protocol', () => {
    const at = new Date('2026-01-31T12:00:00Z');
    for (const moment of [at.getTime() / 1000, at.getTime(), '2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000+0000', at]) {
      expect(date(moment)).toEqual(at);
      expect(utcTime(moment)).toBe('2026-01-31 12:00:00 UTC');
    }
    expect(localTime(at)).toMatch(/^2026-0[12]-\d\d \d\d:\d\d:00$/);
    expect([localTime(undefined), localTime('nonsense')]).toEqual(['–', '–']);
    const now = at.getTime();
    expect([ago(now - 1, now), ago(now - 61_000, now), ago(now + 7_200_000, now)]).toEqual(['just now', '1 min ago', 'in 2 h']);
  });

  test('names', () => {
    expect([shortName('arn:aws:states:r:a:stateMachine:daily'), shortName('arn:aws:iam::1:role/x/y')]).toEqual(['daily', 'y']);
  });
});

describe('addresses', () => {
  test('patterns', () => {
    expect(matchPath('/storage/:bucket', '/storage/a%2Fb')).toEqual({ bucket: 'a/b' });
    expect(matchPath('/storage/:bucket', '/storage')).toBeUndefined();
    expect(matchPath('/storage/:bucket/*', '/storage/b/x/y')).toEqual({ bucket: 'b', '*': 'x/y' });
    expect(matchPath('/', '/')).toEqual({});
    expect(matchPath('/a', '/b')).toBeUndefined();
  });

  test('links', () => {
    expect(to('/storage', { prefix: 'a b/', empty: '', none: undefined })).toBe('/_console/storage?prefix=a+b%2F');
    expect(to('/')).toBe('/_console/');
  });
});

describe('lists', () => {
  const columns = [{ id: 'n', value: (item: { n?: string; s: number }) => item.n }, { id: 's', value: (item: { s: number }) => item.s }];
  const items = [{ n: 'b10', s: 1 }, { n: 'B9', s: 3 }, { s: 2 }];

  test('order', () => {
    expect(arrange(items, columns, '', { column: 'n' }).map((item) => item.s)).toEqual([3, 1, 2]);
    expect(arrange(items, columns, '', { column: 'n', descending: true }).map((item) => item.s)).toEqual([1, 3, 2]);
    expect(compare(new Date(2), new Date(10))).toBeLessThan(0);
  });

  test('every word must be there', () => {
    expect(arrange(items, columns, 'b 3').map((item) => item.n)).toEqual(['B9']);
    expect(arrange(items, columns, 'none')).toEqual([]);
  });

  test('ten thousand are filtered and sorted', () => {
    const many = Array.from({ length: 10_000 }, (_, s) => ({ n: `item ${s}`, s }));
    expect(arrange(many, columns, 'item 999', { column: 's', descending: true })[0]?.s).toBe(9999);
  });
});

test('states have tones', () => {
  const told = Object.entries({
    SUCCEEDED: 'good', FAILED: 'bad', RUNNING: 'busy', CREATE_IN_PROGRESS: 'busy', ROLLBACK_COMPLETE: 'bad',
    UPDATE_ROLLBACK_IN_PROGRESS: 'busy', DELETE_COMPLETE: 'off', QUEUED: 'waiting', DISABLED: 'off', ENABLED: 'good',
    CREATE_COMPLETE: 'good', TIMED_OUT: 'bad', ABORTED: 'off', READY: 'good', INACTIVE: 'off', ACTIVE: 'good',
  });
  expect(told.map(([state]) => [state, tone(state)])).toEqual(told);
  expect(stateText('CREATE_IN_PROGRESS')).toBe('Create in progress');
});

describe('charts', () => {
  const rows = [['2026-01-01', 'AA', '3'], ['2026-01-01', 'UA', '5'], ['2026-01-02', 'AA', null]] as const;
  const spec: ChartSpec = { kind: 'line', columns: ['day', 'carrier', 'n'], rows, x: 'day', y: ['n'], by: 'carrier' };
  const look = { dark: false, text: '', soft: '', line: '', surface: '', bad: '', font: '', format: String };

  test('series', () => {
    expect(seriesOf(spec).map((one) => [one.name, one.points.length])).toEqual([['AA', 2], ['UA', 1]]);
    expect(seriesOf({ ...spec, by: undefined })[0]?.points.map(([, y]) => y)).toEqual([3, 5, null]);
  });

  test('axes', () => {
    expect([axisKind(['2026-01-01', null]), axisKind(['1', 2]), axisKind(['a', 1]), axisKind([])]).toEqual(['time', 'value', 'category', 'category']);
  });

  test('options', () => {
    expect(chartOption(spec, look).xAxis).toMatchObject({ type: 'time' });
    expect(chartOption({ ...spec, kind: 'bar', x: 'carrier', by: undefined }, look).xAxis).toMatchObject({ type: 'category', data: ['AA', 'UA'] });
    expect(chartOption({ ...spec, kind: 'pie', x: 'carrier' }, look).series).toMatchObject([{ type: 'pie', data: [{ name: 'AA', value: 3 }, { value: 5 }, {}] }]);
    expect(chartOption(spec, look).tooltip).toMatchObject({ renderMode: 'richText' });
  });
});

test('frames stand around what is inside of them, and beside each other', () => {
  const frames = [{ id: 'outer', title: 'Outer' }, { id: 'left', inside: 'outer' }, { id: 'right', inside: 'outer' }];
  const nodes = [
    { id: 'before', title: 'Before' },
    { id: 'l', title: 'Left', inside: 'left' },
    { id: 'r1', title: 'Right', inside: 'right' },
    { id: 'r2', title: 'Right again', inside: 'right' },
  ];
  const edges = [{ from: 'before', to: 'outer' }, { from: 'r1', to: 'r2' }, { from: 'before', to: 'r2' }];
  const { places } = place(nodes, edges, 'down', frames);
  const box = (id: string) => {
    const { x = NaN, y = NaN, width = NaN, height = NaN } = places.get(id) ?? {};
    return { left: x, top: y, right: x + width, bottom: y + height };
  };
  const inside = (inner: string, outer: string) =>
    box(inner).left > box(outer).left && box(inner).right < box(outer).right && box(inner).top > box(outer).top && box(inner).bottom < box(outer).bottom;
  expect([['left', 'outer'], ['right', 'outer'], ['l', 'left'], ['r1', 'right'], ['r2', 'right']].every(([inner = '', outer = '']) => inside(inner, outer))).toBe(true);
  expect(box('left').right <= box('right').left || box('right').right <= box('left').left).toBe(true);
  expect(box('before').bottom < box('outer').top && box('r1').bottom < box('r2').top).toBe(true);
});

test('graphs are laid out from left to right, cycles and loose ends too', () => {
  const nodes = ['a', 'b', 'c'].map((id) => ({ id, title: id }));
  const edges = [{ from: 'a', to: 'b' }, { from: 'b', to: 'c' }, { from: 'c', to: 'a' }, { from: 'c', to: 'gone' }];
  const { places, width, height } = place(nodes, edges, 'right');
  expect(width).toBeGreaterThan(height);
  expect((places.get('a')?.x ?? 0) < (places.get('b')?.x ?? 0)).toBe(true);
  expect(places.size).toBe(3);
  expect(place([], [], 'down').places.size).toBe(0);
  expect([placeWithin(nodes, edges, 2000).direction, placeWithin(nodes, edges, 200).direction]).toEqual(['right', 'down']);
});

test('where JSON stops being JSON', () => {
  expect(jsonProblems('{}')).toEqual([]);
  expect(jsonProblems('{\n  "a": 1,\n}')[0]).toMatchObject({ line: 3, column: 1 });
});
