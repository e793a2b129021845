/** The form of a new bucket. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { createBucket } from '../../aws/s3';
import { ENCRYPTION, VERSIONING, putDocument } from '../../aws/s3-documents';
import { requireSession } from '../../aws/session';
import { bucketHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';
import { ErrorBox } from '../../lib/states';

/** What is wrong with a bucket's name, by "Bucket naming rules". */
export function nameProblem(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return 'A name has 3 to 63 characters.';
  if (!/^[a-z0-9.-]+$/.test(name)) return 'Lower-case letters, digits, dots and hyphens only.';
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return 'It begins and ends with a letter or digit.';
  if (name.includes('..')) return 'Two dots must not stand beside each other.';
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return 'It must not look like an IP address.';
  return undefined;
}

const ENCRYPTIONS = [
  { value: '', label: 'None', description: 'Objects are encrypted if their upload says so' },
  { value: 'AES256', label: 'SSE-S3', description: 'Every object is encrypted with a key of the server' },
];

export function CreateBucket({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [versions, setVersions] = useState(false);
  const [lock, setLock] = useState(false);
  const [encryption, setEncryption] = useState('');
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const problem = nameProblem(name);
  const create = async () => {
    setAsked(true);
    if (problem || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await createBucket(name, { lock });
      if (versions && !lock) await putDocument(name, VERSIONING, { Status: 'Enabled' });
      if (encryption) await putDocument(name, ENCRYPTION, { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: encryption } }] });
      notify('success', `Bucket ${name} is created`);
      invalidate('s3/buckets');
      onClose();
      navigate(bucketHref(name));
    } catch (failed) {
      setError(asAwsError(failed));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header="Create bucket"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} onClick={() => void create()}>
              Create bucket
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="l">
        <FormField label="Bucket name" description={`It will be in ${requireSession().region}.`} errorText={asked && problem}>
          <Input value={name} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void create()} autoFocus autoComplete={false} placeholder="flights-raw" />
        </FormField>
        <SpaceBetween size="xs">
          <Checkbox checked={versions || lock} disabled={lock} onChange={({ detail }) => setVersions(detail.checked)} description="Overwritten and deleted objects can be had back.">
            Versioning
          </Checkbox>
          <Checkbox checked={lock} onChange={({ detail }) => setLock(detail.checked)} description="Versions can be held against deletion. Only a new bucket can have it, for good, and with versioning.">
            Object Lock
          </Checkbox>
        </SpaceBetween>
        <FormField label="Default encryption">
          <Select
            selectedOption={ENCRYPTIONS.find(({ value }) => value === encryption) ?? null}
            options={ENCRYPTIONS}
            onChange={({ detail }) => setEncryption(detail.selectedOption.value ?? '')}
          />
        </FormField>
        {error && <ErrorBox error={error} what="The bucket was not created" />}
      </SpaceBetween>
    </Modal>
  );
}
