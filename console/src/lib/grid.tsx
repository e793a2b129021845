/**
 * Rows of a file or a result: as many columns as there are, each wide enough for what it holds, and only the rows in sight drawn.
 *
 *     <Grid label="Rows" columns={['id', 'name']} rows={[{ at: 0, cells: ['1', 'x'] }]} />
 */
import { type CSSProperties, useMemo } from 'react';

import { type Column, DataTable } from './table';

export interface GridRow {
  at: number;
  cells: readonly string[];
}

export interface GridProps {
  label: string;
  columns: readonly string[];
  rows: readonly GridRow[];
  /** The filter's name in the address. */
  param?: string;
  height?: number | string;
  filter?: boolean;
}

const NARROWEST = 80;
const WIDEST = 320;
const LOOKED_AT = 60;

/** Pixels for a column, by its name and its first values. */
export function widthOf(name: string, values: readonly string[]): number {
  const longest = values.slice(0, LOOKED_AT).reduce((most, value) => Math.max(most, value.length), name.length + 2);
  return Math.min(WIDEST, Math.max(NARROWEST, longest * 8 + 30));
}

const isNumber = (text: string) => text !== '' && !Number.isNaN(Number(text));

export function Grid({ label, columns, rows, param, height, filter = true }: GridProps) {
  const shown = useMemo((): Column<GridRow>[] => {
    const number: Column<GridRow> = { id: 'row', header: '#', width: 72, align: 'right', cell: (row) => <span className="bh-soft">{row.at + 1}</span> };
    const others = columns.map((name, at): Column<GridRow> => {
      const values = rows.slice(0, LOOKED_AT).map((row) => row.cells[at] ?? '');
      const known = values.filter((value) => value !== '');
      const right = known.length > 0 && known.every(isNumber);
      return {
        id: `${at}`,
        header: name,
        width: widthOf(name, values),
        value: (row) => (right ? Number(row.cells[at]) : row.cells[at]),
        cell: (row) => <span title={row.cells[at]}>{row.cells[at]}</span>,
        ...(right ? { align: 'right' as const } : {}),
      };
    });
    return [number, ...others];
  }, [columns, rows.length > LOOKED_AT ? LOOKED_AT : rows]);
  const width = shown.reduce((sum, column) => sum + (column.width ?? NARROWEST), 0);
  return (
    <div className="bh-grid" style={{ '--bh-grid-width': `${width}px` } as CSSProperties}>
      <DataTable label={label} title={false} items={rows} rowKey={(row) => String(row.at)} columns={shown} filter={filter} height={height ?? 'max(320px, calc(100vh - 470px))'} {...(param ? { param } : {})} />
    </div>
  );
}
