/** A table: its columns, rows, partitions, how it came about, who uses it. */
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs, { type TabsProps } from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type Table, getTable } from '../../aws/glue';
import { deleteTable } from '../../aws/glue-catalog';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { Frame } from '../../lib/frame';
import { databaseHref, statementHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, useParam } from '../../lib/router';
import { Shown } from '../../lib/states';
import { Ddl } from './Ddl';
import { Lineage } from './Lineage';
import { Overview } from './Overview';
import { Partitions } from './Partitions';
import { Sample } from './Sample';
import { Schema } from './Schema';
import { Snapshots } from './Snapshots';
import { TableVersions } from './TableVersions';
import { formatOf, isIceberg, isView, selectFrom } from './tables';
import './catalogue.css';

const LIMIT = 100;

export default function TablePage({ params }: PageProps) {
  const database = params.database ?? '';
  const name = params.table ?? '';
  const live = useLive(`glue/table/${database}/${name}`, () => getTable(database, name), { every: 15_000 });
  const [doomed, setDoomed] = useState(false);
  const table = live.data;
  const remove = async () => {
    await deleteTable(database, name);
    notify('success', `Table ${database}.${name} is deleted from the catalogue`);
    invalidate('glue/');
    navigate(databaseHref(database));
  };
  return (
    <Frame
      title={name}
      description={table?.Description ?? (table && (isView(table) ? 'A view' : `${formatOf(table)} table in ${database}`))}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setDoomed(true)}>Delete</Button>
          <Button variant="primary" href={statementHref(selectFrom({ DatabaseName: database, Name: name }, LIMIT), database)}>
            Query this
          </Button>
        </SpaceBetween>
      }
    >
      <Shown live={live} what="The table can't be read">
        {(found) => (
          <SpaceBetween size="l">
            <Overview table={found} />
            <Details table={found} />
          </SpaceBetween>
        )}
      </Shown>
      {doomed && (
        <ConfirmDelete what={`table ${database}.${name}`} typed={name} onConfirm={remove} onClose={() => setDoomed(false)}>
          <span>The entry goes from the catalogue, and what asks this table fails. The files in S3 stay.</span>
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Details({ table }: { table: Table }) {
  const [tab, setTab] = useParam('tab', 'schema');
  const parted = (table.PartitionKeys ?? []).length > 0;
  const all: (TabsProps.Tab & { shown?: boolean })[] = [
    { id: 'schema', label: 'Schema', content: <Schema table={table} /> },
    { id: 'sample', label: 'Sample rows', content: <Sample table={table} /> },
    { id: 'partitions', label: 'Partitions', content: <Partitions table={table} />, shown: parted },
    { id: 'snapshots', label: 'Snapshots', content: <Snapshots table={table} />, shown: isIceberg(table) },
    { id: 'ddl', label: isView(table) ? 'Statement' : 'DDL', content: <Ddl table={table} /> },
    { id: 'lineage', label: 'Lineage', content: <Lineage table={table} /> },
    { id: 'versions', label: 'Versions', content: <TableVersions table={table} /> },
  ];
  const tabs = all.filter(({ shown }) => shown !== false).map(({ shown: _, ...one }) => (one.id === tab ? one : { ...one, content: null }));
  return <Tabs activeTabId={tab} onChange={({ detail }) => setTab(detail.activeTabId)} ariaLabel="Table" tabs={tabs} />;
}
