/** Tables as a list: of one database, or of all. */
import Link from '@cloudscape-design/components/link';
import type { ReactNode } from 'react';

import type { Table } from '../../aws/glue';
import { count } from '../../lib/format';
import { databaseHref, tableHref } from '../../lib/links';
import type { Live } from '../../lib/live';
import { type Column, DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { columnsOf, formatOf, placeHref } from './tables';

interface TableListProps {
  live: Live<readonly Table[]>;
  /** Whether each says which database it is in. */
  all?: boolean;
  title?: boolean;
  empty: ReactNode;
  actions?: ReactNode;
}

const nameOf = (table: Table) => `${table.DatabaseName}.${table.Name}`;

export function TableList({ live, all = false, title = false, empty, actions }: TableListProps) {
  const columns: Column<Table>[] = [
    { id: 'name', header: 'Name', width: 220, value: (table) => table.Name, cell: (table) => <Link href={tableHref(table.DatabaseName, table.Name)}>{table.Name}</Link> },
    ...(all
      ? [{ id: 'database', header: 'Database', width: 150, value: (table: Table) => table.DatabaseName, cell: (table: Table) => <Link href={databaseHref(table.DatabaseName)}>{table.DatabaseName}</Link> }]
      : []),
    { id: 'format', header: 'Format', width: 100, value: formatOf, cell: formatOf },
    {
      id: 'columns',
      header: 'Columns',
      value: (table) => columnsOf(table).map((column) => column.Name).join(' '),
      cell: (table) => <Columns table={table} />,
    },
    { id: 'location', header: 'Location', value: (table) => table.StorageDescriptor?.Location, cell: (table) => <Place location={table.StorageDescriptor?.Location} /> },
    { id: 'updated', header: 'Updated', width: 130, value: (table) => table.UpdateTime, cell: (table) => <Time at={table.UpdateTime} relative /> },
  ];
  return <DataTable label="Tables" title={title} live={live} rowKey={nameOf} columns={columns} empty={empty} actions={actions} />;
}

function Columns({ table }: { table: Table }) {
  const names = columnsOf(table).map((column) => column.Name);
  return (
    <span title={names.join(', ')}>
      <strong>{count(names.length)}</strong> <span className="bh-soft">{names.join(', ')}</span>
    </span>
  );
}

/** A location in S3, as a link to it. */
export function Place({ location }: { location: string | undefined }) {
  const href = placeHref(location);
  if (!location) return <span>–</span>;
  return (
    <span title={location}>
      {href ? <Link href={href}>{location}</Link> : location}
    </span>
  );
}
