/** The catalogue beside the editor, as a tree: databases, tables, columns. Names go into the statement. */
import Button from '@cloudscape-design/components/button';
import Icon from '@cloudscape-design/components/icon';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';

import { getDatabases, getTables } from '../../aws/glue';
import { to } from '../../lib/router';
import { useLive } from '../../lib/live';
import { Empty, ErrorBox, Loading } from '../../lib/states';
import { tableHref } from '../../lib/links';
import { columnsOfTable, forgetCatalogue } from './catalogue';
import { quoted } from './statements';

interface Node {
  id: string;
  level: 1 | 2 | 3;
  name: string;
  detail?: string | undefined;
  open?: boolean;
  /** What goes into the statement. */
  text: string;
  /** Of a table. */
  table?: { database: string; name: string };
}

export interface SidePanelProps {
  database: string | undefined;
  onInsert: (text: string) => void;
  /** Shows the first rows of a table. */
  onPreview: (database: string, table: string) => void;
}

const ROW = 28;

export function SidePanel({ database, onInsert, onPreview }: SidePanelProps) {
  const databases = useLive('glue/databases', () => getDatabases(), { every: 30_000 });
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [filter, setFilter] = useState('');
  useEffect(() => {
    if (database) setOpened((all) => new Set([...all, database]));
  }, [database]);
  // A search looks into every database whose tables are known.
  const names = useMemo(() => (databases.data ?? []).map(({ Name }) => Name), [databases.data]);
  const wanted = names.filter((name) => opened.has(name));
  const tables = useLive(
    `glue/tables-of/${wanted.join('/')}`,
    async () => new Map(await Promise.all(wanted.map(async (name) => [name, await getTables(name)] as const))),
    { every: 30_000, enabled: wanted.length > 0 },
  );
  // While another database is being opened, those that were read stay.
  const known = useRef(tables.data);
  known.current = tables.data ?? known.current;
  const nodes = useMemo(() => {
    const matches = (text: string) => text.toLowerCase().includes(filter.trim().toLowerCase());
    return names.flatMap((name): Node[] => {
      const isOpen = opened.has(name);
      const own = known.current?.get(name);
      const shown = (own ?? []).filter((table) => matches(`${name}.${table.Name}`) || columnsOfTable(table).some((column) => matches(column.Name)));
      if (filter && shown.length === 0 && !matches(name)) return [];
      const head: Node = { id: name, level: 1, name, open: isOpen, text: quoted(name), detail: isOpen && own ? String(own.length) : undefined };
      if (!isOpen) return [head];
      return [
        head,
        ...shown.flatMap((table): Node[] => {
          const id = `${name}/${table.Name}`;
          const text = name === database ? quoted(table.Name) : `${quoted(name)}.${quoted(table.Name)}`;
          const row: Node = { id, level: 2, name: table.Name, open: opened.has(id), text, detail: table.TableType === 'VIRTUAL_VIEW' ? 'view' : undefined, table: { database: name, name: table.Name } };
          const keys = new Set((table.PartitionKeys ?? []).map((key) => key.Name));
          const columns = opened.has(id) ? columnsOfTable(table) : [];
          return [row, ...columns.map((column): Node => ({ id: `${id}/${column.Name}`, level: 3, name: column.Name, detail: `${column.Type ?? ''}${keys.has(column.Name) ? ' · partition' : ''}`, text: quoted(column.Name) }))];
        }),
      ];
    });
  }, [names, opened, filter, database, tables.data]);
  const toggle = (id: string, on?: boolean) => {
    const next = new Set(opened);
    if (on ?? !next.has(id)) next.add(id);
    else next.delete(id);
    setOpened(next);
  };
  const refresh = () => {
    forgetCatalogue();
    void databases.refresh();
    if (wanted.length > 0) void tables.refresh();
  };
  return (
    <section className="bh-side" aria-label="Tables">
      <div className="bh-side-head">
        <Input type="search" value={filter} placeholder="Find tables and columns" ariaLabel="Find tables and columns" onChange={({ detail }) => setFilter(detail.value)} />
        <Button variant="icon" iconName="refresh" ariaLabel="Read the catalogue again" onClick={refresh} />
      </div>
      {(databases.error ?? tables.error) && <ErrorBox error={(databases.error ?? tables.error)!} what="The catalogue can't be read" onRetry={refresh} />}
      {databases.loading && <Loading text="Loading databases" />}
      {databases.data?.length === 0 && (
        <Empty title="No databases yet">
          CREATE DATABASE makes one, and a crawler makes tables of files. See the <Link href={to('/catalogue')}>catalogue</Link>.
        </Empty>
      )}
      {names.length > 0 && nodes.length === 0 && <p className="bh-none">Nothing matches in the databases that are open.</p>}
      {nodes.length > 0 && <Rows nodes={nodes} onToggle={toggle} onInsert={onInsert} onPreview={onPreview} />}
    </section>
  );
}

