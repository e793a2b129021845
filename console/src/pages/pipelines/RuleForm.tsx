/** Makes a rule, or changes one: of events by a pattern, or of times. */
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { type Rule, listBuses, putRule } from '../../aws/events';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { prettyJson } from '../../lib/format';
import { jsonProblems } from '../../lib/json';
import { ruleHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';
import { isExpression } from './cron';
import { WhenField } from './fields';
import { PatternEditor } from './PatternEditor';
import { EXAMPLES } from './patterns';

const KINDS = [
  { id: 'pattern', text: 'Events' },
  { id: 'schedule', text: 'Times' },
];
const OPTIONS = EXAMPLES.map(({ id, label }) => ({ value: id, label }));

export function RuleForm({ rule, onClose }: { rule?: Rule; onClose: () => void }) {
  const [name, setName] = useState(rule?.Name ?? '');
  const [bus, setBus] = useState(rule?.EventBusName ?? 'default');
  const [description, setDescription] = useState(rule?.Description ?? '');
  const [kind, setKind] = useState(rule?.ScheduleExpression ? 'schedule' : 'pattern');
  const [example, setExample] = useState<string>();
  const [pattern, setPattern] = useState(() => prettyJson(rule?.EventPattern ?? JSON.stringify(EXAMPLES[0]?.pattern)));
  const [expression, setExpression] = useState(rule?.ScheduleExpression ?? '');
  const buses = useLive('events/buses', () => listBuses());
  const timed = kind === 'schedule';
  const ready = /^[.\-_A-Za-z0-9]{1,64}$/.test(name) && (timed ? isExpression(expression) : jsonProblems(pattern).length === 0);
  const save = useDeed(async () => {
    await putRule({
      Name: name,
      EventBusName: bus,
      State: rule?.State ?? 'ENABLED',
      Description: description || undefined,
      ...(timed ? { ScheduleExpression: expression.trim() } : { EventPattern: pattern }),
    });
    invalidate('events/');
    notify('success', `${name} is ${rule ? 'changed' : 'created'}`, rule ? undefined : 'Add the targets that it starts.');
    onClose();
    if (!rule) navigate(ruleHref(name, bus));
  }, ready);
  const choose = (id: string | undefined) => {
    setExample(id);
    const found = EXAMPLES.find((one) => one.id === id);
    if (found) setPattern(JSON.stringify(found.pattern, null, 2));
  };
  return (
    <FormDialog title={rule ? `Edit ${rule.Name}` : 'Create a rule'} action={rule ? 'Save' : 'Create rule'} size="large" deed={save} ready={ready} failed={rule ? 'It was not changed' : 'It was not created'} onClose={onClose}>
      {!rule && (
        <ColumnLayout columns={2}>
          <FormField label="Name" constraintText="Letters, digits, . - _">
            <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
          </FormField>
          <FormField label="Event bus">
            <Select selectedOption={{ value: bus, label: bus }} options={(buses.data ?? []).map(({ Name }) => ({ value: Name, label: Name }))} onChange={({ detail }) => setBus(detail.selectedOption.value ?? 'default')} />
          </FormField>
        </ColumnLayout>
      )}
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <ColumnLayout columns={2}>
        <FormField label="It fires because of">
          <SegmentedControl label="It fires because of" selectedId={kind} options={KINDS} onChange={({ detail }) => setKind(detail.selectedId)} />
        </FormField>
        {!timed && (
          <FormField label="Begin with an example">
            <Select selectedOption={OPTIONS.find(({ value }) => value === example) ?? null} placeholder="A pattern" options={OPTIONS} onChange={({ detail }) => choose(detail.selectedOption.value)} />
          </FormField>
        )}
      </ColumnLayout>
      {timed ? <WhenField value={expression} onChange={setExpression} zone="UTC" once={false} /> : <PatternEditor pattern={pattern} onChange={setPattern} onRun={() => void save.run()} />}
    </FormDialog>
  );
}
