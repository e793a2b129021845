/** The code of a function: its files, to be read, changed and deployed. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useCallback, useEffect, useMemo, useState } from 'react';

import type { FunctionConfiguration } from '../../aws/lambda';
import { CodeEditor } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { bytes, count } from '../../lib/format';
import { type Live } from '../../lib/live';
import { notify } from '../../lib/notify';
import { useParam } from '../../lib/router';
import { Empty, ErrorBox, Loading, Shown } from '../../lib/states';
import { unpack } from './archive';
import { type Code, deploy, handlerFile, languageOf, save, textOf, useCode } from './code';
import { type Draft, NO_DRAFT, edited, isDirty, pathsOf, setDraft, useDraft, without, wrongPath } from './draft';
import { FileTree } from './FileTree';
import { UploadCode } from './UploadCode';

const HEIGHT = 'max(360px, calc(100vh - 400px))';

export function CodeTab({ config }: { config: FunctionConfiguration }) {
  const code = useCode(config.FunctionName);
  return (
    <Shown live={code} what="The code can't be shown">
      {(read) => <Workspace config={config} code={read} live={code} />}
    </Shown>
  );
}

function Workspace({ config, code, live }: { config: FunctionConfiguration; code: Code; live: Live<Code> }) {
  const name = config.FunctionName;
  const draft = useDraft(name);
  const paths = useMemo(() => pathsOf(code.files, draft), [code, draft]);
  const [wanted, setWanted] = useParam('file');
  const [, setLine] = useParam('line');
  const chosen = paths.includes(wanted) ? wanted : handlerFile(paths, config.Handler);
  const [dialog, setDialog] = useState<'add' | 'upload'>();
  const saving = useDeed(async () => {
    await deploy(name, code);
    notify('success', `The new code of ${name} is deployed`);
  }, isDirty(draft));
  const choose = (path: string) => {
    setLine('');
    setWanted(path);
  };
  const more = (id: string) => {
    if (id === 'upload') setDialog('upload');
    else if (id === 'zip') save(code.bytes, `${name}.zip`);
    else if (id === 'read') void live.refresh();
    else if (chosen && id === 'remove') setDraft(name, without(draft, chosen, code.files.some(({ path }) => path === chosen)));
    else if (chosen) void saveFile(code, draft, chosen);
  };
  return (
    <SpaceBetween size="s">
      <div className="bh-codebar">
        <span className="bh-soft">
          {count(paths.length)} {paths.length === 1 ? 'file' : 'files'}, {bytes(code.bytes.length)} packed · CodeSha256 <span className="bh-code bh-sha" title={code.sha}>{code.sha}</span>
        </span>
        <SpaceBetween direction="horizontal" size="xs">
          <Button iconName="add-plus" onClick={() => setDialog('add')}>
            New file
          </Button>
          <ButtonDropdown
            items={[
              { id: 'upload', text: 'Upload a zip…' },
              { id: 'zip', text: 'Download the zip' },
              { id: 'file', text: 'Download this file', disabled: !chosen },
              { id: 'remove', text: 'Remove this file', disabled: !chosen },
              { id: 'read', text: 'Read again' },
            ]}
            onItemClick={({ detail }) => more(detail.id)}
          >
            More
          </ButtonDropdown>
          <Button disabled={!isDirty(draft)} onClick={() => setDraft(name, NO_DRAFT)}>
            Discard
          </Button>
          <Button variant="primary" disabled={!isDirty(draft)} loading={saving.busy} onClick={() => void saving.run()}>
            Deploy
          </Button>
        </SpaceBetween>
      </div>
      {saving.error && <ErrorBox error={saving.error} what="The code was not deployed" />}
      {config.CodeSha256 !== code.sha && (
        <Alert type="warning" action={<Button onClick={() => void live.refresh()}>Read again</Button>}>
          Other code has been deployed since this was read. Files that you have changed stay as you made them.
        </Alert>
      )}
      <Changes draft={draft} />
      <div className="bh-workspace">
        <FileTree paths={paths} draft={draft} chosen={chosen} onChoose={choose} />
        {chosen ? (
          <File key={`${chosen} ${code.sha}`} name={name} code={code} draft={draft} path={chosen} onDeploy={() => void saving.run()} />
        ) : (
          <Empty title="No files">The archive is empty: add a file, or upload a zip.</Empty>
        )}
      </div>
      {dialog === 'add' && <AddFile name={name} draft={draft} paths={paths} onAdded={choose} onClose={() => setDialog(undefined)} />}
      {dialog === 'upload' && <UploadCode name={name} onClose={() => setDialog(undefined)} />}
    </SpaceBetween>
  );
}

function Changes({ draft: { changed, removed } }: { draft: Draft }) {
  if (changed.size === 0 && removed.size === 0) return null;
  const said = [changed.size > 0 && `${[...changed.keys()].join(', ')} changed`, removed.size > 0 && `${[...removed].join(', ')} removed`];
  return <Alert type="info">Not deployed yet: {said.filter(Boolean).join('; ')}. Invocations still run the code from before.</Alert>;
}

async function saveFile(code: Code, draft: Draft, path: string): Promise<void> {
  const text = draft.changed.get(path);
  const file = code.files.find((one) => one.path === path);
  const content = text === undefined ? file && (await unpack(file)) : new TextEncoder().encode(text);
  if (content) save(content, path.split('/').at(-1) ?? path);
}

interface FileProps {
  name: string;
  code: Code;
  draft: Draft;
  path: string;
  onDeploy: () => void;
}

function File({ name, code, draft, path, onDeploy }: FileProps) {
  const file = code.files.find((one) => one.path === path);
  const [read, setRead] = useState<{ text: string } | { reason: string } | undefined>(file ? undefined : { text: '' });
  const [line, setLine] = useParam('line');
  useEffect(() => {
    let gone = false;
    if (file) void textOf(file).then((found) => !gone && setRead(found));
    return () => {
      gone = true;
    };
  }, [file]);
  const change = useCallback(
    (text: string) => {
      setLine('');
      setDraft(name, edited(draft, path, text, file && read && 'text' in read ? read.text : undefined));
    },
    [name, draft, path, file, read, setLine],
  );
  const problems = useMemo(() => (line ? [{ line: Number(line), column: 1, endColumn: 1_000, message: 'The error came from this line.' }] : []), [line]);
  if (!read) return <Loading text="Unpacking the file" />;
  if ('reason' in read) {
    return (
      <Empty title={path} action={<Button onClick={() => void saveFile(code, draft, path)}>Download the file</Button>}>
        {read.reason} {bytes(file?.size)}.
      </Empty>
    );
  }
  return (
    <CodeEditor
      label={path}
      language={languageOf(path)}
      value={draft.changed.get(path) ?? read.text}
      onChange={change}
      onRun={onDeploy}
      problems={problems}
      line={line ? Number(line) : undefined}
      height={HEIGHT}
    />
  );
}

interface AddFileProps {
  name: string;
  draft: Draft;
  paths: readonly string[];
  onAdded: (path: string) => void;
  onClose: () => void;
}

function AddFile({ name, draft, paths, onAdded, onClose }: AddFileProps) {
  const [path, setPath] = useState('');
  const wrong = wrongPath(path, paths);
  const add = useDeed(async () => {
    setDraft(name, edited(draft, path, '', undefined));
    onAdded(path);
    onClose();
  }, !wrong);
  return (
    <FormDialog title="New file" action="Add" deed={add} ready={!wrong} onClose={onClose}>
      <FormField label="Path" constraintText="Folders come with their files: lib/helper.py" errorText={path ? wrong : undefined}>
        <Input value={path} onChange={({ detail }) => setPath(detail.value)} onKeyDown={({ detail }) => detail.key === 'Enter' && void add.run()} autoFocus />
      </FormField>
    </FormDialog>
  );
}
