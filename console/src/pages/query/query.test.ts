import { describe, expect, test } from 'vitest';

import type { ColumnInfo } from '../../aws/athena';
import { chartData, chartSql, guess } from './chart-guess';
import { situation } from './completion';
import { CsvReader } from './csv';
import { jsonParts, kindOf, order, tsv, widths } from './grid-model';
import { expectedRows, facts, flat, parsePlan, planGraph } from './plan';
import { s3Place } from './results';
import { executes, placeInText, placeOf, placeholders, quoted, split, statementAt, tablesIn } from './statements';
import { blank, parseTabs } from './tabs';

describe('statements', () => {
  test('are what stands between semicolons outside of texts, names and comments', () => {
    const sql = "-- first; not\nSELECT ';' AS \"a;b\" /* ; */;\n\n  SELECT 2 ; ; -- end";
    const found = split(sql);
    expect(found.map((one) => one.text)).toEqual(["-- first; not\nSELECT ';' AS \"a;b\" /* ; */", 'SELECT 2']);
    expect(found[1]).toMatchObject({ line: 4, column: 3 });
    expect(split(' ;; -- nothing')).toEqual([]);
  });

  test('are found by the cursor', () => {
    const sql = 'SELECT 1;\nSELECT 2';
    expect(statementAt(sql, 3)?.text).toBe('SELECT 1');
    expect(statementAt(sql, 12)?.text).toBe('SELECT 2');
    expect(statementAt(sql, sql.length)?.text).toBe('SELECT 2');
    expect(statementAt('', 0)).toBeUndefined();
  });

  test('texts that are not ended end with all', () => {
    expect(split("SELECT 'a; b").map((one) => one.text)).toEqual(["SELECT 'a; b"]);
    expect(split('SELECT /* a; b').map((one) => one.text)).toEqual(['SELECT /* a; b']);
  });

  test('placeholders are those outside of texts', () => {
    expect(placeholders("SELECT ?, '?', \"?\", f(?) -- ?")).toBe(2);
  });

  test('EXECUTE without USING asks for the values of a prepared statement', () => {
    expect(executes('execute by_airport')).toBe('by_airport');
    expect(executes('EXECUTE "By" ')).toBe('By');
    expect(executes('EXECUTE p USING 1')).toBeUndefined();
    expect(executes('SELECT 1')).toBeUndefined();
  });

  test('name their tables', () => {
    expect(tablesIn('SELECT * FROM flights.departures d, carriers AS c JOIN "Air ports" p ON a = b WHERE x')).toEqual([
      { database: 'flights', table: 'departures', alias: 'd' },
      { database: undefined, table: 'carriers', alias: 'c' },
      { database: undefined, table: 'Air ports', alias: 'p' },
    ]);
    expect(tablesIn('INSERT INTO a.b SELECT 1')).toEqual([{ database: 'a', table: 'b', alias: undefined }]);
    expect(tablesIn('SELECT * FROM (SELECT 1)')).toEqual([]);
  });

  test('errors have their place in the whole text', () => {
    const [, second] = split('SELECT 1;\n   SELECT\n  x');
    expect(placeOf('COLUMN_NOT_FOUND: line 2:3: Column')).toEqual({ line: 2, column: 3 });
    expect(placeOf('DIVISION_BY_ZERO: Division by zero')).toBeUndefined();
    expect(second && placeInText(second, { line: 1, column: 8 })).toEqual({ line: 2, column: 11 });
    expect(second && placeInText(second, { line: 2, column: 3 })).toEqual({ line: 3, column: 3 });
  });

  test('names are quoted where they must be', () => {
    expect([quoted('day'), quoted('order'), quoted('a b'), quoted('1a'), quoted('a"b')]).toEqual(['day', '"order"', '"a b"', '"1a"', '"a""b"']);
  });
});

describe('completion', () => {
  test('knows what is due', () => {
    expect(situation('SELECT a FROM fl')).toEqual({ word: 'fl', path: [], tableDue: true });
    expect(situation('SELECT a FROM flights.de')).toEqual({ word: 'de', path: ['flights'], tableDue: true });
    expect(situation('SELECT d.')).toEqual({ word: '', path: ['d'], tableDue: false });
    expect(situation('SELECT a FROM b x, ').tableDue).toBe(true);
    expect(situation('SELECT a FROM b WHERE ').tableDue).toBe(false);
    expect(situation('SELECT "a b".c').path).toEqual(['a b']);
  });
});

describe('CSV', () => {
  const text = '"a","b"\n"1",\n"x""y,\nz",""\n';
  const rows = [['a', 'b'], ['1', undefined], ['x"y,\nz', '']];

  test('comes in any pieces', () => {
    for (let size = 1; size <= text.length; size += 1) {
      const reader = new CsvReader();
      const found = [];
      for (let at = 0; at < text.length; at += size) found.push(...reader.push(text.slice(at, at + size)));
      expect([...found, ...reader.end()]).toEqual(rows);
    }
  });

  test('may lack its last end of line, and begin with what is null', () => {
    const reader = new CsvReader();
    expect([...reader.push('\n"1"'), ...reader.end()]).toEqual([[undefined], ['1']]);
  });
});

const column = (Name: string, Type: string): ColumnInfo => ({ Name, Type });

