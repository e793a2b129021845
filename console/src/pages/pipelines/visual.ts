/** The nodes of a visual job (CodeGenConfigurationNodes) as boxes and arrows. */
import type { Job } from '../../aws/glue';
import type { GraphEdge, GraphNode } from '../../lib/graph';

export interface VisualNode {
  id: string;
  type: string;
  name: string;
  inputs: readonly string[];
  options: Record<string, unknown>;
}

const SOURCE = 0;
const TRANSFORM = 2;
const TARGET = 4;

export function visualNodes(nodes: Job['CodeGenConfigurationNodes']): VisualNode[] {
  return Object.entries(nodes ?? {}).flatMap(([id, node]) => {
    // Each node is an object with one member, named after its type.
    const [type, options] = Object.entries(node).find(([, value]) => value !== null) ?? [];
    if (type === undefined) return [];
    const given = (options ?? {}) as Record<string, unknown>;
    return [{ id, type, name: String(given.Name ?? id), inputs: Array.isArray(given.Inputs) ? given.Inputs.map(String) : [], options: given }];
  });
}

export function drawNodes(nodes: readonly VisualNode[]): { nodes: GraphNode[]; edges: GraphEdge[] } {
  return {
    nodes: nodes.map((node) => {
      const detail = about(node);
      return { id: node.id, title: node.name, kind: node.type, hue: hue(node), ...(detail ? { detail } : {}) };
    }),
    edges: nodes.flatMap(({ id, inputs }) => inputs.map((from) => ({ from, to: id }))),
  };
}

function hue({ type }: VisualNode): number {
  if (type.endsWith('Source')) return SOURCE;
  return type.endsWith('Target') ? TARGET : TRANSFORM;
}

function about({ options }: VisualNode): string | undefined {
  const { Database, Table, Path, Paths, JoinType, Mapping } = options;
  if (Table !== undefined) return `${String(Database)}.${String(Table)}`;
  if (typeof Path === 'string') return Path;
  if (Array.isArray(Paths)) return Paths.join(', ');
  if (Array.isArray(Mapping)) return `${Mapping.length} columns`;
  return typeof JoinType === 'string' ? JoinType : undefined;
}
