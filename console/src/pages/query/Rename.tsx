import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';

import { FormDialog, useDeed } from '../../lib/form-dialog';
import { type QueryTab, change } from './tabs';

/** Gives a tab another name. */
export function Rename({ tab, onClose }: { tab: QueryTab; onClose: () => void }) {
  const [name, setName] = useState(tab.name);
  const ready = name.trim() !== '';
  const rename = useDeed(async () => {
    change(tab.id, { name: name.trim() });
    onClose();
  }, ready);
  return (
    <FormDialog title="Rename the tab" action="Rename" deed={rename} ready={ready} onClose={onClose}>
      <FormField label="Name">
        <Input value={name} autoFocus onChange={({ detail }) => setName(detail.value.slice(0, 80))} onKeyDown={({ detail }) => detail.key === 'Enter' && void rename.run()} />
      </FormField>
    </FormDialog>
  );
}
