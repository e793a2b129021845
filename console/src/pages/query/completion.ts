/** Completes names of the catalogue: tables where a table is due, columns of the statement's tables elsewhere. */
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';

import { columnsOf, databaseNames, tablesOf } from './catalogue';
import { type TableRef, plain, quoted, statementAt, tablesIn, tokens } from './statements';

const WORD = /[\p{L}\p{N}_$"`]*$/u;
const PATH = /((?:(?:[\p{L}\p{N}_$]+|"[^"]*"|`[^`]*`)\.)*)$/u;
const TABLE_FOLLOWS = /\b(?:from|join|into|update|table|describe|desc)\s+(?:[\w".`]+(?:\s+(?:as\s+)?\w+)?\s*,\s*)*$/i;

/** What is meant at a place, found in the text before it. */
export function situation(before: string): { word: string; path: string[]; tableDue: boolean } {
  const word = WORD.exec(before)?.[0] ?? '';
  const head = before.slice(0, before.length - word.length);
  const path = PATH.exec(head)?.[1] ?? '';
  const parts = path.split('.').slice(0, -1).map(plain);
  return { word, path: parts, tableDue: TABLE_FOLLOWS.test(head.slice(0, head.length - path.length)) };
}

const option = (label: string, type: string, detail?: string, boost = 0): Completion => ({
  label,
  apply: quoted(label),
  type,
  boost,
  ...(detail ? { detail } : {}),
});

async function tables(database: string, boost: number): Promise<Completion[]> {
  return (await tablesOf(database)).map(({ Name, TableType }) => option(Name, 'class', TableType === 'VIRTUAL_VIEW' ? 'view' : 'table', boost));
}

async function columns(refs: readonly TableRef[], database: string): Promise<Completion[]> {
  const found = await Promise.all(
    refs.map(async (ref) => (await columnsOf(ref.database ?? database, ref.table)).map(({ Name, Type }) => option(Name, 'property', Type, 3))),
  );
  const seen = new Set<string>();
  return found.flat().filter(({ label }) => !seen.has(label) && seen.add(label));
}

async function below(path: readonly string[], refs: readonly TableRef[], database: string): Promise<Completion[]> {
  const [first = '', second] = path.length > 2 ? path.slice(-2) : path;
  const same = (a: string | undefined, b: string) => a?.toLowerCase() === b.toLowerCase();
  if (second !== undefined) {
    return same(first, 'awsdatacatalog') ? tables(second, 2) : columns([{ database: first, table: second, alias: undefined }], database);
  }
  const ref = refs.find((one) => same(one.alias, first) || same(one.table, first));
  if (ref) return columns([ref], database);
  return (await databaseNames()).some((name) => same(name, first)) ? tables(first, 2) : [];
}

/** For a tab whose database is `database` now. */
export function catalogueCompletion(database: () => string): CompletionSource {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const text = context.state.doc.toString();
    const statement = statementAt(text, context.pos);
    const start = statement && statement.from <= context.pos ? statement.from : 0;
    const before = text.slice(start, context.pos);
    const last = tokens(before).at(-1);
    if (last && (last.kind === 'comment' || last.kind === 'string') && last.to === before.length) return null;
    const { word, path, tableDue } = situation(before);
    if (word === '' && path.length === 0 && !context.explicit && !(tableDue && /\s$/.test(before))) return null;
    const refs = tablesIn(statement?.text ?? '');
    const options = await optionsFor(path, tableDue, refs, database());
    if (context.aborted || options.length === 0) return null;
    return { from: context.pos - word.length, options, validFor: /^[\p{L}\p{N}_$"]*$/u };
  };
}

async function optionsFor(path: readonly string[], tableDue: boolean, refs: readonly TableRef[], database: string): Promise<Completion[]> {
  if (path.length > 0) return below(path, refs, database);
  if (tableDue) {
    const [own, names] = await Promise.all([tables(database, 3), databaseNames()]);
    return [...own, ...names.map((name) => ({ ...option(name, 'namespace', 'database', 1), apply: `${quoted(name)}.` }))];
  }
  const aliases = refs.flatMap(({ alias, table }) => (alias ? [option(alias, 'variable', table, 2)] : []));
  return [...(await columns(refs, database)), ...aliases];
}
