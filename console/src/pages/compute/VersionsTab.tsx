/** The versions of a function, which don't change any more, and the aliases that point at them. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type FunctionConfiguration, deleteFunction } from '../../aws/lambda';
import { type Alias, createAlias, deleteAlias, listAliases, listVersions, publishVersion, updateAlias } from '../../aws/lambda-settings';
import { ConfirmDelete } from '../../lib/confirm';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { bytes } from '../../lib/format';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { tabHref } from './hrefs';

type Dialog = { kind: 'publish' } | { kind: 'alias'; alias?: Alias } | { kind: 'drop-alias'; alias: Alias } | { kind: 'drop-version'; version: string };

export function VersionsTab({ config }: { config: FunctionConfiguration }) {
  const name = config.FunctionName;
  const versions = useLive(`lambda/versions/${name}`, () => listVersions(name), { every: 15_000 });
  const aliases = useLive(`lambda/aliases/${name}`, () => listAliases(name), { every: 15_000 });
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);
  const numbers = (versions.data ?? []).map(({ Version = '' }) => Version).reverse();
  return (
    <SpaceBetween size="l">
      <DataTable<Alias>
        label="Aliases"
        description="Names that callers use; an alias moves to another version without them."
        live={aliases}
        param="alias"
        filter={false}
        rowKey={({ Name }) => Name}
        actions={<Button onClick={() => setDialog({ kind: 'alias' })}>Create alias</Button>}
        columns={[
          { id: 'name', header: 'Alias', value: ({ Name }) => Name, cell: ({ Name }) => Name },
          { id: 'version', header: 'Version', width: 220, value: ({ FunctionVersion }) => FunctionVersion, cell: target },
          { id: 'description', header: 'Description', value: ({ Description }) => Description, cell: ({ Description }) => Description || '–' },
          {
            id: 'actions',
            header: 'Actions',
            width: 150,
            cell: (alias) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" onClick={() => setDialog({ kind: 'alias', alias })} ariaLabel={`Change ${alias.Name}`}>
                  Change
                </Button>
                <Button variant="inline-link" onClick={() => setDialog({ kind: 'drop-alias', alias })} ariaLabel={`Delete ${alias.Name}`}>
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Empty title="No aliases yet">An alias such as live points at a version; callers that name it follow when it moves.</Empty>}
      />
      <DataTable<FunctionConfiguration>
        label="Versions"
        description="$LATEST is what you edit; a published version keeps its code and settings for good."
        live={versions}
        param="version"
        sort={{ column: 'version', descending: true }}
        rowKey={({ Version }) => Version ?? ''}
        actions={<Button onClick={() => setDialog({ kind: 'publish' })}>Publish version</Button>}
        columns={[
          { id: 'version', header: 'Version', width: 120, value: ({ Version }) => (Version === '$LATEST' ? Infinity : Number(Version)), cell: ({ Version }) => (Version === '$LATEST' ? <Link href={tabHref(name, 'code')}>$LATEST</Link> : Version) },
          { id: 'aliases', header: 'Aliases', width: 150, cell: ({ Version }) => (aliases.data ?? []).filter(({ FunctionVersion }) => FunctionVersion === Version).map(({ Name }) => Name).join(', ') || '–' },
          { id: 'description', header: 'Description', value: ({ Description }) => Description, cell: ({ Description }) => Description || '–' },
          { id: 'sha', header: 'CodeSha256', value: ({ CodeSha256 }) => CodeSha256, cell: ({ CodeSha256 }) => <span className="bh-code" title={CodeSha256}>{CodeSha256}</span> },
          { id: 'size', header: 'Code', width: 100, align: 'right', value: ({ CodeSize }) => CodeSize, cell: ({ CodeSize }) => bytes(CodeSize) },
          { id: 'modified', header: 'Last modified', width: 185, value: ({ LastModified }) => LastModified, cell: ({ LastModified }) => <Time at={LastModified} /> },
          {
            id: 'actions',
            header: 'Actions',
            width: 100,
            cell: ({ Version = '' }) =>
              Version === '$LATEST' ? null : (
                <Button variant="inline-link" onClick={() => setDialog({ kind: 'drop-version', version: Version })} ariaLabel={`Delete version ${Version}`}>
                  Delete
                </Button>
              ),
          },
        ]}
      />
      {dialog?.kind === 'publish' && <Publish name={name} onClose={close} />}
      {dialog?.kind === 'alias' && <AliasForm name={name} numbers={numbers} alias={dialog.alias} onClose={close} />}
      {dialog?.kind === 'drop-alias' && (
        <ConfirmDelete
          what={`the alias ${dialog.alias.Name}`}
          onConfirm={async () => {
            await deleteAlias(name, dialog.alias.Name);
            invalidate('lambda/');
          }}
          onClose={close}
        >
          Whoever invokes {name}:{dialog.alias.Name} is refused from then on.
        </ConfirmDelete>
      )}
      {dialog?.kind === 'drop-version' && (
        <ConfirmDelete
          what={`version ${dialog.version} of ${name}`}
          onConfirm={async () => {
            await deleteFunction(name, dialog.version);
            invalidate('lambda/');
          }}
          onClose={close}
        />
      )}
    </SpaceBetween>
  );
}

/** `3`, or `3, and 4 for 10 %`. */
function target({ FunctionVersion, RoutingConfig }: Alias): string {
  const others = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {}).map(([version, share]) => `${version} for ${Math.round(share * 100)} %`);
  return [FunctionVersion, ...others].join(', and ');
}

