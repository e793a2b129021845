/** The platform as a picture: what is deployed, how things flow, what ran, what to do next. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useMemo, useRef } from 'react';

import { count, duration } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { Graph } from '../../lib/graph';
import { useLive } from '../../lib/live';
import { to } from '../../lib/router';
import { Shown } from '../../lib/states';
import { Status, tone } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { Beginning } from './Beginning';
import { type Picture, picture } from './picture';
import { type Overview, type Run, type Runs, isBusy, readOverview, readRuns } from './read';
import './home.css';

/** What is deployed changes seldom, what runs often. */
const SELDOM_MS = 30_000;
const OFTEN_MS = 10_000;
const BUSY_MS = 2_500;

export default function Home() {
  const overview = useLive('home/overview', readOverview, { every: SELDOM_MS });
  const runs = useLive('home/runs', readRuns, { every: (data) => (isBusy(data) ? BUSY_MS : OFTEN_MS) });
  const busy = isBusy(runs.data);
  const was = useRef(busy);
  useEffect(() => {
    // What has ended may have made tables and objects.
    if (was.current && !busy) void overview.refresh();
    was.current = busy;
  }, [busy, overview.refresh]);
  return (
    <Frame title="The platform" description="Everything that is deployed here, how data flows through it, and what ran lately.">
      <Shown live={overview} what="The overview can't be read">
        {(data) => <Content overview={data} runs={runs.data ?? NOTHING} />}
      </Shown>
    </Frame>
  );
}

const NOTHING: Runs = { runs: [], last: new Map() };

function Content({ overview, runs: { runs, last } }: { overview: Overview; runs: Runs }) {
  const drawn = useMemo(() => picture(overview.deployed, last), [overview, last]);
  const failures = runs.filter((run) => tone(run.state) === 'bad');
  return (
    <SpaceBetween size="l">
      <Responsibilities overview={overview} runs={runs} />
      {drawn.nodes.length + drawn.loose.length === 0 ? <Beginning /> : <Flow drawn={drawn} />}
      {failures.length > 0 && <Failures runs={failures.slice(0, 3)} />}
      {runs.length > 0 && <Recent runs={runs} />}
      {overview.refused.length > 0 && (
        <Box color="text-body-secondary" fontSize="body-s">
          You may not read {overview.refused.join(', ')}, so that is left out here.
        </Box>
      )}
    </SpaceBetween>
  );
}

/** How many things without arrows are named. */
const NAMED = 12;

function Flow({ drawn: { nodes, edges, loose, more } }: { drawn: Picture }) {
  const lively = useMemo(() => {
    const busy = new Set(nodes.filter((node) => node.tone === 'busy').map((node) => node.id));
    return edges.map((edge) => (busy.has(edge.from) || busy.has(edge.to) ? { ...edge, lively: true } : edge));
  }, [nodes, edges]);
  return (
    <section aria-labelledby="bh-flow">
      <Header variant="h2" description="Solid arrows are data, dashed ones are calls. A click leads to the thing itself.">
        <span id="bh-flow">How data flows</span>
      </Header>
      {nodes.length > 0 && (
        <div className="bh-flow">
          <Graph label="How data flows" nodes={nodes} edges={lively} />
        </div>
      )}
      <Box color="text-body-secondary" fontSize="body-s" margin={{ top: 'xs' }}>
        {more > 0 && `${count(more)} more things are not drawn. `}
        {loose.length > 0 && 'Not connected with anything: '}
        {loose.slice(0, NAMED).map((node, at) => (
          <span key={node.id}>
            {at > 0 && ', '}
            <Link href={node.href ?? ''} fontSize="body-s">
              {node.title}
            </Link>
          </span>
        ))}
        {loose.length > NAMED && ` and ${count(loose.length - NAMED)} more`}
      </Box>
    </section>
  );
}

interface Card {
  title: string;
  href: string;
  what: string;
  numbers: [number, string, string?][];
}

function Responsibilities({ overview: { deployed: all, savedQueries }, runs }: { overview: Overview; runs: readonly Run[] }) {
  const tables = all.databases.reduce((sum, database) => sum + database.tables, 0);
  const ran = (kind: Run['kind']) => runs.filter((run) => run.kind === kind).length;
  const cards: Card[] = [
    {
      title: 'Ingestion',
      href: to('/ingestion'),
      what: 'Records and files come in',
      numbers: [[all.streams.length, 'stream'], [all.apis.length, 'API'], [all.queues.length, 'queue']],
    },
    { title: 'Storage', href: to('/storage'), what: 'Objects, durable and versioned', numbers: [[all.buckets.length, 'bucket']] },
    {
      title: 'Governance',
      href: to('/catalogue'),
      what: 'What there is, and what it means',
      numbers: [[all.databases.length, 'database'], [tables, 'table'], [all.crawlers.length, 'crawler']],
    },
    {
      title: 'Transformation',
      href: to('/compute'),
      what: 'Code and jobs that change data',
      numbers: [[all.functions.length, 'function'], [all.jobs.length, 'job']],
    },
    { title: 'Analysis', href: to('/query'), what: 'Questions in SQL', numbers: [[savedQueries, 'saved query', 'saved queries'], [ran('Query'), 'recent query', 'recent queries']] },
    {
      title: 'Orchestration',
      href: to('/pipelines'),
      what: 'When, and in which order',
      numbers: [[all.machines.length, 'state machine'], [all.schedules.length, 'schedule'], [all.rules.length, 'rule']],
    },
  ];
  return (
    <section className="bh-cards" aria-label="Responsibilities">
      {cards.map(({ title, href, what, numbers }, at) => (
        <a key={title} className={`bh-card bh-card-${at}`} href={href}>
          <h2>{title}</h2>
          <p>{what}</p>
          <ul>
            {numbers.map(([value, one, many]) => (
              <li key={one} className={value === 0 ? 'bh-card-zero' : ''}>
                <strong>{count(value)}</strong> {value === 1 ? one : (many ?? `${one}s`)}
              </li>
            ))}
          </ul>
        </a>
      ))}
    </section>
  );
}

function Failures({ runs }: { runs: Run[] }) {
  return (
    <section className="bh-failures" aria-label="Failures">
      {runs.map((run) => (
        <a key={run.id} href={run.href} className="bh-failure">
          <Status state={run.state} text={`${run.kind} failed`} />
          <strong>{run.name}</strong>
          <span className="bh-failure-why">{run.why ?? 'Its page says why.'}</span>
          <Time at={run.started} relative />
        </a>
      ))}
    </section>
  );
}

function Recent({ runs }: { runs: Run[] }) {
  return (
    <DataTable
      label="Recent runs"
      items={runs.slice(0, 200)}
      rowKey={(run) => run.id}
      height={420}
      columns={[
        { id: 'kind', header: 'Kind', width: 110, value: (run) => run.kind, cell: (run) => run.kind },
        { id: 'name', header: 'Name', value: (run) => run.name, cell: (run) => <Link href={run.href}>{run.name}</Link> },
        { id: 'state', header: 'State', width: 150, value: (run) => run.state, cell: (run) => <Status state={run.state} /> },
        { id: 'started', header: 'Started', width: 140, value: (run) => run.started, cell: (run) => <Time at={run.started} relative /> },
        {
          id: 'took',
          header: 'Took',
          width: 120,
          align: 'right',
          value: took,
          cell: (run) => duration(took(run)),
        },
      ]}
      actions={<Button href={to('/query')} iconName="edit">Ask in SQL</Button>}
    />
  );
}

const took = (run: Run) => (run.started && run.ended ? run.ended.getTime() - run.started.getTime() : undefined);
