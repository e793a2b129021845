/** Publishes a layer, or the next version of one, from a zip. */
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import { useState } from 'react';

import { publishLayer } from '../../aws/lambda-settings';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { invalidate } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';
import { base64 } from './archive';
import { layerHref } from './hrefs';
import { RUNTIMES, runtimeLabel } from './starters';
import { ZipField, contentOf, unfit } from './UploadCode';

export function PublishLayer({ name: given, onClose }: { name?: string; onClose: () => void }) {
  const [name, setName] = useState(given ?? '');
  const [description, setDescription] = useState('');
  const [runtimes, setRuntimes] = useState<readonly string[]>([]);
  const [file, setFile] = useState<File>();
  const ready = /^[a-zA-Z0-9-_]{1,140}$/.test(name) && file !== undefined && unfit(file) === undefined;
  const publish = useDeed(async () => {
    if (!file) return;
    const made = await publishLayer(name, base64(await contentOf(file)), description, runtimes);
    invalidate('lambda/');
    notify('success', `Version ${made.Version} of ${name} is published`);
    onClose();
    navigate(layerHref(name));
  }, ready);
  return (
    <FormDialog title={given ? `Publish a version of ${given}` : 'Publish a layer'} action="Publish" deed={publish} ready={ready} failed="The layer was not published" onClose={onClose}>
      <FormField label="Name" constraintText="Letters, digits, - and _">
        <Input value={name} disabled={given !== undefined} onChange={({ detail }) => setName(detail.value)} autoFocus={given === undefined} />
      </FormField>
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <FormField label="Runtimes" constraintText="For which it is meant; it is not enforced.">
        <Multiselect
          selectedOptions={runtimes.map((value) => ({ value, label: runtimeLabel(value) }))}
          options={RUNTIMES}
          placeholder="All"
          onChange={({ detail }) => setRuntimes(detail.selectedOptions.flatMap(({ value }) => (value === undefined ? [] : [value])))}
        />
      </FormField>
      <ZipField file={file} onChange={setFile} />
    </FormDialog>
  );
}
