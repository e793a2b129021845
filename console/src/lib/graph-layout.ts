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

export const NODE_WIDTH = 190;
export const NODE_HEIGHT = 64;

export interface Placed {
  x: number;
  y: number;
}

export interface Layout {
  places: Map<string, Placed>;
  width: number;
  height: number;
}

export type Direction = 'right' | 'down';

/**
 * The left upper corners of the boxes, and the size of it all; arrows whose ends are missing don't count. Dashed arrows
 * are drawn, but where data flows is what orders the boxes.
 */
export function place(nodes: readonly GraphNode[], edges: readonly GraphEdge[], direction: Direction): Layout {
  const graph = new Graph({ multigraph: true });
  const right = direction === 'right';
  graph.setGraph({ rankdir: right ? 'LR' : 'TB', nodesep: right ? 20 : 26, ranksep: right ? 46 : 40, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  const known = new Set(nodes.map((node) => node.id));
  for (const [at, edge] of edges.entries()) {
    if (!known.has(edge.from) || !known.has(edge.to)) continue;
    graph.setEdge(edge.from, edge.to, { weight: edge.dashed ? 0 : 2, minlen: 1 }, String(at));
  }
  layout(graph);
  const places = new Map(
    nodes.map((node) => {
      const { x = 0, y = 0 } = graph.node(node.id) as Partial<Placed>;
      return [node.id, { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 }];
    }),
  );
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { places, width, height };
}

/** The smallest size at which boxes can still be read. */
const READABLE = 0.62;

/** From left to right if that can be read in so many pixels, else from top to bottom. */
export function placeWithin(nodes: readonly GraphNode[], edges: readonly GraphEdge[], pixels: number): Layout & { direction: Direction } {
  const right = place(nodes, edges, 'right');
  if (right.width * READABLE <= pixels) return { ...right, direction: 'right' };
  return { ...place(nodes, edges, 'down'), direction: 'down' };
}
