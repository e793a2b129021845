/** The chart with its tools, and the list of its lines. */
import Button from '@cloudscape-design/components/button';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import Toggle from '@cloudscape-design/components/toggle';
import { useMemo } from 'react';

import { getMetricData } from '../../../aws/cloudwatch';
import { platformNow } from '../../../aws/session';
import { Chart } from '../../../lib/chart';
import type { ChartKind } from '../../../lib/chart-option';
import { useLive } from '../../../lib/live';
import { useParam } from '../../../lib/router';
import { Empty, ErrorBox, Loading } from '../../../lib/states';
import { Lines } from './Lines';
import { KINDS, type Line, PERIODS, SPANS, chartRows, graphText, labelsOf, periodOf, queriesOf, secondsOf, unitOf } from './graph';

const EVERY_MS = 10_000;
const HEIGHT = 340;

export interface GraphProps {
  lines: readonly Line[];
  onChange: (lines: readonly Line[]) => void;
}

export function Graph({ lines, onChange }: GraphProps) {
  const [span, setSpan] = useParam('range', '3h');
  const [chosen, setChosen] = useParam('period', 'auto');
  const [kind, setKind] = useParam('kind', 'line');
  const [follow, setFollow] = useParam('live', 'on');
  const period = periodOf(chosen, span);
  const text = graphText(lines);
  const live = useLive(
    `cloudwatch/graph/${text}/${span}/${period}`,
    async (signal) => {
      // Whole periods, so that points stay where they are as time goes on.
      const end = (Math.floor(platformNow() / 1000 / period) + 1) * period;
      return getMetricData(queriesOf(lines, period), { StartTime: end - secondsOf(span), EndTime: end }, { signal });
    },
    { every: follow === 'on' ? EVERY_MS : undefined, enabled: lines.length > 0 },
  );
  const labels = useMemo(() => labelsOf(lines), [lines]);
  const results = live.data;
  const rows = useMemo(() => chartRows(lines, results ?? []), [lines, results]);
  const drawn = KINDS.find(({ value }) => value === kind)?.value ?? 'line';
  return (
    <>
      <div className="bh-metrics-bar">
        <Choice label="Range" value={span} options={SPANS} onChange={setSpan} />
        <Choice label="Period" value={chosen} options={PERIODS} onChange={setChosen} />
        <SegmentedControl
          label="Drawn as"
          selectedId={drawn}
          options={KINDS.map(({ value, label }) => ({ id: value, text: label }))}
          onChange={({ detail }) => setKind(detail.selectedId)}
        />
        <Toggle checked={follow === 'on'} onChange={({ detail }) => setFollow(detail.checked ? 'on' : 'off')}>
          Live
        </Toggle>
        <span className="bh-metrics-space" />
        {follow !== 'on' && lines.length > 0 && <Button iconName="refresh" ariaLabel="Read again" onClick={() => void live.refresh()} />}
        {lines.length > 0 && <Button onClick={() => onChange([])}>Clear the graph</Button>}
      </div>
      {live.error && lines.length > 0 && <ErrorBox error={live.error} what="The metrics can't be read" onRetry={live.refresh} />}
      <div className="bh-metrics-chart" style={{ minHeight: HEIGHT }}>
        {lines.length === 0 ? (
          <Empty title="Choose metrics below">Each is a line of its own; the address of this page is a link to the whole graph.</Empty>
        ) : !results ? (
          !live.error && <Loading text="Reading the metrics" />
        ) : rows.length === 0 ? (
          <Empty title="No points in this time">Nothing was measured then. Take a longer range.</Empty>
        ) : (
          <Chart label={`Metrics: ${labels.join(', ')}`} kind={drawn as ChartKind} columns={['time', ...labels]} rows={rows} x="time" y={labels} unit={unitOf(lines)} stacked={drawn === 'area'} height={HEIGHT} />
        )}
      </div>
      {lines.length > 0 && <Lines lines={lines} labels={labels} results={results ?? []} onChange={onChange} />}
    </>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  const selected = options.find((one) => one.value === value) ?? options[0] ?? null;
  return (
    <div className="bh-metrics-choice">
      <Select ariaLabel={label} selectedOption={selected} options={options} expandToViewport onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')} />
    </div>
  );
}
