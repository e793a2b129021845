/** Metrics: what services and programs measure, chosen from a list, drawn together. The address holds the whole graph. */
import Container from '@cloudscape-design/components/container';
import { useMemo } from 'react';

import { type Metric, listMetrics } from '../../../aws/cloudwatch';
import { Frame } from '../../../lib/frame';
import { useLive } from '../../../lib/live';
import { useParam } from '../../../lib/router';
import { Empty, Shown } from '../../../lib/states';
import { Browse } from './Browse';
import { Graph } from './Graph';
import { type Line, MOST_LINES, graphLines, graphText, idOf, usualStatistic } from './graph';
import './metrics.css';

const EVERY_MS = 30_000;

export default function Metrics() {
  const [text, setText] = useParam('graph');
  const lines = useMemo(() => graphLines(text), [text]);
  const setLines = (next: readonly Line[]) => setText(graphText(next.slice(0, MOST_LINES)));
  const metrics = useLive('cloudwatch/metrics', () => listMetrics(), { every: EVERY_MS });
  const choose = (chosen: readonly Metric[]) => {
    const wanted = new Set(chosen.map(idOf));
    const kept = lines.filter(({ metric }) => wanted.has(idOf(metric)));
    const known = new Set(kept.map(({ metric }) => idOf(metric)));
    const fresh = chosen.filter((metric) => !known.has(idOf(metric)));
    setLines([...kept, ...fresh.map((metric) => ({ metric, stat: usualStatistic(metric) }))]);
  };
  return (
    <Frame title="Metrics" description="What services measure as they work, and what your programs put with PutMetricData, minute by minute.">
      <Shown live={metrics} what="The metrics can't be listed">
        {(all) =>
          all.length === 0 && lines.length === 0 ? (
            <Nothing />
          ) : (
            <div className="bh-metrics">
              <Container>
                <Graph lines={lines} onChange={setLines} />
              </Container>
              <Browse metrics={all} lines={lines} onChoose={choose} />
            </div>
          )
        }
      </Shown>
    </Frame>
  );
}

function Nothing() {
  return (
    <Container>
      <Empty title="Nothing has been measured yet">
        Functions, queues, delivery streams, state machines, rules, APIs, queries and jobs measure themselves as they work: use one, and
        its metrics are here at once. Your own come from any AWS client:
        <pre className="bh-metrics-example">aws cloudwatch put-metric-data --namespace Shop --metric-name Orders --value 3 --unit Count</pre>
      </Empty>
    </Container>
  );
}