describe('the grid', () => {
  const columns = [column('n', 'integer'), column('t', 'varchar')];
  const rows = [['10', 'b'], ['9', 'a'], [undefined, 'c'], ['9', undefined]];

  test('sorts by what the values are, null last', () => {
    expect([...(order(rows, columns, { column: 0, descending: false }) ?? [])]).toEqual([1, 3, 0, 2]);
    expect([...(order(rows, columns, { column: 0, descending: true }) ?? [])]).toEqual([0, 1, 3, 2]);
    expect([...(order(rows, columns, { column: 1, descending: true }) ?? [])]).toEqual([2, 0, 1, 3]);
    expect(order(rows, columns, undefined)).toBeUndefined();
  });

  test('copies as spreadsheets paste', () => {
    expect(tsv([['a\tb', undefined], ['say "x"', '2']], ['h', 'i'])).toBe('h\ti\n"a\tb"\t\n"say ""x"""\t2');
  });

  test('exports JSON of the right types', () => {
    const text = [...jsonParts([['1', 'x'], ['9007199254740993', undefined]], [column('n', 'bigint'), column('n', 'varchar')], 1)].join('');
    expect(JSON.parse(text)).toEqual([{ n: 1, n_2: 'x' }, { n: '9007199254740993', n_2: null }]);
    expect(JSON.parse([...jsonParts([], [])].join(''))).toEqual([]);
  });

  test('knows types and widths', () => {
    expect(['decimal(10,2)', 'timestamp with time zone', 'array(integer)', 'varchar(3)', 'interval day to second'].map(kindOf)).toEqual(['number', 'time', 'json', 'text', 'text']);
    const [narrow = 0, wide = 0] = widths([column('a', 'integer'), column('b', 'varchar')], [['1', 'x'.repeat(999)]]);
    expect(narrow).toBeLessThan(wide);
    expect(wide).toBeLessThanOrEqual(420);
  });
});

describe('charts', () => {
  const columns = [column('airport', 'varchar'), column('day', 'date'), column('n', 'bigint')];

  test('are guessed from types', () => {
    expect(guess(columns, [['A', '2026-01-01', '1'], ['B', '2026-01-01', '2']])).toMatchObject({ kind: 'line', x: 1, y: [2], by: 0 });
    expect(guess([column('a', 'varchar'), column('n', 'bigint')], [['x', '1'], ['y', '2']])).toMatchObject({ kind: 'bar', x: 0, y: [1], aggregate: 'none' });
    expect(guess([column('a', 'varchar'), column('share', 'double')], [['x', '1'], ['y', '2']])?.kind).toBe('pie');
    expect(guess([column('a', 'double'), column('b', 'double')], [['1', '2']])?.kind).toBe('scatter');
    expect(guess([column('hour', 'integer'), column('n', 'bigint')], [['5', '2'], ['6', '9'], ['10', '1']])?.kind).toBe('line');
    expect(guess([column('a', 'double'), column('b', 'double')], [['5', '2'], ['4', '9']])?.kind).toBe('scatter');
    expect(guess([column('a', 'varchar')], [['x'], ['x']])).toMatchObject({ kind: 'bar', aggregate: 'count' });
    expect(guess(columns, [])).toBeUndefined();
    expect(guess([column('a', 'array')], [['[1]']])).toBeUndefined();
  });

  test('fold rows as their SQL does', () => {
    const choice = { kind: 'bar' as const, x: 0, y: [2], by: undefined, aggregate: 'sum' as const };
    const rows = [['B', '', '1'], ['A', '', '2'], ['B', '', undefined], ['B', '', '4']];
    expect(chartData(choice, columns, rows).rows).toEqual([['A', 2], ['B', 5]]);
    expect(chartData({ ...choice, aggregate: 'count' }, columns, rows).rows).toEqual([['A', 1], ['B', 3]]);
    expect(chartSql(choice, columns, 'SELECT *\nFROM t')).toBe('SELECT airport, sum(n) AS "sum(n)"\nFROM (\n  SELECT *\n  FROM t\n)\nGROUP BY 1\nORDER BY 1');
    expect(chartSql({ ...choice, aggregate: 'none', by: 1 }, columns, 'SELECT 1')).toBe('SELECT airport, day, n\nFROM (\n  SELECT 1\n)');
  });
});

describe('plans', () => {
  const scan = { id: '1', name: 'TableScan', descriptor: { table: 'awsdatacatalog:flights:departures' }, outputs: [], details: [], estimates: [{ outputRowCount: 2000 }], children: [] };
  const text = JSON.stringify({ id: '0', name: 'Output', descriptor: {}, outputs: [], details: [], estimates: [{ outputRowCount: 'NaN' }], children: [scan] });

  test('are trees whose data flows upwards', () => {
    const root = parsePlan(text);
    expect(root && flat(root).map(expectedRows)).toEqual([undefined, 2000]);
    const graph = root && planGraph(root);
    expect(graph?.edges).toEqual([{ from: '1', to: '0' }]);
    expect(graph?.nodes[1]).toMatchObject({ title: 'Table scan', detail: 'flights.departures · 2,000 rows' });
    expect(root?.children[0] && facts(root.children[0])).toContainEqual(['Expected rows', '2,000']);
  });

  test('other texts are none', () => {
    expect(parsePlan('Output[columnNames = [a]]')).toBeUndefined();
    expect(parsePlan('{}')).toBeUndefined();
  });
});

describe('tabs', () => {
  test('come back as they were, and begin anew from anything else', () => {
    const tab = blank({ sql: 'SELECT 1' });
    expect(parseTabs(JSON.stringify({ tabs: [tab, { id: 1 }], active: 'gone' }))).toEqual({ tabs: [tab], active: tab.id });
    for (const text of [null, '', '[]', '{"tabs":7}', '{"tabs":[]}']) expect(parseTabs(text).tabs).toHaveLength(1);
    expect(blank({}, [blank({ name: 'Query 7' })]).name).toBe('Query 8');
  });
});

test('places in S3 are taken apart', () => {
  expect(s3Place('s3://results/q/a b.csv')).toEqual({ bucket: 'results', key: 'q/a b.csv' });
  expect(s3Place('s3://results')).toBeUndefined();
});
