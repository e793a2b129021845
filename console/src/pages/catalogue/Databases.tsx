import { getDatabases } from '../../aws/glue';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';

export default function Databases() {
  const items = useLive('glue/databases', () => getDatabases(), { every: 10_000 });
  return (
    <Frame title="Databases" counter={items.data?.length}>
      <DataTable
        label="Databases"
        title={false}
        live={items}
        rowKey={(item) => item.Name}
        columns={[
          { id: 'name', header: 'Name', value: (item) => item.Name, cell: (item) => item.Name },
          { id: 'created', header: 'Created', width: 200, value: (item) => item.CreateTime, cell: (item) => <Time at={item.CreateTime} /> },
        ]}
        empty={<Empty title="None yet" />}
      />
    </Frame>
  );
}
