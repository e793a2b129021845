import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Crawler, getCrawlers, startCrawler } from '../../aws/glue';
import { deleteCrawler } from '../../aws/glue-crawlers';
import { ConfirmDelete } from '../../lib/confirm';
import { Frame } from '../../lib/frame';
import { crawlerHref, databaseHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';
import { to } from '../../lib/router';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { Place } from './TableList';

const CREATE = to('/catalogue/create-crawler');

export const isBusy = (crawlers: readonly Pick<Crawler, 'State'>[] | undefined) => crawlers?.some(({ State }) => State !== 'READY') ?? false;

export default function Crawlers() {
  const crawlers = useLive('glue/crawlers', () => getCrawlers(), { every: (data) => (isBusy(data) ? 1_000 : 10_000) });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [doomed, setDoomed] = useState(false);
  const [name] = chosen;
  const crawler = crawlers.data?.find(({ Name }) => Name === name);
  const run = async (wanted: string) => {
    try {
      await startCrawler(wanted);
      notify('info', `Crawler ${wanted} is running`);
      await crawlers.refresh();
    } catch (error) {
      notifyError(`Crawler ${wanted} did not start`, error);
    }
  };
  const remove = async () => {
    if (name) await deleteCrawler(name);
    setChosen(new Set());
    await crawlers.refresh();
  };
  return (
    <Frame
      title="Crawlers"
      counter={crawlers.data?.length}
      description="A crawler looks at the files of a folder, finds out which tables they are, and keeps the catalogue in step."
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={crawler?.State !== 'READY'} onClick={() => setDoomed(true)}>
            Delete
          </Button>
          <Button disabled={crawler?.State !== 'READY'} onClick={() => name && void run(name)}>
            Run crawler
          </Button>
          <Button variant="primary" href={CREATE}>
            Create crawler
          </Button>
        </SpaceBetween>
      }
    >
      <DataTable
        label="Crawlers"
        title={false}
        live={crawlers}
        rowKey={(item: Crawler) => item.Name}
        selected={chosen}
        onSelect={setChosen}
        single
        columns={[
          { id: 'name', header: 'Name', value: (item) => item.Name, cell: (item) => <Link href={crawlerHref(item.Name)}>{item.Name}</Link> },
          { id: 'state', header: 'State', width: 130, value: (item) => item.State, cell: (item) => <Status state={item.State} /> },
          { id: 'last', header: 'Last run', width: 150, value: (item) => item.LastCrawl?.Status, cell: (item) => <Status state={item.LastCrawl?.Status} /> },
          { id: 'when', header: 'Began', width: 130, value: (item) => item.LastCrawl?.StartTime, cell: (item) => <Time at={item.LastCrawl?.StartTime} relative /> },
          { id: 'target', header: 'Target', value: (item) => item.Targets?.S3Targets?.[0]?.Path, cell: (item) => <Targets crawler={item} /> },
          { id: 'database', header: 'Database', width: 180, value: (item) => item.DatabaseName, cell: (item) => (item.DatabaseName ? <Link href={databaseHref(item.DatabaseName)}>{item.DatabaseName}</Link> : '–') },
        ]}
        empty={
          <Empty title="No crawlers yet" action={<Button href={CREATE}>Create crawler</Button>}>
            Point one at a folder with CSV, JSON, Parquet or ORC files, and let it run.
          </Empty>
        }
      />
      {doomed && name && (
        <ConfirmDelete what={`crawler ${name}`} onConfirm={remove} onClose={() => setDoomed(false)}>
          <span>Its history goes with it. The tables that it made stay.</span>
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Targets({ crawler }: { crawler: Crawler }) {
  const [first, ...others] = crawler.Targets?.S3Targets ?? [];
  return (
    <>
      <Place location={first?.Path} />
      {others.length > 0 && ` and ${others.length} more`}
    </>
  );
}
