/** Everything that is deployed and what ran lately, as the signed-in principal may see it. */
import { getApis, getIntegrations } from '../../aws/apigateway';
import { listNamedQueries, listQueries, listWorkGroups } from '../../aws/athena';
import { rolesAccess } from '../../aws/authorization';
import { asAwsError, isAbort } from '../../aws/error';
import { getSchedule, listRules, listSchedules, listTargets } from '../../aws/events';
import { describeStream, listStreams } from '../../aws/firehose';
import { getCrawlers, getDatabases, getJobRuns, getJobs, getTables } from '../../aws/glue';
import { listFunctions, listMappings } from '../../aws/lambda';
import { listBuckets } from '../../aws/s3';
import { listQueues } from '../../aws/sqs';
import { describeExecution, describeMachine, listExecutions, listMachines } from '../../aws/states';
import { date } from '../../lib/format';
import { crawlerHref, executionHref, jobRunHref, queryHref } from '../../lib/links';
import { tone } from '../../lib/status';
import type { Deployed } from './picture';

/** Something that ran. */
export interface Run {
  id: string;
  kind: 'Execution' | 'Job run' | 'Crawl' | 'Query';
  name: string;
  state: string;
  started: Date | undefined;
  ended: Date | undefined;
  why?: string | undefined;
  href: string;
}

export interface Overview {
  deployed: Deployed;
  savedQueries: number;
  /** What may not be read, by name. */
  refused: string[];
}

export interface Runs {
  /** The newest first. */
  runs: Run[];
  /** The state of each thing's last run, by the id of its box in the picture. */
  last: Map<string, string>;
}

/** How many machines, jobs and work groups are asked for their runs, and how many runs of each are looked at. */
const ASKED = 30;
const EACH = 10;
/** Calls that are under way at the same time. */
const AT_ONCE = 6;

/** Reads for each item, a few at a time. */
async function each<A, B>(items: readonly A[], read: (item: A) => Promise<B>): Promise<B[]> {
  const found: B[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) found[at] = await read(items[at] as A);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found;
}

/** Reads parts, each of which leaves the others alone when it can't be read. */
class Parts {
  private readonly asked: string[] = [];
  private readonly denied = new Set<string>();

  /** In the order in which they were asked for, whichever was refused first. */
  get refused(): string[] {
    return this.asked.filter((what) => this.denied.has(what));
  }

  async of<T>(what: string, read: () => Promise<T[]>): Promise<T[]> {
    this.asked.push(what);
    try {
      return await read();
    } catch (error) {
      if (isAbort(error) || asAwsError(error).code === 'NetworkError') throw error;
      this.denied.add(what);
      return [];
    }
  }
}

export async function readOverview(): Promise<Overview> {
  const parts = new Parts();
  const [buckets, streams, apis, queues, functions, mappings, jobs, crawlers, databases, machines, schedules, rules, roles, saved] =
    await Promise.all([
      parts.of('buckets', listBuckets),
      parts.of('delivery streams', async () => each(await listStreams(), describeStream)),
      parts.of('APIs', async () => each(await getApis(), async (api) => ({ ...api, integrations: await getIntegrations(api.apiId) }))),
      parts.of('queues', listQueues),
      parts.of('functions', listFunctions),
      parts.of('event source mappings', listMappings),
      parts.of('jobs', getJobs),
      parts.of('crawlers', getCrawlers),
      parts.of('databases', async () => each(await getDatabases(), async (one) => ({ ...one, tables: (await getTables(one.Name)).length }))),
      parts.of('state machines', async () =>
        each(await listMachines(), async ({ name, stateMachineArn: arn }) => ({ name, arn, definition: (await describeMachine(arn)).definition })),
      ),
      parts.of('schedules', async () => each(await listSchedules(), (one) => getSchedule(one.Name, one.GroupName))),
      parts.of('rules', async () => each(await listRules(), async (rule) => ({ ...rule, targets: await listTargets(rule.Name, rule.EventBusName) }))),
      parts.of('roles', rolesAccess),
      parts.of('saved queries', async () => (await each(await listWorkGroups(), (group) => listNamedQueries(group.Name))).flat()),
    ]);
  return {
    deployed: { buckets, streams, apis, queues, functions, mappings, jobs, crawlers, databases, machines, schedules, rules, roles },
    savedQueries: saved.length,
    refused: parts.refused,
  };
}

