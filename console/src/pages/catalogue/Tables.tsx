import Button from '@cloudscape-design/components/button';

import { searchTables } from '../../aws/glue-catalog';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { to } from '../../lib/router';
import { Empty } from '../../lib/states';
import { TableList } from './TableList';

/** The tables of all databases; words are looked for in names, columns and places. */
export default function Tables() {
  const tables = useLive('glue/tables', (signal) => searchTables('', { signal }), { every: 20_000 });
  return (
    <Frame title="Tables" counter={tables.data?.length} description="Of all databases. Find them by name, column or location.">
      <TableList
        live={tables}
        all
        empty={
          <Empty title="No tables yet" action={<Button href={to('/catalogue/create-crawler')}>Create a crawler</Button>}>
            A crawler makes tables of files; so does CREATE TABLE in the SQL editor.
          </Empty>
        }
      />
    </Frame>
  );
}
