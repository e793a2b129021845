import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { getTables } from '../../aws/glue';
import { getDatabase } from '../../aws/glue-catalog';
import type { PageProps } from '../../lib/area';
import { Frame } from '../../lib/frame';
import { statementHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { navigate, to } from '../../lib/router';
import { Empty, ErrorBox } from '../../lib/states';
import { Time } from '../../lib/time';
import { RemoveDatabase } from './RemoveDatabase';
import { Place, TableList } from './TableList';

export default function DatabasePage({ params }: PageProps) {
  const name = params.database ?? '';
  const database = useLive(`glue/database/${name}`, () => getDatabase(name));
  const tables = useLive(`glue/tables/${name}`, () => getTables(name), { every: 10_000, enabled: !database.error });
  const [doomed, setDoomed] = useState(false);
  const crawl = to('/catalogue/create-crawler', { database: name });
  const { Description, LocationUri, CreateTime } = database.data ?? {};
  return (
    <Frame
      title={name}
      counter={tables.data?.length}
      description={
        <>
          {Description && <>{Description} · </>}
          {LocationUri && (
            <>
              <Place location={LocationUri} /> ·{' '}
            </>
          )}
          {CreateTime !== undefined && (
            <>
              created <Time at={CreateTime} />
            </>
          )}
        </>
      }
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setDoomed(true)}>Delete</Button>
          <Button href={crawl}>Create crawler</Button>
          <Button variant="primary" href={statementHref('SHOW TABLES', name)}>
            Ask in SQL
          </Button>
        </SpaceBetween>
      }
    >
      {database.error ? (
        <ErrorBox error={database.error} what="The database can't be read" onRetry={database.refresh} />
      ) : (
        <TableList
          live={tables}
          empty={
            <Empty title="No tables in this database" action={<Button href={crawl}>Create a crawler</Button>}>
              A crawler makes tables of files; so does CREATE TABLE in the SQL editor.
            </Empty>
          }
        />
      )}
      {doomed && <RemoveDatabase database={name} onClose={() => setDoomed(false)} onDone={() => navigate(to('/catalogue'))} />}
    </Frame>
  );
}
