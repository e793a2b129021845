/** What Athena answers to a question of the page, with what it cost; and where results go, if nobody has said so yet. */
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';

import type { QueryExecution } from '../../aws/athena';
import { bytes, duration } from '../../lib/format';
import { queryHref } from '../../lib/links';
import type { Live } from '../../lib/live';
import { ErrorBox, Loading } from '../../lib/states';
import { ResultPlace } from '../query/ResultPlace';
import { type Answer, NO_PLACE, WORK_GROUP } from './ask';

export function Asked({ live, what, children }: { live: Live<Answer>; what: string; children: (answer: Answer) => ReactNode }) {
  if (live.data) return children(live.data);
  if (!live.error) return <Loading text="Asking Athena" />;
  if (live.error.code === NO_PLACE) return <ResultPlace workGroup={WORK_GROUP} onChosen={() => void live.refresh()} />;
  const { id } = live.error.details;
  return (
    <SpaceBetween size="s">
      <ErrorBox error={live.error} what={what} onRetry={live.refresh} />
      {typeof id === 'string' && <Link href={queryHref(id)}>The query</Link>}
    </SpaceBetween>
  );
}

/** What a query has read and how long it took. */
export function Cost({ execution }: { execution: QueryExecution }) {
  const { DataScannedInBytes, TotalExecutionTimeInMillis } = execution.Statistics ?? {};
  return (
    <span className="bh-soft">
      <Link href={queryHref(execution.QueryExecutionId)}>Athena query</Link>: {bytes(DataScannedInBytes)} scanned in {duration(TotalExecutionTimeInMillis)}
    </span>
  );
}
