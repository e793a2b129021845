/** A job's script, to read and to change where it lies in S3. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import type { Job } from '../../aws/glue';
import { getObject, putObject } from '../../aws/s3';
import { CodeEditor } from '../../lib/editor';
import { useDeed } from '../../lib/form-dialog';
import { objectHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { ErrorBox, Shown } from '../../lib/states';
import { type Place, placeOf } from './jobs';

export function Script({ job }: { job: Job }) {
  const place = placeOf(job.Command?.ScriptLocation);
  return place ? <ScriptAt place={place} /> : <span>The job names no script.</span>;
}

function ScriptAt({ place }: { place: Place }) {
  const { bucket, key } = place;
  const kept = useLive(`s3/script/${bucket}/${key}`, () => getObject(bucket, key).then((answer) => answer.text()));
  const [draft, setDraft] = useState<string>();
  const changed = draft !== undefined && draft !== kept.data;
  const save = useDeed(async () => {
    await putObject(bucket, key, draft ?? '', 'text/x-python');
    await kept.refresh();
    setDraft(undefined);
    notify('success', 'The script is saved', 'Runs that start from now on run it.');
  }, changed);
  return (
    <Shown live={kept} what="The script can't be read">
      {(text) => (
        <SpaceBetween size="s">
          {save.error && <ErrorBox error={save.error} what="It was not saved" />}
          <div className="bh-bar-of-actions">
            <Link href={objectHref(bucket, key)}>
              s3://{bucket}/{key}
            </Link>
            <SpaceBetween direction="horizontal" size="xs">
              <Button onClick={() => setDraft(undefined)} disabled={!changed}>
                Discard changes
              </Button>
              <Button variant="primary" onClick={() => void save.run()} disabled={!changed} loading={save.busy}>
                Save
              </Button>
            </SpaceBetween>
          </div>
          <CodeEditor label="Script" language="python" value={draft ?? text} onChange={setDraft} onRun={() => void save.run()} height="max(360px, calc(100vh - 340px))" />
        </SpaceBetween>
      )}
    </Shown>
  );
}
