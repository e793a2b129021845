/** How many records programs put into streams, watched while the page is open. */
import Box from '@cloudscape-design/components/box';
import { useEffect, useState } from 'react';

import { type Sample, metrics } from '../../aws/platform';
import { Chart } from '../../lib/chart';
import { useLive } from '../../lib/live';

interface Count {
  at: number;
  good: number;
  refused: number;
}

const KEPT = 120;
const EVERY_MS = 3_000;

/** The calls that put records, of all streams: the server counts them by operation. */
export function putCalls(samples: readonly Sample[], at: number): Count {
  const puts = samples.filter(({ name, labels }) => name === 'boathouse_calls_total' && labels.service === 'firehose' && labels.operation?.startsWith('PutRecord'));
  const sum = (good: boolean) => puts.filter(({ labels }) => (labels.status === '200') === good).reduce((total, { value }) => total + value, 0);
  return { at, good: sum(true), refused: sum(false) };
}

export function PutCalls() {
  // What was read on an earlier visit bears its own time.
  const live = useLive('firehose/put-calls', async () => putCalls(await metrics(), Date.now()), { every: EVERY_MS });
  const [counts, setCounts] = useState<readonly Count[]>([]);
  useEffect(() => {
    const { data } = live;
    if (data) setCounts((all) => [...all, data].slice(-KEPT));
  }, [live.data]);
  const rows = counts.slice(1).map((one, at) => {
    const before = counts[at] ?? one;
    const seconds = Math.max((one.at - before.at) / 1000, 0.001);
    return [new Date(one.at), (one.good - before.good) / seconds, (one.refused - before.refused) / seconds];
  });
  if (live.error || rows.length < 2) return null;
  return (
    <div>
      <Box variant="h3">Calls of PutRecord and PutRecordBatch a second, all streams of this server</Box>
      <Chart label="Put calls a second since the page was opened" kind="line" columns={['time', 'taken', 'refused']} rows={rows} x="time" y={['taken', 'refused']} height={160} />
    </div>
  );
}
