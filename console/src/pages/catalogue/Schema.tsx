import Badge from '@cloudscape-design/components/badge';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { Table } from '../../aws/glue';
import { DataTable } from '../../lib/table';
import { columnsOf } from './tables';

/** Columns with their types, and what the entry says beside. */
export function Schema({ table }: { table: Table }) {
  const parameters = Object.entries({ ...table.StorageDescriptor?.SerdeInfo?.Parameters, ...table.Parameters });
  return (
    <SpaceBetween size="l">
      <DataTable
        label="Columns"
        title={false}
        param="column"
        items={columnsOf(table)}
        rowKey={(column) => String(column.at)}
        height="max(240px, calc(100vh - 560px))"
        columns={[
          { id: 'at', header: '#', width: 64, align: 'right', value: (column) => column.at, cell: (column) => <span className="bh-soft">{column.at + 1}</span> },
          {
            id: 'name',
            header: 'Column',
            width: 280,
            value: (column) => column.Name,
            cell: (column) => (
              <SpaceBetween direction="horizontal" size="xs">
                <strong>{column.Name}</strong>
                {column.partition && <Badge color="blue">Partition</Badge>}
              </SpaceBetween>
            ),
          },
          { id: 'type', header: 'Type', width: 280, value: (column) => column.Type, cell: (column) => <span className="bh-code" title={column.Type}>{column.Type}</span> },
          { id: 'comment', header: 'Comment', value: (column) => column.Comment, cell: (column) => column.Comment || '–' },
        ]}
      />
      {parameters.length > 0 && (
        <ExpandableSection headerText="Table properties" headerCounter={`(${parameters.length})`}>
          <KeyValuePairs columns={3} items={parameters.map(([label, value]) => ({ label, value: <span className="bh-code">{value || '–'}</span> }))} />
        </ExpandableSection>
      )}
    </SpaceBetween>
  );
}