interface RowsProps {
  nodes: readonly Node[];
  onToggle: (id: string, on?: boolean) => void;
  onInsert: (text: string) => void;
  onPreview: (database: string, table: string) => void;
}

function Rows({ nodes, onToggle, onInsert, onPreview }: RowsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const virtual = useVirtualizer({ count: nodes.length, getScrollElement: () => frame.current, estimateSize: () => ROW, overscan: 12 });
  const at = Math.min(active, nodes.length - 1);
  const focus = (next: number) => {
    const to = Math.min(Math.max(next, 0), nodes.length - 1);
    setActive(to);
    virtual.scrollToIndex(to);
  };
  const key = (event: KeyboardEvent) => {
    const node = nodes[at];
    if (!node || event.target !== frame.current) return;
    if (event.key === 'ArrowDown') focus(at + 1);
    else if (event.key === 'ArrowUp') focus(at - 1);
    else if (event.key === 'Home') focus(0);
    else if (event.key === 'End') focus(nodes.length - 1);
    else if (event.key === 'ArrowRight' && node.level < 3) (node.open ? focus(at + 1) : onToggle(node.id, true));
    else if (event.key === 'ArrowLeft') (node.open ? onToggle(node.id, false) : focus(nodes.findLastIndex((one, place) => place < at && one.level < node.level)));
    else if (event.key === 'Enter') onInsert(node.text);
    else return;
    event.preventDefault();
  };
  return (
    <div ref={frame} className="bh-tree" role="tree" aria-label="Databases and tables" tabIndex={0} onKeyDown={key} aria-activedescendant={`bh-tree-${at}`}>
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const node = nodes[index];
          if (!node) return null;
          return (
            <div
              key={node.id}
              id={`bh-tree-${index}`}
              role="treeitem"
              aria-level={node.level}
              {...(node.level < 3 ? { 'aria-expanded': node.open ?? false } : {})}
              aria-selected={index === at}
              className={`bh-tree-row bh-tree-${node.level} ${index === at ? 'bh-tree-active' : ''}`}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => {
                setActive(index);
                if (node.level < 3) onToggle(node.id);
              }}
              onDoubleClick={() => onInsert(node.text)}
              title={node.detail ? `${node.name} · ${node.detail}` : node.name}
            >
              {node.level < 3 && <Icon name={node.open ? 'caret-down-filled' : 'caret-right-filled'} size="small" />}
              <span className="bh-tree-name">{node.name}</span>
              {node.detail && <small>{node.detail}</small>}
              <Tools node={node} onInsert={onInsert} onPreview={onPreview} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Reached by the pointer; the keyboard inserts with Enter. */
function Tools({ node, onInsert, onPreview }: { node: Node } & Pick<RowsProps, 'onInsert' | 'onPreview'>) {
  const { table } = node;
  return (
    <span className="bh-tree-tools" onClick={(event) => event.stopPropagation()}>
      {table && (
        <>
          <button type="button" tabIndex={-1} title={`First rows of ${table.name}`} aria-label={`First rows of ${table.name}`} onClick={() => onPreview(table.database, table.name)}>
            <Icon name="caret-right-filled" size="small" />
          </button>
          <a tabIndex={-1} href={tableHref(table.database, table.name)} title={`About ${table.name}`} aria-label={`About ${table.name}`}>
            <Icon name="status-info" size="small" />
          </a>
        </>
      )}
      <button type="button" tabIndex={-1} title={`Insert ${node.name}`} aria-label={`Insert ${node.name}`} onClick={() => onInsert(node.text)}>
        <Icon name="add-plus" size="small" />
      </button>
    </span>
  );
}
