/**
 * When a schedule fires next: EventBridge's `cron(…)`, `rate(…)` and `at(…)` in a time zone. Local times that daylight saving
 * skips in spring are skipped; those that it repeats in autumn count once, the first time.
 */

/** Milliseconds since 1970 of what a zone's clocks show, as if they showed UTC. */
type Wall = number;

const MINUTE = 60_000;
const DAY = 86_400_000;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const UNITS: Record<string, number> = { minute: MINUTE, hour: 60 * MINUTE, day: DAY };
/** Where the search for a next day ends. */
const LAST_YEAR = 2199;

export interface Setting {
  /** Milliseconds since 1970. */
  after: number;
  zone?: string | undefined;
  /** Where a rate begins to count (ms); without it a rate's times can't be known. */
  anchor?: number | undefined;
  /** The end of the schedule (ms). */
  until?: number | undefined;
}

/** The next times (ms) of an expression; none for what is no expression, is over, or can't be known. */
export function nextTimes(expression: string, setting: Setting, most = 5): number[] {
  const found: number[] = [];
  const next = reader(expression, setting);
  let after = setting.after;
  while (next && found.length < most) {
    const time = next(after);
    if (time === undefined || time > (setting.until ?? Infinity)) break;
    found.push(time);
    after = time;
  }
  return found;
}

/** Whether a text is an expression at all. */
export const isExpression = (text: string): boolean => reader(text, { after: 0, anchor: 0 }) !== undefined;

type Next = (after: number) => number | undefined;

function reader(expression: string, { zone = 'UTC', anchor }: Setting): Next | undefined {
  const [, kind, inside = ''] = /^(cron|rate|at)\((.*)\)$/.exec(expression.trim()) ?? [];
  if (kind === 'rate') return rate(inside, anchor);
  if (kind === 'at') {
    const wall = Date.parse(`${inside}Z`);
    if (Number.isNaN(wall)) return undefined;
    const time = instant(wall, zone);
    return (after) => (time !== undefined && time > after ? time : undefined);
  }
  const cron = kind === 'cron' ? parseCron(inside) : undefined;
  if (!cron) return undefined;
  return (after) => {
    let wall: Wall | undefined = wallOf(after, zone);
    while ((wall = nextWall(cron, wall)) !== undefined) {
      const time = instant(wall, zone);
      if (time !== undefined && time > after) return time;
    }
    return undefined;
  };
}

function rate(text: string, anchor: number | undefined): Next | undefined {
  const [, value, unit = ''] = /^(\d+) (minute|hour|day)s?$/.exec(text.trim()) ?? [];
  const period = Number(value) * (UNITS[unit] ?? NaN);
  if (anchor === undefined || !(period > 0)) return undefined;
  return (after) => (after < anchor ? anchor : anchor + (Math.floor((after - anchor) / period) + 1) * period);
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const numeric = 'numeric' as const;
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric });
  clocks.set(zone, made);
  return made;
}

