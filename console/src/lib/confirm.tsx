/** Asks before something is deleted for good. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useEffect, useState } from 'react';

import { type AwsError, asAwsError } from '../aws/error';
import { ErrorBox } from './states';

export interface ConfirmDeleteProps {
  /** What is deleted: `bucket flights-raw`, `12 objects`. */
  what: string;
  /** What goes with it and can't be had back. */
  children?: ReactNode;
  /** What people must type first, for what hurts most; nothing asks for a click only. */
  typed?: string;
  /** The verb, `Delete` if left out. */
  verb?: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** The dialog; render it while it is asked for. It closes when the deed is done, and shows why it failed if it did. */
export function ConfirmDelete({ what, children, typed, verb = 'Delete', onConfirm, onClose }: ConfirmDeleteProps) {
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  useEffect(() => setError(undefined), [what]);
  const ready = typed === undefined || text === typed;
  const act = async () => {
    if (!ready || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (failed) {
      setError(asAwsError(failed));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      onDismiss={() => !busy && onClose()}
      header={`${verb} ${what}?`}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose} disabled={busy}>
              Cancel
            </Button>
            <Button variant="primary" onClick={() => void act()} disabled={!ready} loading={busy}>
              {verb}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {children ?? <Alert type="warning">This can't be undone.</Alert>}
        {typed !== undefined && (
          <FormField label={`To confirm, type ${typed}`}>
            <Input
              value={text}
              onChange={({ detail }) => setText(detail.value)}
              onKeyDown={({ detail }) => detail.key === 'Enter' && void act()}
              autoFocus
              autoComplete={false}
            />
          </FormField>
        )}
        {error && <ErrorBox error={error} />}
      </SpaceBetween>
    </Modal>
  );
}
