import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import { useState } from 'react';

import { type QueryTab, change } from './tabs';

/** Gives a tab another name. */
export function Rename({ tab, onClose }: { tab: QueryTab; onClose: () => void }) {
  const [name, setName] = useState(tab.name);
  const act = () => {
    if (name.trim()) change(tab.id, { name: name.trim() });
    onClose();
  };
  return (
    <Modal
      visible
      header="Rename the tab"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={act} disabled={name.trim() === ''}>
            Rename
          </Button>
        </Box>
      }
    >
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value.slice(0, 80))} onKeyDown={({ detail }) => detail.key === 'Enter' && act()} />
      </FormField>
    </Modal>
  );
}
