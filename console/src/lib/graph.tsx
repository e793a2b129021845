/**
 * Boxes and arrows, laid out by themselves: pipelines, state machines, visual jobs, lineage. Loaded when the first one is
 * shown.
 *
 *     <Graph label="Pipeline" nodes={[{ id: 'a', title: 'landing', kind: 'Bucket' }]} edges={[{ from: 'a', to: 'b' }]} />
 *
 * Boxes that belong together stand in `frames`, whose ids they name as `inside`; frames may stand in others. With frames, even
 * none, arrows that go down find their own way past the boxes.
 */
import { Suspense, lazy } from 'react';

import type { GraphProps } from './graph-canvas';
import { Loading } from './states';

const Canvas = lazy(() => import('./graph-canvas'));

export type { GraphEdge, GraphFrame, GraphNode } from './graph-layout';

export function Graph(props: GraphProps) {
  return (
    <Suspense fallback={<Loading text="Loading the graph" />}>
      <Canvas {...props} />
    </Suspense>
  );
}
