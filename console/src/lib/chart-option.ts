/** What a chart shows, and how the renderer is told. A pure function, so that it is tested without a canvas. */
import type { EChartsOption } from 'echarts/types/dist/shared';

export type ChartKind = 'bar' | 'line' | 'area' | 'pie' | 'scatter';

export type Cell = string | number | Date | boolean | null | undefined;

export interface ChartSpec {
  kind: ChartKind;
  /** The names of the rows' columns. */
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
  /** The column along the axis; of a pie, the names of its pieces. */
  x: string;
  /** The columns that are drawn; a pie takes the first. */
  y: readonly string[];
  /** A column whose values make series of their own out of the first of `y`. */
  by?: string | undefined;
  stacked?: boolean;
  /** How values are written: `bytes` and `duration` (ms) have their units. */
  unit?: 'bytes' | 'duration' | undefined;
  title?: string | undefined;
  /** The series of what failed: it is drawn in the colour of errors. */
  failed?: string | undefined;
}

/** The colours of series, told apart by people who see few colours too. */
export const PALETTE = ['#0f8a9d', '#e07941', '#6b5fd3', '#c33d69', '#3d8f4f', '#b0881f', '#2f6fb5', '#8456ce', '#a2572c', '#5c7080'];
export const PALETTE_DARK = ['#4fc3d6', '#ffa36b', '#a79df5', '#f07a9f', '#74c987', '#e0bb55', '#7fb3ee', '#bd97f2', '#d99468', '#9fb0bf'];

export interface Look {
  dark: boolean;
  text: string;
  soft: string;
  line: string;
  surface: string;
  bad: string;
  font: string;
  format: (value: number, unit: ChartSpec['unit']) => string;
}

function number(cell: Cell): number | null {
  if (cell === null || cell === undefined || cell === '') return null;
  const value = cell instanceof Date ? cell.getTime() : Number(cell);
  return Number.isFinite(value) ? value : null;
}

function isTime(cell: Cell): boolean {
  return cell instanceof Date || (typeof cell === 'string' && /^\d{4}-\d\d-\d\d([ T]\d\d:\d\d|$)/.test(cell));
}

/** What the axis along the bottom is made of. */
export function axisKind(values: readonly Cell[]): 'time' | 'value' | 'category' {
  const known = values.filter((value) => value !== null && value !== undefined && value !== '');
  if (known.length === 0) return 'category';
  if (known.every(isTime)) return 'time';
  return known.every((value) => number(value) !== null) ? 'value' : 'category';
}

interface Series {
  name: string;
  points: [Cell, number | null][];
}

/** The series of a spec: one for each of `y`, or one for each value of `by`. */
export function seriesOf(spec: ChartSpec): Series[] {
  const at = (name: string) => spec.columns.indexOf(name);
  const x = at(spec.x);
  if (spec.by === undefined || at(spec.by) < 0) {
    return spec.y.map((name) => ({ name, points: spec.rows.map((row) => [row[x], number(row[at(name)])]) }));
  }
  const groups = new Map<string, Series>();
  const [by, y] = [at(spec.by), at(spec.y[0] ?? '')];
  for (const row of spec.rows) {
    const name = String(row[by] ?? 'null');
    const series = groups.get(name) ?? { name, points: [] };
    series.points.push([row[x], number(row[y])]);
    groups.set(name, series);
  }
  return [...groups.values()];
}

export function chartOption(spec: ChartSpec, look: Look): EChartsOption {
  const common: EChartsOption = {
    color: look.dark ? PALETTE_DARK : PALETTE,
    backgroundColor: 'transparent',
    animationDuration: 250,
    textStyle: { color: look.text, fontFamily: look.font },
    aria: { enabled: true },
    // Drawn on the canvas: the content policy lets nothing write markup with styles.
    tooltip: {
      trigger: spec.kind === 'pie' || spec.kind === 'scatter' ? 'item' : 'axis',
      renderMode: 'richText',
      backgroundColor: look.surface,
      borderColor: look.line,
      textStyle: { color: look.text, fontFamily: look.font },
      valueFormatter: (value) => (typeof value === 'number' ? look.format(value, spec.unit) : String(value ?? '–')),
    },
    ...(spec.title ? { title: { text: spec.title, textStyle: { color: look.text, fontSize: 14 } } } : {}),
  };
  return spec.kind === 'pie' ? { ...common, ...pie(spec, look) } : { ...common, ...cartesian(spec, look) };
}

function pie(spec: ChartSpec, look: Look): EChartsOption {
  const [only] = seriesOf({ ...spec, by: undefined, y: spec.y.slice(0, 1) });
  const data = (only?.points ?? []).map(([name, value]) => ({ name: String(name ?? 'null'), value: value ?? 0 }));
  return {
    legend: { type: 'scroll', bottom: 0, icon: 'roundRect', textStyle: { color: look.soft } },
    series: [
      { type: 'pie', name: only?.name ?? '', radius: ['42%', '70%'], center: ['50%', '46%'], data, label: { color: look.text }, itemStyle: { borderColor: look.surface, borderWidth: 2 } },
    ],
  };
}

function cartesian(spec: ChartSpec, look: Look): EChartsOption {
  const series = seriesOf(spec);
  const values = series.flatMap((one) => one.points.map(([x]) => x));
  const found = axisKind(values);
  const kind = found === 'value' && spec.kind === 'bar' ? 'category' : found;
  const many = series.length > 1;
  const categories = [...new Set(values.map((value) => String(value ?? 'null')))];
  const axis = { axisLine: { lineStyle: { color: look.line } }, axisLabel: { color: look.soft, hideOverlap: true } };
  const type = spec.kind === 'area' ? 'line' : spec.kind;
  return {
    ...(many ? { legend: { type: 'scroll' as const, bottom: 0, icon: 'roundRect', textStyle: { color: look.soft } } } : {}),
    grid: { left: 8, right: 20, top: spec.title ? 40 : 20, bottom: many ? 36 : 8, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis:
      kind === 'category'
        ? { type: 'category', data: categories, ...axis }
        : { type: kind, scale: true, ...axis, splitLine: { show: false } },
    yAxis: {
      type: 'value',
      scale: spec.kind === 'scatter',
      axisLabel: { color: look.soft, formatter: (value: number) => look.format(value, spec.unit) },
      splitLine: { lineStyle: { color: look.line, opacity: 0.6 } },
    },
    ...(values.length > 400 && spec.kind !== 'scatter' ? { dataZoom: [{ type: 'inside' as const }] } : {}),
    series: series.map((one) => ({
      type: type as 'bar' | 'line' | 'scatter',
      name: one.name,
      ...(one.name === spec.failed ? { color: look.bad } : {}),
      data: one.points.map(([x, y]) => (kind === 'category' ? [String(x ?? 'null'), y] : [x instanceof Date ? x.getTime() : (x as string | number), y])),
      ...(spec.stacked ? { stack: 'all' } : {}),
      ...(spec.kind === 'area' ? { areaStyle: { opacity: 0.25 } } : {}),
      ...(type === 'line' ? { showSymbol: one.points.length < 40, symbolSize: 6, sampling: 'lttb' as const } : {}),
      ...(type === 'scatter' ? { symbolSize: 8, large: one.points.length > 2000 } : {}),
      ...(type === 'bar' ? { barMaxWidth: 48, itemStyle: { borderRadius: spec.stacked ? 0 : [4, 4, 0, 0] } } : {}),
    })),
  };
}
