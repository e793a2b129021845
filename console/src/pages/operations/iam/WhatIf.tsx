/** The statement that is missing: to change, to try, and to add as an inline policy. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useState } from 'react';

import { putInline } from '../../../aws/iam-policies';
import { type Verdict, simulatePrincipal } from '../../../aws/iam-simulate';
import { useDeed } from '../../../lib/form-dialog';
import { jsonProblems } from '../../../lib/json';
import { invalidate } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { ErrorBox } from '../../../lib/states';
import { parseContext } from './denial';
import { DocumentField } from './DocumentField';
import { allowing, documentOf } from './document';
import type { Explained, Question } from './explain';

interface WhatIfProps {
  question: Omit<Question, 'context'>;
  explained: Explained;
  context: string;
}

export function WhatIf({ question: { kind, name, action, resource }, explained, context }: WhatIfProps) {
  const [text, setText] = useState(() => documentOf([allowing(action, resource)]));
  const [title, setTitle] = useState(() => `Allow-${action.replace(':', '-')}`);
  const [answer, setAnswer] = useState<Verdict>();
  const ready = jsonProblems(text).length === 0;
  const policy = explained.resource && 'document' in explained.resource ? explained.resource.document : undefined;
  const ask = useDeed(async () => setAnswer(await simulatePrincipal(explained.arn, { action, resource, context: parseContext(context), resourcePolicy: policy, more: [text] })), ready);
  const add = useDeed(async () => {
    await putInline(kind, name, title, text);
    notify('success', `${name} has the inline policy ${title}`, 'It counts from the next call on.');
    invalidate('iam/');
  }, ready && title !== '');
  const beyond = explained.verdict.withinBoundary === false;
  return (
    <Container header={<Header variant="h2" description="The least that allows it. Nothing changes until it is added.">What if it were added?</Header>}>
      <SpaceBetween size="m">
        {/^arn:aws:glue:.*:catalog$/.test(resource) && <Alert type="info">Glue asks about the catalogue first, then about database and table: name these too, or the next question is denied.</Alert>}
        {beyond && <Alert type="warning">A policy alone does not help: it would still be beyond the boundary.</Alert>}
        <DocumentField label="Policy to add" value={text} onChange={(value) => { setText(value); setAnswer(undefined); }} onRun={() => void ask.run()} height={230} />
        <SpaceBetween direction="horizontal" size="s" alignItems="center">
          <Button loading={ask.busy} disabled={!ready} onClick={() => void ask.run()}>
            Try it
          </Button>
          {answer && <StatusIndicator type={answer.decision === 'allowed' ? 'success' : 'error'}>{answer.decision === 'allowed' ? 'With it, the call is allowed' : 'With it, the call is still denied'}</StatusIndicator>}
        </SpaceBetween>
        {ask.error && <ErrorBox error={ask.error} what="It was not tried" />}
        <FormField label="Policy name" description={`Inline policy of ${kind.toLowerCase()} ${name}`}>
          <Input value={title} onChange={({ detail }) => setTitle(detail.value)} />
        </FormField>
        <Button variant="primary" loading={add.busy} disabled={!ready || title === ''} onClick={() => void add.run()}>
          Add it to {name}
        </Button>
        {add.error && <ErrorBox error={add.error} what="It was not added" />}
      </SpaceBetween>
    </Container>
  );
}
