/** Makes a schedule, or changes one. */
import ColumnLayout from '@cloudscape-design/components/column-layout';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';

import { type ScheduleDetails, createSchedule, listScheduleGroups, scheduleInput, updateSchedule } from '../../aws/events';
import { CodeEditor } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { scheduleHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';
import { isExpression } from './cron';
import { RoleField, TargetField, WhenField } from './fields';
import { type Draft, draftOf, problemOfMoment, scheduleOf } from './schedule-draft';

const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')].map((value) => ({ value, label: value }));

export function ScheduleForm({ schedule, onClose }: { schedule?: ScheduleDetails; onClose: () => void }) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(schedule));
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  const groups = useLive('events/groups', () => listScheduleGroups());
  const ready =
    /^[0-9a-zA-Z-_.]{1,64}$/.test(draft.name) && isExpression(draft.expression) && draft.target !== '' && draft.role !== '' && !problemOfMoment(draft.begins) && !problemOfMoment(draft.ends);
  const save = useDeed(async () => {
    const input = scheduleOf(draft, schedule && scheduleInput(schedule));
    await (schedule ? updateSchedule(input) : createSchedule(input));
    invalidate('events/');
    notify('success', `${draft.name} is ${schedule ? 'changed' : 'created'}`);
    onClose();
    if (!schedule) navigate(scheduleHref(draft.name, draft.group));
  }, ready);
  const once = draft.expression.startsWith('at(');
  return (
    <FormDialog
      title={schedule ? `Edit ${schedule.Name}` : 'Create a schedule'}
      action={schedule ? 'Save' : 'Create schedule'}
      size="large"
      deed={save}
      ready={ready}
      failed={schedule ? 'It was not changed' : 'It was not created'}
      onClose={onClose}
    >
      {!schedule && (
        <ColumnLayout columns={2}>
          <FormField label="Name" constraintText="Letters, digits, - _ .">
            <Input value={draft.name} onChange={({ detail }) => set({ name: detail.value })} autoFocus />
          </FormField>
          <FormField label="Group">
            <Select selectedOption={{ value: draft.group, label: draft.group }} options={(groups.data ?? ['default']).map((value) => ({ value, label: value }))} onChange={({ detail }) => set({ group: detail.selectedOption.value ?? 'default' })} />
          </FormField>
        </ColumnLayout>
      )}
      <ColumnLayout columns={2}>
        <WhenField value={draft.expression} onChange={(expression) => set({ expression })} zone={draft.zone} once />
        <SpaceBetween size="m">
          <FormField label="Time zone" description="Of cron and at; daylight saving is taken into account.">
            <Select selectedOption={{ value: draft.zone, label: draft.zone }} options={ZONES} filteringType="auto" virtualScroll filteringAriaLabel="Find time zones" onChange={({ detail }) => set({ zone: detail.selectedOption.value ?? 'UTC' })} />
          </FormField>
          {once && (
            <Toggle checked={draft.once} onChange={({ detail }) => set({ once: detail.checked })}>
              Delete it when it has fired
            </Toggle>
          )}
        </SpaceBetween>
      </ColumnLayout>
      <ColumnLayout columns={2}>
        <TargetField of="schedule" value={draft.target} onChange={(target, input) => set({ target, ...(input === undefined ? {} : { input }) })} />
        <RoleField service="scheduler.amazonaws.com" value={draft.role} onChange={(role) => set({ role })} />
      </ColumnLayout>
      <FormField label="Input" description="What the target is given; <aws.scheduler.scheduled-time> stands for the time it was due at." stretch>
        <CodeEditor label="Input of the target" language="json" value={draft.input} onChange={(input) => set({ input })} minHeight={90} />
      </FormField>
      <ExpandableSection headerText="More" variant="footer">
        <SpaceBetween size="m">
          <FormField label="Description">
            <Input value={draft.description} onChange={({ detail }) => set({ description: detail.value })} />
          </FormField>
          <ColumnLayout columns={3}>
            <FormField label="Flexible window (minutes)" constraintText="0 fires on time">
              <Input type="number" value={draft.window} onChange={({ detail }) => set({ window: detail.value })} />
            </FormField>
            <FormField label="Retries" constraintText="0 to 185">
              <Input type="number" value={draft.attempts} onChange={({ detail }) => set({ attempts: detail.value })} />
            </FormField>
            <FormField label="Give up after (seconds)" constraintText="60 to 86400">
              <Input type="number" value={draft.age} onChange={({ detail }) => set({ age: detail.value })} />
            </FormField>
            <FormField label="Begins" constraintText="Such as 2026-03-01T00:00:00Z" errorText={problemOfMoment(draft.begins)}>
              <Input value={draft.begins} placeholder="At once" onChange={({ detail }) => set({ begins: detail.value })} />
            </FormField>
            <FormField label="Ends" constraintText="Such as 2026-12-31T00:00:00Z" errorText={problemOfMoment(draft.ends)}>
              <Input value={draft.ends} placeholder="Never" onChange={({ detail }) => set({ ends: detail.value })} />
            </FormField>
            <FormField label="State">
              <Toggle checked={draft.enabled} onChange={({ detail }) => set({ enabled: detail.checked })}>
                Enabled
              </Toggle>
            </FormField>
          </ColumnLayout>
        </SpaceBetween>
      </ExpandableSection>
    </FormDialog>
  );
}
