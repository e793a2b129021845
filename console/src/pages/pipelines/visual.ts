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

interface Setting {
  label: string;
  text: string;
}

/** Options that are said otherwise, or only by all of them together. */
const SAID = new Set(['Name', 'Inputs', 'Database', 'Table', 'Path', 'Paths', 'SqlQuery', 'Mapping', 'OutputSchemas']);
const SIGNS: Record<string, string> = { EQ: '=', LT: '<', GT: '>', LTE: '≤', GTE: '≥', REGEX: '~', ISNULL: 'is null' };

/** A node's options as people say them. */
export function settingsOf({ options }: VisualNode): Setting[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (SAID.has(name) || value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return [];
    const text = settingText(name, value, options);
    return text === undefined ? [] : [{ label: labelOf(name), text }];
  });
}

/** `LogicalOperator` as `Logical operator`. */
const labelOf = (name: string) => name.replace(/([a-z])([A-Z])/g, (_, end: string, begin: string) => `${end} ${begin.toLowerCase()}`);

interface FilterValue {
  Type?: string;
  Value?: string[];
}

function settingText(name: string, value: unknown, options: Record<string, unknown>): string | undefined {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value !== 'object') return String(value);
  const list = Array.isArray(value) ? (value as unknown[]) : undefined;
  if (name === 'Filters') {
    const conditions = (list ?? []).map((one) => condition(one as { Operation?: string; Negated?: boolean; Values?: FilterValue[] }));
    return conditions.join(options.LogicalOperator === 'OR' ? ' or ' : ' and ');
  }
  if (name === 'Aggs') return (list ?? []).map((one) => `${String((one as { AggFunc?: string }).AggFunc)}(${path((one as { Column?: unknown }).Column)})`).join(', ');
  if (name === 'Columns' && list?.every((one) => typeof one === 'object' && one !== null && 'Keys' in one)) {
    return list.map((one) => (one as { Keys: unknown[] }).Keys.map(path).join(', ')).join(' = ');
  }
  if (name === 'SqlAliases') return (list ?? []).map((one) => String((one as { Alias?: string }).Alias)).join(', ');
  if (list?.every((one) => typeof one === 'string')) return list.join(', ');
  if (list?.every((one) => Array.isArray(one))) return list.map(path).join(', ');
  if (!list) {
    const inner = Object.entries(value as Record<string, unknown>).filter(([, one]) => typeof one !== 'object' && one !== undefined);
    return inner.map(([key, one]) => `${labelOf(key)}: ${settingText(key, one, options)}`).join(', ') || undefined;
  }
  return undefined;
}

const path = (value: unknown): string => (Array.isArray(value) ? value.join('.') : String(value));

function condition({ Operation = '', Negated, Values = [] }: { Operation?: string; Negated?: boolean; Values?: FilterValue[] }): string {
  const said = Values.map(({ Type, Value = [] }) => (Type === 'CONSTANT' ? JSON.stringify(Value[0] ?? '') : path(Value)));
  const sign = SIGNS[Operation] ?? Operation;
  return `${Negated ? 'not ' : ''}${Operation === 'ISNULL' ? `${said[0]} ${sign}` : said.join(` ${sign} `)}`;
}

/** The rows of an ApplyMapping; a column without `to` is dropped. */
export function mappingOf({ options }: VisualNode): { from: string; to: string | undefined; type: string }[] {
  if (!Array.isArray(options.Mapping)) return [];
  return (options.Mapping as { FromPath?: string[]; FromType?: string; ToKey?: string; ToType?: string; Dropped?: boolean }[]).map((one) => ({
    from: path(one.FromPath ?? []),
    to: one.Dropped ? undefined : one.ToKey,
    type: one.FromType === one.ToType || one.Dropped ? (one.FromType ?? '') : `${one.FromType ?? '?'} → ${one.ToType ?? '?'}`,
  }));
}
