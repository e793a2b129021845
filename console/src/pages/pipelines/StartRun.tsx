/** Asks for a run's arguments and starts it. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { type Job, startJobRun } from '../../aws/glue';
import { CodeEditor } from '../../lib/editor';
import { jobRunHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { navigate } from '../../lib/router';
import { ErrorBox } from '../../lib/states';
import { jsonProblems } from './locate';

/** Arguments as Glue takes them: names and texts. */
function readArguments(text: string): Record<string, string> | undefined {
  if (jsonProblems(text).length > 0) return undefined;
  const found: unknown = JSON.parse(text);
  const fits = typeof found === 'object' && found !== null && !Array.isArray(found) && Object.values(found).every((value) => typeof value === 'string');
  return fits ? (found as Record<string, string>) : undefined;
}

export function StartRun({ job, onClose }: { job: Job; onClose: () => void }) {
  const [text, setText] = useState('{}');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const problems = jsonProblems(text);
  const given = readArguments(text);
  const start = async () => {
    if (busy || !given) return;
    setBusy(true);
    setError(undefined);
    try {
      const run = await startJobRun(job.Name, given);
      invalidate('glue/');
      onClose();
      navigate(jobRunHref(job.Name, run));
    } catch (failed) {
      setError(asAwsError(failed));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      size="large"
      header={`Run ${job.Name}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!given} onClick={() => void start()}>
              Start run
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <FormField
          label="Arguments"
          description={`They go over the job's own: ${JSON.stringify(job.DefaultArguments ?? {})}`}
          errorText={problems[0]?.message ?? (given ? undefined : 'Names and texts: {"--day": "2026-03-01"}')}
          stretch
        >
          <CodeEditor label="Arguments of the run" language="json" value={text} onChange={setText} onRun={() => void start()} problems={problems} minHeight={140} />
        </FormField>
        {error && <ErrorBox error={error} what="It was not started" />}
      </SpaceBetween>
    </Modal>
  );
}
