/** The renderer; pages use `chart.tsx`, which loads this one when it is needed. */
import { BarChart, LineChart, PieChart, ScatterChart } from 'echarts/charts';
import { AriaComponent, DataZoomComponent, GridComponent, LegendComponent, TitleComponent, TooltipComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';

import type { ChartProps } from './chart';
import { chartOption } from './chart-option';
import { bytes, duration } from './format';
import { colour, useDark } from './theme';

use([
  BarChart,
  LineChart,
  PieChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  TitleComponent,
  TooltipComponent,
  DataZoomComponent,
  AriaComponent,
  CanvasRenderer,
]);

function format(value: number, unit: ChartProps['unit']): string {
  if (unit === 'bytes') return bytes(value);
  if (unit === 'duration') return duration(value);
  return Math.abs(value) >= 100_000 ? value.toLocaleString('en-US', { notation: 'compact' }) : value.toLocaleString('en-US');
}

export default function Canvas({ label, height = 320, onPicture, ...spec }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);
  const dark = useDark();
  const picture = useRef(onPicture);
  picture.current = onPicture;

  useEffect(() => {
    if (!place.current) return undefined;
    const made = init(place.current);
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(place.current);
    made.on('finished', () => {
      picture.current?.(made.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: colour('surface') }));
    });
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  // A spec is made anew at each render; what it says changes less often.
  const { rows, ...rest } = spec;
  const said = JSON.stringify(rest);
  useEffect(() => {
    const look = { dark, text: colour('text'), soft: colour('text-soft'), line: colour('border'), surface: colour('surface'), bad: colour('bad'), font: colour('font'), format };
    // The renderer describes the values for screen readers, behind what the chart is.
    const aria = { enabled: true, label: { general: { withTitle: `${label}. `, withoutTitle: `${label}. ` } } };
    chart.current?.setOption({ ...chartOption(spec, look), aria }, { notMerge: true });
  }, [said, rows, dark, label]);

  return <div ref={place} role="img" aria-label={label} style={{ width: '100%', height }} />;
}
