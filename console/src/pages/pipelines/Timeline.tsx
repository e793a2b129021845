/** When each step began and how long it took, as bars on one scale. */
import Button from '@cloudscape-design/components/button';
import { useMemo } from 'react';

import { duration } from '../../lib/format';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import type { Step } from './history';
import { STEP_TONES, stepMs } from './paint';

interface TimelineProps {
  steps: readonly Step[];
  now: number;
  onChoose: (name: string) => void;
}

export function Timeline({ steps, now, onChoose }: TimelineProps) {
  const { from, length } = useMemo(() => span(steps, now), [steps, now]);
  return (
    <DataTable
      label="Steps"
      items={steps}
      height={360}
      param="find"
      rowKey={(step) => String(step.id)}
      onRowClick={(step) => onChoose(step.name)}
      columns={[
        {
          id: 'name',
          header: 'Step',
          width: 220,
          value: (step) => step.name,
          cell: (step) => (
            <Button variant="inline-link" onClick={() => onChoose(step.name)}>
              {step.index === undefined ? step.name : `${step.name} [${step.index}]`}
            </Button>
          ),
        },
        { id: 'type', header: 'Type', width: 90, value: (step) => step.type, cell: (step) => step.type },
        { id: 'status', header: 'Status', width: 130, value: (step) => step.status, cell: (step) => <Status state={step.status} /> },
        { id: 'began', header: 'Began after', width: 120, align: 'right', value: (step) => step.began, cell: (step) => duration((step.began - from) * 1000) },
        { id: 'duration', header: 'Duration', width: 110, align: 'right', value: (step) => stepMs(step, now), cell: (step) => duration(stepMs(step, now)) },
        { id: 'bar', header: 'Time', cell: (step) => <Bar step={step} from={from} length={length} now={now} /> },
      ]}
      empty={<Empty title="No step has begun yet" />}
    />
  );
}

function span(steps: readonly Step[], now: number): { from: number; length: number } {
  let [from, to] = [Infinity, 0];
  for (const step of steps) {
    from = Math.min(from, step.began);
    to = Math.max(to, step.ended ?? now / 1000);
  }
  return { from, length: Math.max(to - from, 0.001) };
}

function Bar({ step, from, length, now }: { step: Step; from: number; length: number; now: number }) {
  const left = ((step.began - from) / length) * 100;
  const width = Math.min((stepMs(step, now) / 1000 / length) * 100, 100 - left);
  return (
    <div className="bh-lane" aria-hidden="true">
      <div className={`bh-bar bh-bar-${STEP_TONES[step.status]}`} style={{ left: `min(${left}%, calc(100% - 3px))`, width: `${width}%` }} />
    </div>
  );
}
