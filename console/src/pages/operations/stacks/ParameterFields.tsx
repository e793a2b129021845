/** A field for each parameter that a template declares. */
import Autosuggest from '@cloudscape-design/components/autosuggest';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type { DeclaredParameter, Stack } from '../../../aws/cloudformation';
import { type Draft, keepsSecret, presentValue } from './drafts';

export interface ParameterFieldsProps {
  declared: readonly DeclaredParameter[];
  draft: Draft;
  stack: Stack | undefined;
  problems: Record<string, string>;
  onChange: (parameters: Record<string, string>) => void;
}

export function ParameterFields({ declared, draft, stack, problems, onChange }: ParameterFieldsProps) {
  return (
    <Container header={<Header variant="h2" description="What the template leaves open.">Parameters</Header>}>
      <SpaceBetween size="l">
        {declared.map((parameter) => (
          <FormField
            key={parameter.key}
            label={parameter.key}
            description={parameter.description}
            errorText={problems[parameter.key]}
            constraintText={hintOf(parameter)}
          >
            <Field
              parameter={parameter}
              value={draft.parameters[parameter.key] ?? presentValue(parameter, stack)}
              kept={keepsSecret(parameter, stack)}
              onChange={(value) => onChange({ ...draft.parameters, [parameter.key]: value })}
            />
          </FormField>
        ))}
      </SpaceBetween>
    </Container>
  );
}

const isList = (type: string) => type === 'CommaDelimitedList' || type.startsWith('List<');

function hintOf({ type }: DeclaredParameter): string | undefined {
  if (isList(type)) return 'Several, with commas between them.';
  return type === 'String' ? undefined : type;
}

interface FieldProps {
  parameter: DeclaredParameter;
  value: string;
  /** Whether the stack has a value that nobody may see. */
  kept: boolean;
  onChange: (value: string) => void;
}

function Field({ parameter, value, kept, onChange }: FieldProps) {
  const { allowed, noEcho, type } = parameter;
  const options = allowed.map((one) => ({ value: one, label: one || '(empty)' }));
  if (allowed.length > 0 && isList(type)) {
    return <Autosuggest value={value} options={options} onChange={({ detail }) => onChange(detail.value)} enteredTextLabel={(text) => text} empty="" />;
  }
  if (allowed.length > 0) {
    return (
      <Select
        selectedOption={options.find((one) => one.value === value) ?? null}
        options={options}
        placeholder="Choose one"
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
      />
    );
  }
  return (
    <Input
      value={value}
      type={noEcho ? 'password' : 'text'}
      inputMode={type === 'Number' ? 'decimal' : 'text'}
      placeholder={kept ? 'As it is' : ''}
      autoComplete={false}
      onChange={({ detail }) => onChange(detail.value)}
    />
  );
}
