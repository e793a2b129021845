/** What a rule starts: its targets, to add, change and remove. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type RuleTarget, listTargets, putTarget, removeTargets } from '../../aws/events';
import { ConfirmDelete } from '../../lib/confirm';
import { CodeEditor } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { prettyJson, shortName } from '../../lib/format';
import { jsonProblems } from '../../lib/json';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { ArnLink } from './ArnLink';
import { RoleField, TargetField } from './fields';

interface Place {
  name: string;
  bus: string;
}

/** AWS's limit. */
const MOST = 5;

export function RuleTargets({ name, bus }: Place) {
  const targets = useLive(`events/targets/${bus}/${name}`, () => listTargets(name, bus), { every: 20_000 });
  const [edited, setEdited] = useState<RuleTarget | 'new'>();
  const [removed, setRemoved] = useState<RuleTarget>();
  const add = (
    <Button onClick={() => setEdited('new')} disabled={(targets.data?.length ?? MOST) >= MOST}>
      Add a target
    </Button>
  );
  return (
    <>
      <DataTable<RuleTarget>
        label="Targets"
        live={targets}
        actions={add}
        filter={false}
        height={320}
        rowKey={({ Id }) => Id}
        columns={[
          { id: 'id', header: 'Id', width: 160, value: ({ Id }) => Id, cell: ({ Id }) => Id },
          { id: 'target', header: 'Target', value: ({ Arn }) => Arn, cell: ({ Arn }) => <ArnLink arn={Arn} /> },
          { id: 'input', header: 'Input', value: inputText, cell: (target) => <span title={inputText(target)}>{inputText(target)}</span> },
          { id: 'role', header: 'Role', value: ({ RoleArn }) => RoleArn, cell: ({ RoleArn }) => <ArnLink arn={RoleArn} /> },
          {
            id: 'actions',
            header: 'Actions',
            width: 140,
            cell: (target) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" onClick={() => setEdited(target)} ariaLabel={`Edit target ${target.Id}`}>
                  Edit
                </Button>
                <Button variant="inline-link" onClick={() => setRemoved(target)} ariaLabel={`Remove target ${target.Id}`}>
                  Remove
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Empty title="No targets" action={<Button onClick={() => setEdited('new')}>Add the first target</Button>}>What fits the rule starts nothing yet.</Empty>}
      />
      {edited && <TargetForm name={name} bus={bus} known={targets.data ?? []} target={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} />}
      {removed && (
        <ConfirmDelete
          what={`target ${removed.Id}`}
          verb="Remove"
          onClose={() => setRemoved(undefined)}
          onConfirm={async () => {
            await removeTargets(name, bus, [removed.Id]);
            invalidate('events/');
          }}
        >
          The rule doesn't start {shortName(removed.Arn)} any more.
        </ConfirmDelete>
      )}
    </>
  );
}

function inputText({ Input: constant, InputPath, InputTransformer }: RuleTarget): string {
  if (InputTransformer) return `Made of the event: ${InputTransformer.InputTemplate}`;
  return constant ?? InputPath ?? 'The event';
}

const KINDS = [
  { value: 'event', label: 'The event itself' },
  { value: 'constant', label: 'Always the same JSON' },
  { value: 'path', label: 'A part of the event' },
  { value: 'transformer', label: 'A text made of parts of the event' },
];

function kindOf(target: RuleTarget | undefined): string {
  if (target?.InputTransformer) return 'transformer';
  if (target?.Input !== undefined) return 'constant';
  return target?.InputPath === undefined ? 'event' : 'path';
}

/** `target-1`, or the next number that is free. */
function freeId(known: readonly RuleTarget[]): string {
  for (let at = 1; ; at += 1) if (!known.some(({ Id }) => Id === `target-${at}`)) return `target-${at}`;
}

interface TargetFormProps extends Place {
  known: readonly RuleTarget[];
  target: RuleTarget | undefined;
  onClose: () => void;
}

function TargetForm({ name, bus, known, target, onClose }: TargetFormProps) {
  const [arn, setArn] = useState(target?.Arn ?? '');
  const [role, setRole] = useState(target?.RoleArn ?? '');
  const [kind, setKind] = useState(() => kindOf(target));
  const [constant, setConstant] = useState(() => prettyJson(target?.Input ?? '{}'));
  const [path, setPath] = useState(target?.InputPath ?? '$.detail');
  const [parts, setParts] = useState(() => JSON.stringify(target?.InputTransformer?.InputPathsMap ?? { state: '$.detail.state' }, null, 2));
  const [template, setTemplate] = useState(target?.InputTransformer?.InputTemplate ?? '{"state": "<state>"}');
  const problems = kind === 'constant' ? jsonProblems(constant) : kind === 'transformer' ? jsonProblems(parts) : [];
  const ready = arn.startsWith('arn:') && problems.length === 0;
  const save = useDeed(async () => {
    const { Input: _input, InputPath: _path, InputTransformer: _transformer, ...rest } = target ?? { Id: freeId(known) };
    await putTarget(name, bus, {
      ...rest,
      Id: rest.Id,
      Arn: arn.trim(),
      RoleArn: role || undefined,
      ...(kind === 'constant' ? { Input: constant } : {}),
      ...(kind === 'path' ? { InputPath: path } : {}),
      ...(kind === 'transformer' ? { InputTransformer: { InputPathsMap: JSON.parse(parts) as Record<string, string>, InputTemplate: template } } : {}),
    });
    invalidate('events/');
    notify('success', target ? `${target.Id} is changed` : `${name} starts ${shortName(arn)}`);
    onClose();
  }, ready);
  return (
    <FormDialog title={target ? `Edit ${target.Id}` : `Add a target to ${name}`} action={target ? 'Save' : 'Add target'} size="large" deed={save} ready={ready} failed="The target was not kept" onClose={onClose}>
      <TargetField of="rule" value={arn} onChange={setArn} />
      <RoleField service="events.amazonaws.com" value={role} onChange={setRole} optional />
      <FormField label="It is given">
        <Select selectedOption={KINDS.find(({ value }) => value === kind) ?? null} options={KINDS} onChange={({ detail }) => setKind(detail.selectedOption.value ?? 'event')} />
      </FormField>
      {kind === 'constant' && (
        <FormField label="Input" errorText={problems[0]?.message} stretch>
          <CodeEditor label="Input of the target" language="json" value={constant} onChange={setConstant} problems={problems} minHeight={110} />
        </FormField>
      )}
      {kind === 'path' && (
        <FormField label="Path" description="Such as $.detail">
          <Input value={path} onChange={({ detail }) => setPath(detail.value)} />
        </FormField>
      )}
      {kind === 'transformer' && (
        <>
          <FormField label="Parts of the event" description="A name for each path." errorText={problems[0]?.message} stretch>
            <CodeEditor label="Parts of the event" language="json" value={parts} onChange={setParts} problems={problems} minHeight={80} />
          </FormField>
          <FormField label="Template" description="Where a name stands in angle brackets, its part of the event comes." stretch>
            <CodeEditor label="Template" language="text" value={template} onChange={setTemplate} minHeight={80} />
          </FormField>
        </>
      )}
    </FormDialog>
  );
}
