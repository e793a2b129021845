/**
 * What runs for the tabs. It goes on while somebody looks at another page, and after the page is loaded again: a tab knows the
 * ids of its executions.
 */
import { useEffect, useSyncExternalStore } from 'react';

import { type QueryExecution, getQuery, isOver, startQuery, stopQuery } from '../../aws/athena';
import { type AwsError, asAwsError } from '../../aws/error';
import { onSession } from '../../aws/session';
import { invalidate } from '../../lib/live';
import { forgetCatalogue } from './catalogue';
import type { Statement } from './statements';
import { type QueryTab, change } from './tabs';

export interface Run {
  /** Where it stands in the tab's text; not known after the page was loaded again. */
  statement: Statement | undefined;
  executionId: string | undefined;
  execution: QueryExecution | undefined;
  /** Why it did not start, or why its state can't be read. */
  error: AwsError | undefined;
}

export interface TabRuns {
  runs: readonly Run[];
  /** Whether statements run or wait for their turn. */
  busy: boolean;
  /** The text in which the statements stand. */
  text: string | undefined;
}

export interface Order {
  statements: readonly Statement[];
  /** Values of the placeholders of the only statement. */
  parameters: readonly string[];
  location: string | undefined;
}

const NONE: TabRuns = { runs: [], busy: false, text: undefined };
const all = new Map<string, TabRuns>();
const listeners = new Set<() => void>();
/** The order that each tab works on; another one takes its place. */
const turns = new Map<string, object>();

onSession(() => {
  all.clear();
  turns.clear();
});

function set(tab: string, part: Partial<TabRuns>): void {
  all.set(tab, { ...(all.get(tab) ?? NONE), ...part });
  listeners.forEach((listener) => listener());
}

function setRun(tab: string, at: number, part: Partial<Run>): void {
  const runs = all.get(tab)?.runs ?? [];
  set(tab, { runs: runs.map((run, place) => (place === at ? { ...run, ...part } : run)) });
}

/** Runs statements one after the other; one that fails is the last. */
export async function run(tab: QueryTab, { statements, parameters, location }: Order): Promise<void> {
  const turn = {};
  turns.set(tab.id, turn);
  const waiting = (statement: Statement): Run => ({ statement, executionId: undefined, execution: undefined, error: undefined });
  set(tab.id, { runs: statements.map(waiting), busy: true, text: tab.sql });
  change(tab.id, { executions: [] });
  const ids: string[] = [];
  for (const [at, statement] of statements.entries()) {
    let executionId: string;
    try {
      executionId = await startQuery({
        QueryString: statement.text,
        ...(tab.database ? { QueryExecutionContext: { Database: tab.database, Catalog: 'AwsDataCatalog' } } : {}),
        ...(tab.workGroup ? { WorkGroup: tab.workGroup } : {}),
        ...(location ? { ResultConfiguration: { OutputLocation: location } } : {}),
        ...(parameters.length > 0 ? { ExecutionParameters: [...parameters] } : {}),
      });
    } catch (error) {
      if (turns.get(tab.id) === turn) setRun(tab.id, at, { error: asAwsError(error) });
      break;
    }
    if (turns.get(tab.id) !== turn) return;
    ids.push(executionId);
    change(tab.id, { executions: [...ids] });
    setRun(tab.id, at, { executionId });
    const ended = await follow(tab.id, at, executionId, turn);
    if (turns.get(tab.id) !== turn) return;
    if (ended?.Status.State !== 'SUCCEEDED') break;
    if (ended.StatementType === 'DDL') {
      forgetCatalogue();
      invalidate('glue/');
    }
  }
  if (turns.get(tab.id) === turn) set(tab.id, { busy: false, runs: (all.get(tab.id)?.runs ?? []).filter((one) => one.executionId || one.error) });
}

/** Looks at an execution until it is over: often at first, when most queries end, and seldom in a tab that nobody sees. */
async function follow(tab: string, at: number, executionId: string, turn: object): Promise<QueryExecution | undefined> {
  for (let pause = 30; turns.get(tab) === turn; pause = Math.min(pause * 1.4, 500)) {
    try {
      const execution = await getQuery(executionId);
      if (turns.get(tab) !== turn) return undefined;
      setRun(tab, at, { execution, error: undefined });
      if (isOver(execution.Status.State)) return execution;
    } catch (error) {
      if (turns.get(tab) === turn) setRun(tab, at, { error: asAwsError(error) });
      return undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? 3_000 : pause));
  }
  return undefined;
}

/** Ends what runs, and what waits behind it. */
export async function cancel(tab: string): Promise<void> {
  const running = all.get(tab)?.runs.find((one) => one.executionId && !isOver(one.execution?.Status.State ?? 'QUEUED'));
  if (running?.executionId) await stopQuery(running.executionId);
}

/** Reads the executions of a tab that was kept. */
async function resume(tab: QueryTab): Promise<void> {
  const turn = {};
  turns.set(tab.id, turn);
  set(tab.id, { runs: tab.executions.map((executionId) => ({ statement: undefined, executionId, execution: undefined, error: undefined })), busy: true });
  await Promise.all(tab.executions.map((id, at) => follow(tab.id, at, id, turn)));
  if (turns.get(tab.id) === turn) set(tab.id, { busy: false });
}

export function useRuns(tab: QueryTab): TabRuns {
  useEffect(() => {
    if (!all.has(tab.id) && tab.executions.length > 0) void resume(tab);
  }, [tab]);
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => all.get(tab.id) ?? NONE,
  );
}

/** Forgets what a tab ran, as when it is closed. */
export function forget(tab: string): void {
  turns.delete(tab);
  all.delete(tab);
}
