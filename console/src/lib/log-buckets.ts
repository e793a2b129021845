/** How many lines were written when, and how many of them were errors. */
import type { LogEvent } from '../aws/logs';
import { kindOf } from './log-lines';
import type { Range } from './log-range';

export interface Bucket {
  from: number;
  to: number;
  lines: number;
  errors: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Lengths that people count in. */
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * SECOND).concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), [1, 2, 3, 6, 12, 24, 48, 168].map((n) => n * HOUR));
const BARS = 80;

/** Equal lengths over the range, or over the lines where it is open; at most {@link BARS}, or a few more of a very long one. */
export function buckets(lines: readonly LogEvent[], range: Range, now: number): Bucket[] {
  const first = lines[0]?.timestamp;
  if (first === undefined) return [];
  const from = Math.max(range.from ?? first, 0);
  const to = Math.max(range.to ?? now, lines.at(-1)?.timestamp ?? now);
  const step = STEPS.find((length) => (to - from) / length <= BARS) ?? Math.ceil((to - from) / BARS / (24 * HOUR)) * 24 * HOUR;
  const begin = Math.floor(from / step) * step;
  const found = Array.from({ length: Math.floor((to - begin) / step) + 1 }, (_, at): Bucket => ({ from: begin + at * step, to: begin + (at + 1) * step - 1, lines: 0, errors: 0 }));
  for (const { timestamp, message } of lines) {
    const bucket = found[Math.floor((timestamp - begin) / step)];
    if (!bucket) continue;
    bucket.lines += 1;
    if (kindOf(message) === 'error') bucket.errors += 1;
  }
  return found;
}
