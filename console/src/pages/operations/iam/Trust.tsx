/** A role's trust policy: in words, as JSON, and to change. */
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type RoleDetails, iam } from '../../../aws/iam';
import { useDeed } from '../../../lib/form-dialog';
import { duration, prettyJson } from '../../../lib/format';
import { jsonProblems } from '../../../lib/json';
import { invalidate } from '../../../lib/live';
import { notify } from '../../../lib/notify';
import { ErrorBox } from '../../../lib/states';
import { DocumentField } from './DocumentField';
import { trustWords } from './document';
import { PolicyText } from './PolicyText';
import './iam.css';

export function Trust({ role }: { role: RoleDetails }) {
  const [text, setText] = useState<string>();
  const ready = text !== undefined && jsonProblems(text).length === 0;
  const deed = useDeed(async () => {
    await iam('UpdateAssumeRolePolicy', { RoleName: role.name, PolicyDocument: text });
    notify('success', `Trust policy of ${role.name}: saved`);
    invalidate('iam/');
    setText(undefined);
  }, ready);
  const actions =
    text === undefined ? (
      <Button onClick={() => setText(prettyJson(role.trust))}>Edit trust policy</Button>
    ) : (
      <SpaceBetween direction="horizontal" size="xs">
        <Button variant="link" onClick={() => setText(undefined)}>
          Cancel
        </Button>
        <Button variant="primary" loading={deed.busy} disabled={!ready} onClick={() => void deed.run()}>
          Save trust policy
        </Button>
      </SpaceBetween>
    );
  return (
    <SpaceBetween size="m">
      <Header variant="h2" actions={actions} description={`Who may work in this role, for ${duration(role.longestSession * 1000)} at a time. Who may not is refused, whatever the role itself may do.`}>
        Trust policy
      </Header>
      <TrustWords document={text ?? role.trust} />
      {deed.error && <ErrorBox error={deed.error} what="The trust policy was not saved" />}
      {text === undefined ? <PolicyText label="Trust policy" document={role.trust} /> : <DocumentField label="Document" value={text} onChange={setText} onRun={() => void deed.run()} height={300} />}
    </SpaceBetween>
  );
}

/** Who a trust policy lets in, as sentences. */
export function TrustWords({ document }: { document: string }) {
  const found = trustWords(document);
  if (found.length === 0) return <span className="bh-soft">Nobody may work in it.</span>;
  return (
    <ul className="bh-words" aria-label="Who may work in it">
      {found.map(({ allows, who, conditions }, at) => (
        <li key={at}>
          {allows ? 'May work in it: ' : 'May never: '}
          <strong>{who.join(', ')}</strong>
          {conditions.length > 0 && `, if ${conditions.join(' and ')}`}
        </li>
      ))}
    </ul>
  );
}
