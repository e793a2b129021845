/** Writes or changes an inline policy. */
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useEffect, useState } from 'react';

import type { HolderKind } from '../../../aws/iam';
import { inlineDocument, putInline } from '../../../aws/iam-policies';
import { FormDialog, useDeed } from '../../../lib/form-dialog';
import { prettyJson } from '../../../lib/format';
import { jsonProblems } from '../../../lib/json';
import { invalidate, useLive } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { ErrorBox, Loading } from '../../../lib/states';
import { DocumentField } from './DocumentField';
import { SummaryTable } from './SummaryTable';
import { TemplateSelect } from './TemplateSelect';
import { TEMPLATES, templateText } from './starters';

const FIRST = TEMPLATES[0] ? templateText(TEMPLATES[0]) : '';

export interface InlinePolicyProps {
  kind: HolderKind;
  name: string;
  /** The one to change; without it a new one is written. */
  policy?: string;
  onClose: () => void;
}

export function InlinePolicy({ kind, name, policy, onClose }: InlinePolicyProps) {
  const present = useLive(`iam/document/${kind}/${name}/${policy ?? ''}`, () => inlineDocument(kind, name, policy ?? ''), { enabled: policy !== undefined });
  const [title, setTitle] = useState(policy ?? '');
  const [text, setText] = useState(policy === undefined ? FIRST : undefined);
  useEffect(() => {
    if (text === undefined && present.data !== undefined) setText(prettyJson(present.data));
  }, [text, present.data]);
  const ready = title !== '' && text !== undefined && jsonProblems(text).length === 0;
  const deed = useDeed(async () => {
    await putInline(kind, name, title, text ?? '');
    notify('success', `Inline policy ${title} of ${name}: saved`);
    invalidate('iam/');
    onClose();
  }, ready);
  return (
    <FormDialog title={policy ? `Inline policy ${policy}` : `New inline policy of ${name}`} action="Save policy" deed={deed} ready={ready} size="large" failed="The policy was not saved" onClose={onClose}>
      {policy === undefined && (
        <FormField label="Policy name">
          <Input value={title} onChange={({ detail }) => setTitle(detail.value)} autoFocus autoComplete={false} />
        </FormField>
      )}
      {policy === undefined && <TemplateSelect onChoose={setText} />}
      {present.error && <ErrorBox error={present.error} what="The document can't be read" />}
      {text === undefined ? !present.error && <Loading /> : <DocumentField label="Document" value={text} onChange={setText} onRun={() => void deed.run()} />}
      {text !== undefined && <SummaryTable document={text} label="What it would allow" />}
    </FormDialog>
  );
}
