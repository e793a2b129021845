/** A table's lineage as a graph: what its writers read, who wrote, the table, who reads, what readers wrote. */
import { type QueryExecution, type TableUser, type Used, athena, executionLineage, tableLineage } from '../../aws/athena';
import { AwsError } from '../../aws/error';
import { type Table, getJobs } from '../../aws/glue';
import { searchTables } from '../../aws/glue-catalog';
import { ago, shortName } from '../../lib/format';
import type { GraphEdge, GraphNode } from '../../lib/graph';
import { bucketHref, crawlerHref, jobHref, queryHref, tableHref } from '../../lib/links';
import { type JobLink, jobLinks } from './jobs';
import { crawlerOf, placeHref, s3Place } from './tables';

/** Executions of one principal and kind that did the same with the same tables. */
export interface Use {
  kind: 'writer' | 'reader';
  statement: string;
  principal: string;
  /** The newest. */
  id: string;
  last: number;
  times: number;
  /** The other tables: read by a writer, written by a reader. */
  others: string[];
  columns: string[];
}

export interface TableLineage {
  uses: Use[];
  jobs: JobLink[];
}

const key = ({ Database, Table }: Used) => `${Database}.${Table}`;

/** Who a principal is: a user's or a role's name; the names of a role's sessions say little. */
export function whoIs(arn: string): string {
  return /:assumed-role\/([^/]+)\//.exec(arn)?.[1] ?? shortName(arn);
}

/** Puts executions together that look the same. */
export function group(uses: readonly Use[]): Use[] {
  const found = new Map<string, Use>();
  for (const use of uses) {
    const name = JSON.stringify([use.kind, use.statement, use.principal, use.others]);
    const known = found.get(name);
    if (!known) found.set(name, use);
    else {
      const newest = known.last >= use.last ? known : use;
      found.set(name, { ...newest, times: known.times + use.times, columns: [...new Set([...known.columns, ...use.columns])] });
    }
  }
  return [...found.values()].sort((a, b) => b.last - a.last);
}

async function statements(ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const answer = await athena<{ QueryExecutions: QueryExecution[] }>('BatchGetQueryExecution', { QueryExecutionIds: ids });
  return new Map(answer.QueryExecutions.map(({ QueryExecutionId, SubstatementType, Query }) => [QueryExecutionId, (SubstatementType ?? /^\s*(\w+)/.exec(Query)?.[1] ?? 'Query').replaceAll('_', ' ')]));
}

/** The other ends of an execution; none of one that is no longer known. */
async function ends(id: string): Promise<{ Read: Used[]; Written: Used[] }> {
  try {
    return await executionLineage(id);
  } catch (error) {
    if (error instanceof AwsError && (error.isMissing || error.code === 'InvalidRequestException')) return { Read: [], Written: [] };
    throw error;
  }
}

export async function readLineage(table: Table): Promise<TableLineage> {
  const { LastReaders, LastWriters } = await tableLineage(table.DatabaseName, table.Name);
  const self = `${table.DatabaseName}.${table.Name}`;
  const ids = [...new Set([...LastReaders, ...LastWriters].map(({ QueryExecutionId }) => QueryExecutionId))];
  const [names, known] = await Promise.all([statements(ids), Promise.all(ids.map(async (id) => [id, await ends(id)] as const))]);
  const byId = new Map(known);
  const use = (kind: Use['kind']) => (user: TableUser): Use => {
    const { Read = [], Written = [] } = byId.get(user.QueryExecutionId) ?? {};
    const others = (kind === 'writer' ? Read : Written).map(key).filter((other) => other !== self);
    return {
      kind,
      statement: names.get(user.QueryExecutionId) ?? 'Query',
      principal: whoIs(user.Principal),
      id: user.QueryExecutionId,
      last: user.CompletionDateTime,
      times: 1,
      others: others.sort(),
      columns: user.Columns,
    };
  };
  return { uses: group([...LastWriters.map(use('writer')), ...LastReaders.map(use('reader'))]), jobs: await readJobs(table) };
}

/** Who may not see jobs sees the rest. */
async function readJobs(table: Table): Promise<JobLink[]> {
  try {
    const [jobs, tables] = await Promise.all([getJobs(), searchTables()]);
    return jobLinks(jobs, table, tables);
  } catch (error) {
    if (error instanceof AwsError && error.isDenied) return [];
    throw error;
  }
}

/** Colours of the graph's palette, by the sort of thing. */
const HUES = { bucket: 0, table: 4, query: 2, crawler: 1, job: 3 } as const;

function placeNode(location: string): GraphNode {
  const { bucket = location, prefix = '' } = s3Place(location) ?? {};
  return {
    id: `bucket ${bucket}/${prefix}`,
    title: bucket,
    kind: 'Files in S3',
    detail: prefix || 'the whole bucket',
    hue: HUES.bucket,
    href: placeHref(location) ?? bucketHref(bucket),
  };
}

function tableNode(name: string): GraphNode {
  const dot = name.indexOf('.');
  const [database, table] = [name.slice(0, dot), name.slice(dot + 1)];
  return { id: `table ${name}`, title: table, kind: 'Table', detail: database, hue: HUES.table, href: tableHref(database, table) };
}

export function graphOf(table: Table, { uses, jobs }: TableLineage, now: number): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  const add = (node: GraphNode) => {
    if (!nodes.has(node.id)) nodes.set(node.id, node);
    return node.id;
  };
  const own = add({ ...tableNode(`${table.DatabaseName}.${table.Name}`), tone: 'good' });
  const link = (kind: Use['kind'], by: string, others: readonly string[]) => {
    edges.push(kind === 'writer' ? { from: by, to: own } : { from: own, to: by });
    for (const other of others) {
      const end = add(other.startsWith('s3:') ? placeNode(other) : tableNode(other));
      edges.push(kind === 'writer' ? { from: end, to: by } : { from: by, to: end });
    }
  };
  const location = table.StorageDescriptor?.Location;
  const crawler = crawlerOf(table);
  if (location && s3Place(location)) {
    const files = add(placeNode(location));
    if (crawler) {
      const by = add({ id: `crawler ${crawler}`, title: crawler, kind: 'Crawler', detail: 'keeps the entry', hue: HUES.crawler, href: crawlerHref(crawler) });
      edges.push({ from: files, to: by }, { from: by, to: own });
    } else edges.push({ from: files, to: own });
  }
  for (const { job, kind, others } of jobs) {
    link(kind, add({ id: `job ${kind} ${job}`, title: job, kind: kind === 'writer' ? 'Glue job, writes' : 'Glue job, reads', hue: HUES.job, href: jobHref(job) }), others);
  }
  for (const use of uses) {
    const times = use.times > 1 ? `${use.times} times, last ` : '';
    const query = add({
      id: `${use.kind} ${use.id}`,
      title: use.statement,
      kind: use.kind === 'writer' ? 'Athena query, writes' : 'Athena query, reads',
      detail: `${times}${ago(use.last, now)} by ${use.principal}`,
      hue: HUES.query,
      href: queryHref(use.id),
    });
    link(use.kind, query, use.others);
  }
  return { nodes: [...nodes.values()], edges };
}
