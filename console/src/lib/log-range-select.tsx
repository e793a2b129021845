/** Chooses the range of time that logs are looked at in: up to now, or between two times. */
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { RANGES, rangeLabel } from './log-range';
import { RangeDialog } from './log-range-dialog';

const BETWEEN = { value: 'between', label: 'Between two times …' };

export function RangeSelect({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const known = RANGES.find((one) => one.value === value);
  const chosen = known ?? { value, label: rangeLabel(value) };
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Select
        ariaLabel="Range of time"
        selectedOption={chosen}
        options={[...(known ? [] : [chosen]), ...RANGES, BETWEEN]}
        expandToViewport
        onChange={({ detail }) => (detail.selectedOption.value === BETWEEN.value ? setAsking(true) : onChange(detail.selectedOption.value ?? 'all'))}
      />
      {asking && <RangeDialog value={value} onChange={onChange} onClose={() => setAsking(false)} />}
    </>
  );
}
