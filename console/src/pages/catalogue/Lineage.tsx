import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';

import type { Table } from '../../aws/glue';
import { platformNow } from '../../aws/session';
import { Graph } from '../../lib/graph';
import { queryHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { Shown } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { type TableLineage, type Use, graphOf, readLineage } from './lineage';

/** Where the table's rows come from and where they go, by the last queries that Athena knows of. */
export function Lineage({ table }: { table: Table }) {
  const live = useLive(`athena/lineage/${table.DatabaseName}/${table.Name}`, () => readLineage(table), { every: 15_000 });
  return (
    <Shown live={live} what="The lineage can't be read">
      {(lineage) => <Drawn table={table} lineage={lineage} />}
    </Shown>
  );
}

function Drawn({ table, lineage }: { table: Table; lineage: TableLineage }) {
  const { nodes, edges } = useMemo(() => graphOf(table, lineage, platformNow()), [table, lineage]);
  return (
    <SpaceBetween size="m">
      <span className="bh-soft">What the rows are made of, this table, who asks it: the last ten readers and writers of Athena, and Glue’s visual jobs. A click leads to each.</span>
      <Graph label={`Lineage of ${table.Name}`} nodes={nodes} edges={edges} />
      {lineage.uses.length > 0 && (
        <DataTable
          label="Readers and writers"
          filter={false}
          items={lineage.uses}
          rowKey={(use: Use) => `${use.kind} ${use.id}`}
          height={320}
          columns={[
            { id: 'kind', header: 'Does', width: 110, value: (use) => use.kind, cell: (use) => (use.kind === 'writer' ? 'Writes' : 'Reads') },
            { id: 'query', header: 'Last query', width: 260, value: (use) => use.statement, cell: (use) => <Link href={queryHref(use.id)}>{`${use.statement} by ${use.principal}`}</Link> },
            { id: 'times', header: 'Times', width: 90, align: 'right', value: (use) => use.times, cell: (use) => use.times },
            { id: 'columns', header: 'Columns', value: (use) => use.columns.join(', '), cell: (use) => <span title={use.columns.join(', ')}>{use.columns.join(', ') || '–'}</span> },
            { id: 'others', header: 'Other tables', value: (use) => use.others.join(', '), cell: (use) => <span title={use.others.join(', ')}>{use.others.join(', ') || '–'}</span> },
            { id: 'last', header: 'Last', width: 140, value: (use) => use.last, cell: (use) => <Time at={use.last} relative /> },
          ]}
        />
      )}
    </SpaceBetween>
  );
}
