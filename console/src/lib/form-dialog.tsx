/**
 * A dialog with fields and one deed. `useDeed` does the deed once at a time and keeps why it failed; `FormDialog` shows both.
 * The deed itself closes the dialog, or leads elsewhere, when it is done.
 */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal, { type ModalProps } from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';

import { type AwsError, asAwsError } from '../aws/error';
import { ErrorBox } from './states';

export interface Deed {
  busy: boolean;
  error: AwsError | undefined;
  /** Does it, unless it is being done or the fields aren't ready. */
  run: () => Promise<void>;
}

export function useDeed(act: () => Promise<unknown>, ready = true): Deed {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const run = async () => {
    if (busy || !ready) return;
    setBusy(true);
    setError(undefined);
    try {
      await act();
    } catch (failed) {
      setError(asAwsError(failed));
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}

export interface FormDialogProps {
  title: string;
  /** What the button says that does the deed. */
  action: string;
  deed: Deed;
  /** Whether the fields are ready for it. */
  ready?: boolean;
  /** Above the error's own words: `The bucket was not created`. */
  failed?: string;
  /** The other button's word, `Cancel` if left out. */
  cancel?: string;
  /** Another button before the one that does the deed. */
  extra?: ReactNode;
  size?: ModalProps.Size;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({ title, action, deed, ready = true, failed, cancel = 'Cancel', extra, size = 'medium', onClose, children }: FormDialogProps) {
  return (
    <Modal
      visible
      size={size}
      header={title}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {cancel}
            </Button>
            {extra}
            <Button variant="primary" loading={deed.busy} disabled={!ready} onClick={() => void deed.run()}>
              {action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {children}
        {deed.error && <ErrorBox error={deed.error} {...(failed === undefined ? {} : { what: failed })} />}
      </SpaceBetween>
    </Modal>
  );
}
