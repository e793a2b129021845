/** What a result's chart shows, guessed from its columns' types, and the SQL that makes the chart's data. */
import type { ColumnInfo } from '../../aws/athena';
import type { Cell, ChartKind } from '../../lib/chart-option';
import type { Row } from './csv';
import { kindOf } from './grid-model';
import { quoted } from './statements';

export type Aggregate = 'none' | 'sum' | 'avg' | 'count' | 'min' | 'max';

export interface ChartChoice {
  kind: ChartKind;
  /** Columns by their places: names may come twice. */
  x: number;
  y: number[];
  by: number | undefined;
  aggregate: Aggregate;
}

/** Rows beyond these say no more in a picture. */
export const DRAWN = 5_000;
const PIECES = 8;

/** Times along a line, words as bars (a few of them as a pie), numbers alone as points, or along a line where each is above the last. None for a result without numbers to draw. */
export function guess(columns: readonly ColumnInfo[], rows: readonly Row[]): ChartChoice | undefined {
  const kinds = columns.map((column) => kindOf(column.Type));
  const numbers = kinds.flatMap((kind, at) => (kind === 'number' ? [at] : []));
  const time = kinds.indexOf('time');
  const word = kinds.findIndex((kind) => kind === 'text' || kind === 'boolean');
  const x = time >= 0 ? time : word;
  const base = { by: undefined, aggregate: 'none' as const };
  if (rows.length === 0 || columns.length === 0) return undefined;
  if (x < 0) {
    const [first, ...others] = numbers;
    if (first === undefined) return undefined;
    if (others.length === 0) return { ...base, kind: 'line', x: first, y: [first] };
    return { ...base, kind: isAscending(rows.map((row) => row[first])) ? 'line' : 'scatter', x: first, y: others.slice(0, 1) };
  }
  const repeats = new Set(rows.map((row) => row[x])).size < rows.length;
  if (numbers.length === 0) return { ...base, kind: time >= 0 ? 'line' : 'bar', x, y: [x], aggregate: 'count' };
  const y = numbers.slice(0, 3);
  // A time and a word beside it: a line for each word.
  if (time >= 0 && word >= 0 && repeats && new Set(rows.map((row) => row[word])).size <= 10) return { ...base, kind: 'line', x, y: y.slice(0, 1), by: word };
  const aggregate = repeats ? 'sum' : 'none';
  if (time >= 0) return { ...base, kind: 'line', x, y, aggregate };
  const kind = y.length === 1 && rows.length <= PIECES && rows.length > 1 && isShare(columns[y[0] ?? -1]?.Name) ? 'pie' : 'bar';
  return { ...base, kind, x, y, aggregate };
}

/** Hours, years, steps: whatever rows are counted by. */
const isAscending = (values: Row) => values.length > 1 && values.every((value, at) => at === 0 || Number(value) > Number(values[at - 1]));

const isShare = (name: string | undefined) => /share|percent|pct|ratio/i.test(name ?? '');

export interface ChartData {
  columns: string[];
  rows: Cell[][];
  x: string;
  y: string[];
  by: string | undefined;
  /** Whether rows were left out of the picture. */
  cut: boolean;
}

const label = (columns: readonly ColumnInfo[], at: number, aggregate: Aggregate) => {
  const name = columns[at]?.Name ?? '';
  return aggregate === 'none' ? name : aggregate === 'count' ? 'count' : `${aggregate}(${name})`;
};

/** The rows that are drawn: as they are, or one for each value of the axis. */
export function chartData(choice: ChartChoice, columns: readonly ColumnInfo[], rows: readonly Row[]): ChartData {
  const { x, by, aggregate } = choice;
  const y = choice.y.slice(0, by === undefined && choice.kind !== 'pie' ? undefined : 1);
  const names = { x: 'x', by: by === undefined ? undefined : 'by' };
  const series = aggregate === 'count' ? y.slice(0, 1) : y;
  // A column along the axis may be drawn too, and names may come twice.
  const labels = series.map((at) => label(columns, at, aggregate));
  const unique = labels.map((name, at) => (labels.indexOf(name) === at && name !== 'x' && name !== 'by' ? name : `${name} ${at + 1}`));
  const made = aggregate === 'none' ? rows.slice(0, DRAWN).map((row) => [row[x], ...(by === undefined ? [] : [row[by]]), ...series.map((at) => row[at])]) : grouped(choice, series, rows);
  return { columns: [names.x, ...(names.by ? [names.by] : []), ...unique], rows: made.slice(0, DRAWN), x: names.x, by: names.by, y: unique, cut: aggregate === 'none' ? rows.length > DRAWN : made.length > DRAWN };
}

function grouped({ x, by, aggregate }: ChartChoice, series: readonly number[], rows: readonly Row[]): Cell[][] {
  const groups = new Map<string, { head: Cell[]; members: Row[] }>();
  for (const row of rows) {
    const head = by === undefined ? [row[x]] : [row[x], row[by]];
    const key = JSON.stringify(head.map((value) => value ?? null));
    const group = groups.get(key) ?? { head, members: [] };
    group.members.push(row);
    groups.set(key, group);
  }
  const made = [...groups.values()].map(({ head, members }) => [...head, ...series.map((at) => fold(aggregate, members.flatMap((row) => row[at] ?? []), members.length))]);
  return made.sort((a, b) => order(a[0], b[0]));
}

function order(a: Cell, b: Cell): number {
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return String(a ?? '') < String(b ?? '') ? -1 : 1;
}

function fold(aggregate: Aggregate, values: readonly string[], all: number): number | undefined {
  if (aggregate === 'count') return all;
  const numbers = values.map(Number);
  if (numbers.length === 0) return undefined;
  const sum = numbers.reduce((total, value) => total + value, 0);
  switch (aggregate) {
    case 'avg':
      return sum / numbers.length;
    case 'min':
      return numbers.reduce((least, value) => Math.min(least, value));
    case 'max':
      return numbers.reduce((most, value) => Math.max(most, value));
    default:
      return sum;
  }
}

/** The statement whose result is the chart's data, made of the result's own statement. */
export function chartSql(choice: ChartChoice, columns: readonly ColumnInfo[], statement: string): string {
  const name = (at: number) => quoted(columns[at]?.Name ?? '');
  const { x, by, aggregate } = choice;
  const keys = [name(x), ...(by === undefined ? [] : [name(by)])];
  const y = choice.y.slice(0, by === undefined && choice.kind !== 'pie' ? undefined : 1);
  const values = aggregate === 'count' ? ['count(*) AS "count"'] : y.map((at) => (aggregate === 'none' ? name(at) : `${aggregate}(${name(at)}) AS "${label(columns, at, aggregate).replaceAll('"', '""')}"`));
  const inner = statement.trim().split('\n').map((line) => `  ${line}`).join('\n');
  const head = `SELECT ${[...keys, ...values].join(', ')}\nFROM (\n${inner}\n)`;
  const places = keys.map((_, at) => at + 1).join(', ');
  return aggregate === 'none' ? head : `${head}\nGROUP BY ${places}\nORDER BY ${places}`;
}
