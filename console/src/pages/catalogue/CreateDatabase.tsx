/** The form of a new database. */
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';

import { createDatabase } from '../../aws/glue-catalog';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { databaseHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';

export function CreateDatabase({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [location, setLocation] = useState('');
  const create = useDeed(async () => {
    await createDatabase({ Name: name, ...(description ? { Description: description } : {}), ...(location ? { LocationUri: location } : {}) });
    notify('success', `Database ${name} is created`);
    invalidate('glue/');
    onClose();
    navigate(databaseHref(name));
  }, name !== '');
  return (
    <FormDialog title="Create database" action="Create database" deed={create} ready={name !== ''} failed="The database was not created" onClose={onClose}>
      <FormField label="Database name" description="Athena knows it by lower-case letters, digits and underscores.">
        <Input value={name} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void create.run()} autoFocus autoComplete={false} />
      </FormField>
      <FormField label="Description" description="Optional">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <FormField label="Location" description="Optional: where CREATE TABLE puts new tables, such as s3://bucket/folder/">
        <Input value={location} onChange={({ detail }) => setLocation(detail.value)} placeholder="s3://bucket/folder/" />
      </FormField>
    </FormDialog>
  );
}
