import { expect, test } from 'vitest';

import { routed } from './graph-route';

const box = (x: number, y: number, height = 60) => ({ x, y, width: 100, height });

test('an arrow leaves below, arrives above, and keeps clear of higher boxes of a row', () => {
  const [from, to, high] = [box(0, 0), box(200, 130), box(0, 110, 100)];
  const { path, label } = routed([{ x: 50, y: 60 }, { x: 150, y: 95 }, { x: 250, y: 130 }], from, to, [from, to, high]);
  expect(path.startsWith('M 50 60')).toBe(true);
  // At the top of the row, which the higher box begins, it is above its goal already.
  expect(path).toContain('250 110');
  expect(path.endsWith('L 250 130')).toBe(true);
  expect(label).toEqual({ x: 150, y: 95 });
});

test('an arrow back up begins and ends where the layout says', () => {
  const [from, to] = [box(0, 200), box(0, 0)];
  const { path } = routed([{ x: 10, y: 200 }, { x: 80, y: 130 }, { x: 10, y: 60 }], from, to, [from, to]);
  expect(path.startsWith('M 10 200')).toBe(true);
  expect(path.endsWith('10 60')).toBe(true);
});
