/** What stands in a text of SQL: its statements, their placeholders and tables, and where an error's place is in the text. */

export interface Token {
  kind: 'word' | 'quoted' | 'string' | 'number' | 'comment' | 'symbol';
  text: string;
  from: number;
  to: number;
}

export interface Statement {
  text: string;
  from: number;
  to: number;
  /** Of its first character, counted from 1. */
  line: number;
  column: number;
  /** How many lines stand before it in what is sent, such as one of `EXPLAIN`. */
  lead?: number;
}

export interface TableRef {
  database: string | undefined;
  table: string;
  alias: string | undefined;
}

const TOKEN =
  /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*(?:'|$))|("(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$))|([\p{L}_@$][\p{L}\p{N}_@$]*)|(\d[\d.]*(?:[eE][+-]?\d+)?)|(\S)/gu;

const KINDS = ['comment', 'string', 'quoted', 'word', 'number', 'symbol'] as const;

export function tokens(sql: string): Token[] {
  return [...sql.matchAll(TOKEN)].map((match) => {
    const kind = KINDS[match.slice(1).findIndex((group) => group !== undefined)] ?? 'symbol';
    return { kind, text: match[0], from: match.index, to: match.index + match[0].length };
  });
}

/** The statements between semicolons; those of comments alone are none. */
export function split(sql: string): Statement[] {
  const found: Statement[] = [];
  let part: Token[] = [];
  const end = () => {
    const [first, last] = [part[0], part.at(-1)];
    if (first && last && part.some((token) => token.kind !== 'comment')) {
      const before = sql.slice(0, first.from);
      const line = before.split('\n').length;
      const column = first.from - (before.lastIndexOf('\n') + 1) + 1;
      found.push({ text: sql.slice(first.from, last.to), from: first.from, to: last.to, line, column });
    }
    part = [];
  };
  for (const token of tokens(sql)) {
    if (token.kind === 'symbol' && token.text === ';') end();
    else part.push(token);
  }
  end();
  return found;
}

/** The statement at a place of the text: the one that the place is in or behind. */
export function statementAt(sql: string, at: number): Statement | undefined {
  const all = split(sql);
  return all.find((statement) => at <= statement.to) ?? all.at(-1);
}

/** How many `?` ask for a value. */
export const placeholders = (sql: string) =>
  tokens(sql).filter((token) => token.kind === 'symbol' && token.text === '?').length;

/** The name of the prepared statement that an `EXECUTE name` without `USING` calls. */
export function executes(sql: string): string | undefined {
  const words = tokens(sql).filter((token) => token.kind !== 'comment');
  const [verb, name, ...rest] = words;
  return verb?.text.toLowerCase() === 'execute' && name && rest.length === 0 ? plain(name.text) : undefined;
}

/** A name without its quotes. */
export function plain(name: string): string {
  const mark = name[0];
  if (mark !== '"' && mark !== '`') return name;
  const end = name.endsWith(mark) && name.length > 1 ? -1 : undefined;
  return name.slice(1, end).replaceAll(mark + mark, mark);
}

/** A name as it is written in a statement: with quotes if it needs them. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) && !RESERVED.has(name.toLowerCase()) ? name : `"${name.replaceAll('"', '""')}"`;
}

const RESERVED = new Set(
  (
    'alter and as between by case cast constraint create cross cube current_date current_time current_timestamp current_user ' +
    'deallocate delete describe distinct drop else end escape except execute exists extract false for from full group grouping ' +
    'having in inner insert intersect into is join json_table left like listagg localtime localtimestamp natural normalize not ' +
    'null on or order outer prepare recursive right rollup select skip table then trim true uescape union unnest using values ' +
    'when where with'
  ).split(' '),
);

const BEFORE_TABLE = new Set(['from', 'join', 'into', 'update', 'table', 'describe', 'desc']);
const NOT_AN_ALIAS = new Set(
  (
    'where group order limit having join inner left right full cross natural on using union except intersect window offset fetch ' +
    'set values select for tablesample when then lateral unnest match_recognize if add drop partition location partitioned'
  ).split(' '),
);

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quoted';

/** The tables that a statement names, with their aliases. Names of its own `WITH` are among them. */
export function tablesIn(sql: string): TableRef[] {
  const all = tokens(sql).filter((token) => token.kind !== 'comment');
  const found: TableRef[] = [];
  let at = 0;
  let list = false;
  while (at < all.length) {
    const token = all[at];
    at += 1;
    const word = token?.kind === 'word' ? token.text.toLowerCase() : '';
    const begins = BEFORE_TABLE.has(word) || (list && token?.text === ',');
    list = false;
    if (!begins || !isName(all[at])) continue;
    const parts: string[] = [];
    while (isName(all[at])) {
      parts.push(plain(all[at]?.text ?? ''));
      at += 1;
      if (all[at]?.text !== '.') break;
      at += 1;
    }
    if (all[at]?.kind === 'word' && all[at]?.text.toLowerCase() === 'as') at += 1;
    const next = all[at];
    const alias = isName(next) && !NOT_AN_ALIAS.has(next.text.toLowerCase()) ? plain(next.text) : undefined;
    if (alias !== undefined) at += 1;
    list = word === 'from' || token?.text === ',';
    found.push({ database: parts.at(-2), table: parts.at(-1) ?? '', alias });
  }
  return found;
}

/** Where an error is, if its words say `line 3:7`. */
export function placeOf(message: string): { line: number; column: number } | undefined {
  const found = /\bline (\d+):(\d+)/.exec(message);
  return found ? { line: Number(found[1]), column: Number(found[2]) } : undefined;
}

/** A place of a statement as one of the text that it stands in. */
export function placeInText(statement: Statement, place: { line: number; column: number }): { line: number; column: number } {
  const line = place.line - (statement.lead ?? 0);
  return { line: statement.line + line - 1, column: line === 1 ? statement.column + place.column - 1 : place.column };
}
