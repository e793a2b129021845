/** Asks a document alone what it says of a call. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Verdict, simulateCustom } from '../../../aws/iam-simulate';
import { useDeed } from '../../../lib/form-dialog';
import { ErrorBox } from '../../../lib/states';
import { ActionInput } from './ActionInput';
import { statementAt } from './document';
import { PolicyText } from './PolicyText';
import { VerdictBox } from './VerdictBox';
import './iam.css';

export function TryPolicy({ document }: { document: string }) {
  const [action, setAction] = useState('');
  const [resource, setResource] = useState('*');
  const [answer, setAnswer] = useState<{ verdict: Verdict; action: string }>();
  const ready = /^[\w-]+:\w+$/.test(action);
  const deed = useDeed(async () => setAnswer({ verdict: await simulateCustom([document], { action, resource }), action }), ready);
  const tone = answer?.verdict.decision === 'allowed' ? 'good' : 'bad';
  const marks = answer?.verdict.matched.flatMap(({ start }) => (start ? [{ at: statementAt(document, start), tone } as const] : []));
  return (
    <SpaceBetween size="m">
      <Header variant="h2" description="What this policy says by itself, as if nobody had any other.">
        Try a call
      </Header>
      <div className="bh-beside">
        <FormField label="Action">
          <ActionInput value={action} onChange={setAction} />
        </FormField>
        <FormField label="Resource">
          <Input value={resource} onChange={({ detail }) => setResource(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void deed.run()} />
        </FormField>
      </div>
      <Button variant="primary" loading={deed.busy} disabled={!ready} onClick={() => void deed.run()}>
        Ask
      </Button>
      {deed.error && <ErrorBox error={deed.error} what="It was not asked" />}
      {answer && <VerdictBox verdict={answer.verdict} action={answer.action} />}
      {answer && <PolicyText label="Document" document={document} {...(marks ? { marks } : {})} />}
    </SpaceBetween>
  );
}
