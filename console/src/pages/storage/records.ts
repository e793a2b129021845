/** JSON as rows: lines of it, documents one after the other, or one list. */

export interface Table {
  columns: string[];
  rows: Record<string, unknown>[];
}

/**
 * Documents that follow each other, with commas, line ends or nothing between them; `rest` is what is not whole yet. A list is
 * read as its items once its first bracket is off.
 */
export function documents(text: string): { found: unknown[]; rest: string; broken: boolean } {
  const found: unknown[] = [];
  let from = 0;
  while (from < text.length) {
    const start = text.slice(from).search(/[^\s,\]]/);
    if (start < 0) return { found, rest: '', broken: false };
    from += start;
    const end = endOf(text, from);
    if (end === undefined) break;
    try {
      found.push(JSON.parse(text.slice(from, end)));
    } catch {
      return { found, rest: text.slice(from), broken: true };
    }
    from = end;
  }
  return { found, rest: text.slice(from), broken: false };
}

/** Where the document that begins at `from` ends; undefined if that is further on. */
function endOf(text: string, from: number): number | undefined {
  const first = text[from];
  if (first !== '{' && first !== '[') {
    const line = text.indexOf('\n', from);
    return line < 0 ? undefined : line;
  }
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const c = text[at];
    if (quoted) {
      if (c === '\\') at += 1;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' || c === '[') depth += 1;
    else if (c === '}' || c === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Objects as a table, with the columns in the order in which they come up; none if they are no objects. */
export function tableOf(rows: readonly unknown[]): Table | undefined {
  if (rows.length === 0 || !rows.every(isRecord)) return undefined;
  const columns = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) columns.add(name);
  return { columns: [...columns], rows: [...rows] };
}

/** A value as it stands in a cell. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString().replace('T', ' ').replace(/(\.000)?Z$/, '');
  if (value instanceof Uint8Array) return `0x${[...value.slice(0, 32)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  if (typeof value === 'object') return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  return String(value);
}
