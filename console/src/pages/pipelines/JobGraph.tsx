/** A visual job's nodes, and the options of one. */
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';

import type { Job } from '../../aws/glue';
import { JsonView } from '../../lib/editor';
import { Graph } from '../../lib/graph';
import { bucketHref, tableHref } from '../../lib/links';
import { useParam } from '../../lib/router';
import { type VisualNode, drawNodes, visualNodes } from './visual';

const HEIGHT = 460;

export function JobGraph({ job }: { job: Job }) {
  const [chosen, setChosen] = useParam('node');
  const nodes = useMemo(() => visualNodes(job.CodeGenConfigurationNodes), [job]);
  const drawing = useMemo(() => drawNodes(nodes), [nodes]);
  const node = nodes.find(({ id }) => id === chosen);
  return (
    <div className="bh-two bh-two-wide">
      <Graph label="Nodes of the job" nodes={drawing.nodes} edges={drawing.edges} height={HEIGHT} selected={node?.id} onSelect={(id) => setChosen(id ?? '')} />
      <div style={{ height: HEIGHT }} role="region" aria-label="Details of the node">
        <Container fitHeight header={<Header variant="h2" description={node?.type ?? 'Choose a node to see what it does.'}>{node?.name ?? 'Nodes'}</Header>}>
          {node ? <Options node={node} /> : <Box color="text-body-secondary">{nodes.length} nodes</Box>}
        </Container>
      </div>
    </div>
  );
}

function Options({ node }: { node: VisualNode }) {
  const { Database, Table, Path, Paths } = node.options;
  const places = [Path, Paths].flat().filter((place): place is string => typeof place === 'string');
  return (
    <SpaceBetween size="s">
      {typeof Database === 'string' && typeof Table === 'string' && (
        <Link href={tableHref(Database, Table)}>
          Table {Database}.{Table}
        </Link>
      )}
      {places.map((place) => {
        const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place) ?? [];
        return bucket ? (
          <div key={place} className="bh-wrap">
            <Link href={bucketHref(bucket, prefix)}>{place}</Link>
          </div>
        ) : null;
      })}
      <JsonView key={node.id} label={`Options of ${node.name}`} value={node.options} />
    </SpaceBetween>
  );
}
