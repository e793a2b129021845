/** A crawler: what it looks at, whether it runs now, what its runs have changed. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useRef, useState } from 'react';

import { startCrawler } from '../../aws/glue';
import { searchTables } from '../../aws/glue-catalog';
import { type Crawl, type CrawlerDetails, deleteCrawler, getCrawler, listCrawls, stopCrawler } from '../../aws/glue-crawlers';
import { platformNow } from '../../aws/session';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { duration, shortName } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { databaseHref, roleHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';
import { navigate, to } from '../../lib/router';
import { Empty, Shown } from '../../lib/states';
import { Status, stateText } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { Place, TableList } from './TableList';
import { changed, took } from './crawls';
import { crawlerOf } from './tables';
import './catalogue.css';

const BUSY_MS = 700;
const CALM_MS = 10_000;

interface Read {
  crawler: CrawlerDetails;
  crawls: Crawl[];
}

async function read(name: string): Promise<Read> {
  const [crawler, crawls] = await Promise.all([getCrawler(name), listCrawls(name)]);
  return { crawler, crawls };
}

export default function CrawlerPage({ params }: PageProps) {
  const name = params.name ?? '';
  const live = useLive(`glue/crawler/${name}`, () => read(name), { every: (data) => (data && data.crawler.State !== 'READY' ? BUSY_MS : CALM_MS) });
  const [doomed, setDoomed] = useState(false);
  const state = live.data?.crawler.State;
  useEnd(live.data);
  const act = async (what: (name: string) => Promise<unknown>, failed: string) => {
    try {
      await what(name);
      await live.refresh();
    } catch (error) {
      notifyError(failed, error);
    }
  };
  const remove = async () => {
    await deleteCrawler(name);
    invalidate('glue/');
    navigate(to('/catalogue/crawlers'));
  };
  return (
    <Frame
      title={name}
      info={state && <Status state={state} />}
      description={live.data?.crawler.Description}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button disabled={state !== 'READY'} onClick={() => setDoomed(true)}>
            Delete
          </Button>
          {state === 'RUNNING' && <Button onClick={() => void act(stopCrawler, 'The crawler was not stopped')}>Stop</Button>}
          <Button variant="primary" disabled={state !== 'READY'} loading={state !== undefined && state !== 'READY'} onClick={() => void act(startCrawler, 'The crawler did not start')}>
            Run crawler
          </Button>
        </SpaceBetween>
      }
    >
      <Shown live={live} what="The crawler can't be read">
        {({ crawler, crawls }) => (
          <SpaceBetween size="l">
            <Configuration crawler={crawler} />
            <Runs crawls={crawls} />
            <Made name={name} />
          </SpaceBetween>
        )}
      </Shown>
      {doomed && (
        <ConfirmDelete what={`crawler ${name}`} onConfirm={remove} onClose={() => setDoomed(false)}>
          <span>Its history goes with it. The tables that it made stay.</span>
        </ConfirmDelete>
      )}
    </Frame>
  );
}

/** Says how a run ended that began or went on while somebody looked, and reads the tables anew. */
function useEnd(data: Read | undefined): void {
  const before = useRef<string>(undefined);
  const last = data?.crawls[0];
  const now = data && `${last?.CrawlId} ${last?.State}`;
  useEffect(() => {
    // A short run is over before it was seen running: another newest one tells as well.
    if (before.current !== undefined && before.current !== now && last && last.State !== 'RUNNING') {
      invalidate('glue/table');
      if (last.State === 'COMPLETED') notify('success', `The run is completed: ${changed(last.Summary)}`);
      else notify('error', `The run ended: ${stateText(last.State)}`, last.ErrorMessage);
    }
    if (now !== undefined) before.current = now;
  }, [now, last]);
}

function Configuration({ crawler }: { crawler: CrawlerDetails }) {
  const policy = crawler.SchemaChangePolicy;
  const targets = crawler.Targets?.S3Targets ?? [];
  return (
    <Container header={<Header variant="h2">Configuration</Header>}>
      <SpaceBetween size="l">
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Database', value: crawler.DatabaseName ? <Link href={databaseHref(crawler.DatabaseName)}>{crawler.DatabaseName}</Link> : '–' },
            { label: 'Role', value: <Link href={roleHref(shortName(crawler.Role))}>{shortName(crawler.Role)}</Link> },
            { label: 'Prefix of table names', value: crawler.TablePrefix || 'None' },
            { label: 'When a schema changes', value: policy?.UpdateBehavior === 'LOG' ? 'Leave the table (LOG)' : 'Update the table (UPDATE_IN_DATABASE)' },
            { label: 'When files are gone', value: DELETIONS[policy?.DeleteBehavior ?? ''] ?? '–' },
            { label: 'Classifiers', value: (crawler.Classifiers ?? []).join(', ') || 'The built-in ones' },
            { label: 'Schedule', value: crawler.Schedule?.ScheduleExpression ?? 'On demand' },
            { label: 'Created', value: <Time at={crawler.CreationTime} /> },
          ]}
        />
        <KeyValuePairs items={[{ label: targets.length === 1 ? 'Target' : 'Targets', value: <Targets targets={targets} /> }]} />
      </SpaceBetween>
    </Container>
  );
}

function Targets({ targets }: { targets: readonly { Path: string; Exclusions?: string[] }[] }) {
  return (
    <ul className="bh-plain">
      {targets.map(({ Path, Exclusions = [] }) => (
        <li key={Path}>
          <Place location={Path} />
          {Exclusions.length > 0 && <span className="bh-soft"> without {Exclusions.join(', ')}</span>}
        </li>
      ))}
    </ul>
  );
}

const DELETIONS: Readonly<Record<string, string>> = {
  LOG: 'Leave the entry (LOG)',
  DELETE_FROM_DATABASE: 'Delete the entry (DELETE_FROM_DATABASE)',
  DEPRECATE_IN_DATABASE: 'Mark it as deprecated (DEPRECATE_IN_DATABASE)',
};

function Runs({ crawls }: { crawls: readonly Crawl[] }) {
  return (
    <DataTable
      label="Runs"
      filter={false}
      items={crawls}
      height={360}
      rowKey={(crawl) => crawl.CrawlId}
      columns={[
        { id: 'started', header: 'Started', width: 200, value: (crawl) => crawl.StartTime, cell: (crawl) => <Time at={crawl.StartTime} /> },
        { id: 'state', header: 'State', width: 150, value: (crawl) => crawl.State, cell: (crawl) => <Status state={crawl.State} /> },
        { id: 'took', header: 'Took', width: 110, align: 'right', value: (crawl) => took(crawl, platformNow()), cell: (crawl) => duration(took(crawl, platformNow())) },
        {
          id: 'changed',
          header: 'What changed',
          value: (crawl) => changed(crawl.Summary),
          cell: (crawl) => <What crawl={crawl} />,
        },
      ]}
      empty={<Empty title="It has not run yet">“Run crawler” starts it; it takes a moment for each folder.</Empty>}
    />
  );
}

function What({ crawl }: { crawl: Crawl }) {
  const said = crawl.State === 'FAILED' ? '' : changed(crawl.Summary);
  return (
    <span className="bh-why">
      {[said, crawl.ErrorMessage].filter(Boolean).join('. ')}
    </span>
  );
}

/** The tables that it keeps, by the mark that it leaves on them. */
function Made({ name }: { name: string }) {
  const tables = useLive(`glue/tables-of/${name}`, async () => (await searchTables(name)).filter((table) => crawlerOf(table) === name), { every: CALM_MS });
  return <TableList live={tables} all title empty={<p className="bh-soft">It keeps no tables yet.</p>} />;
}
