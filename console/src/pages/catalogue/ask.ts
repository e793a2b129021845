/** Questions to Athena that pages ask by themselves, such as a table's sample rows. */
import { type QueryExecution, type ResultPage, type WorkGroup, getQuery, getResults, getWorkGroup, isOver, listWorkGroups, startQuery, stopQuery } from '../../aws/athena';
import { AwsError } from '../../aws/error';
import { keptLocation } from '../query/ResultPlace';

export const WORK_GROUP = 'primary';
/** What {@link ask} fails with where nobody has said yet where results go. */
export const NO_PLACE = 'NoResultLocation';

export interface Answer extends ResultPage {
  execution: QueryExecution;
}

interface Place {
  WorkGroup: string;
  ResultConfiguration?: { OutputLocation: string };
}

const hasPlace = (group: WorkGroup) => Boolean(group.Configuration?.ResultConfiguration?.OutputLocation);

/** The work group to ask in: the usual one if results have a place there, else another in which they have one. */
async function place(): Promise<Place> {
  if (hasPlace(await getWorkGroup(WORK_GROUP))) return { WorkGroup: WORK_GROUP };
  const OutputLocation = keptLocation();
  if (OutputLocation) return { WorkGroup: WORK_GROUP, ResultConfiguration: { OutputLocation } };
  const others = (await listWorkGroups()).filter(({ Name, State }) => Name !== WORK_GROUP && State !== 'DISABLED');
  for (const { Name } of others) if (hasPlace(await getWorkGroup(Name))) return { WorkGroup: Name };
  throw new AwsError(NO_PLACE, `Work group ${WORK_GROUP} does not say where results go`, 0);
}

/** Runs a statement to its end; a query that nobody waits for any more is stopped. */
export async function ask(sql: string, database: string, signal: AbortSignal): Promise<Answer> {
  const where = await place();
  signal.throwIfAborted();
  const id = await startQuery({
    QueryString: sql,
    QueryExecutionContext: { Database: database },
    ...where,
  });
  try {
    const execution = await end(id, signal);
    const { State, StateChangeReason, AthenaError } = execution.Status;
    if (State !== 'SUCCEEDED') throw new AwsError(State, StateChangeReason ?? AthenaError?.ErrorMessage ?? 'The query did not succeed', 0, undefined, { id });
    return { execution, ...(await getResults(id, undefined, { signal })) };
  } catch (error) {
    if (signal.aborted) void stopQuery(id).catch(() => undefined);
    throw error;
  }
}

async function end(id: string, signal: AbortSignal): Promise<QueryExecution> {
  for (let pause = 40; ; pause = Math.min(pause * 1.5, 1000)) {
    const execution = await getQuery(id, { signal });
    if (isOver(execution.Status.State)) return execution;
    await new Promise((resolve) => setTimeout(resolve, pause));
    signal.throwIfAborted();
  }
}
