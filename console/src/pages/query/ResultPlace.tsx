/** Where results go when the work group doesn't say. Athena writes every result to S3. */
import Alert from '@cloudscape-design/components/alert';
import Autosuggest from '@cloudscape-design/components/autosuggest';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type WorkGroup, setResultLocation } from '../../aws/athena';
import { listBuckets } from '../../aws/s3';
import { invalidate, useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';

const KEY = 'boathouse.query.location';

/** The place that somebody has chosen in this browser. */
export const keptLocation = () => localStorage.getItem(KEY) ?? undefined;

export function needsLocation(group: WorkGroup | undefined): boolean {
  return group !== undefined && !group.Configuration?.ResultConfiguration?.OutputLocation;
}

export function ResultPlace({ workGroup, onChosen }: { workGroup: string; onChosen: () => void }) {
  const [place, setPlace] = useState('');
  const buckets = useLive('s3/buckets', () => listBuckets());
  const valid = /^s3:\/\/[a-z0-9][a-z0-9.-]+\/?/.test(place);
  const location = place.endsWith('/') ? place : `${place}/`;
  const here = () => {
    localStorage.setItem(KEY, location);
    onChosen();
  };
  const everybody = async () => {
    try {
      await setResultLocation(workGroup, location);
      invalidate('athena/workgroup');
      notify('success', `Results of ${workGroup} go to ${location}`);
      onChosen();
    } catch (error) {
      notifyError('The work group was not changed', error);
    }
  };
  return (
    <Alert type="info" header={`Work group ${workGroup} does not say where results go`}>
      <SpaceBetween size="s">
        <span>Athena writes every result to S3. Choose a bucket, and a prefix in it.</span>
        <div className="bh-place">
          <Autosuggest
            value={place}
            placeholder="s3://bucket/prefix/"
            ariaLabel="Place for results"
            enteredTextLabel={(text) => text}
            options={(buckets.data ?? []).map(({ name }) => ({ value: `s3://${name}/athena-results/` }))}
            empty="No buckets yet: Storage makes one"
            onChange={({ detail }) => setPlace(detail.value)}
          />
          <Button variant="primary" disabled={!valid} onClick={() => void everybody()}>
            Keep for the work group
          </Button>
          <Button disabled={!valid} onClick={here}>
            Use in this browser
          </Button>
        </div>
      </SpaceBetween>
    </Alert>
  );
}
