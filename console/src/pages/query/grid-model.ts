/** Rows of a result as people look at them: in order, as texts to paste, as JSON. */
import type { ColumnInfo } from '../../aws/athena';
import type { Row, Value } from './csv';

export type TypeKind = 'number' | 'time' | 'boolean' | 'json' | 'text';

/** What an Athena type is for a reader: `decimal(10,2)` is a number. */
export function kindOf(type: string): TypeKind {
  const name = type.toLowerCase();
  if (/^(tinyint|smallint|int|integer|bigint|float|real|double|decimal)\b/.test(name)) return 'number';
  if (/^(date|timestamp|time)\b/.test(name)) return 'time';
  if (name === 'boolean') return 'boolean';
  return /^(array|map|row|struct|json)/.test(name) ? 'json' : 'text';
}

export interface GridSort {
  column: number;
  descending: boolean;
}

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

function compare(kind: TypeKind, a: string, b: string): number {
  if (kind === 'number') {
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? words.compare(a, b) : difference;
  }
  // Times are written so that their order is that of their characters.
  return kind === 'time' ? (a < b ? -1 : a > b ? 1 : 0) : words.compare(a, b);
}

/** The rows' places in the order asked for; what is null comes last. Without one, none: they stand as they came. */
export function order(rows: readonly Row[], columns: readonly ColumnInfo[], sort: GridSort | undefined): Uint32Array | undefined {
  if (!sort) return undefined;
  const kind = kindOf(columns[sort.column]?.Type ?? '');
  const places = Uint32Array.from(rows, (_, at) => at);
  const sign = sort.descending ? -1 : 1;
  return places.sort((a, b) => {
    const [x, y] = [rows[a]?.[sort.column], rows[b]?.[sort.column]];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined) || a - b;
    return sign * compare(kind, x, y) || a - b;
  });
}

/** Values between tabs, as spreadsheets paste them; tabs and ends of lines inside a value make it quoted. */
export function tsv(rows: readonly Row[], header?: readonly string[]): string {
  const cell = (value: Value) => (value !== undefined && /[\t\n\r"]/.test(value) ? `"${value.replaceAll('"', '""')}"` : (value ?? ''));
  return [...(header ? [header] : []), ...rows].map((row) => row.map(cell).join('\t')).join('\n');
}

/** The names of columns, each its own: a second `a` is `a_2`. */
export function uniqueNames(columns: readonly ColumnInfo[]): string[] {
  const seen = new Map<string, number>();
  return columns.map(({ Name }) => {
    const times = (seen.get(Name) ?? 0) + 1;
    seen.set(Name, times);
    return times === 1 ? Name : `${Name}_${times}`;
  });
}

/** A value of JSON; numbers that JavaScript would round stay texts. */
function typed(value: Value, kind: TypeKind): string | number | boolean | null {
  if (value === undefined) return null;
  if (kind === 'boolean') return value === 'true';
  if (kind !== 'number') return value;
  const number = Number(value);
  const exact = Number.isFinite(number) && (!/^-?\d+$/.test(value) || Number.isSafeInteger(number));
  return exact ? number : value;
}

/** Rows as objects in JSON, a part for each so many rows, so that large results become a file without one long text. */
export function* jsonParts(rows: readonly Row[], columns: readonly ColumnInfo[], each = 5_000): Generator<string> {
  const names = uniqueNames(columns);
  const kinds = columns.map((column) => kindOf(column.Type));
  const object = (row: Row) => JSON.stringify(Object.fromEntries(names.map((name, at) => [name, typed(row[at], kinds[at] ?? 'text')])));
  yield '[';
  for (let at = 0; at < rows.length; at += each) {
    yield (at === 0 ? '\n' : ',\n') + rows.slice(at, at + each).map(object).join(',\n');
  }
  yield '\n]\n';
}

/** Pixels that a column wants: as wide as its name and first values, within reason. */
export function widths(columns: readonly ColumnInfo[], rows: readonly Row[], sample = 60): number[] {
  return columns.map((column, at) => {
    const longest = rows.slice(0, sample).reduce((most, row) => Math.max(most, (row[at] ?? '').length), column.Name.length + 3);
    return Math.round(Math.min(420, Math.max(84, longest * 7.7 + 28)));
  });
}
