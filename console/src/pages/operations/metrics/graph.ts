/** What a graph shows, as it stands in the address, and as the chart draws it. */
import type { Metric, MetricQuery, MetricResult } from '../../../aws/cloudwatch';
import type { Cell, ChartKind, ChartSpec } from '../../../lib/chart-option';

export interface Line {
  metric: Metric;
  stat: string;
}

/** Lines of a graph: more can't be told apart. */
export const MOST_LINES = 20;

export const STATISTICS = ['Average', 'Sum', 'Minimum', 'Maximum', 'SampleCount', 'p50', 'p90', 'p95', 'p99'] as const;

export const SPANS = [
  { value: '1h', label: 'Last hour', seconds: 3_600 },
  { value: '3h', label: 'Last 3 hours', seconds: 10_800 },
  { value: '12h', label: 'Last 12 hours', seconds: 43_200 },
  { value: '1d', label: 'Last day', seconds: 86_400 },
  { value: '7d', label: 'Last 7 days', seconds: 604_800 },
  { value: '15d', label: 'Last 15 days', seconds: 1_296_000 },
  { value: '63d', label: 'Last 63 days', seconds: 5_443_200 },
] as const;

export const PERIODS = [
  { value: 'auto', label: 'Period by range' },
  { value: '60', label: '1 minute' },
  { value: '300', label: '5 minutes' },
  { value: '900', label: '15 minutes' },
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '1 day' },
] as const;

export const KINDS: readonly { value: ChartKind; label: string }[] = [
  { value: 'line', label: 'Lines' },
  { value: 'area', label: 'Areas' },
  { value: 'bar', label: 'Bars' },
];

export const secondsOf = (span: string) => SPANS.find(({ value }) => value === span)?.seconds ?? 10_800;

/** The period in seconds: as chosen, or so that there are some two hundred points at most. */
export function periodOf(chosen: string, span: string): number {
  const known = Number(chosen);
  if (Number.isInteger(known) && known >= 60 && known % 60 === 0) return known;
  const wanted = secondsOf(span) / 200;
  return [60, 300, 900, 3_600, 21_600].find((period) => period >= wanted) ?? 86_400;
}

export const dimensionsText = ({ Dimensions }: Metric) => Dimensions.map(({ Name, Value }) => `${Name}: ${Value}`).join(' · ');

/** A metric's name among all. */
export const idOf = (metric: Metric) => [metric.Namespace, metric.MetricName, dimensionsText(metric)].filter(Boolean).join(' › ');

/** The statistic that says most of a metric, by its name. */
export function usualStatistic({ Namespace, MetricName }: Metric): string {
  if (/Duration|Time$|Latency|Freshness|Success$|Age/i.test(MetricName)) return 'Average';
  if (/^Concurrent|Maximum/.test(MetricName)) return 'Maximum';
  return Namespace.startsWith('AWS/') || Namespace === 'Glue' ? 'Sum' : 'Average';
}

/** `[namespace, name, statistic, name of a dimension, its value, …]` for each line. */
export function graphText(lines: readonly Line[]): string {
  if (lines.length === 0) return '';
  const one = ({ metric, stat }: Line) => [metric.Namespace, metric.MetricName, stat, ...metric.Dimensions.flatMap(({ Name, Value }) => [Name, Value])];
  return JSON.stringify(lines.map(one));
}

/** What {@link graphText} has written; nothing where a link is broken. */
export function graphLines(text: string): Line[] {
  try {
    const found = JSON.parse(text) as unknown;
    if (!Array.isArray(found)) return [];
    return found.filter(isLine).slice(0, MOST_LINES).map(readLine);
  } catch {
    return [];
  }
}

const isLine = (one: unknown): one is string[] => Array.isArray(one) && one.length >= 3 && one.length % 2 === 1 && one.every((part) => typeof part === 'string');

function readLine([Namespace = '', MetricName = '', stat = 'Average', ...rest]: string[]): Line {
  const Dimensions = rest.flatMap((Name, at) => (at % 2 === 0 ? [{ Name, Value: rest[at + 1] ?? '' }] : []));
  return { metric: { Namespace, MetricName, Dimensions }, stat };
}

export const queriesOf = (lines: readonly Line[], Period: number): MetricQuery[] =>
  lines.map(({ metric, stat }, at) => ({ Id: `m${at}`, MetricStat: { Metric: metric, Period, Stat: stat } }));

/** Short names of lines, which say what tells them apart. */
export function labelsOf(lines: readonly Line[]): string[] {
  const shared = (of: (line: Line) => string) => new Set(lines.map(of)).size === 1;
  const [sameMetric, sameStat] = [shared(({ metric }) => `${metric.Namespace} ${metric.MetricName}`), shared(({ stat }) => stat)];
  const named = lines.map((line) => {
    const values = line.metric.Dimensions.map(({ Value }) => Value.split(/[:/]/).at(-1) ?? Value).join(' ');
    const parts = [values, sameMetric && values ? '' : line.metric.MetricName, sameStat ? '' : line.stat];
    return parts.filter(Boolean).join(' ') || line.metric.MetricName;
  });
  return named.map((name, at) => (named.indexOf(name) === at ? name : `${name} (${at + 1})`));
}

/** The rows of a chart: one for each time that any line has a point at. Counts that are not there are nothing, and so zero. */
export function chartRows(lines: readonly Line[], results: readonly MetricResult[]): Cell[][] {
  const points = lines.map((_, at) => {
    const found = results.find(({ Id }) => Id === `m${at}`);
    return new Map(found?.Timestamps.map((time, n) => [time, found.Values[n] ?? 0]));
  });
  const times = [...new Set(points.flatMap((one) => [...one.keys()]))].sort((a, b) => a - b);
  return times.map((time) => [new Date(time * 1000), ...points.map((one) => one.get(time) ?? null)]);
}

/** How values are written, if that is the same for all lines. */
export function unitOf(lines: readonly Line[]): ChartSpec['unit'] {
  const all = (pattern: RegExp) => lines.length > 0 && lines.every(({ metric, stat }) => pattern.test(metric.MetricName) && stat !== 'SampleCount');
  if (all(/Bytes/)) return 'bytes';
  return all(/Duration|ExecutionTime|Latency|elapsedTime/) ? 'duration' : undefined;
}

export interface Sums {
  last: number | undefined;
  least: number | undefined;
  most: number | undefined;
}

export function sumsOf(values: readonly number[]): Sums {
  return { last: values.at(-1), least: values.length ? Math.min(...values) : undefined, most: values.length ? Math.max(...values) : undefined };
}
