/** A dialog for names and values: environment variables, tags. */
import Button from '@cloudscape-design/components/button';
import Input from '@cloudscape-design/components/input';
import { type ReactNode, useState } from 'react';

import { FormDialog, useDeed } from '../../lib/form-dialog';

interface PairsFormProps {
  title: string;
  /** What one is: `variable`, `tag`. */
  what: string;
  pairs: Readonly<Record<string, string>>;
  /** Why a name can't be one; nothing if it can. */
  wrong?: (name: string) => string | undefined;
  failed: string;
  onSave: (pairs: Record<string, string>) => Promise<unknown>;
  onClose: () => void;
  children?: ReactNode;
}

export function PairsForm({ title, what, pairs, wrong, failed, onSave, onClose, children }: PairsFormProps) {
  const [rows, setRows] = useState<readonly (readonly [string, string])[]>(() => [...Object.entries(pairs), ...(Object.keys(pairs).length === 0 ? [['', ''] as const] : [])]);
  const named = rows.filter(([name, value]) => name !== '' || value !== '');
  const reason = reasonOf(named.map(([name]) => name), what, wrong);
  const save = useDeed(async () => {
    await onSave(Object.fromEntries(named));
    onClose();
  }, !reason);
  const change = (at: number, pair: readonly [string, string]) => setRows(rows.map((row, place) => (place === at ? pair : row)));
  return (
    <FormDialog title={title} action="Save" size="large" deed={save} ready={!reason} failed={failed} onClose={onClose}>
      {children}
      {rows.map(([name, value], at) => (
        <div className="bh-pair" key={at}>
          <Input ariaLabel={`Name ${at + 1}`} placeholder="Name" value={name} onChange={({ detail }) => change(at, [detail.value, value])} />
          <Input ariaLabel={`Value ${at + 1}`} placeholder="Value" value={value} onChange={({ detail }) => change(at, [name, detail.value])} />
          <Button iconName="remove" variant="icon" ariaLabel={`Remove ${what} ${at + 1}`} onClick={() => setRows(rows.filter((_, place) => place !== at))} />
        </div>
      ))}
      <Button iconName="add-plus" onClick={() => setRows([...rows, ['', '']])}>
        Add {what}
      </Button>
      {reason && <span className="bh-soft">{reason}</span>}
    </FormDialog>
  );
}

function reasonOf(names: readonly string[], what: string, wrong: ((name: string) => string | undefined) | undefined): string | undefined {
  if (names.includes('')) return `Each ${what} needs a name.`;
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return `${twice} is there twice.`;
  return names.map((name) => wrong?.(name)).find(Boolean);
}
