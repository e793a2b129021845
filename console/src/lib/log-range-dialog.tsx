/** Asks for a range between two times, in this machine's zone. */
import FormField from '@cloudscape-design/components/form-field';
import { useState } from 'react';

import { platformNow } from '../aws/session';
import { FormDialog, useDeed } from './form-dialog';
import { localTime } from './format';
import { rangeOf, rangeText } from './log-range';

const HOUR = 3_600_000;

/** A time as `<input type="datetime-local">` has it. */
const written = (at: number) => localTime(at).replace(' ', 'T');

export function RangeDialog({ value, onChange, onClose }: { value: string; onChange: (range: string) => void; onClose: () => void }) {
  const now = platformNow();
  const known = rangeOf(value, now);
  const [from, setFrom] = useState(written(known.from ?? now - HOUR));
  const [to, setTo] = useState(written(known.to ?? now));
  const [begin, end] = [new Date(from).getTime(), new Date(to).getTime()];
  const ready = begin < end;
  const deed = useDeed(async () => {
    onChange(rangeText(begin, end));
    onClose();
  }, ready);
  return (
    <FormDialog title="Between two times" action="Show" deed={deed} ready={ready} size="small" onClose={onClose}>
      <TimeField label="From" value={from} onChange={setFrom} />
      <TimeField label="To" value={to} onChange={setTo} {...(ready ? {} : { error: 'It must be after the first one.' })} />
    </FormDialog>
  );
}

function TimeField({ label, value, onChange, error }: { label: string; value: string; onChange: (value: string) => void; error?: string }) {
  return (
    <FormField label={label} errorText={error}>
      <input className="bh-datetime" type="datetime-local" step={1} aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} />
    </FormField>
  );
}