async function readExecutions(): Promise<Run[]> {
  const machines = (await listMachines()).filter((machine) => machine.type === 'STANDARD').slice(0, ASKED);
  const runs = await each(machines, async ({ name, stateMachineArn }) => {
    const executions = await listExecutions(stateMachineArn, EACH);
    const [newest] = executions;
    const broken = newest && tone(newest.status) === 'bad' ? await describeExecution(newest.executionArn) : undefined;
    return executions.map((one): Run => ({
      id: one.executionArn,
      kind: 'Execution',
      name,
      state: one.status,
      started: date(one.startDate),
      ended: date(one.stopDate),
      why: broken?.executionArn === one.executionArn ? [broken.error, broken.cause].filter(Boolean).join(': ') : undefined,
      href: executionHref(one.executionArn),
    }));
  });
  return runs.flat();
}

async function readJobRuns(): Promise<Run[]> {
  const runs = await each((await getJobs()).slice(0, ASKED), async ({ Name }) =>
    (await getJobRuns(Name, EACH)).map((run): Run => ({
      id: run.Id,
      kind: 'Job run',
      name: Name,
      state: run.JobRunState,
      started: date(run.StartedOn),
      ended: date(run.CompletedOn),
      why: run.ErrorMessage,
      href: jobRunHref(Name, run.Id),
    })),
  );
  return runs.flat();
}

async function readCrawls(): Promise<Run[]> {
  return (await getCrawlers()).flatMap(({ Name: name, State, LastCrawl: last }): Run[] => {
    if (!last && State === 'READY') return [];
    const state = State === 'READY' ? (last?.Status ?? '') : 'RUNNING';
    const why = last?.ErrorMessage;
    return [{ id: `crawl/${name}`, kind: 'Crawl', name, state, started: date(last?.StartTime), ended: undefined, why, href: crawlerHref(name) }];
  });
}

async function readQueries(): Promise<Run[]> {
  const queries = await each((await listWorkGroups()).slice(0, ASKED), (group) => listQueries(group.Name, 50));
  return queries.flat().map((query) => ({
    id: query.QueryExecutionId,
    kind: 'Query',
    name: query.Query.replace(/\s+/g, ' ').slice(0, 80),
    state: query.Status.State,
    started: date(query.Status.SubmissionDateTime),
    ended: date(query.Status.CompletionDateTime),
    why: query.Status.StateChangeReason,
    href: queryHref(query.QueryExecutionId),
  }));
}

const BOXES: Partial<Record<Run['kind'], string>> = { Execution: 'machine', 'Job run': 'job', Crawl: 'crawler' };

export async function readRuns(): Promise<Runs> {
  const parts = new Parts();
  const found = await Promise.all([
    parts.of('executions', readExecutions),
    parts.of('job runs', readJobRuns),
    parts.of('crawls', readCrawls),
    parts.of('queries', readQueries),
  ]);
  const runs = found.flat().sort((a, b) => (b.started?.getTime() ?? 0) - (a.started?.getTime() ?? 0));
  const last = new Map<string, string>();
  for (const { kind, name, state } of runs) {
    const box = `${BOXES[kind] ?? 'query'}/${name}`;
    if (!last.has(box)) last.set(box, state);
  }
  return { runs, last };
}

/** Whether something runs now, so that it is worth looking again soon. */
export const isBusy = (runs: Runs | undefined) => runs?.runs.some((run) => tone(run.state) === 'busy') ?? false;
