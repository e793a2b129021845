/** A document as JSON: to read, and to change in an editor. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { ConfirmDelete } from '../../lib/confirm';
import { CodeEditor, JsonView } from '../../lib/editor';
import { prettyJson } from '../../lib/format';
import { jsonProblems } from '../../lib/json';
import { notify } from '../../lib/notify';
import { ErrorBox } from '../../lib/states';

export interface JsonFormProps {
  title: string;
  description: ReactNode;
  /** Empty where there is no such document. */
  value: string;
  /** What an editor begins with where there is none. */
  example: string;
  /** In place of the JSON, for people. */
  children?: ReactNode;
  onSave: (text: string) => Promise<unknown>;
  onDelete: () => Promise<unknown>;
  /** What deleting it means. */
  deletion?: ReactNode;
}

export function JsonForm({ title, description, value, example, children, onSave, onDelete, deletion }: JsonFormProps) {
  const [text, setText] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const [asked, setAsked] = useState(false);
  const problems = text === undefined ? [] : jsonProblems(text);
  const save = async () => {
    if (text === undefined || problems.length > 0) return;
    setBusy(true);
    setError(undefined);
    try {
      await onSave(text);
      notify('success', `${title}: saved`);
      setText(undefined);
    } catch (failed) {
      setError(asAwsError(failed));
    } finally {
      setBusy(false);
    }
  };
  const cancel = () => {
    setText(undefined);
    setError(undefined);
  };
  const edit = (
    <SpaceBetween direction="horizontal" size="xs">
      {value !== '' && (
        <Button onClick={() => setAsked(true)} ariaLabel={`Delete: ${title}`}>
          Delete
        </Button>
      )}
      <Button onClick={() => setText(prettyJson(value || example))} ariaLabel={`${value === '' ? 'Add' : 'Edit'}: ${title}`}>
        {value === '' ? 'Add' : 'Edit'}
      </Button>
    </SpaceBetween>
  );
  const finish = (
    <SpaceBetween direction="horizontal" size="xs">
      <Button variant="link" onClick={cancel}>
        Cancel
      </Button>
      <Button variant="primary" loading={busy} disabled={problems.length > 0} onClick={() => void save()}>
        Save
      </Button>
    </SpaceBetween>
  );
  return (
    <Container header={<Header variant="h2" description={description} actions={text === undefined ? edit : finish}>{title}</Header>}>
      <SpaceBetween size="m">
        {error && <ErrorBox error={error} what="It was not saved" />}
        {text !== undefined ? (
          <CodeEditor label={title} language="json" value={text} onChange={setText} onRun={() => void save()} problems={problems} minHeight={220} />
        ) : (
          (children ?? (value === '' ? <span className="bh-soft">There is none.</span> : <JsonView label={title} value={value} />))
        )}
      </SpaceBetween>
      {asked && (
        <ConfirmDelete
          what={title.toLowerCase()}
          onClose={() => setAsked(false)}
          onConfirm={async () => {
            await onDelete();
            notify('success', `${title}: deleted`);
          }}
        >
          {deletion ?? <Alert type="warning">This can't be undone.</Alert>}
        </ConfirmDelete>
      )}
    </Container>
  );
}
