import { describeStacks } from '../../aws/cloudformation';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Status } from '../../lib/status';

export default function Stacks() {
  const items = useLive('cloudformation/stacks', () => describeStacks(), { every: 10_000 });
  return (
    <Frame title="Stacks" counter={items.data?.length}>
      <DataTable
        label="Stacks"
        title={false}
        live={items}
        rowKey={(item) => item.name}
        columns={[
          { id: 'name', header: 'Name', value: (item) => item.name, cell: (item) => item.name },
          { id: 'status', header: 'Status', width: 220, value: (item) => item.status, cell: (item) => <Status state={item.status} /> },
        ]}
        empty={<Empty title="None yet" />}
      />
    </Frame>
  );
}
