/**
 * What pages read from the server. All reads of the console hang on one loop that sleeps while the tab is hidden; two
 * components that read the same thing share one request.
 *
 *     const buckets = useLive('s3/buckets', () => listBuckets(), { every: 5_000 });
 */
import { useCallback, useRef, useSyncExternalStore } from 'react';

import { type AwsError, asAwsError, isAbort } from '../aws/error';
import { onSession } from '../aws/session';

export interface Live<T> {
  data: T | undefined;
  /** Of the last attempt. Data of an earlier one stays. */
  error: AwsError | undefined;
  /** Whether there is neither data nor an error yet. */
  loading: boolean;
  /** Reads again, now. */
  refresh: () => Promise<void>;
}

export interface LiveOptions<T> {
  /** Milliseconds between reads, or a function that says so for the present data; undefined reads once. */
  every?: number | ((data: T | undefined) => number | undefined);
  /** False reads nothing. */
  enabled?: boolean;
}

type Snapshot = Pick<Live<unknown>, 'data' | 'error' | 'loading'>;

interface Entry {
  snapshot: Snapshot;
  load: (signal: AbortSignal) => Promise<unknown>;
  every: LiveOptions<unknown>['every'];
  /** When it is read next (ms); never if undefined. */
  due: number | undefined;
  running: AbortController | undefined;
  listeners: Set<() => void>;
}

const TICK_MS = 250;
/** After an error nothing is asked more often than this. */
const CALM_MS = 5_000;
/** Reads whose data is kept for who comes back. */
const KEPT = 200;

const entries = new Map<string, Entry>();
const LOADING: Snapshot = { data: undefined, error: undefined, loading: true };
let timer: ReturnType<typeof setInterval> | undefined;

onSession(() => {
  for (const entry of entries.values()) {
    entry.running?.abort();
    entry.snapshot = LOADING;
    entry.due = Date.now();
  }
});
if (typeof document !== 'undefined') document.addEventListener('visibilitychange', pace);

function pace(): void {
  const needed = !document.hidden && [...entries.values()].some((entry) => entry.listeners.size > 0);
  if (needed && timer === undefined) {
    timer = setInterval(tick, TICK_MS);
    tick();
  } else if (!needed && timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
  }
}

function tick(): void {
  const now = Date.now();
  for (const entry of entries.values()) {
    if (entry.listeners.size > 0 && entry.due !== undefined && entry.due <= now && !entry.running) void read(entry);
  }
}

async function read(entry: Entry): Promise<void> {
  const running = new AbortController();
  entry.running = running;
  entry.due = undefined;
  let next: Snapshot;
  try {
    next = { data: await entry.load(running.signal), error: undefined, loading: false };
  } catch (error) {
    if (isAbort(error) || running.signal.aborted) {
      if (entry.running === running) entry.running = undefined;
      return;
    }
    next = { data: entry.snapshot.data, error: asAwsError(error), loading: false };
  }
  if (entry.running !== running) return;
  entry.running = undefined;
  const every = typeof entry.every === 'function' ? entry.every(next.data) : entry.every;
  if (every !== undefined) entry.due = Date.now() + Math.max(every, next.error ? CALM_MS : 0);
  entry.snapshot = next;
  entry.listeners.forEach((listener) => listener());
}

function entryOf(key: string): Entry {
  const found = entries.get(key);
  if (found) return found;
  const load = () => Promise.reject(new Error(`nothing reads ${key}`));
  const entry: Entry = { snapshot: LOADING, load, every: undefined, due: undefined, running: undefined, listeners: new Set() };
  entries.set(key, entry);
  for (const [old, candidate] of entries) {
    if (entries.size <= KEPT) break;
    if (candidate.listeners.size === 0 && candidate !== entry) entries.delete(old);
  }
  return entry;
}

/** Reads anew whatever is shown and whose key begins so: after a change, `invalidate('s3/')`. */
export function invalidate(prefix: string): void {
  for (const [key, entry] of entries) {
    if (!key.startsWith(prefix)) continue;
    if (entry.listeners.size > 0) {
      entry.running?.abort();
      void read(entry);
    } else entries.delete(key);
  }
}

/** Data of the server under a key that names it, read anew every so often. Another key reads another thing. */
export function useLive<T>(key: string, load: (signal: AbortSignal) => Promise<T>, options: LiveOptions<T> = {}): Live<T> {
  const { every, enabled = true } = options;
  const latest = useRef({ load, every });
  latest.current = { load, every };
  const subscribe = useCallback(
    (listener: () => void) => {
      if (!enabled) return () => undefined;
      const entry = entryOf(key);
      entry.load = (signal) => latest.current.load(signal);
      entry.every = (data) => {
        const wanted = latest.current.every;
        return typeof wanted === 'function' ? wanted(data as T | undefined) : wanted;
      };
      if (entry.listeners.size === 0) entry.due = Date.now();
      entry.listeners.add(listener);
      pace();
      if (!document.hidden) tick();
      return () => {
        entry.listeners.delete(listener);
        if (entry.listeners.size === 0) {
          entry.running?.abort();
          entry.running = undefined;
        }
        pace();
      };
    },
    [key, enabled],
  );
  const snapshot = useSyncExternalStore(subscribe, () => (enabled ? (entries.get(key)?.snapshot ?? LOADING) : LOADING));
  const refresh = useCallback(async () => {
    const entry = entryOf(key);
    entry.running?.abort();
    await read(entry);
  }, [key]);
  return { ...(snapshot as Snapshot & { data: T | undefined }), refresh };
}
