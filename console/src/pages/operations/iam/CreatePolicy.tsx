/** The form of a new managed policy. */
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';

import { iam } from '../../../aws/iam';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { jsonProblems } from '../../../lib/json';
import { policyHref } from '../../../lib/links';
import { invalidate } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { navigate } from '../../../lib/router';
import { DocumentField } from './DocumentField';
import { SummaryTable } from './SummaryTable';
import { TemplateSelect } from './TemplateSelect';
import { TEMPLATES, templateText } from './starters';

const NAME = /^[\w+=,.@-]{1,128}$/;

export function CreatePolicy({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [text, setText] = useState(TEMPLATES[0] ? templateText(TEMPLATES[0]) : '');
  const ready = NAME.test(name) && jsonProblems(text).length === 0;
  const deed = useDeed(async () => {
    const made = await iam('CreatePolicy', { PolicyName: name, PolicyDocument: text, Description: description || undefined });
    notify('success', `Policy ${name} is created`, 'It counts once it is attached.');
    invalidate('iam/');
    onClose();
    navigate(policyHref(made.text('Policy', 'Arn')));
  }, ready);
  return (
    <FormDialog title="Create policy" action="Create policy" deed={deed} ready={ready} size="large" failed="The policy was not created" onClose={onClose}>
      <FormField label="Policy name" errorText={name !== '' && !NAME.test(name) && 'Up to 128 letters, digits and any of + = , . @ _ -'}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} />
      </FormField>
      <FormField label="Description" description="Optional; it can't be changed later.">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <TemplateSelect onChoose={setText} />
      <DocumentField label="Document" value={text} onChange={setText} onRun={() => void deed.run()} />
      <SummaryTable document={text} label="What it would allow" />
    </FormDialog>
  );
}
