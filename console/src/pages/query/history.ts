/**
 * The executions of work groups, as far as they were read. Those that are over don't change: a look at the history reads what
 * is new and what was not over, and goes on into the past where the last one stopped.
 */
import { type QueryExecution, athena, isOver } from '../../aws/athena';
import { onSession } from '../../aws/session';
import { date } from '../../lib/format';

const PAGE = 50;
/** Pages into the past at each look. */
const STRIDE = 10;
/** Executions of a work group that are read. */
const MOST = 10_000;

interface Past {
  executions: Map<string, QueryExecution>;
  /** Where the past goes on; undefined before the first look. */
  token: string | undefined;
  complete: boolean;
}

const groups = new Map<string, Past>();
onSession(() => groups.clear());

export interface History {
  /** The newest first. */
  executions: readonly QueryExecution[];
  complete: boolean;
}

interface Page {
  QueryExecutionIds: string[];
  NextToken?: string;
}

const page = (WorkGroup: string, NextToken?: string) => athena<Page>('ListQueryExecutions', { WorkGroup, MaxResults: PAGE, NextToken });

async function look(group: string): Promise<Past> {
  const past = groups.get(group) ?? { executions: new Map<string, QueryExecution>(), token: undefined, complete: false };
  groups.set(group, past);
  const wanted = [...past.executions.values()].filter((one) => !isOver(one.Status.State)).map((one) => one.QueryExecutionId);
  const isFirst = past.executions.size === 0;
  let { token: older, complete } = past;
  // What is new stands before the first that is known.
  for (let token: string | undefined, first = true; first || token; first = false) {
    const found: Page = await page(group, token);
    const fresh = found.QueryExecutionIds.filter((id) => !past.executions.has(id));
    wanted.push(...fresh);
    token = found.NextToken;
    if (isFirst) {
      older = token;
      complete = !token;
      break;
    }
    if (fresh.length < found.QueryExecutionIds.length) break;
  }
  for (let pages = 0; !isFirst && !complete && pages < STRIDE; pages += 1) {
    const found = await page(group, older);
    wanted.push(...found.QueryExecutionIds.filter((id) => !past.executions.has(id)));
    older = found.NextToken;
    complete = !older || past.executions.size + wanted.length >= MOST;
  }
  for (let at = 0; at < wanted.length; at += PAGE) {
    const input = { QueryExecutionIds: wanted.slice(at, at + PAGE) };
    const { QueryExecutions } = await athena<{ QueryExecutions: QueryExecution[] }>('BatchGetQueryExecution', input);
    for (const one of QueryExecutions) past.executions.set(one.QueryExecutionId, one);
  }
  // A look that fails half-way begins again where it began.
  return Object.assign(past, { token: older, complete });
}

const submitted = (one: QueryExecution) => date(one.Status.SubmissionDateTime)?.getTime() ?? 0;

export async function readHistory(names: readonly string[]): Promise<History> {
  const found = await Promise.all(names.map(look));
  const executions = found.flatMap((past) => [...past.executions.values()]).sort((a, b) => submitted(b) - submitted(a));
  return { executions, complete: found.every((past) => past.complete) };
}
