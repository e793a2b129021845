import { listFunctions } from '../../aws/lambda';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';

export default function Functions() {
  const items = useLive('lambda/functions', () => listFunctions(), { every: 10_000 });
  return (
    <Frame title="Functions" counter={items.data?.length}>
      <DataTable
        label="Functions"
        title={false}
        live={items}
        rowKey={(item) => item.FunctionName}
        columns={[
          { id: 'name', header: 'Name', value: (item) => item.FunctionName, cell: (item) => item.FunctionName },
          { id: 'runtime', header: 'Runtime', width: 140, value: (item) => item.Runtime, cell: (item) => item.Runtime },
          { id: 'modified', header: 'Modified', width: 200, value: (item) => item.LastModified, cell: (item) => <Time at={item.LastModified} /> },
        ]}
        empty={<Empty title="None yet" />}
      />
    </Frame>
  );
}
