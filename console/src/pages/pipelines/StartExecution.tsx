/** Asks for an execution's input and starts it; an express machine's answer is shown when it is there. */
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Machine, type SyncExecution, startExecution, startSyncExecution } from '../../aws/states';
import { CodeEditor, JsonView } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { duration } from '../../lib/format';
import { jsonProblems } from '../../lib/json';
import { executionHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { navigate } from '../../lib/router';
import { Status } from '../../lib/status';

interface StartProps {
  machine: Pick<Machine, 'name' | 'stateMachineArn' | 'type'>;
  /** What the editor begins with. */
  input?: string | undefined;
  onClose: () => void;
}

export function StartExecution({ machine, input = '{}', onClose }: StartProps) {
  const [text, setText] = useState(input);
  const [name, setName] = useState('');
  const [answer, setAnswer] = useState<SyncExecution>();
  const problems = jsonProblems(text);
  const express = machine.type === 'EXPRESS';
  const ready = problems.length === 0;
  const start = useDeed(async () => {
    if (express) {
      setAnswer(await startSyncExecution(machine.stateMachineArn, text));
    } else {
      const arn = await startExecution(machine.stateMachineArn, text, name || undefined);
      invalidate('states/');
      onClose();
      navigate(executionHref(arn));
    }
  }, ready);
  return (
    <FormDialog title={`Start ${machine.name}`} action="Start execution" cancel={answer ? 'Close' : 'Cancel'} size="large" deed={start} ready={ready} failed="It was not started" onClose={onClose}>
      {!express && (
        <FormField label="Name" constraintText="Optional. A name can't be used again for 90 days.">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} placeholder="One is made up" />
        </FormField>
      )}
      <FormField label="Input" errorText={problems[0]?.message} stretch>
        <CodeEditor label="Input of the execution" language="json" value={text} onChange={setText} onRun={() => void start.run()} problems={problems} minHeight={180} />
      </FormField>
      {answer && <Answer answer={answer} />}
    </FormDialog>
  );
}

function Answer({ answer }: { answer: SyncExecution }) {
  return (
    <SpaceBetween size="xs">
      <span>
        <Status state={answer.status} /> after {duration((answer.stopDate - answer.startDate) * 1000)}
      </span>
      {answer.error !== undefined && <Box>{[answer.error, answer.cause].filter(Boolean).join(': ')}</Box>}
      {answer.output !== undefined && <JsonView label="Output of the execution" value={answer.output} />}
    </SpaceBetween>
  );
}
