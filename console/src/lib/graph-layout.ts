/** Where the boxes of a graph stand. */
import { Graph, layout } from '@dagrejs/dagre';

import type { Tone } from './status';

export interface GraphNode {
  id: string;
  title: string;
  /** What sort of thing: `Bucket`, `Lambda function`, `Choice`. */
  kind?: string;
  /** A second line: a count, a time. */
  detail?: string;
  tone?: Tone | undefined;
  /** A colour of its sort, from the chart's palette (0–9). */
  hue?: number;
  /** Where a click leads; `onSelect` is asked otherwise. */
  href?: string;
  /** The frame that it stands in. */
  inside?: string;
  /** Round and small: where something begins or ends. */
  mark?: boolean;
}

/** A frame around boxes, and around other frames. Arrows lead to it as to a box. One without a title can't be chosen. */
export interface GraphFrame {
  id: string;
  title?: string;
  kind?: string;
  detail?: string;
  tone?: Tone | undefined;
  hue?: number;
  inside?: string;
}

export interface GraphEdge {
  from: string;
  to: string;
  label?: string;
  tone?: Tone | undefined;
  /** Moving dashes: something goes along it now. */
  lively?: boolean;
  dashed?: boolean;
}

export const NODE_WIDTH = 178;
export const NODE_HEIGHT = 62;
const MARK = { width: 64, height: 26 };
/** Around what stands in a frame, and above it where the frame has a title. */
const FRAME_PADDING = 14;
const FRAME_HEAD = 44;

export interface Size {
  width: number;
  height: number;
}

export interface Placed {
  x: number;
  y: number;
}

export interface Layout extends Size {
  places: Map<string, Placed & Size>;
  /** Where an arrow goes along, by its index: past the boxes between its ends. */
  routes: Map<number, Placed[]>;
}

export type Direction = 'right' | 'down';

/**
 * The left upper corners and sizes of boxes and frames, and the size of it all; arrows whose ends are missing, or stand in
 * different frames, don't count. Dashed arrows are drawn, but where data flows is what orders the boxes.
 */
export function place(nodes: readonly GraphNode[], edges: readonly GraphEdge[], direction: Direction, frames?: readonly GraphFrame[]): Layout {
  return placeInside(undefined, { nodes, edges, frames: frames ?? [], direction, labelled: frames !== undefined });
}

interface Drawing {
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  frames: readonly GraphFrame[];
  direction: Direction;
  /** Whether arrows go along their own ways, with room for what they say. */
  labelled: boolean;
}

/** Lays out what stands in a frame, where each frame inside of it counts as one box. */
function placeInside(frame: string | undefined, drawing: Drawing): Layout {
  const inner = drawing.frames.filter(({ inside }) => inside === frame).map((one) => ({ ...one, layout: placeInside(one.id, drawing) }));
  const sizes = new Map<string, Size>();
  for (const node of drawing.nodes) if (node.inside === frame) sizes.set(node.id, node.mark ? MARK : { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const one of inner) sizes.set(one.id, framed(one, one.layout));
  const { corners, routes, ...size } = arrange(sizes, drawing.edges, drawing);
  const places: Layout['places'] = new Map();
  for (const [id, own] of sizes) places.set(id, { ...corner(corners, id), ...own });
  for (const one of inner) {
    const at = corner(corners, one.id);
    const own = sizes.get(one.id)?.width ?? 0;
    const left = at.x + (own - one.layout.width) / 2;
    const top = at.y + (one.title === undefined ? 0 : FRAME_HEAD) + FRAME_PADDING;
    for (const [id, { x, y, ...rest }] of one.layout.places) places.set(id, { x: x + left, y: y + top, ...rest });
    for (const [edge, points] of one.layout.routes) routes.set(edge, points.map(({ x, y }) => ({ x: x + left, y: y + top })));
  }
  return { places, routes, ...size };
}

function framed({ title }: GraphFrame, { width, height }: Size): Size {
  const least = title === undefined ? 0 : NODE_WIDTH;
  return { width: Math.max(width, least) + 2 * FRAME_PADDING, height: height + 2 * FRAME_PADDING + (title === undefined ? 0 : FRAME_HEAD) };
}

const corner = (corners: ReadonlyMap<string, Placed>, id: string): Placed => corners.get(id) ?? { x: 0, y: 0 };

function arrange(sizes: ReadonlyMap<string, Size>, edges: readonly GraphEdge[], { direction, labelled }: Pick<Drawing, 'direction' | 'labelled'>): Size & { corners: Map<string, Placed>; routes: Map<number, Placed[]> } {
  const graph = new Graph({ multigraph: true });
  const right = direction === 'right';
  graph.setGraph({ rankdir: right ? 'LR' : 'TB', nodesep: right ? 18 : 26, ranksep: right ? 38 : 32, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [id, size] of sizes) graph.setNode(id, { ...size });
  for (const [at, edge] of edges.entries()) {
    if (!sizes.has(edge.from) || !sizes.has(edge.to)) continue;
    graph.setEdge(edge.from, edge.to, { weight: edge.dashed ? Number(labelled) : 2, minlen: 1, ...(labelled ? labelSize(edge) : {}) }, String(at));
  }
  layout(graph);
  const corners = new Map(
    [...sizes].map(([id, own]) => {
      const { x = 0, y = 0 } = graph.node(id) as Partial<Placed>;
      return [id, { x: x - own.width / 2, y: y - own.height / 2 }];
    }),
  );
  const routes = new Map(
    graph.edges().map((edge) => {
      const { points = [] } = graph.edge(edge) as { points?: Placed[] };
      return [Number(edge.name), points] as const;
    }),
  );
  const { width = 0, height = 0 } = graph.graph() as Partial<Size>;
  return { corners, routes, width, height };
}

const LETTER = 6;
/** Room for an arrow's words. */
const labelSize = ({ label }: GraphEdge) => (label ? { width: label.length * LETTER, height: 16, labelpos: 'c' } : {});

/** The smallest size at which boxes can still be read. */
const READABLE = 0.62;

/** From left to right if that can be read in so many pixels, else from top to bottom. */
export function placeWithin(nodes: readonly GraphNode[], edges: readonly GraphEdge[], pixels: number, frames?: readonly GraphFrame[]): Layout & { direction: Direction } {
  const right = place(nodes, edges, 'right', frames);
  if (right.width * READABLE <= pixels) return { ...right, direction: 'right' };
  return { ...place(nodes, edges, 'down', frames), direction: 'down' };
}
