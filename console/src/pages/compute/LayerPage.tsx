/** A layer: its versions, and the functions that use it. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type FunctionConfiguration, download, listFunctions } from '../../aws/lambda';
import { type LayerVersion, deleteLayerVersion, getLayerVersion, listLayerVersions } from '../../aws/lambda-settings';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { Frame } from '../../lib/frame';
import { functionHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notifyError } from '../../lib/notify';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { save } from './code';
import { PublishLayer } from './PublishLayer';
import { runtimeLabel } from './starters';

export default function LayerPage({ params: { name = '' } }: PageProps) {
  const versions = useLive(`lambda/layer/${name}`, () => listLayerVersions(name), { every: 15_000 });
  const functions = useLive('lambda/functions', () => listFunctions(), { every: 15_000 });
  const [publishing, setPublishing] = useState(false);
  const [doomed, setDoomed] = useState<LayerVersion>();
  const users = functions.data?.flatMap((one) => (one.Layers ?? []).filter(({ Arn }) => Arn.includes(`:layer:${name}:`)).map(({ Arn }) => ({ one, version: Arn.split(':').at(-1) ?? '' })));
  return (
    <Frame
      title={name}
      description="Layer"
      actions={
        <Button variant="primary" onClick={() => setPublishing(true)}>
          Publish version
        </Button>
      }
    >
      <SpaceBetween size="l">
        <DataTable<LayerVersion>
          label="Versions"
          live={versions}
          sort={{ column: 'version', descending: true }}
          rowKey={({ Version }) => String(Version)}
          columns={[
            { id: 'version', header: 'Version', width: 100, value: ({ Version }) => Version, cell: ({ Version }) => Version },
            { id: 'runtimes', header: 'For', width: 240, value: runtimesOf, cell: runtimesOf },
            { id: 'description', header: 'Description', value: ({ Description }) => Description, cell: ({ Description }) => Description || '–' },
            { id: 'created', header: 'Published', width: 185, value: ({ CreatedDate }) => CreatedDate, cell: ({ CreatedDate }) => <Time at={CreatedDate} /> },
            {
              id: 'actions',
              header: 'Actions',
              width: 170,
              cell: (version) => (
                <SpaceBetween direction="horizontal" size="s">
                  <Button variant="inline-link" onClick={() => void fetchZip(name, version.Version)} ariaLabel={`Download version ${version.Version}`}>
                    Download
                  </Button>
                  <Button variant="inline-link" onClick={() => setDoomed(version)} ariaLabel={`Delete version ${version.Version}`}>
                    Delete
                  </Button>
                </SpaceBetween>
              ),
            },
          ]}
          empty={<Empty title="No versions">There is no layer of this name, or all of its versions are deleted. Functions keep what they use.</Empty>}
        />
        <DataTable<{ one: FunctionConfiguration; version: string }>
          label="Used by"
          param="user"
          filter={(users?.length ?? 0) > 8}
          items={users}
          error={functions.error}
          rowKey={({ one }) => one.FunctionName}
          columns={[
            { id: 'name', header: 'Function', value: ({ one }) => one.FunctionName, cell: ({ one }) => <Link href={functionHref(one.FunctionName)}>{one.FunctionName}</Link> },
            { id: 'version', header: 'Version', width: 120, value: ({ version }) => Number(version), cell: ({ version }) => version },
          ]}
          empty={<Empty title="No function uses it">Functions choose their layers in their configuration.</Empty>}
        />
      </SpaceBetween>
      {publishing && <PublishLayer name={name} onClose={() => setPublishing(false)} />}
      {doomed && (
        <ConfirmDelete
          what={`version ${doomed.Version} of ${name}`}
          onConfirm={async () => {
            await deleteLayerVersion(name, doomed.Version);
            invalidate('lambda/');
          }}
          onClose={() => setDoomed(undefined)}
        >
          Functions that use it keep it; others can no longer choose it. Its number is not used again.
        </ConfirmDelete>
      )}
    </Frame>
  );
}

const runtimesOf = ({ CompatibleRuntimes = [] }: LayerVersion) => CompatibleRuntimes.map(runtimeLabel).join(', ') || 'all runtimes';

async function fetchZip(name: string, version: number): Promise<void> {
  try {
    const { Content } = await getLayerVersion(name, version);
    save(await download(Content?.Location ?? ''), `${name}-${version}.zip`);
  } catch (error) {
    notifyError('The layer was not downloaded', error);
  }
}
