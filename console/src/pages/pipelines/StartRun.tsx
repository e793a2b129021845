/** Asks for a run's arguments and starts it. */
import FormField from '@cloudscape-design/components/form-field';
import { useState } from 'react';

import { type Job, startJobRun } from '../../aws/glue';
import { CodeEditor } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { jsonProblems } from '../../lib/json';
import { jobRunHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { navigate } from '../../lib/router';
import { readArguments } from './jobs';

export function StartRun({ job, onClose }: { job: Job; onClose: () => void }) {
  const [text, setText] = useState('{}');
  const problems = jsonProblems(text);
  const given = readArguments(text);
  const start = useDeed(async () => {
    const run = await startJobRun(job.Name, given ?? {});
    invalidate('glue/');
    onClose();
    navigate(jobRunHref(job.Name, run));
  }, given !== undefined);
  return (
    <FormDialog title={`Run ${job.Name}`} action="Start run" size="large" deed={start} ready={given !== undefined} failed="It was not started" onClose={onClose}>
      <FormField
        label="Arguments"
        description={`They go over the job's own: ${JSON.stringify(job.DefaultArguments ?? {})}`}
        errorText={problems[0]?.message ?? (given ? undefined : 'Names and texts: {"--day": "2026-03-01"}')}
        stretch
      >
        <CodeEditor label="Arguments of the run" language="json" value={text} onChange={setText} onRun={() => void start.run()} problems={problems} minHeight={140} />
      </FormField>
    </FormDialog>
  );
}
