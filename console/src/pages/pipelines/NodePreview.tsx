/** The first rows of a visual job's node: what a run that began now would have there. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import { useMemo } from 'react';

import { type Job, type NodeRows, nodeRows } from '../../aws/glue';
import { count } from '../../lib/format';
import { Grid } from '../../lib/grid';
import { useLive } from '../../lib/live';
import { Empty, ErrorBox, Loading } from '../../lib/states';
import type { VisualNode } from './visual';

export function NodePreview({ job, node }: { job: Job; node: VisualNode }) {
  const rows = useLive(`glue/rows/${job.Name}/${job.LastModifiedOn}/${node.id}`, (signal) => nodeRows(job.Name, node.id, { signal }));
  const found = rows.data;
  return (
    <Container
      header={
        <Header
          variant="h2"
          counter={found ? `(${found.Truncated ? 'the first ' : ''}${count(found.Rows.length)})` : ''}
          description="Computed now by the job's own engine, of what you may read; nothing is written, and bookmarks leave nothing out."
          actions={<Button iconName="refresh" ariaLabel="Compute the rows again" onClick={() => void rows.refresh()} />}
        >
          Data preview of {node.name}
        </Header>
      }
    >
      {rows.error ? <ErrorBox error={rows.error} what="There is no preview" onRetry={rows.refresh} /> : found ? <Rows rows={found} /> : <Loading text="Computing the first rows" />}
    </Container>
  );
}

function Rows({ rows: { Columns: columns, Rows: rows } }: { rows: NodeRows }) {
  const names = useMemo(() => columns.map(({ Name, Type }) => `${Name} (${Type})`), [columns]);
  const cells = useMemo(() => rows.map((row, at) => ({ at, cells: row.map((cell) => cell ?? '') })), [rows]);
  if (rows.length === 0) return <Empty title="No rows">Columns: {names.join(', ')}</Empty>;
  return <Grid label="Rows of the node" columns={names} rows={cells} param="rows" height={320} />;
}
