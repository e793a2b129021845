import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Database, getDatabases } from '../../aws/glue';
import { searchTables } from '../../aws/glue-catalog';
import { count } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { databaseHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { to } from '../../lib/router';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { CreateDatabase } from './CreateDatabase';
import { RemoveDatabase } from './RemoveDatabase';
import { Place } from './TableList';

export default function Databases() {
  const databases = useLive('glue/databases', () => getDatabases(), { every: 10_000 });
  const tables = useLive('glue/tables', (signal) => searchTables('', { signal }), { every: 20_000 });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<'create' | 'delete'>();
  const [database] = chosen;
  const close = () => setDialog(undefined);
  const tablesOf = (name: string) => tables.data?.filter((table) => table.DatabaseName === name).length;
  return (
    <Frame
      title="Databases"
      counter={databases.data?.length}
      description="A database groups tables; a table says what the files of a folder mean."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={!database} onClick={() => setDialog('delete')}>
            Delete
          </Button>
          <Button variant="primary" onClick={() => setDialog('create')}>
            Create database
          </Button>
        </SpaceBetween>
      }
    >
      <DataTable
        label="Databases"
        title={false}
        live={databases}
        rowKey={(item: Database) => item.Name}
        selected={chosen}
        onSelect={setChosen}
        single
        columns={[
          { id: 'name', header: 'Name', value: (item) => item.Name, cell: (item) => <Link href={databaseHref(item.Name)}>{item.Name}</Link> },
          { id: 'tables', header: 'Tables', width: 110, align: 'right', value: (item) => tablesOf(item.Name), cell: (item) => count(tablesOf(item.Name)) },
          { id: 'description', header: 'Description', value: (item) => item.Description, cell: (item) => item.Description || '–' },
          { id: 'location', header: 'Location', value: (item) => item.LocationUri, cell: (item) => <Place location={item.LocationUri} /> },
          { id: 'created', header: 'Created', width: 200, value: (item) => item.CreateTime, cell: (item) => <Time at={item.CreateTime} /> },
        ]}
        empty={
          <Empty title="No databases yet" action={<Button href={to('/catalogue/create-crawler')}>Create a crawler</Button>}>
            Let a crawler look at files in a bucket: it finds out which tables they are, and writes them into a database.
          </Empty>
        }
      />
      {dialog === 'create' && <CreateDatabase onClose={close} />}
      {dialog === 'delete' && database && <RemoveDatabase database={database} onClose={close} onDone={() => setChosen(new Set())} />}
    </Frame>
  );
}
