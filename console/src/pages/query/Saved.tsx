/** Named queries: statements that are kept for everybody, in their work groups. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type NamedQuery, deleteNamedQuery, listNamedQueries, listWorkGroups } from '../../aws/athena';
import { ConfirmDelete } from '../../lib/confirm';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to } from '../../lib/router';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import './query.css';
import { open } from './tabs';

export default function Saved() {
  const queries = useLive('athena/named', async () => (await Promise.all((await listWorkGroups()).map(({ Name }) => listNamedQueries(Name)))).flat(), { every: 20_000 });
  const [going, setGoing] = useState<NamedQuery>();
  const show = (query: NamedQuery) => {
    open({ name: query.Name, sql: query.QueryString, database: query.Database, workGroup: query.WorkGroup, savedAs: query.NamedQueryId });
    navigate(to('/query'));
  };
  return (
    <Frame title="Saved queries" counter={queries.data?.length} description="Athena calls them named queries: a name, a statement and its database, for everybody who may read the work group.">
      <DataTable<NamedQuery>
        label="Saved queries"
        title={false}
        live={queries}
        sort={{ column: 'name' }}
        rowKey={(query) => query.NamedQueryId}
        columns={[
          {
            id: 'name',
            header: 'Name',
            width: 190,
            value: (query) => query.Name,
            cell: (query) => (
              <Link href={to('/query')} onFollow={(event) => (event.preventDefault(), show(query))}>
                {query.Name}
              </Link>
            ),
          },
          { id: 'description', header: 'Description', value: (query) => query.Description, cell: (query) => query.Description ?? '–' },
          { id: 'sql', header: 'Statement', value: (query) => query.QueryString, cell: (query) => <span className="bh-sql-cell" title={query.QueryString.slice(0, 1000)}>{query.QueryString.replace(/\s+/g, ' ').slice(0, 200)}</span> },
          { id: 'database', header: 'Database', width: 110, value: (query) => query.Database, cell: (query) => query.Database },
          { id: 'group', header: 'Work group', width: 122, value: (query) => query.WorkGroup, cell: (query) => query.WorkGroup ?? '–' },
          {
            id: 'actions',
            header: 'Actions',
            width: 125,
            cell: (query) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" onClick={() => show(query)} ariaLabel={`Open ${query.Name}`}>
                  Open
                </Button>
                <Button variant="inline-link" onClick={() => setGoing(query)} ariaLabel={`Delete ${query.Name}`}>
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={
          <Empty title="No saved queries yet" action={<Button href={to('/query')}>To the editor</Button>}>
            Save in the editor keeps a statement under a name, and any client of Athena finds it.
          </Empty>
        }
      />
      {going && (
        <ConfirmDelete
          what={`saved query ${going.Name}`}
          onConfirm={async () => {
            await deleteNamedQuery(going.NamedQueryId);
            notify('success', `${going.Name} is deleted`);
            await queries.refresh();
          }}
          onClose={() => setGoing(undefined)}
        />
      )}
    </Frame>
  );
}
