/** Saves a tab's text as a named query of its work group. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { createNamedQuery, updateNamedQuery } from '../../aws/athena';
import { type AwsError, asAwsError } from '../../aws/error';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { ErrorBox } from '../../lib/states';
import { type QueryTab, change } from './tabs';

export function SaveQuery({ tab, onClose }: { tab: QueryTab; onClose: () => void }) {
  const [name, setName] = useState(tab.name);
  const [description, setDescription] = useState('');
  const [error, setError] = useState<AwsError>();
  const [busy, setBusy] = useState(false);
  const save = async (anew: boolean) => {
    setBusy(true);
    setError(undefined);
    const input = { Name: name.trim(), QueryString: tab.sql, ...(description ? { Description: description } : {}) };
    try {
      if (tab.savedAs && !anew) await updateNamedQuery(tab.savedAs, input);
      const savedAs = tab.savedAs && !anew ? tab.savedAs : await createNamedQuery({ ...input, Database: tab.database ?? 'default', WorkGroup: tab.workGroup });
      change(tab.id, { name: input.Name, savedAs });
      invalidate('athena/named');
      notify('success', `${input.Name} is saved`);
      onClose();
    } catch (failed) {
      setError(asAwsError(failed));
      setBusy(false);
    }
  };
  const ready = name.trim() !== '' && tab.sql.trim() !== '' && !busy;
  return (
    <Modal
      visible
      header="Save the query"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            {tab.savedAs && (
              <Button onClick={() => void save(true)} disabled={!ready}>
                Save as a new one
              </Button>
            )}
            <Button variant="primary" onClick={() => void save(false)} disabled={!ready} loading={busy}>
              Save
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {tab.sql.trim() === '' && <Alert type="info">There is no statement yet.</Alert>}
        <FormField label="Name" constraintText="1 to 128 characters">
          <Input value={name} onChange={({ detail }) => setName(detail.value.slice(0, 128))} autoFocus onKeyDown={({ detail }) => detail.key === 'Enter' && ready && void save(false)} />
        </FormField>
        <FormField label="Description" description="What it answers, for who finds it later">
          <Input value={description} onChange={({ detail }) => setDescription(detail.value.slice(0, 1024))} />
        </FormField>
        <Box color="text-body-secondary">
          It is kept in work group {tab.workGroup ?? 'primary'} with database {tab.database ?? 'default'}, for everybody who may read there.
        </Box>
        {error && <ErrorBox error={error} />}
      </SpaceBetween>
    </Modal>
  );
}
