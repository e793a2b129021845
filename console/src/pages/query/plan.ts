/** The plans of EXPLAIN (FORMAT JSON), as boxes and arrows. */
import { bytes, count } from '../../lib/format';
import type { GraphEdge, GraphNode } from '../../lib/graph';

export interface PlanNode {
  id: string;
  name: string;
  descriptor: Record<string, string>;
  outputs: { symbol: string; type: string }[];
  details: string[];
  estimates: Record<string, number | string>[];
  children: PlanNode[];
}

/** The root of a plan; none if the text isn't one. */
export function parsePlan(text: string): PlanNode | undefined {
  try {
    const found = JSON.parse(text) as Partial<PlanNode>;
    return typeof found.name === 'string' && Array.isArray(found.children) ? (found as PlanNode) : undefined;
  } catch {
    return undefined;
  }
}

/** All nodes, the root first. */
export const flat = (root: PlanNode): PlanNode[] => [root, ...root.children.flatMap(flat)];

const HUES: [RegExp, number][] = [
  [/scan/i, 4],
  [/join/i, 3],
  [/aggregate|distinct/i, 2],
  [/sort|top|window|rank/i, 5],
  [/exchange|remote/i, 9],
  [/filter/i, 1],
  [/output|write|insert/i, 0],
];

/** The rows that a node is expected to give; undefined if nobody knows. */
export function expectedRows(node: PlanNode): number | undefined {
  const rows = Number(node.estimates[0]?.outputRowCount);
  return Number.isFinite(rows) ? rows : undefined;
}

/** What tells a step from others of its kind. */
const TELLING = ['keys', 'criteria', 'filterPredicate', 'orderBy', 'sourceFragmentIds', 'partitioning', 'count'];

function detail(node: PlanNode): string {
  const table = node.descriptor.table?.split(':').slice(1).join('.');
  const rows = expectedRows(node);
  const telling = TELLING.map((name) => node.descriptor[name]).find((value) => value !== undefined && value !== '' && value !== '[]');
  return [table ?? telling, rows === undefined ? '' : `${count(Math.round(rows))} rows`].filter(Boolean).join(' · ');
}

/** Data flows from the scans to the output: arrows lead from a child to its parent. */
export function planGraph(root: PlanNode): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes = flat(root).map((node): GraphNode => {
    const what = detail(node);
    return { id: node.id, title: words(node.name), ...(what ? { detail: what } : {}), hue: HUES.find(([pattern]) => pattern.test(node.name))?.[1] ?? 6 };
  });
  const edges = flat(root).flatMap((node) => node.children.map((child): GraphEdge => ({ from: child.id, to: node.id })));
  return { nodes, edges };
}

/** `TableScan` as `Table scan`. */
export function words(name: string): string {
  const apart = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return apart.charAt(0).toUpperCase() + apart.slice(1);
}

/** What there is to say about a node, name by name. */
export function facts(node: PlanNode): [string, string][] {
  const rows = expectedRows(node);
  const size = Number(node.estimates[0]?.outputSizeInBytes);
  return [
    ...Object.entries(node.descriptor).filter(([, value]) => value !== '').map(([name, value]): [string, string] => [words(name), value]),
    ...(rows === undefined ? [] : [['Expected rows', count(Math.round(rows))] as [string, string]]),
    ...(Number.isFinite(size) ? [['Expected size', bytes(size)] as [string, string]] : []),
  ];
}
