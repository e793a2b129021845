/** How objects are encrypted whose uploads don't say it. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { ENCRYPTION, deleteDocument, putDocument } from '../../aws/s3-documents';
import { notify, notifyError } from '../../lib/notify';
import { Shown } from '../../lib/states';
import { type Encryption, useEncryption } from './configuration';

interface Draft {
  algorithm: string;
  key: string;
}

export function EncryptionForm({ bucket }: { bucket: string }) {
  const live = useEncryption(bucket);
  const [draft, setDraft] = useState<Draft>();
  const [busy, setBusy] = useState(false);
  const save = async ({ algorithm, key }: Draft) => {
    setBusy(true);
    try {
      const rule = { SSEAlgorithm: algorithm, ...(algorithm === 'aws:kms' && key ? { KMSMasterKeyID: key } : {}) };
      if (algorithm === '') await deleteDocument(bucket, ENCRYPTION);
      else await putDocument(bucket, ENCRYPTION, { Rules: [{ ApplyServerSideEncryptionByDefault: rule }] });
      await live.refresh();
      notify('success', 'Default encryption: saved');
      setDraft(undefined);
    } catch (error) {
      notifyError('Default encryption was not changed', error);
    } finally {
      setBusy(false);
    }
  };
  const actions = draft ? (
    <SpaceBetween direction="horizontal" size="xs">
      <Button variant="link" onClick={() => setDraft(undefined)}>
        Cancel
      </Button>
      <Button variant="primary" loading={busy} onClick={() => void save(draft)}>
        Save encryption
      </Button>
    </SpaceBetween>
  ) : (
    <Button disabled={live.data === undefined} onClick={() => setDraft({ algorithm: live.data?.algorithm ?? '', key: live.data?.key ?? '' })}>
      Edit encryption
    </Button>
  );
  return (
    <Container header={<Header variant="h2" description="For objects whose uploads don't say it themselves." actions={actions}>Default encryption</Header>}>
      <Shown live={live} what="Default encryption can't be read">
        {(now) => (draft ? <Fields draft={draft} onChange={setDraft} /> : <span>{inWords(now)}</span>)}
      </Shown>
    </Container>
  );
}

function inWords(now: Encryption | null): string {
  if (!now) return 'None: objects are encrypted only if their uploads say so.';
  if (now.algorithm === 'AES256') return 'SSE-S3 (AES256): with a key of the server.';
  return `SSE-KMS (${now.algorithm})${now.key ? ` with key ${now.key}` : ' with the default key'}${now.bucketKey ? ', bucket key' : ''}.`;
}

function Fields({ draft, onChange }: { draft: Draft; onChange: (draft: Draft) => void }) {
  return (
    <SpaceBetween size="m">
      <RadioGroup
        value={draft.algorithm}
        onChange={({ detail }) => onChange({ ...draft, algorithm: detail.value })}
        ariaLabel="Default encryption"
        items={[
          { value: '', label: "The server's default", description: 'Encrypted with a key of the server, unless it was started to keep new buckets plain.' },
          { value: 'AES256', label: 'SSE-S3' },
          { value: 'aws:kms', label: 'SSE-KMS', description: 'Under a named key, which IAM is asked about.' },
        ]}
      />
      {draft.algorithm === 'aws:kms' && (
        <FormField label="Key" description="Its ARN or id; the default key without.">
          <Input value={draft.key} onChange={({ detail }) => onChange({ ...draft, key: detail.value })} />
        </FormField>
      )}
    </SpaceBetween>
  );
}
