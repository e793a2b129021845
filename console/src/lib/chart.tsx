/**
 * The one chart of the console: results, metrics, dashboards. It is loaded when the first one is shown.
 *
 *     <Chart label="Flights by month" kind="bar" columns={['month', 'flights']} rows={rows} x="month" y={['flights']} />
 */
import { Suspense, lazy } from 'react';

import type { ChartSpec } from './chart-option';
import { Loading } from './states';

const Canvas = lazy(() => import('./chart-canvas'));

export type { ChartKind, ChartSpec } from './chart-option';

export interface ChartProps extends ChartSpec {
  /** What it shows, for screen readers. */
  label: string;
  /** Pixels or any CSS length. */
  height?: number | string;
  /** A picture to keep: called with a PNG's address when it is drawn. */
  onPicture?: (url: string) => void;
}

export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Loading text="Loading the chart" />}>
      <Canvas {...props} />
    </Suspense>
  );
}
