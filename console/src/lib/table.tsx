/**
 * The table of every list: filtered, sorted, with its empty, loading and error states. Only the rows in sight are in the
 * document, so ten thousand items are as quick as ten.
 *
 *     <DataTable label="Buckets" live={buckets} rowKey={(b) => b.name} columns={[
 *       { id: 'name', header: 'Name', cell: (b) => <Link href={to(`/storage/${seg(b.name)}`)}>{b.name}</Link>, value: (b) => b.name },
 *       { id: 'created', header: 'Created', cell: (b) => <Time at={b.created} />, value: (b) => b.created, width: 190 },
 *     ]} empty={<Empty title="No buckets yet">…</Empty>} />
 */
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Header from '@cloudscape-design/components/header';
import Icon from '@cloudscape-design/components/icon';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';

import type { AwsError } from '../aws/error';
import { count } from './format';
import type { Live } from './live';
import { useParam } from './router';
import { type Sort, type Value, arrange } from './rows';
import { ErrorBox, Loading } from './states';
import './table.css';

export interface Column<T> {
  id: string;
  header: string;
  cell: (item: T) => ReactNode;
  /** What the column sorts and filters by; without it it does neither. */
  value?: (item: T) => Value;
  /** Pixels; columns without share what is left. */
  width?: number;
  /** Numbers stand to the right. */
  align?: 'right';
}

export interface DataTableProps<T> {
  /** What the rows are, for the title and for screen readers. */
  label: string;
  columns: readonly Column<T>[];
  rowKey: (item: T) => string;
  /** The items, or what reads them. */
  items?: readonly T[] | undefined;
  live?: Live<readonly T[]>;
  error?: AwsError | undefined;
  /** What stands there when there are none at all. */
  empty?: ReactNode;
  /** Buttons to the right of the title. */
  actions?: ReactNode;
  description?: ReactNode;
  /** False takes the title away. */
  title?: boolean;
  /** False takes the filter away. */
  filter?: boolean;
  /** The name of the filter in the address; two tables of a page need two. */
  param?: string;
  sort?: Sort;
  /** Keys of the chosen rows; without it none can be chosen. */
  selected?: ReadonlySet<string>;
  onSelect?: (keys: ReadonlySet<string>) => void;
  /** One at a time. */
  single?: boolean;
  /** The key of a row that stands out, such as the one whose details are shown. */
  marked?: string;
  /** What a click on a row does beside its links. */
  onRowClick?: (item: T) => void;
  /** Pixels or any CSS length; as high as the window lets it be without. */
  height?: number | string;
  /** The last rows are in sight: those that are read page by page read on. */
  onEnd?: () => void;
  /** Stands between filter and rows, such as a second filter. */
  tools?: ReactNode;
}

const ROW = 38;

export function DataTable<T>(props: DataTableProps<T>) {
  const { label, columns, live, rowKey, empty, actions, description, title = true, filter = true, param = 'q' } = props;
  const items = props.items ?? live?.data;
  const error = props.error ?? live?.error;
  const [text, setText] = useParam(param);
  const wanted = useDeferredValue(text);
  const [sort, setSort] = useState<Sort | undefined>(props.sort);
  const rows = useMemo(() => arrange(items ?? [], columns, wanted, sort), [items, columns, wanted, sort]);
  const chosen = props.selected?.size ?? 0;
  const counter = items && `(${chosen > 0 ? `${count(chosen)}/` : ''}${count(items.length)})`;
  return (
    <section className="bh-list" aria-label={label}>
      {title && (
        <Header counter={counter || ''} actions={actions} description={description} variant="h2">
          {label}
        </Header>
      )}
      {filter && items && items.length > 0 && (
        <div className="bh-tools">
          <div className="bh-filter">
            <TextFilter
              filteringText={text}
              filteringPlaceholder={`Find in ${label.toLowerCase()}`}
              filteringAriaLabel={`Find in ${label.toLowerCase()}`}
              countText={text ? `${count(rows.length)} of ${count(items.length)}` : ''}
              onChange={({ detail }) => setText(detail.filteringText)}
            />
          </div>
          {props.tools}
        </div>
      )}
      {error && <ErrorBox error={error} what={`${label} can't be read`} {...(live ? { onRetry: live.refresh } : {})} />}
      {items === undefined ? (
        !error && <Loading text={`Loading ${label.toLowerCase()}`} />
      ) : items.length === 0 ? (
        (empty ?? <p className="bh-none">There are none.</p>)
      ) : rows.length === 0 ? (
        <div className="bh-none">
          <p>Nothing matches.</p>
          <Button onClick={() => setText('')}>Clear the filter</Button>
        </div>
      ) : (
        <Rows {...props} rows={rows} sort={sort} onSort={setSort} rowKey={rowKey} />
      )}
    </section>
  );
}

