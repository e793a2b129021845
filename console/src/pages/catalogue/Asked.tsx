/** What Athena answers to a question of the page, with what it cost; and where results go, if nobody has said so yet. */
import Alert from '@cloudscape-design/components/alert';
import Autosuggest from '@cloudscape-design/components/autosuggest';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';

import type { QueryExecution } from '../../aws/athena';
import { listBuckets } from '../../aws/s3';
import { bytes, duration } from '../../lib/format';
import { queryHref } from '../../lib/links';
import { type Live, useLive } from '../../lib/live';
import { notifyError } from '../../lib/notify';
import { ErrorBox, Loading } from '../../lib/states';
import { type Answer, NO_PLACE, WORK_GROUP, setPlace } from './ask';

export function Asked({ live, what, children }: { live: Live<Answer>; what: string; children: (answer: Answer) => ReactNode }) {
  if (live.data) return children(live.data);
  if (!live.error) return <Loading text="Asking Athena" />;
  if (live.error.code === NO_PLACE) return <ResultPlace onChosen={() => void live.refresh()} />;
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

function ResultPlace({ onChosen }: { onChosen: () => void }) {
  const buckets = useLive('s3/buckets', () => listBuckets());
  const [place, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const good = /^s3:\/\/[a-z0-9][a-z0-9.-]+(\/|$)/.test(place);
  const keep = async () => {
    setBusy(true);
    try {
      await setPlace(place.endsWith('/') ? place : `${place}/`);
      onChosen();
    } catch (error) {
      notifyError('The work group was not changed', error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Alert type="info" header={`Work group ${WORK_GROUP} does not say yet where results go`}>
      <SpaceBetween size="s">
        <span>Athena writes the result of every query to S3, also of this one. Choose a place for them:</span>
        <div className="bh-place">
          <Autosuggest
            value={place}
            ariaLabel="Place for results"
            placeholder="s3://bucket/athena-results/"
            enteredTextLabel={(text) => text}
            options={(buckets.data ?? []).map(({ name }) => ({ value: `s3://${name}/athena-results/` }))}
            empty="No buckets yet"
            onChange={({ detail }) => setText(detail.value)}
          />
          <Button variant="primary" disabled={!good} loading={busy} onClick={() => void keep()}>
            Keep for the work group
          </Button>
        </div>
      </SpaceBetween>
    </Alert>
  );
}
