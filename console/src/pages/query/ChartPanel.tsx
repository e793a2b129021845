/** A result as a chart, and the SQL that makes the chart's data of all rows. */
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Multiselect from '@cloudscape-design/components/multiselect';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import FormField from '@cloudscape-design/components/form-field';
import { useMemo, useState } from 'react';

import type { ColumnInfo, QueryExecution } from '../../aws/athena';
import { Chart, type ChartKind } from '../../lib/chart';
import { CodeEditor } from '../../lib/editor';
import { count } from '../../lib/format';
import { Empty, Loading } from '../../lib/states';
import { type Aggregate, type ChartChoice, DRAWN, chartData, chartSql, guess } from './chart-guess';
import { kindOf } from './grid-model';
import { useResult } from './results';

const KINDS: { id: ChartKind; text: string }[] = [
  { id: 'bar', text: 'Bar' },
  { id: 'line', text: 'Line' },
  { id: 'area', text: 'Area' },
  { id: 'pie', text: 'Pie' },
  { id: 'scatter', text: 'Scatter' },
];

const AGGREGATES: { value: Aggregate; label: string }[] = [
  { value: 'none', label: 'Rows as they are' },
  { value: 'sum', label: 'Sum' },
  { value: 'avg', label: 'Average' },
  { value: 'count', label: 'Count of rows' },
  { value: 'min', label: 'Minimum' },
  { value: 'max', label: 'Maximum' },
];

export function ChartPanel({ execution, onOpenSql }: { execution: QueryExecution; onOpenSql: (sql: string) => void }) {
  const { state } = useResult(execution);
  const [choice, setChoice] = useState<ChartChoice>();
  const [stacked, setStacked] = useState(false);
  const first = useMemo(() => (state.reading ? undefined : guess(state.columns, state.rows)), [state.columns, state.reading, state.rows]);
  const shown = choice ?? first;
  const data = useMemo(() => (shown ? chartData(shown, state.columns, state.rows) : undefined), [shown, state.columns, state.version]);
  if (state.reading && !shown) return <Loading text="Reading the result" />;
  if (!shown || !data) return <Empty title="Nothing to draw">A chart needs rows, and a column of numbers, times or words.</Empty>;
  const set = (part: Partial<ChartChoice>) => setChoice({ ...shown, ...part });
  const sql = chartSql(shown, state.columns, execution.Query);
  const parts = [
    data.cut ? `The chart shows the first ${count(DRAWN)} points.` : '',
    state.complete ? '' : `It is made of the ${count(state.rows.length)} rows that were read.`,
    data.cut || !state.complete ? 'The SQL below makes its data of all rows.' : '',
  ];
  const note = parts.filter(Boolean).join(' ');
  return (
    <SpaceBetween size="m">
      <Choices columns={state.columns} choice={shown} onChange={set} stacked={stacked} onStacked={setStacked} />
      <Chart
        label={`${KINDS.find(({ id }) => id === shown.kind)?.text} chart of ${data.y.join(', ')} by ${state.columns[shown.x]?.Name ?? ''}`}
        kind={shown.kind}
        columns={data.columns}
        rows={data.rows}
        x={data.x}
        y={data.y}
        by={data.by}
        stacked={stacked}
        height={360}
      />
      {note && <small>{note}</small>}
      {execution.StatementType === 'DML' && (
        <ExpandableSection headerText="SQL of the chart's data" headerActions={<Button onClick={() => onOpenSql(sql)}>Open in a new tab</Button>}>
          <CodeEditor label="SQL of the chart's data" language="sql" value={sql} readOnly />
        </ExpandableSection>
      )}
    </SpaceBetween>
  );
}

interface ChoicesProps {
  columns: readonly ColumnInfo[];
  choice: ChartChoice;
  onChange: (part: Partial<ChartChoice>) => void;
  stacked: boolean;
  onStacked: (on: boolean) => void;
}

function Choices({ columns, choice, onChange, stacked, onStacked }: ChoicesProps) {
  const options = columns.map(({ Name, Type }, at) => ({ value: String(at), label: Name, description: Type }));
  const numbers = options.filter((_, at) => kindOf(columns[at]?.Type ?? '') === 'number');
  const none = { value: '', label: 'None' };
  const [onlyY] = choice.y;
  const single = choice.kind === 'pie' || choice.by !== undefined;
  return (
    <div className="bh-chart-choices">
      <FormField label="Chart">
        <SegmentedControl label="Kind of chart" selectedId={choice.kind} options={KINDS} onChange={({ detail }) => onChange({ kind: detail.selectedId as ChartKind })} />
      </FormField>
      <FormField label={choice.kind === 'pie' ? 'Pieces' : 'Along the axis'}>
        <Select selectedOption={options[choice.x] ?? null} options={options} onChange={({ detail }) => onChange({ x: Number(detail.selectedOption.value) })} />
      </FormField>
      {choice.aggregate !== 'count' && (
        <FormField label="Values">
          {single ? (
            <Select selectedOption={options[onlyY ?? -1] ?? null} options={numbers} onChange={({ detail }) => onChange({ y: [Number(detail.selectedOption.value)] })} />
          ) : (
            <Multiselect
              selectedOptions={choice.y.flatMap((at) => options[at] ?? [])}
              options={numbers}
              tokenLimit={0}
              placeholder={`${choice.y.length} chosen`}
              onChange={({ detail }) => detail.selectedOptions.length > 0 && onChange({ y: detail.selectedOptions.map((option) => Number(option.value)) })}
            />
          )}
        </FormField>
      )}
      <FormField label="For equal places">
        <Select selectedOption={AGGREGATES.find(({ value }) => value === choice.aggregate) ?? null} options={AGGREGATES} onChange={({ detail }) => onChange({ aggregate: detail.selectedOption.value as Aggregate })} />
      </FormField>
      {choice.kind !== 'pie' && (
        <FormField label="A series for each">
          <Select
            selectedOption={choice.by === undefined ? none : (options[choice.by] ?? none)}
            options={[none, ...options]}
            onChange={({ detail }) => onChange({ by: detail.selectedOption.value === '' ? undefined : Number(detail.selectedOption.value) })}
          />
        </FormField>
      )}
      {(choice.kind === 'bar' || choice.kind === 'area') && (
        <Toggle checked={stacked} onChange={({ detail }) => onStacked(detail.checked)}>
          Stacked
        </Toggle>
      )}
    </div>
  );
}
