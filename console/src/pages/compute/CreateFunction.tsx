/** Makes a function: of a first file that is packed here, or of a zip. */
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { createFunction } from '../../aws/lambda';
import { CodeEditor } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { functionHref } from '../../lib/links';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';
import { base64, pack, writeArchive } from './archive';
import { languageOf } from './code';
import { NEW_ROLE, RoleField } from './RoleField';
import { createLogRole } from './roles';
import { RUNTIMES, starterOf } from './starters';
import { ZipField, contentOf, unfit } from './UploadCode';

export function CreateFunction({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [runtime, setRuntime] = useState('python3.12');
  const [source, setSource] = useState<'starter' | 'zip'>('starter');
  const [text, setText] = useState<string>();
  const [zip, setZip] = useState<File>();
  const [handler, setHandler] = useState<string>();
  const [role, setRole] = useState(NEW_ROLE);
  const starter = starterOf(runtime);
  const packs = starter !== undefined && source === 'starter';
  const wanted = handler ?? starter?.handler ?? 'bootstrap';
  const named = /^[a-zA-Z0-9-_]{1,64}$/.test(name);
  const ready = named && role !== '' && wanted !== '' && (packs || (zip !== undefined && unfit(zip) === undefined));
  const archive = async () => {
    if (!packs || !starter) return zip ? contentOf(zip) : new Uint8Array();
    return writeArchive([await pack(starter.file, new TextEncoder().encode(text ?? starter.text))]);
  };
  const save = useDeed(async () => {
    const ZipFile = base64(await archive());
    let Role = role;
    if (role === NEW_ROLE) {
      Role = await createLogRole(`${name}-role`);
      // What comes after it may fail and be tried again, with the role that is there now.
      setRole(Role);
      invalidate('iam/');
    }
    await createFunction({ FunctionName: name, Runtime: runtime, Role, Handler: wanted, Code: { ZipFile } });
    invalidate('lambda/');
    notify('success', `${name} is created`);
    navigate(functionHref(name));
  }, ready);
  const choose = (next: string) => {
    setRuntime(next);
    setText(undefined);
    setHandler(undefined);
  };
  return (
    <FormDialog title="Create a function" action="Create" size="large" deed={save} ready={ready} failed="The function was not created" onClose={onClose}>
      <ColumnLayout columns={2}>
        <FormField label="Name" constraintText="Letters, digits, - and _" errorText={name && !named ? 'At most 64 letters, digits, - and _' : undefined}>
          <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
        </FormField>
        <RoleField value={role} onChange={setRole} make={`${name || 'NAME'}-role`} />
        <FormField label="Runtime" constraintText="Python and Node.js run on this machine's own version.">
          <Select selectedOption={RUNTIMES.flatMap(({ options }) => options).find(({ value }) => value === runtime) ?? null} options={RUNTIMES} onChange={({ detail }) => choose(detail.selectedOption.value ?? runtime)} />
        </FormField>
        <FormField label="Handler" constraintText={starter ? 'FILE.FUNCTION, without the ending of the file' : 'Any text: the archive\'s own bootstrap is run'}>
          <Input value={wanted} onChange={({ detail }) => setHandler(detail.value)} />
        </FormField>
      </ColumnLayout>
      {starter && (
        <SegmentedControl
          label="Code"
          selectedId={source}
          onChange={({ detail }) => setSource(detail.selectedId as 'starter' | 'zip')}
          options={[
            { id: 'starter', text: 'A first file' },
            { id: 'zip', text: 'A zip archive' },
          ]}
        />
      )}
      {packs && starter ? (
        <CodeEditor key={starter.file} label={starter.file} language={languageOf(starter.file)} value={text ?? starter.text} onChange={setText} height={190} />
      ) : (
        <ZipField file={zip} onChange={setZip} {...(starter ? {} : { label: 'Zip archive with an executable bootstrap' })} />
      )}
    </FormDialog>
  );
}
