/** Asks before something is deleted for good. */
import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { type ReactNode, useState } from 'react';

import { FormDialog, useDeed } from './form-dialog';

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
  const ready = typed === undefined || text === typed;
  const deed = useDeed(async () => {
    await onConfirm();
    onClose();
  }, ready);
  return (
    <FormDialog title={`${verb} ${what}?`} action={verb} deed={deed} ready={ready} onClose={() => !deed.busy && onClose()}>
      {children ?? <Alert type="warning">This can't be undone.</Alert>}
      {typed !== undefined && (
        <FormField label={`To confirm, type ${typed}`}>
          <Input
            value={text}
            onChange={({ detail }) => setText(detail.value)}
            onKeyDown={({ detail }) => detail.key === 'Enter' && void deed.run()}
            autoFocus
            autoComplete={false}
          />
        </FormField>
      )}
    </FormDialog>
  );
}
