/** How much is asked of each service, and how quickly it answers: live while the page is open, and since the server's start. */
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo, useRef } from 'react';

import type { Sample } from '../../../aws/platform';
import { Chart } from '../../../lib/chart';
import { count, duration } from '../../../lib/format';
import { useParam } from '../../../lib/router';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { History, type Traffic, countersOf, ratesOf, trafficBetween } from './traffic';

export function TrafficPanel({ samples }: { samples: readonly Sample[] }) {
  const history = useRef<History>(null);
  const looks = useMemo(() => (history.current ??= new History()).add(countersOf(samples, Date.now())), [samples]);
  const [since, setSince] = useParam('since', 'start');
  const [first, last] = [looks[0], looks.at(-1)];
  const rates = useMemo(() => ratesOf(looks), [looks]);
  if (!last) return null;
  const traffic = trafficBetween(since === 'open' ? first : undefined, last).filter(({ calls }) => calls > 0);
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <SegmentedControl
              label="Since"
              selectedId={since}
              onChange={({ detail }) => setSince(detail.selectedId)}
              options={[
                { id: 'start', text: "Since the server's start" },
                { id: 'open', text: 'Since this page is open' },
              ]}
            />
          }
          description={<>Calls that came from outside. The same counters are at <Link href="/_boathouse/metrics" external>/_boathouse/metrics</Link> for Prometheus.</>}
        >
          Traffic
        </Header>
      }
    >
      <SpaceBetween size="m">
        {rates.length === 0 ? (
          <Empty title="Nothing is asked just now">Calls a second are drawn here as they come, while this page is open.</Empty>
        ) : (
          <Chart label="Calls a second, by service" kind="area" stacked columns={['time', 'rate', 'service']} rows={rates} x="time" y={['rate']} by="service" height={240} />
        )}
        <DataTable<Traffic>
          label="Services"
          title={false}
          filter={false}
          items={traffic}
          rowKey={({ service }) => service}
          sort={{ column: 'calls', descending: true }}
          height={480}
          columns={[
            { id: 'service', header: 'Service', value: ({ service }) => service, cell: ({ service }) => <strong>{service}</strong> },
            { id: 'calls', header: 'Calls', width: 120, align: 'right', value: ({ calls }) => calls, cell: ({ calls }) => count(calls) },
            { id: 'refused', header: 'Refused (4xx)', width: 140, align: 'right', value: ({ refused }) => refused, cell: ({ refused }) => count(refused) },
            { id: 'failed', header: 'Failed (5xx)', width: 130, align: 'right', value: ({ failed }) => failed, cell: ({ failed }) => <span className={failed > 0 ? 'bh-bad' : ''}>{count(failed)}</span> },
            { id: 'mean', header: 'Mean', width: 110, align: 'right', value: ({ mean }) => mean, cell: ({ mean }) => precise(mean) },
            { id: 'median', header: 'Median', width: 110, align: 'right', value: ({ median }) => median, cell: ({ median }) => precise(median) },
            { id: 'slowest', header: '95 % within', width: 130, align: 'right', value: ({ slowest }) => slowest, cell: ({ slowest }) => precise(slowest) },
          ]}
          empty={<Empty title="No calls yet" />}
        />
      </SpaceBetween>
    </Container>
  );
}

/** `0.42 ms` where a whole number would say nothing. */
const precise = (ms: number | undefined) => (ms !== undefined && ms < 10 ? `${Number(ms.toPrecision(2))} ms` : duration(ms));
