import { listStreams } from '../../aws/firehose';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';

export default function Streams() {
  const items = useLive('firehose/streams', () => listStreams(), { every: 10_000 });
  return (
    <Frame title="Delivery streams" counter={items.data?.length}>
      <DataTable
        label="Delivery streams"
        title={false}
        live={items}
        rowKey={(item) => item}
        columns={[
          { id: 'name', header: 'Name', value: (item) => item, cell: (item) => item },

        ]}
        empty={<Empty title="None yet" />}
      />
    </Frame>
  );
}
