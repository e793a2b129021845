/** Turns a rule or a schedule on and off. */
import Button from '@cloudscape-design/components/button';
import { useState } from 'react';

import { invalidate } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';

interface SwitchProps {
  name: string;
  enabled: boolean;
  onSet: (enabled: boolean) => Promise<unknown>;
  /** As a link in a row. */
  inline?: boolean;
}

export function Switch({ name, enabled, onSet, inline = false }: SwitchProps) {
  const [busy, setBusy] = useState(false);
  const verb = enabled ? 'Disable' : 'Enable';
  const set = async () => {
    setBusy(true);
    try {
      await onSet(!enabled);
      notify('success', `${name} is ${enabled ? 'disabled' : 'enabled'}`);
      invalidate('events/');
    } catch (error) {
      notifyError(`${name} was not ${enabled ? 'disabled' : 'enabled'}`, error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button variant={inline ? 'inline-link' : 'normal'} loading={busy} onClick={() => void set()} ariaLabel={`${verb} ${name}`}>
      {verb}
    </Button>
  );
}
