/** Takes a zip as a function's whole code. */
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import { useState } from 'react';

import { FormDialog, useDeed } from '../../lib/form-dialog';
import { bytes } from '../../lib/format';
import { notify } from '../../lib/notify';
import { replaceCode } from './code';
import { NO_DRAFT, setDraft } from './draft';

/** What goes with a request ("Lambda quotas"). */
const LARGEST = 52_428_800;

/** Why a file can't be sent as an archive. */
export function unfit(file: File | undefined): string | undefined {
  if (!file) return undefined;
  if (!/\.(zip|jar)$/i.test(file.name)) return 'A zip archive';
  return file.size > LARGEST ? `At most ${bytes(LARGEST)}; larger archives come from a bucket` : undefined;
}

export const contentOf = async (file: File) => new Uint8Array(await file.arrayBuffer());

export function ZipField({ file, onChange, label = 'Zip archive' }: { file: File | undefined; onChange: (file: File | undefined) => void; label?: string }) {
  return (
    <FormField label={label} errorText={unfit(file)}>
      <FileUpload
        accept=".zip,.jar"
        value={file ? [file] : []}
        onChange={({ detail }) => onChange(detail.value[0])}
        showFileSize
        constraintText="Its files become those of the function, with their permissions."
        i18nStrings={{ uploadButtonText: () => 'Choose a file', dropzoneText: () => 'Drop the file here', removeFileAriaLabel: () => 'Remove the file', limitShowFewer: 'Fewer', limitShowMore: 'More', errorIconAriaLabel: 'Error', warningIconAriaLabel: 'Warning' }}
      />
    </FormField>
  );
}

export function UploadCode({ name, onClose }: { name: string; onClose: () => void }) {
  const [file, setFile] = useState<File>();
  const ready = file !== undefined && unfit(file) === undefined;
  const send = useDeed(async () => {
    if (!file) return;
    await replaceCode(name, await contentOf(file));
    setDraft(name, NO_DRAFT);
    notify('success', `The code of ${name} is that of ${file.name}`);
    onClose();
  }, ready);
  return (
    <FormDialog title={`Upload the code of ${name}`} action="Deploy" deed={send} ready={ready} failed="The code was not deployed" onClose={onClose}>
      It takes the place of all files that are there now, and of what you have changed.
      <ZipField file={file} onChange={setFile} />
    </FormDialog>
  );
}
