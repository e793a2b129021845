/** A folder is an object of no bytes whose key ends with a slash, as AWS's console makes them. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { putObject } from '../../aws/s3';
import { ErrorBox } from '../../lib/states';

export function NewFolder({ bucket, prefix, onDone, onClose }: { bucket: string; prefix: string; onDone: () => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const good = name !== '' && !name.startsWith('/') && !name.includes('//');
  const create = async () => {
    if (!good || busy) return;
    setBusy(true);
    try {
      await putObject(bucket, `${prefix}${name.replace(/\/$/, '')}/`, '', 'application/x-directory');
      onDone();
      onClose();
    } catch (failed) {
      setError(asAwsError(failed));
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header="Create folder"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" disabled={!good} loading={busy} onClick={() => void create()}>
              Create folder
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <FormField label="Folder name" description={`In ${bucket}/${prefix}. Slashes make folders in it.`}>
          <Input value={name} autoFocus autoComplete={false} onChange={({ detail }) => setName(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void create()} />
        </FormField>
        {error && <ErrorBox error={error} what="The folder was not created" />}
      </SpaceBetween>
    </Modal>
  );
}
