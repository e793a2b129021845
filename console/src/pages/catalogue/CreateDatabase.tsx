/** The form of a new database. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { createDatabase } from '../../aws/glue-catalog';
import { databaseHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';
import { ErrorBox } from '../../lib/states';

export function CreateDatabase({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [location, setLocation] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const create = async () => {
    if (!name || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await createDatabase({ Name: name, ...(description ? { Description: description } : {}), ...(location ? { LocationUri: location } : {}) });
      notify('success', `Database ${name} is created`);
      invalidate('glue/');
      onClose();
      navigate(databaseHref(name));
    } catch (failed) {
      setError(asAwsError(failed));
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header="Create database"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!name} onClick={() => void create()}>
              Create database
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <FormField label="Database name" description="Athena knows it by lower-case letters, digits and underscores.">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void create()} autoFocus autoComplete={false} />
        </FormField>
        <FormField label="Description" description="Optional">
          <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
        </FormField>
        <FormField label="Location" description="Optional: where CREATE TABLE puts new tables, such as s3://bucket/folder/">
          <Input value={location} onChange={({ detail }) => setLocation(detail.value)} placeholder="s3://bucket/folder/" />
        </FormField>
        {error && <ErrorBox error={error} what="The database was not created" />}
      </SpaceBetween>
    </Modal>
  );
}
