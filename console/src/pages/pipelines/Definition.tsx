/** A machine's definition, to read and to change. */
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo, useState } from 'react';

import { type MachineDetails, updateMachine } from '../../aws/states';
import { useDeed } from '../../lib/form-dialog';
import { prettyJson } from '../../lib/format';
import { notify } from '../../lib/notify';
import { ErrorBox } from '../../lib/states';
import { DefinitionEditor, Verdict, isWrong, useCheck } from './DefinitionEditor';

export function Definition({ machine, onSaved }: { machine: MachineDetails; onSaved: () => Promise<void> }) {
  const original = useMemo(() => prettyJson(machine.definition), [machine.definition]);
  const [draft, setDraft] = useState<string>();
  const text = draft ?? original;
  const check = useCheck(text, machine.type);
  const changed = draft !== undefined && draft !== original;
  const ready = changed && !isWrong(check);
  const save = useDeed(async () => {
    await updateMachine(machine.stateMachineArn, { definition: text });
    notify('success', `${machine.name} is saved`, 'Executions that start from now on run by it.');
    await onSaved();
    setDraft(undefined);
  }, ready);
  return (
    <SpaceBetween size="s">
      {save.error && <ErrorBox error={save.error} what="It was not saved" />}
      <div className="bh-bar-of-actions">
        <Verdict check={check} />
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setDraft(undefined)} disabled={!changed}>
            Discard changes
          </Button>
          <Button variant="primary" onClick={() => void save.run()} disabled={!ready} loading={save.busy}>
            Save
          </Button>
        </SpaceBetween>
      </div>
      <DefinitionEditor text={text} check={check} onChange={setDraft} onRun={() => void save.run()} height="max(420px, calc(100vh - 330px))" />
    </SpaceBetween>
  );
}
