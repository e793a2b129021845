/** A folder is an object of no bytes whose key ends with a slash, as AWS's console makes them. */
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';

import { putObject } from '../../aws/s3';
import { FormDialog, useDeed } from '../../lib/form-dialog';

export function NewFolder({ bucket, prefix, onDone, onClose }: { bucket: string; prefix: string; onDone: () => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const good = name !== '' && !name.startsWith('/') && !name.includes('//');
  const create = useDeed(async () => {
    await putObject(bucket, `${prefix}${name.replace(/\/$/, '')}/`, '', 'application/x-directory');
    onDone();
    onClose();
  }, good);
  return (
    <FormDialog title="Create folder" action="Create folder" deed={create} ready={good} failed="The folder was not created" onClose={onClose}>
      <FormField label="Folder name" description={`In ${bucket}/${prefix}. Slashes make folders in it.`}>
        <Input value={name} autoFocus autoComplete={false} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void create.run()} />
      </FormField>
    </FormDialog>
  );
}
