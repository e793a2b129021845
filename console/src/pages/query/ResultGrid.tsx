/** A result with what can be done with it: copy, export, look at one value. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useMemo, useState } from 'react';

import { type QueryExecution, getStatistics } from '../../aws/athena';
import { presignedUrl } from '../../aws/s3';
import { CodeEditor } from '../../lib/editor';
import { count, prettyJson } from '../../lib/format';
import { useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';
import { Empty, ErrorBox, Loading } from '../../lib/states';
import { type Cell, Grid, type Range, bounds, chosen } from './Grid';
import { type GridSort, jsonParts, order, tsv } from './grid-model';
import { AT_ONCE, type Result, type ResultState, s3Place, useResult } from './results';

/** Values that are copied at once, without asking the browser for more than it has. */
const COPIED = 2_000_000;

export function ResultGrid({ execution }: { execution: QueryExecution }) {
  const { state, result } = useResult(execution);
  const [sort, setSort] = useState<GridSort>();
  const [range, setRange] = useState<Range>();
  const [opened, setOpened] = useState<Cell>();
  const places = useMemo(() => order(state.rows, state.columns, sort), [state.rows, state.version, state.columns, sort]);
  if (state.error && state.rows.length === 0) return <ErrorBox error={state.error} what="The result can't be read" onRetry={() => result.read(AT_ONCE)} />;
  if (state.columns.length === 0 && !state.complete) return <Loading text="Reading the result" />;
  if (state.columns.length === 0 || (state.complete && state.rows.length === 0 && execution.StatementType !== 'DML')) {
    return <Empty title="Done">The statement has succeeded. It gives no rows.</Empty>;
  }
  const value = opened && state.rows[places?.[opened.row] ?? opened.row]?.[opened.column];
  return (
    <div className="bh-result">
      <div className="bh-result-tools">
        <Extent execution={execution} state={state} result={result} range={range} sorted={sort !== undefined} />
        <SpaceBetween direction="horizontal" size="xs">
          <Button iconName="copy" onClick={() => void copy(state, places, range)} disabled={state.rows.length === 0}>
            {range ? 'Copy selection' : 'Copy all'}
          </Button>
          <Exports execution={execution} result={result} />
        </SpaceBetween>
      </div>
      {state.rows.length === 0 && state.complete ? (
        <Empty title="No rows">Nothing matches. The columns are {state.columns.map((column) => column.Name).join(', ')}.</Empty>
      ) : (
        <Grid
          label="Result"
          columns={state.columns}
          rows={state.rows}
          version={state.version}
          places={places}
          sort={sort}
          onSort={setSort}
          range={range}
          onRange={setRange}
          onOpen={setOpened}
          onNearEnd={() => void result.read(state.rows.length + AT_ONCE)}
        />
      )}
      {opened && (
        <Modal visible size="large" header={`${state.columns[opened.column]?.Name ?? ''}, row ${count(opened.row + 1)}`} closeAriaLabel="Close" onDismiss={() => setOpened(undefined)}>
          {value === undefined ? <Box>null</Box> : <CodeEditor label="Value" language={/^[[{]/.test(value) ? 'json' : 'text'} value={prettyJson(value)} readOnly height={360} />}
        </Modal>
      )}
    </div>
  );
}

interface ExtentProps {
  execution: QueryExecution;
  state: ResultState;
  result: Result;
  range: Range | undefined;
  sorted: boolean;
}

/** How much of the result is here, and what is chosen of it. */
function Extent({ execution, state, result, range, sorted }: ExtentProps) {
  const id = execution.QueryExecutionId;
  const statistics = useLive(`athena/statistics/${id}`, () => getStatistics(id), { enabled: !state.complete });
  const total = statistics.data?.Rows?.OutputRows;
  const here = state.rows.length;
  const box = range && bounds(range);
  const picked = box ? (box.bottom - box.top + 1) * (box.right - box.left + 1) : 0;
  return (
    <div className="bh-result-extent" role="status">
      <strong>
        {state.complete ? `${count(here)} ${here === 1 ? 'row' : 'rows'}` : `First ${count(here)}${total && total > here ? ` of ${count(total)}` : ''} rows`}
      </strong>
      {!state.complete && sorted && <span>in the order of these rows</span>}
      {state.reading ? <Spinner /> : !state.complete && <Button variant="inline-link" onClick={() => void result.read(Infinity)}>Read all</Button>}
      {picked > 1 && <span>{count(picked)} values chosen</span>}
      {state.error && <span className="bh-bad">{state.error.message}</span>}
    </div>
  );
}

async function copy(state: ResultState, places: Uint32Array | undefined, range: Range | undefined): Promise<void> {
  const all: Range = { anchor: { row: 0, column: 0 }, head: { row: state.rows.length - 1, column: state.columns.length - 1 } };
  const box = bounds(range ?? all);
  if ((box.bottom - box.top + 1) * (box.right - box.left + 1) > COPIED) {
    return void notify('warning', 'Too much to copy', 'Choose fewer values, or export the result.');
  }
  const header = range ? undefined : state.columns.map((column) => column.Name);
  const text = tsv(chosen(state.rows, places, range ?? all), header);
  try {
    await navigator.clipboard.writeText(text);
    notify('success', range ? 'The selection is copied' : `${count(state.rows.length)} rows are copied, with the columns' names`);
  } catch (error) {
    notifyError('The browser does not let the page copy', error);
  }
}

/** For how long a link to the CSV works. */
const LINK_SECONDS = 900;

function Exports({ execution, result }: { execution: QueryExecution; result: Result }) {
  const [busy, setBusy] = useState(false);
  const place = s3Place(execution.ResultConfiguration?.OutputLocation);
  const name = execution.QueryExecutionId;
  const link = () => (place ? presignedUrl(place.bucket, place.key, LINK_SECONDS, [['response-content-disposition', `attachment; filename="${name}.csv"`]]) : '');
  const json = async () => {
    setBusy(true);
    try {
      await result.read(Infinity);
      const { rows, columns, complete } = result.snapshot();
      if (complete) save(new Blob([...jsonParts(rows, columns)], { type: 'application/json' }), `${name}.json`);
    } finally {
      setBusy(false);
    }
  };
  const act = async (id: string) => {
    if (id === 'csv') follow(link(), `${name}.csv`);
    else if (id === 'json') await json();
    else await navigator.clipboard.writeText(link()).then(() => notify('success', 'A link is copied', 'Whoever has it can fetch the CSV for 15 minutes.'), (error: unknown) => notifyError('The browser does not let the page copy', error));
  };
  return (
    <ButtonDropdown
      loading={busy}
      items={[
        { id: 'csv', text: 'Download CSV', disabled: !place?.key.endsWith('.csv') },
        { id: 'json', text: 'Download JSON' },
        { id: 'link', text: 'Copy a link to the CSV (15 minutes)', disabled: !place?.key.endsWith('.csv') },
      ]}
      onItemClick={({ detail }) => void act(detail.id)}
    >
      Export
    </ButtonDropdown>
  );
}

function follow(href: string, name: string): void {
  const anchor = document.createElement('a');
  anchor.href = href;
  anchor.download = name;
  anchor.click();
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  follow(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
