/** The lines of the graph: what each is, its statistic, its last value and bounds. */
import Button from '@cloudscape-design/components/button';
import Select from '@cloudscape-design/components/select';

import type { MetricResult } from '../../../aws/cloudwatch';
import { PALETTE, PALETTE_DARK } from '../../../lib/chart-option';
import { bytes, count, duration } from '../../../lib/format';
import { useDark } from '../../../lib/theme';
import { type Line, STATISTICS, dimensionsText, idOf, sumsOf, unitOf } from './graph';

export interface LinesProps {
  lines: readonly Line[];
  labels: readonly string[];
  results: readonly MetricResult[];
  onChange: (lines: readonly Line[]) => void;
}

export function Lines({ lines, labels, results, onChange }: LinesProps) {
  const palette = useDark() ? PALETTE_DARK : PALETTE;
  return (
    <table className="bh-metrics-lines" aria-label="Lines of the graph">
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col">Statistic</th>
          <th scope="col">Last</th>
          <th scope="col">Least</th>
          <th scope="col">Most</th>
          <th scope="col">
            <span className="bh-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line, at) => {
          const sums = sumsOf(results.find(({ Id }) => Id === `m${at}`)?.Values ?? []);
          const shown = (value: number | undefined) => written(line, value);
          return (
            <tr key={`${idOf(line.metric)} ${at}`}>
              <td>
                <svg className="bh-metrics-swatch" viewBox="0 0 10 10" aria-hidden="true">
                  <rect width="10" height="10" rx="2" fill={palette[at % palette.length]} />
                </svg>
                <strong>{line.metric.MetricName}</strong>
                <span className="bh-metrics-of">
                  {line.metric.Namespace}
                  {line.metric.Dimensions.length > 0 && ` · ${dimensionsText(line.metric)}`}
                </span>
              </td>
              <td className="bh-metrics-stat">
                <Statistic line={line} label={labels[at] ?? ''} onChange={(stat) => onChange(lines.map((one, n) => (n === at ? { ...one, stat } : one)))} />
              </td>
              <td>{shown(sums.last)}</td>
              <td>{shown(sums.least)}</td>
              <td>{shown(sums.most)}</td>
              <td>
                <Button variant="icon" iconName="close" ariaLabel={`Take ${labels[at]} away`} onClick={() => onChange(lines.filter((_, n) => n !== at))} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function written(line: Line, value: number | undefined): string {
  if (value === undefined) return '–';
  const unit = unitOf([line]);
  if (unit === 'bytes') return bytes(value);
  return unit === 'duration' ? duration(value) : count(Math.round(value * 100) / 100);
}

function Statistic({ line, label, onChange }: { line: Line; label: string; onChange: (stat: string) => void }) {
  // A link may ask for any other that the server knows, such as tm90.
  const known = (STATISTICS as readonly string[]).includes(line.stat) ? [...STATISTICS] : [line.stat, ...STATISTICS];
  return (
    <Select
      ariaLabel={`Statistic of ${label}`}
      selectedOption={{ value: line.stat, label: line.stat }}
      options={known.map((value) => ({ value, label: value }))}
      expandToViewport
      onChange={({ detail }) => onChange(detail.selectedOption.value ?? line.stat)}
    />
  );
}
