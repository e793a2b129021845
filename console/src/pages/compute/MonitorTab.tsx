/** How a function has fared: what its log says of each invocation, as charts and as a list. */
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';

import { type FunctionConfiguration, logGroupOf } from '../../aws/lambda';
import { platformNow } from '../../aws/session';
import { Chart } from '../../lib/chart';
import { count, duration } from '../../lib/format';
import { rangeText } from '../../lib/log-range';
import { RangeSelect } from '../../lib/log-range-select';
import { navigate, useParam } from '../../lib/router';
import { Empty, Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { logsHref, tabHref } from './hrefs';
import { type Bucket, type Invoked, bucketsOf, hasFailed, percentile } from './invocations';
import { useInvocations } from './use-invocations';

export function MonitorTab({ config }: { config: FunctionConfiguration }) {
  const [range, setRange] = useParam('range', '1h');
  const { live, invocations, span } = useInvocations(logGroupOf(config), range);
  return (
    <SpaceBetween size="m">
      <div className="bh-codebar">
        <span className="bh-soft">Each invocation ends with a REPORT line in the log; charts and list are made of these.</span>
        <div className="bh-logbar-range">
          <RangeSelect value={range} onChange={setRange} />
        </div>
      </div>
      <Shown live={live} what="The log can't be read">
        {(state) =>
          invocations && invocations.length > 0 ? (
            <Found name={config.FunctionName} invocations={invocations} from={span.from} to={span.to} reading={!state.ended} />
          ) : (
            <Empty
              title={`No invocations${range === 'all' ? ' yet' : ' in this time'}`}
              action={<Link href={tabHref(config.FunctionName, 'test')}>Test the function</Link>}
            >
              {state.ended ? 'How often it runs, how long, with how much memory, and what failed shows up here.' : 'Reading the log…'}
            </Empty>
          )
        }
      </Shown>
    </SpaceBetween>
  );
}

interface FoundProps {
  name: string;
  invocations: readonly Invoked[];
  from: number | undefined;
  to: number | undefined;
  reading: boolean;
}

function Found({ name, invocations, from, to, reading }: FoundProps) {
  const buckets = useMemo(
    () => bucketsOf(invocations, from ?? invocations.at(-1)?.start ?? 0, to ?? Math.max(platformNow(), invocations[0]?.start ?? 0)),
    [invocations, from, to],
  );
  return (
    <SpaceBetween size="l">
      <Numbers invocations={invocations} reading={reading} />
      <Charts buckets={buckets} limit={invocations.find(({ memorySize }) => memorySize)?.memorySize} />
      <List name={name} invocations={invocations} />
    </SpaceBetween>
  );
}

function Numbers({ invocations, reading }: { invocations: readonly Invoked[]; reading: boolean }) {
  const times = invocations.flatMap((one) => (one.duration === undefined ? [] : [one.duration]));
  const errors = invocations.filter(hasFailed).length;
  const numbers: [string, string, string?][] = [
    ['Invocations', `${count(invocations.length)}${reading ? '…' : ''}`],
    ['Errors', count(errors), errors > 0 ? `bh-number-bad` : ''],
    ['Success', `${Math.floor(((invocations.length - errors) / invocations.length) * 1000) / 10} %`],
    ['Duration, median', duration(percentile(times, 0.5))],
    ['Duration, 95 of 100', duration(percentile(times, 0.95))],
    ['Starts of instances', count(invocations.filter(({ init }) => init !== undefined).length)],
  ];
  return (
    <dl className="bh-numbers">
      {numbers.map(([name, value, look]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className={look}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const HEIGHT = 190;

function Charts({ buckets, limit }: { buckets: readonly Bucket[]; limit: number | undefined }) {
  const counts = useMemo(() => buckets.map(({ at, count: all, errors }) => [at, all - errors, errors]), [buckets]);
  // Where nothing ended there is no point; the first and the last stretch stay, so that the axis is the whole range.
  const drawn = useMemo(() => buckets.filter(({ average }, at) => average !== undefined || at === 0 || at === buckets.length - 1), [buckets]);
  const times = useMemo(() => drawn.map(({ at, average, longest }) => [at, average, longest]), [drawn]);
  const memory = useMemo(() => drawn.map(({ at, maxMemory }) => [at, maxMemory, limit]), [drawn, limit]);
  return (
    <div className="bh-charts">
      <Container header={<Header variant="h3">Invocations</Header>}>
        <Chart label="Invocations over time, those that succeeded and those that failed" kind="bar" stacked columns={['at', 'Succeeded', 'Failed']} rows={counts} x="at" y={['Succeeded', 'Failed']} failed="Failed" height={HEIGHT} />
      </Container>
      <Container header={<Header variant="h3">Duration</Header>}>
        <Chart label="Duration over time" kind="line" unit="duration" columns={['at', 'Average', 'Longest']} rows={times} x="at" y={['Average', 'Longest']} height={HEIGHT} />
      </Container>
      <Container header={<Header variant="h3">Memory (MB)</Header>}>
        <Chart label="Most memory used over time, in MB" kind="line" columns={['at', 'Used', 'Allowed']} rows={memory} x="at" y={['Used', 'Allowed']} height={HEIGHT} />
      </Container>
    </div>
  );
}

/** The lines of an invocation, with the seconds around it. */
const linesOf = (name: string, { requestId, start, end }: Invoked) => logsHref(name, requestId, rangeText(start - 60_000, end + 60_000));

function List({ name, invocations }: { name: string; invocations: readonly Invoked[] }) {
  return (
    <DataTable<Invoked>
      label="Invocations"
      items={invocations}
      rowKey={({ requestId, start }) => `${requestId} ${start}`}
      onRowClick={(one) => navigate(linesOf(name, one))}
      height={520}
      columns={[
        { id: 'outcome', header: 'Outcome', width: 120, value: ({ outcome }) => outcome, cell: ({ outcome }) => <Status state={outcome} /> },
        { id: 'start', header: 'Started', width: 175, value: ({ start }) => start, cell: ({ start }) => <Time at={start} /> },
        { id: 'request', header: 'Request', value: ({ requestId }) => requestId, cell: (one) => <Link href={linesOf(name, one)}>{one.requestId}</Link> },
        { id: 'duration', header: 'Duration', width: 100, align: 'right', value: (one) => one.duration, cell: (one) => duration(one.duration) },
        { id: 'billed', header: 'Billed', width: 90, align: 'right', value: (one) => one.billed, cell: (one) => duration(one.billed) },
        { id: 'init', header: 'Start', width: 85, align: 'right', value: ({ init }) => init, cell: ({ init }) => (init === undefined ? '–' : duration(init)) },
        { id: 'memory', header: 'Memory', width: 100, align: 'right', value: (one) => one.maxMemory, cell: (one) => (one.maxMemory ? `${one.maxMemory} MB` : '–') },
        { id: 'error', header: 'Error', value: ({ error }) => error, cell: ({ error }) => (error ? <span className="bh-error-text" title={error}>{error}</span> : '–') },
      ]}
    />
  );
}
