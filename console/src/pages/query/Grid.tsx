/**
 * A result as a grid: only what is in sight is in the document. Arrows move, Shift and the pointer choose, Ctrl-C copies,
 * Enter shows a whole value, headers sort and can be drawn wider.
 */
import Icon from '@cloudscape-design/components/icon';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ClipboardEvent, type KeyboardEvent, type PointerEvent, useEffect, useId, useMemo, useRef, useState } from 'react';

import type { ColumnInfo } from '../../aws/athena';
import type { Row } from './csv';
import { type GridSort, kindOf, tsv, widths } from './grid-model';

export interface Cell {
  row: number;
  column: number;
}

export interface Range {
  anchor: Cell;
  head: Cell;
}

export interface GridProps {
  label: string;
  columns: readonly ColumnInfo[];
  rows: readonly Row[];
  /** Tells when `rows` has grown. */
  version: number;
  /** The places of rows in their order; as they are without. */
  places: Uint32Array | undefined;
  sort: GridSort | undefined;
  onSort: (sort: GridSort | undefined) => void;
  range: Range | undefined;
  onRange: (range: Range) => void;
  onOpen: (cell: Cell) => void;
  /** Somebody comes near the last row. */
  onNearEnd: () => void;
}

const ROW = 30;
const NUMBER = 64;
const NEAR = 500;

const between = (value: number, most: number) => Math.min(Math.max(value, 0), most);

/** The rows and columns of a range, from and to. */
export function bounds({ anchor, head }: Range): { top: number; bottom: number; left: number; right: number } {
  return {
    top: Math.min(anchor.row, head.row),
    bottom: Math.max(anchor.row, head.row),
    left: Math.min(anchor.column, head.column),
    right: Math.max(anchor.column, head.column),
  };
}

/** The chosen values; with the names above them where whole columns' worth is taken. */
export function chosen(rows: readonly Row[], places: Uint32Array | undefined, range: Range): Row[] {
  const { top, bottom, left, right } = bounds(range);
  const found: Row[] = [];
  for (let at = top; at <= bottom; at += 1) found.push(rows[places?.[at] ?? at]?.slice(left, right + 1) ?? []);
  return found;
}

