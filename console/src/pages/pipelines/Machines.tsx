import { listMachines } from '../../aws/states';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';

export default function Machines() {
  const items = useLive('states/machines', () => listMachines(), { every: 10_000 });
  return (
    <Frame title="State machines" counter={items.data?.length}>
      <DataTable
        label="State machines"
        title={false}
        live={items}
        rowKey={(item) => item.name}
        columns={[
          { id: 'name', header: 'Name', value: (item) => item.name, cell: (item) => item.name },
          { id: 'created', header: 'Created', width: 200, value: (item) => item.creationDate, cell: (item) => <Time at={item.creationDate} /> },
        ]}
        empty={<Empty title="None yet" />}
      />
    </Frame>
  );
}