interface RowsProps<T> extends DataTableProps<T> {
  rows: readonly T[];
  onSort: (sort: Sort) => void;
}

function Rows<T>({ label, columns, rows, rowKey, sort, onSort, selected, onSelect, single, marked, onRowClick, onEnd, height }: RowsProps<T>) {
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 12,
    getItemKey: (at) => (rows[at] === undefined ? at : rowKey(rows[at])),
    measureElement: (element) => element.getBoundingClientRect().height,
  });
  useEffect(() => virtual.scrollToOffset(0), [sort, virtual]);
  const seen = virtual.getVirtualItems();
  const atEnd = (seen.at(-1)?.index ?? -1) >= rows.length - 1;
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, onEnd]);
  const above = seen[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (seen.at(-1)?.end ?? 0);
  const width = columns.length + (selected ? 1 : 0);
  const choose = (key: string, on: boolean) => {
    const next = new Set(single ? [] : selected);
    if (on) next.add(key);
    else next.delete(key);
    onSelect?.(next);
  };
  const all = rows.length > 0 && rows.every((row) => selected?.has(rowKey(row)));
  return (
    // A region that scrolls must be reachable by keyboard.
    <div className="bh-scroll" ref={frame} style={{ maxHeight: height ?? 'max(240px, calc(100vh - 330px))' }} tabIndex={0} role="region" aria-label={`${label}, rows`}>
      <table className="bh-table" aria-rowcount={rows.length + 1} aria-label={label}>
        <colgroup>
          {selected && <col style={{ width: 44 }} />}
          {columns.map((column) => (
            <col key={column.id} style={column.width === undefined ? {} : { width: column.width }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {selected && (
              <th scope="col">
                {single ? (
                  <span className="bh-hidden">Chosen</span>
                ) : (
                  <Checkbox
                    checked={all}
                    indeterminate={!all && selected.size > 0}
                    ariaLabel={`Choose all ${label.toLowerCase()}`}
                    onChange={({ detail }) => onSelect?.(new Set(detail.checked ? rows.map(rowKey) : []))}
                  />
                )}
              </th>
            )}
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr className="bh-gap" aria-hidden="true"><td colSpan={width} style={{ height: above }} /></tr>}
          {seen.map((place) => {
            const item = rows[place.index];
            if (item === undefined) return null;
            const key = rowKey(item);
            const isChosen = selected?.has(key) ?? key === marked;
            return (
              <tr
                key={key}
                data-index={place.index}
                ref={virtual.measureElement}
                aria-rowindex={place.index + 2}
                className={`${isChosen ? 'bh-chosen' : ''} ${onRowClick ? 'bh-clickable' : ''}`}
                onClick={(event) => {
                  if ((event.target as Element).closest('a,button,input,label')) return;
                  onRowClick?.(item);
                }}
              >
                {selected && (
                  <td>
                    <Checkbox checked={isChosen} ariaLabel={`Choose ${key}`} onChange={({ detail }) => choose(key, detail.checked)} />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.id} className={column.align === 'right' ? 'bh-right' : ''}>
                    {column.cell(item)}
                  </td>
                ))}
              </tr>
            );
          })}
          {below > 0 && <tr className="bh-gap" aria-hidden="true"><td colSpan={width} style={{ height: below }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}

function HeaderCell<T>({ column, sort, onSort }: { column: Column<T>; sort: Sort | undefined; onSort: (sort: Sort) => void }) {
  const right = column.align === 'right' ? 'bh-right' : '';
  if (!column.value) {
    return (
      <th scope="col" className={right}>
        {column.header}
      </th>
    );
  }
  const active = sort?.column === column.id;
  const down = active && sort.descending === true;
  return (
    <th scope="col" className={right} aria-sort={active ? (down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" onClick={() => onSort({ column: column.id, descending: active && !down })}>
        {column.header}
        <Icon name={active ? (down ? 'caret-down-filled' : 'caret-up-filled') : 'caret-down'} size="small" />
      </button>
    </th>
  );
}
