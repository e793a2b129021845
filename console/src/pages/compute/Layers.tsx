/** All layers: archives that functions share. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';

import { type Layer, listLayers } from '../../aws/lambda-settings';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { useParam } from '../../lib/router';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { layerHref } from './hrefs';
import { PublishLayer } from './PublishLayer';
import { runtimeLabel } from './starters';
import './compute.css';

export default function Layers() {
  const layers = useLive('lambda/layers', () => listLayers(), { every: 15_000 });
  const [dialog, setDialog] = useParam('create');
  const publish = (variant: 'primary' | 'normal') => (
    <Button variant={variant} onClick={() => setDialog('layer')}>
      Publish layer
    </Button>
  );
  return (
    <Frame title="Layers" counter={layers.data?.length} description="Libraries and files that several functions share: they are unpacked into /opt." actions={publish('primary')}>
      <DataTable<Layer>
        label="Layers"
        title={false}
        live={layers}
        sort={{ column: 'name' }}
        rowKey={({ LayerName }) => LayerName}
        columns={[
          { id: 'name', header: 'Name', value: ({ LayerName }) => LayerName, cell: ({ LayerName }) => <Link href={layerHref(LayerName)}>{LayerName}</Link> },
          { id: 'version', header: 'Version', width: 100, align: 'right', value: (one) => one.LatestMatchingVersion.Version, cell: (one) => one.LatestMatchingVersion.Version },
          { id: 'runtimes', header: 'For', width: 240, value: runtimesOf, cell: runtimesOf },
          { id: 'description', header: 'Description', value: (one) => one.LatestMatchingVersion.Description, cell: (one) => one.LatestMatchingVersion.Description || '–' },
          { id: 'created', header: 'Published', width: 185, value: (one) => one.LatestMatchingVersion.CreatedDate, cell: (one) => <Time at={one.LatestMatchingVersion.CreatedDate} /> },
        ]}
        empty={
          <Empty title="No layers yet" action={publish('normal')}>
            A layer is a zip. What lies in its folder python/ can be imported by Python functions, nodejs/node_modules/ by those of Node.js.
          </Empty>
        }
      />
      {dialog === 'layer' && <PublishLayer onClose={() => setDialog('')} />}
    </Frame>
  );
}

const runtimesOf = ({ LatestMatchingVersion: { CompatibleRuntimes = [] } }: Layer) => CompatibleRuntimes.map(runtimeLabel).join(', ') || 'all runtimes';
