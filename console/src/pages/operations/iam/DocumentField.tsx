/** The field of a policy document in a form: the editor, and what is wrong in it, by line. */
import FormField from '@cloudscape-design/components/form-field';
import { type ReactNode, useMemo } from 'react';

import { CodeEditor } from '../../../lib/editor';
import { jsonProblems } from '../../../lib/json';

export interface DocumentFieldProps {
  label: string;
  description?: ReactNode;
  value: string;
  onChange: (value: string) => void;
  onRun?: () => void;
  height?: number | string;
}

export function DocumentField({ label, description, value, onChange, onRun, height = 260 }: DocumentFieldProps) {
  const problems = useMemo(() => jsonProblems(value), [value]);
  const [first] = problems;
  return (
    <FormField label={label} description={description} errorText={first && `Line ${first.line}: ${first.message}`} stretch>
      <CodeEditor label={label} language="json" value={value} onChange={onChange} problems={problems} height={height} {...(onRun ? { onRun } : {})} />
    </FormField>
  );
}
