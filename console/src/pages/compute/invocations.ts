/**
 * Invocations as a function's log tells of them: START and REPORT lines name the request, and an error that the handler let go
 * stands between the two in the same stream, as an instance runs one invocation at a time.
 */
import type { LogEvent } from '../../aws/logs';
import { reportOf, unfolded } from '../../lib/log-lines';

export type Outcome = 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'RUNNING';

/** Times are milliseconds, memory is MB. */
export interface Invoked {
  requestId: string;
  stream: string;
  /** Milliseconds since 1970. */
  start: number;
  /** When the last line was written that is known. */
  end: number;
  outcome: Outcome;
  version?: string;
  error?: string;
  duration?: number;
  billed?: number;
  memorySize?: number;
  maxMemory?: number;
  init?: number;
}

/** Finds these lines, and some that only look like them. */
export const PATTERN = '?"START RequestId" ?"REPORT RequestId" ?"[ERROR]" ?"Invoke Error" ?"Uncaught Exception" ?"Unhandled Promise"';

const START = /^START RequestId: (\S+)(?: Version: (\S+))?/;
/** What the runtimes write for an error that nobody caught; `[ERROR]` of the logging module has a tab behind it. */
const FAILED = /^\[ERROR\] (\S[^\r\n]*)|\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection)\s*(.*)/s;

function errorIn(message: string): string | undefined {
  const [, python, node] = FAILED.exec(message) ?? [];
  if (python !== undefined) return unfolded(python).split('\n')[0];
  if (node === undefined) return undefined;
  try {
    const { errorType, errorMessage } = JSON.parse(node) as Record<string, unknown>;
    return `${String(errorType)}: ${String(errorMessage)}`;
  } catch {
    return node.slice(0, 300) || 'Error';
  }
}

/** The invocations in these lines, the last one first. */
export function invocationsOf(lines: readonly LogEvent[]): Invoked[] {
  const found: Invoked[] = [];
  const running = new Map<string, Invoked>();
  // An instance that can't start writes its error before any START.
  const orphans = new Map<string, string>();
  for (const { logStreamName: stream = '', timestamp, message } of lines) {
    const [, requestId, version] = START.exec(message) ?? [];
    if (requestId) {
      const error = orphans.get(stream);
      const begun: Invoked = { requestId, stream, start: timestamp, end: timestamp, outcome: 'RUNNING', ...(version ? { version } : {}), ...(error ? { error } : {}) };
      orphans.delete(stream);
      running.set(stream, begun);
      found.push(begun);
      continue;
    }
    const now = running.get(stream);
    const report = reportOf(message);
    if (report) {
      const one = now?.requestId === report.requestId ? now : { requestId: report.requestId, stream, start: timestamp - report.duration, end: timestamp, outcome: 'RUNNING' as const };
      if (one !== now) found.push(one);
      const { status, ...measured } = report;
      const outcome = status === 'timeout' ? 'TIMED_OUT' : status || one.error ? 'FAILED' : 'SUCCEEDED';
      Object.assign(one, measured, { outcome, end: timestamp });
      if (outcome !== 'SUCCEEDED') one.error ??= outcome === 'TIMED_OUT' ? 'Timed out' : (/Error Type: (\S+)/.exec(message)?.[1] ?? 'Error');
      running.delete(stream);
      continue;
    }
    const error = errorIn(message);
    if (!error) continue;
    if (now) now.error ??= error;
    else orphans.set(stream, error);
  }
  return found.sort((a, b) => b.start - a.start);
}

export const hasFailed = ({ outcome }: Invoked) => outcome === 'FAILED' || outcome === 'TIMED_OUT';

/** What happened in a stretch of time. */
export interface Bucket {
  at: Date;
  count: number;
  errors: number;
  /** None where nothing ended. */
  average: number | undefined;
  longest: number | undefined;
  maxMemory: number | undefined;
  coldStarts: number;
}

const STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 86_400].map((seconds) => seconds * 1000);
const MOST_BUCKETS = 90;

/** The invocations between two times in stretches of a round length, those without any among them. */
export function bucketsOf(invocations: readonly Invoked[], from: number, to: number): Bucket[] {
  const step = STEPS.find((one) => (to - from) / one <= MOST_BUCKETS) ?? Math.ceil((to - from) / MOST_BUCKETS / 86_400_000) * 86_400_000;
  const first = Math.floor(from / step);
  const all = Array.from({ length: Math.floor(to / step) - first + 1 }, (_, at) => ({ at: new Date((first + at) * step), inside: [] as Invoked[] }));
  for (const one of invocations) all[Math.floor(one.start / step) - first]?.inside.push(one);
  return all.map(({ at, inside }) => {
    const times = inside.flatMap(({ duration }) => (duration === undefined ? [] : [duration]));
    const memory = inside.flatMap(({ maxMemory }) => (maxMemory ? [maxMemory] : []));
    return {
      at,
      count: inside.length,
      errors: inside.filter(hasFailed).length,
      average: times.length > 0 ? times.reduce((sum, ms) => sum + ms, 0) / times.length : undefined,
      longest: times.length > 0 ? Math.max(...times) : undefined,
      maxMemory: memory.length > 0 ? Math.max(...memory) : undefined,
      coldStarts: inside.filter(({ init }) => init !== undefined).length,
    };
  });
}

/** The value below which that share of the values is. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}
