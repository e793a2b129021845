/** The graph itself; pages use `graph.tsx`, which loads this one when it is needed. */
import { Background, Controls, type Edge, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow, useReactFlow, ReactFlowProvider } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useEffect, useMemo, useRef, useState } from 'react';

import { PALETTE, PALETTE_DARK } from './chart-option';
import { type Direction, type GraphEdge, type GraphNode, NODE_HEIGHT, NODE_WIDTH, place, placeWithin } from './graph-layout';
import { navigate } from './router';
import { useDark } from './theme';
import './graph.css';

export interface GraphProps {
  /** What it shows, for screen readers. */
  label: string;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  /** Whichever can be read in the room that there is, without. */
  direction?: Direction;
  /** Pixels or any CSS length; as high as the graph without, up to a thousand pixels. */
  height?: number | string;
  selected?: string | undefined;
  onSelect?: (id: string | undefined) => void;
}

interface BoxData extends Record<string, unknown> {
  node: GraphNode;
  colour: string;
  chosen: boolean;
  direction: Direction;
}

function Box({ data }: NodeProps<Node<BoxData>>) {
  const { node, colour, chosen, direction } = data;
  const [into, out] = direction === 'right' ? [Position.Left, Position.Right] : [Position.Top, Position.Bottom];
  return (
    <div className={`bh-node bh-tone-${node.tone ?? 'none'} ${chosen ? 'bh-node-chosen' : ''}`} style={{ borderInlineStartColor: colour }}>
      <Handle type="target" position={into} isConnectable={false} />
      {node.kind && <span className="bh-node-kind">{node.kind}</span>}
      <span className="bh-node-title" title={node.title}>
        {node.title}
      </span>
      {node.detail && <span className="bh-node-detail">{node.detail}</span>}
      <Handle type="source" position={out} isConnectable={false} />
    </div>
  );
}

const TYPES = { box: Box };

const HIGHEST = 1000;

function Flow({ label, nodes, edges, direction: wanted, height, selected, onSelect }: GraphProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [pixels, setPixels] = useState(0);
  const dark = useDark();
  const { fitView } = useReactFlow();
  const shape = useMemo(() => JSON.stringify([nodes.map((n) => n.id), edges.map((e) => [e.from, e.to])]), [nodes, edges]);
  const { places, direction, ...size } = useMemo(
    () => (wanted ? { ...place(nodes, edges, wanted), direction: wanted } : placeWithin(nodes, edges, pixels)),
    [shape, wanted, pixels],
  );
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setPixels(Math.round(entry?.contentRect.width ?? 0)));
    if (frame.current) watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  const zoom = size.width > 0 ? Math.min(1, (pixels || size.width) / (size.width * 1.04)) : 1;
  const palette = dark ? PALETTE_DARK : PALETTE;
  const boxes = nodes.map((node): Node<BoxData> => ({
    id: node.id,
    type: 'box',
    position: places.get(node.id) ?? { x: 0, y: 0 },
    width: NODE_WIDTH,
    height: NODE_HEIGHT,
    draggable: false,
    ariaLabel: [node.kind, node.title, node.detail].filter(Boolean).join(', '),
    data: { node, direction, chosen: node.id === selected, colour: palette[(node.hue ?? 9) % palette.length] ?? '' },
  }));
  const known = new Set(nodes.map((node) => node.id));
  const arrows = edges.filter((edge) => known.has(edge.from) && known.has(edge.to)).map((edge, at): Edge => ({
    id: `${at}/${edge.from}/${edge.to}`,
    source: edge.from,
    target: edge.to,
    ...(edge.label ? { label: edge.label } : {}),
    type: 'smoothstep',
    animated: edge.lively ?? false,
    className: `bh-edge-${edge.tone ?? 'none'} ${edge.dashed ? 'bh-edge-dashed' : ''}`,
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: 'var(--bh-text-off)' },
    focusable: false,
  }));
  useEffect(() => {
    void fitView({ padding: 0.02, maxZoom: 1 });
  }, [places, pixels, fitView]);
  const activate = (node: GraphNode) => (node.href ? navigate(node.href) : onSelect?.(node.id));
  return (
    <div
      ref={frame}
      className="bh-graph"
      style={{ height: height ?? Math.min(HIGHEST, Math.max(180, size.height * zoom + 48)) }}
      role="group"
      aria-label={label}
      onKeyDown={(event) => {
        const id = (event.target as Element).closest('.react-flow__node')?.getAttribute('data-id');
        const node = nodes.find((one) => one.id === id);
        if (node && (event.key === 'Enter' || event.key === ' ')) {
          event.preventDefault();
          activate(node);
        }
      }}
    >
      <ReactFlow
        nodes={boxes}
        edges={arrows}
        nodeTypes={TYPES}
        colorMode={dark ? 'dark' : 'light'}
        fitView
        fitViewOptions={{ padding: 0.02, maxZoom: 1 }}
        minZoom={0.2}
        nodesConnectable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        onNodeClick={(_, { data }) => activate(data.node)}
        onPaneClick={() => onSelect?.(undefined)}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={22} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

export default function Canvas(props: GraphProps) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  );
}
