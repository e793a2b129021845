/** Makes a state machine: its definition beside its picture, checked while somebody types. */
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Machine, createMachine } from '../../aws/states';
import { useDeed } from '../../lib/form-dialog';
import { Frame } from '../../lib/frame';
import { machineHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to } from '../../lib/router';
import { ErrorBox } from '../../lib/states';
import { DefinitionEditor, Verdict, isWrong, useCheck } from './DefinitionEditor';
import { RoleField } from './fields';
import { TEMPLATES } from './templates';

const TYPES = [
  { value: 'STANDARD', label: 'Standard', description: 'Each execution is kept, with its history; it may take up to a year' },
  { value: 'EXPRESS', label: 'Express', description: 'Short and many: an execution is not kept, and may answer at once' },
];
const BEGINNINGS = TEMPLATES.map(({ id, label, description }) => ({ value: id, label, description }));

export default function CreateMachine() {
  const [name, setName] = useState('');
  const [type, setType] = useState<Machine['type']>('STANDARD');
  const [role, setRole] = useState('');
  const [template, setTemplate] = useState(TEMPLATES[0]?.id);
  const [text, setText] = useState(() => JSON.stringify(TEMPLATES[0]?.definition, null, 2));
  const check = useCheck(text, type);
  const ready = /^[\w.-]{1,80}$/.test(name) && role !== '' && !isWrong(check);
  const create = useDeed(async () => {
    await createMachine({ name, type, definition: text, roleArn: role });
    invalidate('states/');
    notify('success', `${name} is created`);
    navigate(machineHref(name));
  }, ready);
  const begin = (id: string | undefined) => {
    setTemplate(id);
    const found = TEMPLATES.find((one) => one.id === id);
    if (found) setText(JSON.stringify(found.definition, null, 2));
  };
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      <Button variant="link" href={to('/pipelines')}>
        Cancel
      </Button>
      <Button variant="primary" disabled={!ready} loading={create.busy} onClick={() => void create.run()}>
        Create state machine
      </Button>
    </SpaceBetween>
  );
  return (
    <Frame title="Create state machine" description="Write what runs in which order, and see it drawn." actions={actions}>
      {create.error && <ErrorBox error={create.error} what="It was not created" />}
      <Container>
        <ColumnLayout columns={4}>
          <FormField label="Name" constraintText="Letters, digits, - _ .">
            <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
          </FormField>
          <FormField label="Type" constraintText="It can't be changed later.">
            <Select selectedOption={TYPES.find(({ value }) => value === type) ?? null} options={TYPES} onChange={({ detail }) => setType(detail.selectedOption.value as Machine['type'])} />
          </FormField>
          <RoleField service="states.amazonaws.com" value={role} onChange={setRole} />
          <FormField label="Begin with" constraintText="Replaces the definition.">
            <Select selectedOption={BEGINNINGS.find(({ value }) => value === template) ?? null} options={BEGINNINGS} onChange={({ detail }) => begin(detail.selectedOption.value)} />
          </FormField>
        </ColumnLayout>
      </Container>
      <SpaceBetween size="s">
        <div className="bh-bar-of-actions">
          <Verdict check={check} />
        </div>
        <DefinitionEditor text={text} check={check} onChange={setText} onRun={() => void create.run()} height="max(380px, calc(100vh - 480px))" />
      </SpaceBetween>
    </Frame>
  );
}
