/** A visual job's nodes; of one of them its settings and its first rows. */
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';

import type { Job } from '../../aws/glue';
import { Graph } from '../../lib/graph';
import { useParam } from '../../lib/router';
import { NodePreview } from './NodePreview';
import { NodeSettings } from './NodeSettings';
import { drawNodes, visualNodes } from './visual';

const HEIGHT = 320;

export function JobGraph({ job }: { job: Job }) {
  const [chosen, setChosen] = useParam('node');
  const nodes = useMemo(() => visualNodes(job.CodeGenConfigurationNodes), [job]);
  const drawing = useMemo(() => drawNodes(nodes), [nodes]);
  const node = nodes.find(({ id }) => id === chosen);
  return (
    <SpaceBetween size="l">
      <div className="bh-two bh-two-wide">
        <Graph label="Nodes of the job" nodes={drawing.nodes} edges={drawing.edges} height={HEIGHT} selected={node?.id} onSelect={(id) => setChosen(id ?? '')} />
        <div style={{ height: HEIGHT }} role="region" aria-label="Details of the node">
          <Container fitHeight header={<Header variant="h2" description={node?.type ?? 'Choose a node to see what it does, and its rows.'}>{node?.name ?? 'Nodes'}</Header>}>
            {node ? <NodeSettings node={node} /> : <Box color="text-body-secondary">{nodes.length} nodes</Box>}
          </Container>
        </div>
      </div>
      {node && <NodePreview key={node.id} job={job} node={node} />}
    </SpaceBetween>
  );
}
