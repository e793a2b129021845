/** Chooses the layers of a function, in their order. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { type FunctionConfiguration, updateConfiguration } from '../../aws/lambda';
import { listLayerVersions, listLayers } from '../../aws/lambda-settings';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { useLive } from '../../lib/live';

const MOST = 5;

const nameOf = (arn: string) => {
  const [name = '', version = ''] = arn.split(':').slice(-2);
  return `${name}, version ${version}`;
};

/** The versions of all layers. */
async function allVersions(): Promise<string[]> {
  const layers = await listLayers();
  const versions = await Promise.all(layers.map(({ LayerName }) => listLayerVersions(LayerName)));
  return versions.flat().map(({ LayerVersionArn }) => LayerVersionArn);
}

interface LayersFormProps {
  config: FunctionConfiguration;
  onSaved: () => void;
  onClose: () => void;
}

export function LayersForm({ config, onSaved, onClose }: LayersFormProps) {
  const [chosen, setChosen] = useState<readonly string[]>((config.Layers ?? []).map(({ Arn }) => Arn));
  const known = useLive('lambda/layer-versions', () => allVersions());
  const save = useDeed(async () => {
    await updateConfiguration(config.FunctionName, { Layers: chosen, RevisionId: config.RevisionId });
    onSaved();
    onClose();
  });
  const options = (known.data ?? []).filter((arn) => !chosen.includes(arn)).map((value) => ({ value, label: nameOf(value) }));
  return (
    <FormDialog title="Layers" action="Save" deed={save} failed="The layers were not saved" onClose={onClose}>
      {chosen.map((arn, at) => (
        <div className="bh-codebar" key={arn}>
          <span>
            {at + 1}. {nameOf(arn)}
          </span>
          <Button iconName="remove" variant="icon" ariaLabel={`Remove ${nameOf(arn)}`} onClick={() => setChosen(chosen.filter((one) => one !== arn))} />
        </div>
      ))}
      <FormField label="Add a layer" constraintText={`At most ${MOST}; later ones win.`}>
        <Select
          selectedOption={null}
          placeholder="Choose a version"
          options={options}
          filteringType="auto"
          disabled={chosen.length >= MOST}
          empty="No layers to add"
          statusType={known.loading ? 'loading' : known.error ? 'error' : 'finished'}
          errorText={known.error?.message ?? ''}
          onChange={({ detail }) => setChosen([...chosen, detail.selectedOption.value ?? ''])}
        />
      </FormField>
    </FormDialog>
  );
}