function Publish({ name, onClose }: { name: string; onClose: () => void }) {
  const [description, setDescription] = useState('');
  const publish = useDeed(async () => {
    const made = await publishVersion(name, description);
    invalidate('lambda/');
    notify('success', `Version ${made.Version} of ${name} is published`);
    onClose();
  });
  return (
    <FormDialog title={`Publish a version of ${name}`} action="Publish" deed={publish} failed="No version was published" onClose={onClose}>
      <FormField label="Description" constraintText="What is deployed now becomes a version that doesn't change.">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} autoFocus />
      </FormField>
    </FormDialog>
  );
}

function AliasForm({ name, numbers, alias, onClose }: { name: string; numbers: readonly string[]; alias: Alias | undefined; onClose: () => void }) {
  const [as, setAs] = useState(alias?.Name ?? '');
  const [version, setVersion] = useState(alias?.FunctionVersion ?? numbers[0] ?? '$LATEST');
  const [second = '', share] = Object.entries(alias?.RoutingConfig?.AdditionalVersionWeights ?? {})[0] ?? [];
  const [other, setOther] = useState(second);
  const [percent, setPercent] = useState(String(Math.round((share ?? 0.1) * 100)));
  const [description, setDescription] = useState(alias?.Description ?? '');
  const ready = /^(?!\d+$)[a-zA-Z0-9-_]{1,128}$/.test(as) && (other === '' || (Number(percent) >= 0 && Number(percent) <= 100));
  const save = useDeed(async () => {
    const AdditionalVersionWeights = other === '' ? {} : { [other]: Number(percent) / 100 };
    await (alias ? updateAlias : createAlias)(name, { Name: as, FunctionVersion: version, Description: description, RoutingConfig: { AdditionalVersionWeights } });
    invalidate('lambda/');
    onClose();
  }, ready);
  const options = numbers.map((value) => ({ value, label: value }));
  const none = { value: '', label: 'All invocations go to one version' };
  return (
    <FormDialog title={alias ? `Alias ${alias.Name}` : 'Create an alias'} action={alias ? 'Save' : 'Create'} deed={save} ready={ready} failed="The alias was not saved" onClose={onClose}>
      <FormField label="Name of the alias" constraintText="Letters, digits, - and _, not digits alone">
        <Input value={as} disabled={alias !== undefined} onChange={({ detail }) => setAs(detail.value)} autoFocus={alias === undefined} />
      </FormField>
      <FormField label="Version">
        <Select selectedOption={{ value: version, label: version }} options={options} onChange={({ detail }) => setVersion(detail.selectedOption.value ?? version)} />
      </FormField>
      <FormField label="Another version for some of them" constraintText="To try a new version with a share of the invocations first">
        <Select selectedOption={options.find(({ value }) => value === other) ?? none} options={[none, ...options.filter(({ value }) => value !== version && value !== '$LATEST')]} onChange={({ detail }) => setOther(detail.selectedOption.value ?? '')} />
      </FormField>
      {other !== '' && (
        <FormField label="Its share, of 100">
          <Input type="number" value={percent} onChange={({ detail }) => setPercent(detail.value)} />
        </FormField>
      )}
      <FormField label="Description">
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
