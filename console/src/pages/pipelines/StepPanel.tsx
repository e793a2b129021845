/** What a step of an execution was given, what it made, and why it failed; of the whole execution when none is chosen. */
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { platformNow } from '../../aws/session';
import type { ExecutionDetails } from '../../aws/states';
import { JsonView } from '../../lib/editor';
import { duration } from '../../lib/format';
import { arnHref } from '../../lib/links';
import { Status } from '../../lib/status';
import type { State } from './asl';
import { Cause } from './Cause';
import type { Step } from './history';
import { type ChosenItem, ItemList } from './items';
import { stepMs } from './paint';

interface StepPanelProps {
  execution: ExecutionDetails;
  name: string | undefined;
  state: State | undefined;
  /** Each time that it was entered. */
  steps: readonly Step[];
  /** The item of a Map that is looked at. */
  item: ChosenItem | undefined;
  onItem: (map: Step, index: number | undefined) => void;
  height: number;
}

export function StepPanel({ execution, name, state, steps, item, onItem, height }: StepPanelProps) {
  return (
    <div style={{ height }} role="region" aria-label="Details of the step">
      {name ? (
        <OfState key={name} name={name} state={state} steps={steps} item={item} onItem={onItem} />
      ) : (
        <Container fitHeight header={<Header variant="h2" description="Choose a step in the picture to see its own.">Execution</Header>}>
          <Data id="execution" values={{ Output: execution.output, Input: execution.input }} />
        </Container>
      )}
    </div>
  );
}

function OfState({ name, state, steps, item, onItem }: Pick<StepPanelProps, 'state' | 'steps' | 'item' | 'onItem'> & { name: string }) {
  const [at, setAt] = useState<number>();
  // What failed is what people look for.
  const step = steps.find(({ id }) => id === at) ?? steps.find(({ status }) => status === 'FAILED') ?? steps.at(-1);
  return (
    <Container fitHeight header={<Header variant="h2" description={state?.Comment ?? state?.Type}>{name}</Header>}>
      <SpaceBetween size="s">
        {steps.length > 1 && (
          <Select
            ariaLabel="Which time"
            filteringType={steps.length > 20 ? 'auto' : 'none'}
            selectedOption={step ? option(step) : null}
            options={steps.map(option)}
            onChange={({ detail }) => setAt(Number(detail.selectedOption.value))}
            virtualScroll
          />
        )}
        {step ? <OfStep step={step} /> : <Box color="text-body-secondary">Not reached.</Box>}
        {step?.items && <ItemList map={step} item={item} onItem={onItem} />}
        {state && <Data id={`${name}/${step?.id}`} values={{ ...(step?.status === 'RUNNING' ? {} : { Output: step?.output }), Input: step?.input, Definition: JSON.stringify(state) }} />}
      </SpaceBetween>
    </Container>
  );
}

const option = (step: Step) => ({
  value: String(step.id),
  label: step.index === undefined ? `Event ${step.id}` : `Item ${step.index}, event ${step.id}`,
  labelTag: step.status.toLowerCase(),
});

function OfStep({ step }: { step: Step }) {
  const href = step.resource ? arnHref(step.resource) : undefined;
  return (
    <SpaceBetween size="xs">
      <span>
        <Status state={step.status} /> {step.status === 'RUNNING' ? 'for' : 'after'} {duration(stepMs(step, platformNow()))}
        {step.retries > 0 && `, attempt ${step.retries + 1}`}
        {href && (
          <>
            {' '}
            · <Link href={href}>{step.resource?.split(':').at(-1)}</Link>
          </>
        )}
      </span>
      {step.error !== undefined && <Cause error={step.error} cause={step.cause} />}
    </SpaceBetween>
  );
}

/** JSON texts under tabs; those that there are. */
function Data({ id, values }: { id: string; values: Record<string, string | undefined> }) {
  const there = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  const [tab, setTab] = useState<string>();
  const active = there.some(([label]) => label === tab) ? tab : there[0]?.[0];
  return (
    <Tabs
      ariaLabel="Data"
      activeTabId={active ?? ''}
      onChange={({ detail }) => setTab(detail.activeTabId)}
      tabs={there.map(([label, value]) => ({ id: label, label, content: label === active && <JsonView key={`${id}/${label}`} label={label} value={value} /> }))}
    />
  );
}
