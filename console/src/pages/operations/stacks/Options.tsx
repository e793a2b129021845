/** What may be said of a stack beside its template: tags, as whom it is made, what happens when that fails. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { StackTag } from '../../../aws/cloudformation';
import { listRoles } from '../../../aws/iam';
import { useLive } from '../../../lib/live';
import type { Draft } from './drafts';

/** Tags that a stack may have. */
const MOST_TAGS = 50;

const FAILURES = [
  { value: 'ROLLBACK', label: 'Remove what was made' },
  { value: 'DO_NOTHING', label: 'Leave what was made, to look at it' },
  { value: 'DELETE', label: 'Delete the stack' },
];

export function Options({ draft, onChange, isNew }: { draft: Draft; onChange: (part: Partial<Draft>) => void; isNew: boolean }) {
  return (
    <SpaceBetween size="l">
      <FormField label="Tags" description="The resources get them too, where their services know tags.">
        <TagFields tags={draft.tags} onChange={(tags) => onChange({ tags })} />
      </FormField>
      <RoleField value={draft.role} onChange={(role) => onChange({ role })} />
      {isNew && (
        <FormField label="When the creation fails">
          <Select
            options={FAILURES}
            selectedOption={FAILURES.find(({ value }) => value === draft.onFailure) ?? null}
            onChange={({ detail }) => onChange({ onFailure: detail.selectedOption.value ?? 'ROLLBACK' })}
          />
        </FormField>
      )}
    </SpaceBetween>
  );
}

function TagFields({ tags, onChange }: { tags: readonly StackTag[]; onChange: (tags: StackTag[]) => void }) {
  const change = (at: number, part: Partial<StackTag>) => onChange(tags.map((tag, place) => (place === at ? { ...tag, ...part } : tag)));
  return (
    <SpaceBetween size="xs">
      {tags.map((tag, at) => (
        <div className="bh-pair-form" key={at}>
          <Input ariaLabel={`Key ${at + 1}`} placeholder="Key" value={tag.key} onChange={({ detail }) => change(at, { key: detail.value })} />
          <Input ariaLabel={`Value ${at + 1}`} placeholder="Value" value={tag.value} onChange={({ detail }) => change(at, { value: detail.value })} />
          <Button iconName="remove" variant="icon" formAction="none" ariaLabel={`Remove tag ${at + 1}`} onClick={() => onChange(tags.filter((_, place) => place !== at))} />
        </div>
      ))}
      {tags.length < MOST_TAGS && (
        <Button iconName="add-plus" formAction="none" onClick={() => onChange([...tags, { key: '', value: '' }])}>
          Add tag
        </Button>
      )}
    </SpaceBetween>
  );
}

function RoleField({ value, onChange }: { value: string; onChange: (role: string) => void }) {
  const roles = useLive('iam/roles', () => listRoles());
  const nobody = { value: '', label: 'Whoever executes the changes' };
  const trusting = (roles.data ?? []).filter(({ trust }) => trust.includes('cloudformation.amazonaws.com'));
  const options = [nobody, ...trusting.map(({ arn, name, description }) => ({ value: arn, label: name, ...(description ? { description } : {}) }))];
  return (
    <FormField label="Made as" description="A role that trusts cloudformation.amazonaws.com; the resources are made with its permissions." errorText={roles.error?.message}>
      <Select
        options={options}
        selectedOption={options.find((one) => one.value === value) ?? { value, label: value }}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
        statusType={roles.loading ? 'loading' : 'finished'}
      />
    </FormField>
  );
}
