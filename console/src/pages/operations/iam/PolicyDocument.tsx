/** A managed policy's document, and saving a changed one as its next version. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { iam } from '../../../aws/iam';
import { type PolicyDetails, policyVersions } from '../../../aws/iam-policies';
import { useDeed } from '../../../lib/form-dialog';
import { prettyJson } from '../../../lib/format';
import { jsonProblems } from '../../../lib/json';
import { invalidate } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { ErrorBox } from '../../../lib/states';
import { DocumentField } from './DocumentField';
import { PolicyText } from './PolicyText';
import { SummaryTable } from './SummaryTable';

/** As many as IAM keeps of a policy. */
export const MOST_VERSIONS = 5;

/** Saves a document as the version that counts. Where there is no place for another one, the oldest goes. */
async function saveVersion(arn: string, document: string): Promise<void> {
  const versions = await policyVersions(arn);
  const number = ({ id }: { id: string }) => Number(id.slice(1));
  const [oldest] = versions.filter(({ isDefault }) => !isDefault).sort((a, b) => number(a) - number(b));
  if (versions.length >= MOST_VERSIONS && oldest) await iam('DeletePolicyVersion', { PolicyArn: arn, VersionId: oldest.id });
  await iam('CreatePolicyVersion', { PolicyArn: arn, PolicyDocument: document, SetAsDefault: true });
}

export function PolicyDocument({ policy, document, editable }: { policy: PolicyDetails; document: string; editable: boolean }) {
  const [text, setText] = useState<string>();
  const ready = text !== undefined && jsonProblems(text).length === 0;
  const deed = useDeed(async () => {
    await saveVersion(policy.arn, text ?? '');
    notify('success', `${policy.name}: saved as a new version`);
    invalidate('iam/');
    setText(undefined);
  }, ready);
  const actions =
    text === undefined ? (
      editable && <Button onClick={() => setText(prettyJson(document))}>Edit document</Button>
    ) : (
      <SpaceBetween direction="horizontal" size="xs">
        <Button variant="link" onClick={() => setText(undefined)}>
          Cancel
        </Button>
        <Button variant="primary" loading={deed.busy} disabled={!ready} onClick={() => void deed.run()}>
          Save as new version
        </Button>
      </SpaceBetween>
    );
  return (
    <SpaceBetween size="m">
      <Header variant="h2" actions={actions} description={editable ? `Five versions are kept: a sixth takes the place of the oldest that does not count.` : 'AWS’s own policies can’t be changed: copy what is needed into one of your own.'}>
        Document
      </Header>
      {text !== undefined && policy.attachments + policy.boundaries > 0 && <Alert type="info">It counts for everybody who holds it ({policy.attachments + policy.boundaries}), from the next call on.</Alert>}
      {deed.error && <ErrorBox error={deed.error} what="The document was not saved" />}
      {text === undefined ? (
        <PolicyText label={`Document of ${policy.name}`} document={document} />
      ) : (
        <>
          <DocumentField label="Document" value={text} onChange={setText} onRun={() => void deed.run()} height={340} />
          <SummaryTable document={text} label="What it would allow" />
        </>
      )}
    </SpaceBetween>
  );
}
