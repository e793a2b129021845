/** What a visual job's run has read and written, node by node, as its log tells; and the picture of it. */
import type { JobRun } from '../../aws/glue';
import { bytes, count } from '../../lib/format';
import type { GraphEdge, GraphNode } from '../../lib/graph';
import { hasEnded } from './runs';

export interface NodeFacts {
  id: string;
  name: string;
  /** Of a source: objects that were read, and that bookmarks left out. */
  read?: { objects: number; known: number };
  /** Of a target. */
  written?: { rows: number; files: number; bytes: number; partitions: number };
}

const NODE = /^node '(.*)' \((\S+)\): (.*)$/s;
const READ = /^(\d+) objects to read, (\d+) known from earlier runs/;
const WRITTEN = /^(\d+) rows in (\d+) files, (\d+) bytes, (\d+) partitions/;

export function factsOf(lines: readonly string[]): NodeFacts[] {
  return lines.flatMap((line): NodeFacts[] => {
    const [, name = '', id = '', said = ''] = NODE.exec(line) ?? [];
    const [, objects, known] = READ.exec(said) ?? [];
    if (objects) return [{ id, name, read: { objects: Number(objects), known: Number(known) } }];
    const [, rows, files, size, partitions] = WRITTEN.exec(said) ?? [];
    return rows ? [{ id, name, written: { rows: Number(rows), files: Number(files), bytes: Number(size), partitions: Number(partitions) } }] : [];
  });
}

const many = (number: number, one: string) => `${count(number)} ${one}${number === 1 ? '' : 's'}`;

export function factText({ read, written }: NodeFacts): string {
  if (read) return `${many(read.objects, 'object')} read${read.known > 0 ? `, ${count(read.known)} known` : ''}`;
  return written ? `${many(written.rows, 'row')}, ${bytes(written.bytes)}` : '';
}

/** The node that a failed run's message names. */
export const failedNode = ({ ErrorMessage = '' }: JobRun): string | undefined => NODE.exec(ErrorMessage)?.[2];

export function paintRun(drawing: { nodes: readonly GraphNode[]; edges: readonly GraphEdge[] }, facts: readonly NodeFacts[], run: JobRun): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const failed = failedNode(run);
  const succeeded = run.JobRunState === 'SUCCEEDED';
  const nodes = drawing.nodes.map((node): GraphNode => {
    const fact = facts.find(({ id }) => id === node.id);
    const tone = node.id === failed ? 'bad' : succeeded || fact?.written ? 'good' : fact && !hasEnded(run) ? 'busy' : undefined;
    return { ...node, ...(tone ? { tone } : {}), ...(fact ? { detail: factText(fact) } : {}) };
  });
  return { nodes, edges: drawing.edges.map((edge) => ({ ...edge, ...(succeeded ? { tone: 'good' as const } : {}), lively: !hasEnded(run) })) };
}