export function Grid(props: GridProps) {
  const { label, columns, rows, version, places, range, onRange, onOpen, onNearEnd } = props;
  const id = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<Record<number, number>>({});
  const hasRows = rows.length > 0;
  const natural = useMemo(() => widths(columns, rows), [columns, hasRows]);
  const wide = (at: number) => drawn[at] ?? natural[at] ?? 120;
  const down = useVirtualizer({ count: rows.length, getScrollElement: () => frame.current, estimateSize: () => ROW, overscan: 15 });
  const across = useVirtualizer({ horizontal: true, count: columns.length, getScrollElement: () => frame.current, estimateSize: wide, overscan: 4 });
  useEffect(() => across.measure(), [drawn, natural, across]);
  const seenRows = down.getVirtualItems();
  const seenColumns = across.getVirtualItems();
  const last = seenRows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - NEAR) onNearEnd();
  }, [last, version]);
  const width = across.getTotalSize() + NUMBER;
  const active = range?.head;
  const go = (row: number, column: number, extend: boolean) => {
    const head = { row: between(row, rows.length - 1), column: between(column, columns.length - 1) };
    onRange({ anchor: extend && range ? range.anchor : head, head });
    down.scrollToIndex(head.row);
    across.scrollToIndex(head.column);
  };
  const key = (event: KeyboardEvent) => {
    if (event.target !== frame.current || rows.length === 0) return;
    const page = Math.max(1, Math.floor((frame.current?.clientHeight ?? 300) / ROW) - 2);
    const { row, column } = active ?? { row: 0, column: 0 };
    const whole = event.ctrlKey || event.metaKey;
    if (whole && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      return onRange({ anchor: { row: 0, column: 0 }, head: { row: rows.length - 1, column: columns.length - 1 } });
    }
    const moves: Record<string, [number, number]> = {
      ArrowDown: [whole ? rows.length : row + 1, column],
      ArrowUp: [whole ? 0 : row - 1, column],
      ArrowRight: [row, whole ? columns.length : column + 1],
      ArrowLeft: [row, whole ? 0 : column - 1],
      PageDown: [row + page, column],
      PageUp: [row - page, column],
      Home: [whole ? 0 : row, 0],
      End: [whole ? rows.length : row, columns.length],
    };
    const move = moves[event.key];
    if (event.key === 'Enter' && active) onOpen(active);
    else if (!move) return;
    else if (active || whole || !event.key.startsWith('Arrow')) go(...move, event.shiftKey);
    else go(0, 0, false);
    event.preventDefault();
  };
  const copy = (event: ClipboardEvent) => {
    if (!range || event.target !== frame.current) return;
    event.preventDefault();
    event.clipboardData.setData('text/plain', tsv(chosen(rows, places, range)));
  };
  const cellAt = (target: EventTarget): Cell | undefined => {
    const at = (target as Element).closest<HTMLElement>('[data-cell]')?.dataset.cell?.split('/').map(Number);
    return at ? { row: at[0] ?? 0, column: at[1] ?? 0 } : undefined;
  };
  const point = (event: PointerEvent) => {
    const head = cellAt(event.target);
    if (!head || event.button !== 0) return;
    onRange({ anchor: event.shiftKey && range ? range.anchor : head, head });
  };
  const drag = (event: PointerEvent) => {
    const head = event.buttons === 1 && range ? cellAt(event.target) : undefined;
    if (head && range && (head.row !== range.head.row || head.column !== range.head.column)) onRange({ ...range, head });
  };
  const box = range && bounds(range);
  const isChosen = (row: number, column: number) => box !== undefined && row >= box.top && row <= box.bottom && column >= box.left && column <= box.right;
  return (
    <div
      ref={frame}
      className="bh-grid"
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-multiselectable="true"
      aria-activedescendant={active && seenRows.some(({ index }) => index === active.row) && seenColumns.some(({ index }) => index === active.column) ? `${id}-${active.row}-${active.column}` : undefined}
      tabIndex={0}
      onKeyDown={key}
      onCopy={copy}
      onPointerDown={point}
      onPointerMove={drag}
      onDoubleClick={(event) => {
        const cell = cellAt(event.target);
        if (cell) onOpen(cell);
      }}
    >
      <div className="bh-grid-head" role="row" aria-rowindex={1} style={{ width }}>
        <span className="bh-grid-number" role="columnheader" style={{ width: NUMBER }}>
          #
        </span>
        {seenColumns.map(({ index, start }) => (
          <HeaderCell key={index} {...props} at={index} left={start + NUMBER} width={wide(index)} onWidth={(pixels) => setDrawn((all) => ({ ...all, [index]: pixels }))} />
        ))}
      </div>
      <div role="rowgroup" style={{ height: down.getTotalSize(), width, position: 'relative' }}>
        {seenRows.map(({ index, start }) => {
          const row = rows[places?.[index] ?? index];
          return (
            <div key={index} role="row" aria-rowindex={index + 2} className="bh-grid-row" style={{ transform: `translateY(${start}px)`, width }}>
              <span className="bh-grid-number" role="rowheader" style={{ width: NUMBER }}>
                {(index + 1).toLocaleString('en-US')}
              </span>
              {seenColumns.map((column) => {
                const value = row?.[column.index];
                const picked = isChosen(index, column.index);
                const look = [
                  'bh-grid-cell',
                  kindOf(columns[column.index]?.Type ?? '') === 'number' ? 'bh-grid-right' : '',
                  value === undefined ? 'bh-grid-null' : '',
                  picked ? 'bh-grid-chosen' : '',
                  active?.row === index && active.column === column.index ? 'bh-grid-active' : '',
                ].join(' ');
                return (
                  <span
                    key={column.index}
                    id={`${id}-${index}-${column.index}`}
                    role="gridcell"
                    aria-colindex={column.index + 1}
                    aria-selected={picked}
                    data-cell={`${index}/${column.index}`}
                    className={look}
                    style={{ left: column.start + NUMBER, width: wide(column.index) }}
                  >
                    {value === undefined ? 'null' : value.length > 300 ? `${value.slice(0, 300)}…` : value}
                  </span>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}

type HeaderProps = Pick<GridProps, 'columns' | 'sort' | 'onSort'> & { at: number; left: number; width: number; onWidth: (pixels: number) => void };

function HeaderCell({ columns, sort, onSort, at, left, width, onWidth }: HeaderProps) {
  const column = columns[at];
  const own = sort?.column === at ? sort : undefined;
  // Up, down, and as the rows came.
  const next = !own ? { column: at, descending: false } : own.descending ? undefined : { column: at, descending: true };
  const grab = (event: PointerEvent<HTMLSpanElement>) => {
    event.stopPropagation();
    event.preventDefault();
    const begin = event.clientX;
    const { currentTarget: handle, pointerId } = event;
    handle.setPointerCapture(pointerId);
    const move = (moved: globalThis.PointerEvent) => onWidth(Math.max(48, width + moved.clientX - begin));
    const end = () => {
      handle.removeEventListener('pointermove', move);
      handle.removeEventListener('pointerup', end);
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', end);
  };
  return (
    <span role="columnheader" aria-colindex={at + 1} aria-sort={own ? (own.descending ? 'descending' : 'ascending') : 'none'} className="bh-grid-name" style={{ left, width }}>
      <button type="button" onClick={() => onSort(next)} title={`${column?.Name ?? ''} (${column?.Type ?? ''})`}>
        <span>{column?.Name}</span>
        <small>{column?.Type}</small>
        {own && <Icon name={own.descending ? 'caret-down-filled' : 'caret-up-filled'} size="small" />}
      </button>
      <span className="bh-grid-handle" aria-hidden="true" onPointerDown={grab} />
    </span>
  );
}
