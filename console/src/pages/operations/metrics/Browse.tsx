/** All metrics, namespace by namespace: those that are ticked are drawn. */
import { useMemo } from 'react';

import type { Metric } from '../../../aws/cloudwatch';
import { count } from '../../../lib/format';
import { useParam } from '../../../lib/router';
import { DataTable } from '../../../lib/table';
import { type Line, MOST_LINES, dimensionsText, idOf } from './graph';

export interface BrowseProps {
  metrics: readonly Metric[];
  lines: readonly Line[];
  /** All metrics that are to be drawn. */
  onChoose: (metrics: readonly Metric[]) => void;
}

const ALL = '';

export function Browse({ metrics, lines, onChoose }: BrowseProps) {
  const [namespace, setNamespace] = useParam('namespace', ALL);
  const namespaces = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { Namespace } of metrics) counts.set(Namespace, (counts.get(Namespace) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => a.localeCompare(b));
  }, [metrics]);
  const shown = useMemo(() => metrics.filter(({ Namespace }) => namespace === ALL || Namespace === namespace), [metrics, namespace]);
  const chosen = useMemo(() => new Set(lines.map(({ metric }) => idOf(metric))), [lines]);
  const select = (keys: ReadonlySet<string>) => {
    const here = new Set(shown.map(idOf));
    const elsewhere = lines.map(({ metric }) => metric).filter((metric) => !here.has(idOf(metric)));
    onChoose([...elsewhere, ...shown.filter((metric) => keys.has(idOf(metric)))]);
  };
  return (
    <div className="bh-metrics-browse">
      <nav aria-label="Namespaces" className="bh-metrics-spaces">
        {[[ALL, metrics.length] as const, ...namespaces].map(([name, size]) => (
          <button key={name} type="button" aria-pressed={namespace === name} onClick={() => setNamespace(name)}>
            <span>{name === ALL ? 'All namespaces' : name}</span>
            <small>{count(size)}</small>
          </button>
        ))}
      </nav>
      <DataTable
        label="Metrics"
        description={`Tick those to draw, up to ${MOST_LINES} together.`}
        items={shown}
        rowKey={idOf}
        selected={chosen}
        onSelect={select}
        height={420}
        columns={[
          { id: 'name', header: 'Metric', value: (metric) => metric.MetricName, cell: (metric) => metric.MetricName },
          { id: 'dimensions', header: 'Of', value: dimensionsText, cell: (metric) => dimensionsText(metric) || 'everything' },
          { id: 'namespace', header: 'Namespace', width: 180, value: (metric) => metric.Namespace, cell: (metric) => metric.Namespace },
        ]}
      />
    </div>
  );
}
