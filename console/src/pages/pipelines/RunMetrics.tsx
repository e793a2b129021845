/** How a job's runs went: how many succeeded, how long they took, drawn in their order. */
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import { useMemo } from 'react';

import type { JobRun } from '../../aws/glue';
import { Chart } from '../../lib/chart';
import { count, duration, localTime } from '../../lib/format';
import { KeyValuePairs } from '../../lib/frame';
import { stateText } from '../../lib/status';
import { hasEnded, runMs } from './runs';

/** Runs that are drawn. */
const DRAWN = 60;

export function RunMetrics({ runs }: { runs: readonly JobRun[] }) {
  const ended = useMemo(() => runs.filter(hasEnded), [runs]);
  const rows = useMemo(
    () => ended.slice(0, DRAWN).reverse().map((run) => [localTime(run.StartedOn), runMs(run) ?? 0, stateText(run.JobRunState)]),
    [ended],
  );
  if (ended.length < 2) return null;
  const good = ended.filter(({ JobRunState }) => JobRunState === 'SUCCEEDED').length;
  const times = ended.map((run) => runMs(run) ?? 0).sort((a, b) => a - b);
  return (
    <Container header={<Header variant="h2" description={`The last ${count(ended.length)} runs that have ended.`}>Metrics</Header>}>
      <div className="bh-metrics">
        <KeyValuePairs
          columns={2}
          items={[
            { label: 'Succeeded', value: `${Math.round((good / ended.length) * 100)} %` },
            { label: 'Failed', value: count(ended.length - good) },
            { label: 'Half took less than', value: duration(times[Math.floor(times.length / 2)]) },
            { label: 'Longest', value: duration(times.at(-1)) },
          ]}
        />
        <Chart label="Duration of runs" kind="bar" columns={['Started', 'Duration', 'State']} rows={rows} x="Started" y={['Duration']} by="State" stacked unit="duration" height={170} />
      </div>
    </Container>
  );
}
