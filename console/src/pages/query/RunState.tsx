/** How far a statement is: its state, time and data, and why it failed. */
import Alert from '@cloudscape-design/components/alert';
import Link from '@cloudscape-design/components/link';
import { useEffect, useState } from 'react';

import { type QueryExecution, isOver } from '../../aws/athena';
import { platformNow } from '../../aws/session';
import { bytes, date, duration } from '../../lib/format';
import { queryHref } from '../../lib/links';
import { Status } from '../../lib/status';

const ADVICE: [RegExp, string][] = [
  [/TABLE_NOT_FOUND|SCHEMA_NOT_FOUND/, 'Choose the database above, or write the name with its database in front. A crawler or CREATE TABLE makes what is missing.'],
  [/COLUMN_NOT_FOUND/, 'The tree to the left shows which columns the table has.'],
  [/SYNTAX_ERROR|mismatched input/, 'The place is marked in the statement.'],
  [/Access ?Denied|not authorized/i, 'The signed-in principal lacks a permission on the data: the message names it.'],
  [/DIVISION_BY_ZERO/, 'NULLIF(x, 0) makes a division by zero null; TRY(…) makes any failed value null.'],
  [/INVALID_CAST_ARGUMENT/, 'TRY_CAST gives null where a value is none of the type.'],
];

export function adviceOn(message: string): string | undefined {
  return ADVICE.find(([pattern]) => pattern.test(message))?.[1];
}

export function reasonOf({ Status: { AthenaError, StateChangeReason } }: QueryExecution): string {
  return AthenaError?.ErrorMessage ?? StateChangeReason ?? '';
}

/** Why an execution did not succeed. */
export function ExecutionError({ execution }: { execution: QueryExecution }) {
  const reason = reasonOf(execution);
  if (execution.Status.State === 'CANCELLED') {
    return (
      <Alert type="info" header="The query was cancelled">
        {reason || 'Run it again to have its result.'}
      </Alert>
    );
  }
  return (
    <Alert type="error" header="The query failed">
      <div className="bh-wrap">{reason}</div>
      {adviceOn(reason) && <div>{adviceOn(reason)}</div>}
    </Alert>
  );
}

/** Milliseconds since the execution was submitted; they go on until it is over. */
function useElapsed(execution: QueryExecution): number | undefined {
  const { State, SubmissionDateTime, CompletionDateTime } = execution.Status;
  const over = isOver(State);
  const [, tick] = useState(0);
  useEffect(() => {
    if (over) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 100);
    return () => clearInterval(timer);
  }, [over]);
  const from = date(SubmissionDateTime)?.getTime();
  if (from === undefined) return undefined;
  const measured = execution.Statistics?.TotalExecutionTimeInMillis;
  return over ? (measured ?? (date(CompletionDateTime)?.getTime() ?? from) - from) : Math.max(0, platformNow() - from);
}

export function RunLine({ execution }: { execution: QueryExecution }) {
  const elapsed = useElapsed(execution);
  const { DataScannedInBytes: scanned, QueryQueueTimeInMillis: queued } = execution.Statistics ?? {};
  return (
    <div className="bh-run" role="status" aria-label="State of the query">
      <Status state={execution.Status.State} />
      <span>
        Time <strong>{duration(elapsed)}</strong>
      </span>
      {(queued ?? 0) >= 1 && <span>of that in the queue {duration(queued)}</span>}
      <span>
        Data scanned <strong>{bytes(scanned ?? 0)}</strong>
      </span>
      <span>
        Work group <strong>{execution.WorkGroup ?? 'primary'}</strong>
      </span>
      <Link href={queryHref(execution.QueryExecutionId)}>Execution {execution.QueryExecutionId.slice(0, 8)}</Link>
    </div>
  );
}
