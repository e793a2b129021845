/** Everything that is deployed and what ran lately, as the signed-in principal may see it. */
import { getApis, getIntegrations } from '../../aws/apigateway';
import { listNamedQueries, listQueries, listWorkGroups } from '../../aws/athena';
import { rolesAccess } from '../../aws/authorization';
import { type AwsError, asAwsError, isAbort } from '../../aws/error';
import { getSchedule, listRules, listSchedules, listTargets } from '../../aws/events';
import { describeStream, listStreams } from '../../aws/firehose';
import { getCrawlers, getDatabases, getJobRuns, getJobs, getTables } from '../../aws/glue';
import { listFunctions, listMappings } from '../../aws/lambda';
import { listBuckets } from '../../aws/s3';
import { listQueues } from '../../aws/sqs';
import { describeMachine, listExecutions, listMachines } from '../../aws/states';
import { date, shortName } from '../../lib/format';
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
  /** The newest first. */
  runs: Run[];
  savedQueries: number;
  /** What may not be read, by name. */
  refused: { what: string; error: AwsError }[];
}

/** How many of a machine's or job's runs are looked at. */
const EACH = 10;

export async function readOverview(): Promise<Overview> {
  const refused: Overview['refused'] = [];
  /** A part that can't be read leaves the others alone. */
  const part = async <T>(what: string, read: () => Promise<T[]>): Promise<T[]> => {
    try {
      return await read();
    } catch (error) {
      if (isAbort(error)) throw error;
      refused.push({ what, error: asAwsError(error) });
      return [];
    }
  };
  const each = <A, B>(items: readonly A[], read: (item: A) => Promise<B>) => Promise.all(items.map(read));

  const [buckets, streams, apis, queues, functions, mappings, jobs, crawlers, databases, machines, schedules, rules, roles, queries, saved] =
    await Promise.all([
      part('buckets', listBuckets),
      part('delivery streams', async () => each(await listStreams(), describeStream)),
      part('APIs', async () => each(await getApis(), async (api) => ({ ...api, integrations: await getIntegrations(api.apiId) }))),
      part('queues', listQueues),
      part('functions', listFunctions),
      part('event source mappings', listMappings),
      part('jobs', async () => each(await getJobs(), async (job) => ({ ...job, runs: await getJobRuns(job.Name, EACH) }))),
      part('crawlers', getCrawlers),
      part('databases', async () => each(await getDatabases(), async (one) => ({ ...one, tables: (await getTables(one.Name)).length }))),
      part('state machines', async () =>
        each(await listMachines(), async ({ name, stateMachineArn: arn, type }) => {
          const [{ definition }, executions] = await Promise.all([
            describeMachine(arn),
            type === 'EXPRESS' ? Promise.resolve([]) : listExecutions(arn, EACH),
          ]);
          return { name, arn, definition, executions };
        }),
      ),
      part('schedules', async () => each(await listSchedules(), (one) => getSchedule(one.Name, one.GroupName))),
      part('rules', async () => each(await listRules(), async (rule) => ({ ...rule, targets: await listTargets(rule.Name, rule.EventBusName) }))),
      part('roles', rolesAccess),
      part('queries', async () => (await each(await listWorkGroups(), (group) => listQueries(group.Name, 50))).flat()),
      part('saved queries', async () => (await each(await listWorkGroups(), (group) => listNamedQueries(group.Name))).flat()),
    ]);

  const runs: Run[] = [
    ...machines.flatMap(({ name, executions }) =>
      executions.map((one): Run => ({
        id: one.executionArn,
        kind: 'Execution',
        name,
        state: one.status,
        started: date(one.startDate),
        ended: date(one.stopDate),
        href: executionHref(one.executionArn),
      })),
    ),
    ...jobs.flatMap((job) =>
      job.runs.map((run): Run => ({
        id: run.Id,
        kind: 'Job run',
        name: job.Name,
        state: run.JobRunState,
        started: date(run.StartedOn),
        ended: date(run.CompletedOn),
        why: run.ErrorMessage,
        href: jobRunHref(job.Name, run.Id),
      })),
    ),
    ...crawlers.flatMap((crawler): Run[] => {
      const { LastCrawl: last } = crawler;
      if (!last) return [];
      const running = crawler.State === 'RUNNING';
      return [
        {
          id: `crawl/${crawler.Name}`,
          kind: 'Crawl',
          name: crawler.Name,
          state: running ? 'RUNNING' : (last.Status ?? ''),
          started: date(last.StartTime),
          ended: undefined,
          why: last.ErrorMessage,
          href: crawlerHref(crawler.Name),
        },
      ];
    }),
    ...queries.map((query): Run => ({
      id: query.QueryExecutionId,
      kind: 'Query',
      name: query.Query.replace(/\s+/g, ' ').slice(0, 80),
      state: query.Status.State,
      started: date(query.Status.SubmissionDateTime),
      ended: date(query.Status.CompletionDateTime),
      why: query.Status.StateChangeReason,
      href: queryHref(query.QueryExecutionId),
    })),
  ];
  runs.sort((a, b) => (b.started?.getTime() ?? 0) - (a.started?.getTime() ?? 0));
  return {
    deployed: {
      buckets,
      streams,
      apis,
      queues,
      functions,
      mappings,
      jobs: jobs.map(({ runs: [lastRun], ...job }) => ({ ...job, lastRun })),
      crawlers,
      databases,
      machines: machines.map(({ executions: [last], ...machine }) => ({ ...machine, last: last?.status })),
      schedules,
      rules,
      roles,
    },
    runs,
    savedQueries: saved.length,
    refused,
  };
}

/** Whether something runs now, so that it is worth looking again soon. */
export const isBusy = (overview: Overview | undefined) => overview?.runs.some((run) => tone(run.state) === 'busy') ?? false;

/** The name of a run's own id, where it has one that people read. */
export const runName = (run: Run) => (run.kind === 'Execution' ? shortName(run.id) : run.name);