function wallOf(time: number, zone: string): Wall {
  const parts = new Map(clockOf(zone).formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

/** When the clocks of a zone show this: never where they jump over it, the first time where they show it twice. */
function instant(wall: Wall, zone: string): number | undefined {
  const offsets = [wall - DAY, wall + DAY].map((near) => wallOf(near, zone) - near);
  const fitting = offsets.map((offset) => wall - offset).filter((time) => wallOf(time, zone) === wall);
  return fitting.length > 0 ? Math.min(...fitting) : undefined;
}

interface Cron {
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  months: ReadonlySet<number>;
  years: ReadonlySet<number>;
  day: (date: Date) => boolean;
}

function parseCron(text: string): Cron | undefined {
  const fields = text.trim().toUpperCase().split(/\s+/);
  const [minute = '', hour = '', ofMonth = '', month = '', ofWeek = '', year = ''] = fields;
  const minutes = numbers(minute, 0, 59);
  const hours = numbers(hour, 0, 23);
  const months = numbers(month, 1, 12, MONTHS);
  const years = numbers(year, 1970, LAST_YEAR);
  const day = (ofMonth === '?') === (ofWeek === '?') ? undefined : ofMonth === '?' ? daysOfWeek(ofWeek) : daysOfMonth(ofMonth);
  if (fields.length !== 6 || !minutes || !hours || !months || !years || !day) return undefined;
  return { minutes, hours, months, years, day };
}

/** The numbers of a field: lists of values, ranges (which may wrap) and steps. */
function numbers(field: string, first: number, last: number, names: readonly string[] = []): Set<number> | undefined {
  const found = new Set<number>();
  const value = (text: string) => (names.includes(text) ? names.indexOf(text) + first : /^\d+$/.test(text) ? Number(text) : NaN);
  for (const part of field.split(',')) {
    const [range = '', by] = part.split('/');
    const [from = '', to] = range.split('-');
    const low = range === '*' ? first : value(from);
    const high = to !== undefined ? value(to) : range === '*' || by !== undefined ? last : low;
    const step = by === undefined ? 1 : Number(by);
    if (![low, high].every((one) => one >= first && one <= last) || !(step >= 1)) return undefined;
    const size = last - first + 1;
    const length = high >= low ? high - low : high - low + size;
    for (let at = 0; at <= length; at += step) found.add(first + ((low - first + at) % size));
  }
  return found;
}

const lastDay = (date: Date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
const weekday = (date: Date, day: number) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)).getUTCDay();

function daysOfMonth(field: string): Cron['day'] | undefined {
  const [, nearest] = /^(\d+)W$/.exec(field) ?? [];
  if (nearest) return (date) => Number(nearest) <= lastDay(date) && date.getUTCDate() === workday(date, Number(nearest));
  if (field === 'LW') return (date) => date.getUTCDate() === workday(date, lastDay(date));
  const [isLast, , before = '0'] = /^L(-(\d+))?$/.exec(field) ?? [];
  if (isLast) return (date) => date.getUTCDate() === lastDay(date) - Number(before);
  const days = numbers(field, 1, 31);
  return days && ((date) => days.has(date.getUTCDate()));
}

/** The working day nearest to a day of the date's month, within that month. */
function workday(date: Date, day: number): number {
  const on = weekday(date, day);
  if (on === 6) return day === 1 ? 3 : day - 1;
  if (on === 0) return day === lastDay(date) ? day - 2 : day + 1;
  return day;
}

function daysOfWeek(field: string): Cron['day'] | undefined {
  const number = (text: string) => (WEEKDAYS.includes(text) ? WEEKDAYS.indexOf(text) : Number(text) - 1);
  const [, onThe, nth] = /^(\w+)#([1-5])$/.exec(field) ?? [];
  if (onThe) return (date) => date.getUTCDay() === number(onThe) && Math.ceil(date.getUTCDate() / 7) === Number(nth);
  const [, onLast] = /^(\w+)L$/.exec(field) ?? [];
  if (onLast) return (date) => date.getUTCDay() === number(onLast) && date.getUTCDate() > lastDay(date) - 7;
  const days = numbers(field === 'L' ? 'SAT' : field, 1, 7, WEEKDAYS);
  return days && ((date) => days.has(date.getUTCDay() + 1));
}

function nextWall(cron: Cron, after: Wall): Wall | undefined {
  const start = Math.floor(after / MINUTE) * MINUTE + MINUTE;
  let day = Math.floor(start / DAY) * DAY;
  for (let least = start; ; least = day) {
    const date = new Date(day);
    if (date.getUTCFullYear() > LAST_YEAR) return undefined;
    if (!cron.years.has(date.getUTCFullYear())) day = Date.UTC(date.getUTCFullYear() + 1, 0, 1);
    else if (!cron.months.has(date.getUTCMonth() + 1)) day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    else {
      const time = cron.day(date) ? timeOfDay(cron, day, least) : undefined;
      if (time !== undefined) return time;
      day += DAY;
    }
  }
}

function timeOfDay(cron: Cron, day: Wall, least: Wall): Wall | undefined {
  for (let hour = Math.max(0, Math.floor((least - day) / (60 * MINUTE))); hour < 24; hour += 1) {
    if (!cron.hours.has(hour)) continue;
    for (let minute = 0; minute < 60; minute += 1) {
      const time = day + (hour * 60 + minute) * MINUTE;
      if (time >= least && cron.minutes.has(minute)) return time;
    }
  }
  return undefined;
}

/** `Every 5 minutes`; other expressions as they are. */
export function expressionText(expression: string): string {
  const [, inside] = /^rate\((.*)\)$/.exec(expression) ?? [];
  return inside ? `Every ${inside.replace(/^1 /, '')}` : expression;
}
