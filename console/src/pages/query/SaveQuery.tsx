/** Saves a tab's text as a named query of its work group. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';

import { createNamedQuery, updateNamedQuery } from '../../aws/athena';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { type QueryTab, change } from './tabs';

export function SaveQuery({ tab, onClose }: { tab: QueryTab; onClose: () => void }) {
  const [name, setName] = useState(tab.name);
  const [description, setDescription] = useState('');
  const input = { Name: name.trim(), QueryString: tab.sql, ...(description ? { Description: description } : {}) };
  const ready = input.Name !== '' && tab.sql.trim() !== '';
  const saved = (savedAs: string) => {
    change(tab.id, { name: input.Name, savedAs });
    invalidate('athena/named');
    notify('success', `${input.Name} is saved`);
    onClose();
  };
  const create = async () => saved(await createNamedQuery({ ...input, Database: tab.database ?? 'default', WorkGroup: tab.workGroup }));
  const anew = useDeed(create, ready);
  const save = useDeed(async () => {
    if (!tab.savedAs) return create();
    await updateNamedQuery(tab.savedAs, input);
    saved(tab.savedAs);
  }, ready);
  const other = (
    <Button onClick={() => void anew.run()} disabled={!ready} loading={anew.busy}>
      Save as a new one
    </Button>
  );
  return (
    <FormDialog title="Save the query" action="Save" deed={{ ...save, error: save.error ?? anew.error }} ready={ready && !anew.busy} extra={tab.savedAs && other} failed="It was not saved" onClose={onClose}>
      {tab.sql.trim() === '' && <Alert type="info">There is no statement yet.</Alert>}
      <FormField label="Name" constraintText="1 to 128 characters">
        <Input value={name} onChange={({ detail }) => setName(detail.value.slice(0, 128))} autoFocus onKeyDown={({ detail }) => detail.key === 'Enter' && void save.run()} />
      </FormField>
      <FormField label="Description" description="What it answers, for who finds it later">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value.slice(0, 1024))} />
      </FormField>
      <Box color="text-body-secondary">
        It is kept in work group {tab.workGroup ?? 'primary'} with database {tab.database ?? 'default'}, for everybody who may read there.
      </Box>
    </FormDialog>
  );
}
