/** The form of a new bucket. */
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { createBucket } from '../../aws/s3';
import { VERSIONING, putDocument } from '../../aws/s3-documents';
import { requireSession } from '../../aws/session';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { bucketHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';

/** What is wrong with a bucket's name, by "Bucket naming rules". */
export function nameProblem(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return 'A name has 3 to 63 characters.';
  if (!/^[a-z0-9.-]+$/.test(name)) return 'Lower-case letters, digits, dots and hyphens only.';
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return 'It begins and ends with a letter or digit.';
  if (name.includes('..')) return 'Two dots must not stand beside each other.';
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return 'It must not look like an IP address.';
  return undefined;
}

export function CreateBucket({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [versions, setVersions] = useState(false);
  const [lock, setLock] = useState(false);
  const [asked, setAsked] = useState(false);
  const problem = nameProblem(name);
  const create = useDeed(async () => {
    setAsked(true);
    if (problem) return;
    await createBucket(name, { lock });
    if (versions && !lock) await putDocument(name, VERSIONING, { Status: 'Enabled' });
    notify('success', `Bucket ${name} is created`);
    invalidate('s3/buckets');
    onClose();
    navigate(bucketHref(name));
  });
  return (
    <FormDialog title="Create bucket" action="Create bucket" deed={create} failed="The bucket was not created" onClose={onClose}>
      <FormField label="Bucket name" description={`It will be in ${requireSession().region}.`} errorText={asked && problem}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void create.run()} autoFocus autoComplete={false} placeholder="flights-raw" />
      </FormField>
      <SpaceBetween size="xs">
        <Checkbox checked={versions || lock} disabled={lock} onChange={({ detail }) => setVersions(detail.checked)} description="Overwritten and deleted objects can be had back.">
          Versioning
        </Checkbox>
        <Checkbox checked={lock} onChange={({ detail }) => setLock(detail.checked)} description="Versions can be held against deletion. Only a new bucket can have it, for good, and with versioning.">
          Object Lock
        </Checkbox>
      </SpaceBetween>
    </FormDialog>
  );
}
