/** The graph itself; pages use `graph.tsx`, which loads this one when it is needed. */
import { Background, BaseEdge, Controls, type Edge, type EdgeProps, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow, useReactFlow, useStore, ReactFlowProvider } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { type CSSProperties, useEffect, useMemo, useRef, useState } from 'react';

import { PALETTE, PALETTE_DARK } from './chart-option';
import { type Direction, type GraphEdge, type GraphFrame, type GraphNode, type Placed, place, placeWithin } from './graph-layout';
import { routed } from './graph-route';
import { navigate } from './router';
import type { Tone } from './status';
import { useDark } from './theme';
import './graph.css';

export interface GraphProps {
  /** What it shows, for screen readers. */
  label: string;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  /** Around boxes whose `inside` names one. */
  frames?: readonly GraphFrame[];
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
  const [into, out] = ends(direction);
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

interface MarkData extends Record<string, unknown> {
  node: GraphNode;
  direction: Direction;
}

function Mark({ data: { node, direction } }: NodeProps<Node<MarkData>>) {
  const [into, out] = ends(direction);
  return (
    <div className={`bh-mark bh-tone-${node.tone ?? 'none'}`}>
      <Handle type="target" position={into} isConnectable={false} />
      {node.title}
      <Handle type="source" position={out} isConnectable={false} />
    </div>
  );
}

interface FrameData extends Record<string, unknown> {
  frame: GraphFrame;
  colour: string;
  chosen: boolean;
  direction: Direction;
}

function Frame({ data: { frame, colour, chosen, direction } }: NodeProps<Node<FrameData>>) {
  const [into, out] = ends(direction);
  const head = frame.title !== undefined;
  return (
    <div className={`bh-frame ${head ? 'bh-frame-headed' : ''} bh-tone-${frame.tone ?? 'none'} ${chosen ? 'bh-node-chosen' : ''}`} style={{ '--bh-frame': colour } as CSSProperties}>
      <Handle type="target" position={into} isConnectable={false} />
      {head && (
        <div className="bh-frame-head">
          <span className="bh-node-kind">{[frame.kind, frame.detail].filter(Boolean).join(' · ')}</span>
          <span className="bh-node-title" title={frame.title}>
            {frame.title}
          </span>
        </div>
      )}
      <Handle type="source" position={out} isConnectable={false} />
    </div>
  );
}

const ends = (direction: Direction): [Position, Position] => (direction === 'right' ? [Position.Left, Position.Right] : [Position.Top, Position.Bottom]);

interface RouteData extends Record<string, unknown> {
  path: string;
  label: Placed;
}

function Route({ data, label, markerEnd }: EdgeProps<Edge<RouteData>>) {
  const { path = '', label: { x, y } = { x: 0, y: 0 } } = data ?? {};
  return <BaseEdge path={path} label={label} labelX={x} labelY={y} {...(markerEnd ? { markerEnd } : {})} />;
}

const TYPES = { box: Box, mark: Mark, frame: Frame };
const EDGE_TYPES = { route: Route };
/** Colours of arrows' heads, by tone; their lines have them by class. */
const HEADS: Record<Tone, string> = { good: 'var(--bh-good)', bad: 'var(--bh-bad)', waiting: 'var(--bh-warn)', busy: 'var(--bh-text-off)', off: 'var(--bh-text-off)' };
/** Frames lie below arrows, boxes above. */
const BELOW = 0;
const BETWEEN = 1;
const ABOVE = 2;

const HIGHEST = 1000;

function Flow({ label, nodes, edges, frames, direction: wanted, height, selected, onSelect }: GraphProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [pixels, setPixels] = useState(0);
  const dark = useDark();
  const { fitView } = useReactFlow();
  const shape = useMemo(() => JSON.stringify([nodes.map((n) => [n.id, n.inside]), edges.map((e) => [e.from, e.to]), frames?.map((f) => [f.id, f.inside])]), [nodes, edges, frames]);
  const { places, routes, direction, ...size } = useMemo(
    () => (wanted ? { ...place(nodes, edges, wanted, frames), direction: wanted } : placeWithin(nodes, edges, pixels, frames)),
    [shape, wanted, pixels],
  );
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setPixels(Math.round(entry?.contentRect.width ?? 0)));
    if (frame.current) watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  const zoom = size.width > 0 ? Math.min(1, (pixels || size.width) / (size.width * 1.04)) : 1;
  const palette = dark ? PALETTE_DARK : PALETTE;
  const colour = (hue = 9) => palette[hue % palette.length] ?? '';
  const at = (id: string) => {
    const { x = 0, y = 0, width = 0, height = 0 } = places.get(id) ?? {};
    return { id, position: { x, y }, width, height, draggable: false };
  };
  const area = ({ id }: GraphFrame) => (places.get(id)?.width ?? 0) * (places.get(id)?.height ?? 0);
  // What lies around others is drawn first.
  const around = [...(frames ?? [])].sort((a, b) => area(b) - area(a)).map((frame): Node => ({
    ...at(frame.id),
    type: 'frame',
    zIndex: BELOW,
    focusable: frame.title !== undefined,
    ariaLabel: [frame.kind, frame.title, frame.detail].filter(Boolean).join(', '),
    data: { frame, direction, chosen: frame.id === selected, colour: colour(frame.hue) } satisfies FrameData,
  }));
  const boxes = nodes.map((node): Node => ({
    ...at(node.id),
    type: node.mark ? 'mark' : 'box',
    zIndex: ABOVE,
    focusable: !node.mark,
    ariaLabel: [node.kind, node.title, node.detail].filter(Boolean).join(', '),
    data: { node, direction, chosen: node.id === selected, colour: colour(node.hue) } satisfies BoxData,
  }));
  // What a box is connected with stands out while the pointer is over it.
  const [over, setOver] = useState<string>();
  const known = new Set([...(frames ?? []), ...nodes].map(({ id }) => id));
  const faded = (edge: GraphEdge) => over !== undefined && edge.from !== over && edge.to !== over;
  /** What stands in the same frame. */
  const beside = (id: string) => {
    const all = [...nodes, ...(frames ?? [])];
    const inside = all.find((one) => one.id === id)?.inside;
    return all.flatMap((one) => (one.inside === inside ? (places.get(one.id) ?? []) : []));
  };
  const lineOf = (edge: GraphEdge): Partial<Edge> => {
    const [points, from, to] = [routes.get(edges.indexOf(edge)), places.get(edge.from), places.get(edge.to)];
    if (!frames || direction !== 'down' || !points || !from || !to) return { type: 'smoothstep' };
    return { type: 'route', data: routed(points, from, to, beside(edge.from)) };
  };
  const arrows = edges.filter((edge) => known.has(edge.from) && known.has(edge.to)).map((edge, at): Edge => ({
    id: `${at}/${edge.from}/${edge.to}`,
    source: edge.from,
    target: edge.to,
    ...(edge.label ? { label: edge.label } : {}),
    ...lineOf(edge),
    zIndex: BETWEEN,
    animated: edge.lively ?? false,
    className: `bh-edge-${edge.tone ?? 'none'} ${edge.dashed ? 'bh-edge-dashed' : ''} ${faded(edge) ? 'bh-edge-faded' : ''}`,
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: HEADS[edge.tone ?? 'off'] },
    focusable: false,
  }));
  // What it is drawn into gets its size after the layout, so that is what the view has to follow.
  const canvas = useStore(({ width, height }) => `${width}/${height}`);
  useEffect(() => {
    void fitView({ padding: 0.02, maxZoom: 1 });
  }, [places, canvas, fitView]);
  const activate = (id: string) => {
    const node = nodes.find((one) => one.id === id);
    if (node?.href) navigate(node.href);
    else if (node?.mark) onSelect?.(undefined);
    else onSelect?.(frames?.find((frame) => frame.id === id && frame.title === undefined)?.inside ?? id);
  };
  return (
    <div
      ref={frame}
      className="bh-graph"
      style={{ height: height ?? Math.min(HIGHEST, Math.max(180, size.height * zoom + 48)) }}
      role="group"
      aria-label={label}
      onKeyDown={(event) => {
        const id = (event.target as Element).closest('.react-flow__node')?.getAttribute('data-id');
        if (id && (event.key === 'Enter' || event.key === ' ')) {
          event.preventDefault();
          activate(id);
        }
      }}
    >
      <ReactFlow
        nodes={[...around, ...boxes]}
        edges={arrows}
        nodeTypes={TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={dark ? 'dark' : 'light'}
        fitView
        fitViewOptions={{ padding: 0.02, maxZoom: 1 }}
        minZoom={0.2}
        nodesConnectable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        onNodeMouseEnter={(_, { id }) => setOver(id)}
        onNodeMouseLeave={() => setOver(undefined)}
        onNodeClick={(_, { id }) => activate(id)}
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
