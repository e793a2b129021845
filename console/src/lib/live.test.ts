import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { AwsError } from '../aws/error';
import { type Live, type LiveOptions, invalidate, useLive } from './live';

(globalThis as unknown as { IS_REACT_ACT_ENVIRONMENT: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

let keys = 0;

/** A component that reads; answers what it sees, and how to take it away. */
async function reader<T>(load: (signal: AbortSignal) => Promise<T>, options: LiveOptions<T> = {}, key = `test/${++keys}`) {
  const seen: { live?: Live<T> } = {};
  const Reader = () => {
    seen.live = useLive(key, load, options);
    return null;
  };
  const root = createRoot(document.createElement('div'));
  await act(async () => root.render(createElement(Reader)));
  return { now: () => seen.live as Live<T>, gone: () => act(async () => root.unmount()), key };
}

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

function hide(hidden: boolean): void {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

test('reads once, or every so often', async () => {
  let reads = 0;
  const one = await reader(async () => ++reads);
  await pass(10_000);
  expect([one.now().data, one.now().loading]).toEqual([1, false]);
  await one.gone();
  const often = await reader(async () => ++reads, { every: (data) => ((data ?? 0) < 4 ? 1_000 : undefined) });
  await pass(10_000);
  expect(often.now().data).toBe(4);
  await often.gone();
});

test('an error is shown, data of before stays, and it is tried again calmly', async () => {
  let reads = 0;
  const load = async () => {
    reads += 1;
    if (reads === 2) throw new AwsError('Oops', 'no', 500);
    return reads;
  };
  const live = await reader(load, { every: 1_000 });
  await pass(1_500);
  expect([live.now().data, live.now().error?.code]).toEqual([1, 'Oops']);
  await pass(3_000);
  expect(reads).toBe(2);
  await pass(2_000);
  expect([live.now().data, live.now().error]).toEqual([3, undefined]);
  await live.gone();
});

test('an error without data ends the loading', async () => {
  const live = await reader(() => Promise.reject(new AwsError('Denied', 'no', 403)));
  await pass(1);
  expect([live.now().loading, live.now().error?.code]).toEqual([false, 'Denied']);
  await live.gone();
});

test('two that read the same share a request, and nobody reads for nobody', async () => {
  let reads = 0;
  const load = async () => ++reads;
  const first = await reader(load, { every: 1_000 });
  const second = await reader(load, { every: 1_000 }, first.key);
  await pass(1);
  expect([first.now().data, second.now().data, reads]).toEqual([1, 1, 1]);
  await first.gone();
  await second.gone();
  await pass(5_000);
  expect(reads).toBe(1);
});

test('a hidden tab reads nothing, and reads at once when it is looked at again', async () => {
  let reads = 0;
  const live = await reader(async () => ++reads, { every: 1_000 });
  await pass(1);
  hide(true);
  await pass(60_000);
  expect(reads).toBe(1);
  hide(false);
  await pass(1);
  expect(live.now().data).toBe(2);
  await live.gone();
});

test('what has changed is read anew', async () => {
  let reads = 0;
  const live = await reader(async () => ++reads);
  await pass(1);
  await act(async () => invalidate(live.key));
  await pass(1);
  expect(live.now().data).toBe(2);
  await act(() => live.now().refresh());
  expect(live.now().data).toBe(3);
  await live.gone();
});
