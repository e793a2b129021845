/** The fields of a crawler's form. */
import Autosuggest from '@cloudscape-design/components/autosuggest';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';

import type { Database } from '../../aws/glue';
import { classifierNames } from '../../aws/glue-crawlers';
import { listRoles } from '../../aws/iam';
import { listBuckets } from '../../aws/s3';
import { useLive } from '../../lib/live';
import { pathProblem, trustsGlue } from './crawls';
import './catalogue.css';

/** Stands for a role that is made with the crawler. */
export const NEW_ROLE = 'new';

interface FieldProps<T> {
  onChange: (value: T) => void;
  error: string | undefined;
}

export function TargetsField({ paths, onChange, error }: FieldProps<string[]> & { paths: readonly string[] }) {
  const buckets = useLive('s3/buckets', () => listBuckets());
  const set = (at: number, path: string) => onChange(paths.map((old, place) => (place === at ? path : old)));
  return (
    <SpaceBetween size="s">
      {paths.map((path, at) => (
        <FormField
          key={at}
          label={at === 0 ? 'Target' : `Target ${at + 1}`}
          description={at === 0 ? 'A folder in S3. What is in it, and in each folder below, becomes a table or its partitions.' : undefined}
          errorText={pathProblem(path) && error}
          stretch
        >
          <div className="bh-place">
            <Autosuggest
              value={path}
              onChange={({ detail }) => set(at, detail.value)}
              placeholder="s3://bucket/folder/"
              enteredTextLabel={(text) => text}
              options={(buckets.data ?? []).map(({ name }) => ({ value: `s3://${name}/` }))}
              empty="No buckets yet"
            />
            {paths.length > 1 && <Button iconName="remove" variant="icon" formAction="none" ariaLabel={`Remove target ${at + 1}`} onClick={() => onChange(paths.filter((_, place) => place !== at))} />}
          </div>
        </FormField>
      ))}
      <Button iconName="add-plus" formAction="none" onClick={() => onChange([...paths, ''])}>
        Add a target
      </Button>
    </SpaceBetween>
  );
}

export function DatabaseField({ value, known, onChange, error }: FieldProps<string> & { value: string; known: readonly Database[] }) {
  const isNew = value !== '' && !known.some(({ Name }) => Name === value);
  return (
    <FormField label="Database" description="Where its tables go." errorText={error} constraintText={isNew ? 'There is no such database: it will be created.' : undefined}>
      <Autosuggest
        value={value}
        onChange={({ detail }) => onChange(detail.value)}
        placeholder="flights"
        enteredTextLabel={(text) => text}
        options={known.map(({ Name, Description }) => ({ value: Name, ...(Description ? { description: Description } : {}) }))}
        empty="No databases yet: type a name"
      />
    </FormField>
  );
}

export function RoleField({ value, onChange, error }: FieldProps<string> & { value: string }) {
  const roles = useLive('iam/roles', () => listRoles());
  const options = [
    { value: NEW_ROLE, label: 'Create a role for this crawler', description: 'It may read the targets and write the catalogue, nothing else' },
    ...(roles.data ?? []).filter(({ trust }) => trustsGlue(trust)).map(({ arn, name, description }) => ({ value: arn, label: name, ...(description ? { description } : {}) })),
  ];
  // A role that has just been made may not be in the list yet.
  const chosen = options.find((option) => option.value === value) ?? (value ? { value, label: value } : null);
  return (
    <FormField label="Role" description="Whom it acts as; roles that trust glue.amazonaws.com." errorText={error ?? (roles.error && `${roles.error.code}: ${roles.error.message}`)}>
      <Select selectedOption={chosen} options={options} onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')} filteringType="auto" filteringAriaLabel="Find roles" statusType={roles.loading ? 'loading' : 'finished'} />
    </FormField>
  );
}

export interface Choices {
  update: string;
  remove: string;
  prefix: string;
  classifiers: string[];
  /** A pattern in each line. */
  exclusions: string;
}

const UPDATES = [
  { value: 'UPDATE_IN_DATABASE', label: 'Update the table' },
  { value: 'LOG', label: 'Leave the table' },
];
const REMOVALS = [
  { value: 'DEPRECATE_IN_DATABASE', label: 'Mark the table as deprecated' },
  { value: 'DELETE_FROM_DATABASE', label: 'Delete the table from the catalogue' },
  { value: 'LOG', label: 'Leave the table' },
];

export function Advanced({ value, onChange }: { value: Choices; onChange: (value: Choices) => void }) {
  const classifiers = useLive('glue/classifiers', () => classifierNames());
  const option = (name: string) => ({ value: name, label: name });
  return (
    <SpaceBetween size="l">
      <FormField label="Prefix of table names" description="Optional">
        <Input value={value.prefix} onChange={({ detail }) => onChange({ ...value, prefix: detail.value })} placeholder="raw_" />
      </FormField>
      <FormField label="When a schema changes">
        <Select selectedOption={UPDATES.find((one) => one.value === value.update) ?? null} options={UPDATES} onChange={({ detail }) => onChange({ ...value, update: detail.selectedOption.value ?? '' })} />
      </FormField>
      <FormField label="When files are gone">
        <Select selectedOption={REMOVALS.find((one) => one.value === value.remove) ?? null} options={REMOVALS} onChange={({ detail }) => onChange({ ...value, remove: detail.selectedOption.value ?? '' })} />
      </FormField>
      <FormField label="Exclusions" description="Glob patterns of keys below a target that are left out, one in each line.">
        <Textarea value={value.exclusions} rows={2} onChange={({ detail }) => onChange({ ...value, exclusions: detail.value })} placeholder="**.tmp" />
      </FormField>
      {(classifiers.data?.length ?? 0) > 0 && (
        <FormField label="Classifiers" description="Asked before the built-in ones.">
          <Multiselect selectedOptions={value.classifiers.map(option)} options={(classifiers.data ?? []).map(option)} onChange={({ detail }) => onChange({ ...value, classifiers: detail.selectedOptions.flatMap((one) => one.value ?? []) })} placeholder="Choose classifiers" />
        </FormField>
      )}
    </SpaceBetween>
  );
}
