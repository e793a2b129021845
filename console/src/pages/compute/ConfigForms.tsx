/** The dialogs for a function's settings. */
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';

import { type FunctionConfiguration, updateConfiguration } from '../../aws/lambda';
import { type EventInvokeConfig, deleteConcurrency, putConcurrency, putEventInvokeConfig } from '../../aws/lambda-settings';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { RoleField } from './RoleField';
import { RUNTIMES } from './starters';

interface Form {
  onSaved: () => void;
  onClose: () => void;
}

/** Saves, says so, and closes. */
function useSave(act: () => Promise<unknown>, { onSaved, onClose }: Form, ready = true) {
  return useDeed(async () => {
    await act();
    onSaved();
    onClose();
  }, ready);
}

interface NumberFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  from: number;
  to: number;
  hint?: string;
}

const within = (text: string, from: number, to: number) => /^\d+$/.test(text) && Number(text) >= from && Number(text) <= to;

function NumberField({ label, value, onChange, from, to, hint }: NumberFieldProps) {
  const wrong = within(value, from, to) ? undefined : `${from} to ${to}`;
  return (
    <FormField label={label} constraintText={hint ?? `${from} to ${to}`} errorText={wrong}>
      <Input type="number" value={value} onChange={({ detail }) => onChange(detail.value)} />
    </FormField>
  );
}

export function GeneralForm({ config, ...form }: { config: FunctionConfiguration } & Form) {
  const [description, setDescription] = useState(config.Description ?? '');
  const [memory, setMemory] = useState(String(config.MemorySize));
  const [timeout, setTimeoutOf] = useState(String(config.Timeout));
  const [storage, setStorage] = useState(String(config.EphemeralStorage?.Size ?? 512));
  const [runtime, setRuntime] = useState(config.Runtime ?? '');
  const [handler, setHandler] = useState(config.Handler ?? '');
  const [role, setRole] = useState(config.Role);
  const ready = within(memory, 128, 10_240) && within(timeout, 1, 900) && within(storage, 512, 10_240) && handler !== '';
  const save = useSave(
    () =>
      updateConfiguration(config.FunctionName, {
        Description: description,
        MemorySize: Number(memory),
        Timeout: Number(timeout),
        EphemeralStorage: { Size: Number(storage) },
        Runtime: runtime,
        Handler: handler,
        Role: role,
        RevisionId: config.RevisionId,
      }),
    form,
    ready,
  );
  return (
    <FormDialog title="General settings" action="Save" size="large" deed={save} ready={ready} failed="The settings were not saved" onClose={form.onClose}>
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <ColumnLayout columns={3}>
        <NumberField label="Memory (MB)" value={memory} onChange={setMemory} from={128} to={10_240} />
        <NumberField label="Timeout (seconds)" value={timeout} onChange={setTimeoutOf} from={1} to={900} />
        <NumberField label="Ephemeral storage (MB)" value={storage} onChange={setStorage} from={512} to={10_240} hint="The size of /tmp" />
      </ColumnLayout>
      <ColumnLayout columns={2}>
        <FormField label="Runtime">
          <Select
            selectedOption={RUNTIMES.flatMap(({ options }) => options).find(({ value }) => value === runtime) ?? { value: runtime, label: runtime }}
            options={RUNTIMES}
            onChange={({ detail }) => setRuntime(detail.selectedOption.value ?? runtime)}
          />
        </FormField>
        <FormField label="Handler">
          <Input value={handler} onChange={({ detail }) => setHandler(detail.value)} />
        </FormField>
      </ColumnLayout>
      <RoleField value={role} onChange={setRole} />
    </FormDialog>
  );
}

export function ConcurrencyForm({ name, reserved, ...form }: { name: string; reserved: number | undefined } & Form) {
  const [on, setOn] = useState(reserved !== undefined);
  const [most, setMost] = useState(String(reserved ?? 10));
  const ready = !on || within(most, 0, 1000);
  const save = useSave(() => (on ? putConcurrency(name, Number(most)) : deleteConcurrency(name)), form, ready);
  return (
    <FormDialog title="Concurrency" action="Save" deed={save} ready={ready} failed="The concurrency was not saved" onClose={form.onClose}>
      <Toggle checked={on} onChange={({ detail }) => setOn(detail.checked)} description="So many invocations may always run at once, and never more. 0 stops the function.">
        Reserve concurrency
      </Toggle>
      {on && <NumberField label="Invocations at once" value={most} onChange={setMost} from={0} to={1000} />}
    </FormDialog>
  );
}

export function AsyncForm({ name, config, ...form }: { name: string; config: EventInvokeConfig } & Form) {
  const [retries, setRetries] = useState(String(config.MaximumRetryAttempts ?? 2));
  const [age, setAge] = useState(String(config.MaximumEventAgeInSeconds ?? 21_600));
  const [success, setSuccess] = useState(config.DestinationConfig?.OnSuccess?.Destination ?? '');
  const [failure, setFailure] = useState(config.DestinationConfig?.OnFailure?.Destination ?? '');
  const ready = within(retries, 0, 2) && within(age, 60, 21_600);
  const to = (arn: string) => (arn ? { Destination: arn } : {});
  const save = useSave(
    () =>
      putEventInvokeConfig(name, {
        MaximumRetryAttempts: Number(retries),
        MaximumEventAgeInSeconds: Number(age),
        DestinationConfig: { OnSuccess: to(success), OnFailure: to(failure) },
      }),
    form,
    ready,
  );
  const arn = (label: string, value: string, set: (value: string) => void) => (
    <FormField label={label} constraintText="The ARN of a queue, a function or an event bus; empty: nothing">
      <Input value={value} placeholder="arn:aws:sqs:…" onChange={({ detail }) => set(detail.value)} />
    </FormField>
  );
  return (
    <FormDialog title="Asynchronous invocation" action="Save" size="large" deed={save} ready={ready} failed="The configuration was not saved" onClose={form.onClose}>
      <ColumnLayout columns={2}>
        <NumberField label="Tries after the first one" value={retries} onChange={setRetries} from={0} to={2} />
        <NumberField label="Longest wait of an event (seconds)" value={age} onChange={setAge} from={60} to={21_600} />
      </ColumnLayout>
      {arn('Destination after success', success, setSuccess)}
      {arn('Destination after failure', failure, setFailure)}
    </FormDialog>
  );
}
