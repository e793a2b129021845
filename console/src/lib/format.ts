/** Numbers, sizes, durations and times as people read them. */

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** `1.4 MB`, by powers of 1024 as AWS's console counts. */
export function bytes(size: number | undefined): string {
  if (size === undefined || Number.isNaN(size)) return '–';
  let unit = 0;
  let value = size;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${trim(value.toFixed(digits))} ${UNITS[unit]}`;
}

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** `12,345`. */
export function count(value: number | undefined): string {
  return value === undefined ? '–' : value.toLocaleString('en-US');
}

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined || Number.isNaN(ms)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trim((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ');
}

/** Whatever the protocols write as a time: seconds since 1970, ISO text, or a date. */
export type Moment = number | string | Date | undefined;

export function date(moment: Moment): Date | undefined {
  if (moment === undefined || moment === '') return undefined;
  if (moment instanceof Date) return moment;
  // Seconds of the JSON protocols; milliseconds of CloudWatch Logs are far beyond.
  if (typeof moment === 'number') return new Date(moment < 1e11 ? moment * 1000 : moment);
  const found = new Date(moment.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(found.getTime()) ? undefined : found;
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

/** `2026-01-31 14:05:09` in this machine's zone. */
export function localTime(moment: Moment): string {
  const at = date(moment);
  if (!at) return '–';
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** `2026-01-31 13:05:09 UTC`. */
export function utcTime(moment: Moment): string {
  const at = date(moment);
  return at ? `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC` : '–';
}

/** `just now`, `4 min ago`, `in 3 h`. */
export function ago(moment: Moment, now: number): string {
  const at = date(moment);
  if (!at) return '–';
  const ms = now - at.getTime();
  const size = Math.abs(ms);
  if (size < 5_000) return 'just now';
  const steps: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ];
  const [step, unit] = steps.find(([step]) => size >= step) ?? [1_000, 's'];
  const text = `${Math.floor(size / step)} ${unit}`;
  return ms > 0 ? `${text} ago` : `in ${text}`;
}

/** The last part of an ARN or a path. */
export function shortName(arn: string): string {
  return arn.split(/[:/]/).filter(Boolean).at(-1) ?? arn;
}

/** JSON with indentation; other text as it is. */
export function prettyJson(text: string | undefined): string {
  if (text === undefined) return '';
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
