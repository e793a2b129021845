/** The ranges of time that logs are looked at in, as they stand in the address: `15m`, `all`, or `from~to` in milliseconds. */
import { localTime } from './format';

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const RANGES = [
  { value: '5m', label: 'Last 5 minutes' },
  { value: '15m', label: 'Last 15 minutes' },
  { value: '1h', label: 'Last hour' },
  { value: '3h', label: 'Last 3 hours' },
  { value: '1d', label: 'Last day' },
  { value: '7d', label: 'Last 7 days' },
  { value: 'all', label: 'All times' },
] as const;

export interface Range {
  from?: number;
  /** None: up to now, and on. */
  to?: number;
}

export function rangeOf(text: string, now: number): Range {
  const [, from, to] = /^(\d+)~(\d+)$/.exec(text) ?? [];
  if (from && to) return { from: Number(from), to: Number(to) };
  const [, amount, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  return amount && unit ? { from: now - Number(amount) * UNITS[unit as keyof typeof UNITS] } : {};
}

export const rangeText = (from: number, to: number) => `${Math.floor(from)}~${Math.ceil(to)}`;

export function rangeLabel(text: string): string {
  const { from, to } = rangeOf(text, 0);
  if (to === undefined) return RANGES.find(({ value }) => value === text)?.label ?? text;
  const [begin, end] = [localTime(from), localTime(to)];
  return `${begin} – ${begin.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end}`;
}
