/** Where a template comes from: typed or pasted, from a file, or an object of S3; and what the server says of it. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FileDropzone, { useFilesDragging } from '@cloudscape-design/components/file-dropzone';
import FileInput from '@cloudscape-design/components/file-input';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { CodeEditor } from '../../../lib/editor';
import { bytes, count } from '../../../lib/format';
import { type Draft, EXAMPLE, MOST_BYTES, size } from './drafts';
import { isJson } from './references';
import type { Checked } from './useTemplate';

export interface TemplateFieldProps {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
  checked: Checked;
  problem: string | undefined;
}

export function TemplateField({ draft, onChange, checked, problem }: TemplateFieldProps) {
  const { areFilesDragging } = useFilesDragging();
  const take = async ([file]: readonly File[]) => {
    if (file) onChange({ template: await file.text(), inS3: false });
  };
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {draft.template === '' && !draft.inS3 && <Button formAction="none" onClick={() => onChange({ template: EXAMPLE })}>Begin with an example</Button>}
              <FileInput value={[]} accept=".yaml,.yml,.json,.template,.txt" ariaLabel="Choose a template file" onChange={({ detail }) => void take(detail.value)}>
                Choose a file
              </FileInput>
            </SpaceBetween>
          }
        >
          Template
        </Header>
      }
    >
      <SpaceBetween size="s">
        <SegmentedControl
          label="Where the template is"
          selectedId={draft.inS3 ? 's3' : 'text'}
          onChange={({ detail }) => onChange({ inS3: detail.selectedId === 's3' })}
          options={[
            { id: 'text', text: 'Text' },
            { id: 's3', text: 'Object in S3' },
          ]}
        />
        {draft.inS3 ? (
          <FormField label="Address of the object" description="s3://bucket/key, or its URL: for templates of up to 1 MB.">
            <Input value={draft.url} onChange={({ detail }) => onChange({ url: detail.value })} placeholder="s3://templates/lake.yaml" autoComplete={false} />
          </FormField>
        ) : areFilesDragging ? (
          <FileDropzone onChange={({ detail }) => void take(detail.value)}>Drop the template here</FileDropzone>
        ) : (
          <CodeEditor
            label="Template"
            language={isJson(draft.template) ? 'json' : 'yaml'}
            value={draft.template}
            onChange={(template) => onChange({ template })}
            placeholder={'Resources:\n  Landing:\n    Type: AWS::S3::Bucket'}
            height={380}
          />
        )}
        <Verdict draft={draft} checked={checked} problem={problem} />
      </SpaceBetween>
    </Container>
  );
}

function Verdict({ draft, checked, problem }: { draft: Draft; checked: Checked; problem: string | undefined }) {
  const tooLarge = !draft.inS3 && size(draft.template) > MOST_BYTES;
  if (tooLarge) {
    return (
      <StatusIndicator type="error">
        {bytes(size(draft.template))}: a template of more than {count(MOST_BYTES)} bytes must be an object in S3.
      </StatusIndicator>
    );
  }
  switch (checked.state) {
    case 'none':
      return problem ? <StatusIndicator type="error">{problem}</StatusIndicator> : <StatusIndicator type="pending">YAML or JSON; it is checked while you write.</StatusIndicator>;
    case 'asking':
      return <StatusIndicator type="loading">Checking</StatusIndicator>;
    case 'invalid':
      return (
        <StatusIndicator type="error">
          <span className="bh-wrap">{checked.error?.message}</span>
        </StatusIndicator>
      );
    case 'valid': {
      const types = checked.summary?.resourceTypes ?? [];
      return (
        <StatusIndicator type="success">
          Valid: {types.slice(0, 6).join(', ')}
          {types.length > 6 && ` and ${types.length - 6} more types`}
        </StatusIndicator>
      );
    }
  }
}
