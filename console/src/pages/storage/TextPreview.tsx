/** CSV and JSON as rows, everything else as text; more of it when somebody asks. */
import Button from '@cloudscape-design/components/button';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Toggle from '@cloudscape-design/components/toggle';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { CodeEditor, JsonView } from '../../lib/editor';
import { bytes, count } from '../../lib/format';
import { ErrorBox, Loading } from '../../lib/states';
import { CsvReader, delimiterOf, hasHeader } from './csv';
import { Grid, type GridRow } from '../../lib/grid';
import { documents, shown, tableOf } from './records';
import { type Source, TextReader } from './text';
import { type Look, extension } from './types';

interface Read {
  text: string;
  ended: boolean;
  bytes: number;
}

/** The text so far, and how to read on. */
function useText(source: Source, gzip: boolean) {
  const reader = useRef<TextReader>(undefined);
  const [read, setRead] = useState<Read>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const more = useCallback(async () => {
    const from = reader.current;
    if (!from) return;
    setBusy(true);
    setError(undefined);
    try {
      const text = await from.more();
      if (reader.current === from) setRead((before) => ({ text: (before?.text ?? '') + text, ended: from.ended, bytes: from.read }));
    } catch (failed) {
      if (reader.current === from) setError(asAwsError(failed));
    } finally {
      setBusy(false);
    }
  }, []);
  useEffect(() => {
    const made = new TextReader(source, gzip);
    reader.current = made;
    setRead(undefined);
    void more();
    return () => {
      reader.current = undefined;
      void made.cancel().catch(() => undefined);
    };
  }, [source.bucket, source.key, source.versionId, source.size, gzip, more]);
  return { read, busy, error, more };
}

type Mode = 'rows' | 'text';

export function TextPreview({ source, look }: { source: Source; look: Look }) {
  const { read, busy, error, more } = useText(source, look.gzip);
  const rowsPossible = look.view !== 'text';
  const [mode, setMode] = useState<Mode>(rowsPossible ? 'rows' : 'text');
  if (!read) return error ? <ErrorBox error={error} what="The object can't be read" onRetry={more} /> : <Loading text="Reading the beginning" />;
  return (
    <div className="bh-preview">
      <div className="bh-preview-bar">
        {rowsPossible && (
          <SegmentedControl
            label="Show as"
            selectedId={mode}
            onChange={({ detail }) => setMode(detail.selectedId as Mode)}
            options={[
              { id: 'rows', text: 'Rows' },
              { id: 'text', text: 'Text' },
            ]}
          />
        )}
        <span className="bh-soft" role="status">
          {read.ended ? `All ${bytes(source.size)} read` : `${bytes(read.bytes)} of ${bytes(source.size)} read`}
          {look.gzip && `, ${bytes(read.text.length)} unpacked`}
        </span>
        {!read.ended && (
          <Button onClick={() => void more()} loading={busy}>
            Read more
          </Button>
        )}
      </div>
      {error && <ErrorBox error={error} what="The next part can't be read" onRetry={more} />}
      {mode === 'rows' && look.view === 'csv' && <CsvRows read={read} delimiter={look.delimiter ?? ','} />}
      {mode === 'rows' && look.view === 'json' && <JsonRows read={read} />}
      {mode === 'text' && <PlainText text={read.text} name={source.key} />}
    </div>
  );
}

/** What an editor shows without becoming slow. */
const MOST_TEXT = 2_000_000;

function PlainText({ text, name }: { text: string; name: string }) {
  const ending = extension(name.replace(/\.gz$/, ''));
  const languages: Record<string, 'sql' | 'json' | 'python' | 'javascript' | 'yaml'> = { sql: 'sql', json: 'json', py: 'python', js: 'javascript', ts: 'javascript', yaml: 'yaml', yml: 'yaml' };
  return <CodeEditor label="Text" language={languages[ending] ?? 'text'} value={text.slice(0, MOST_TEXT)} readOnly height="max(320px, calc(100vh - 470px))" />;
}

function CsvRows({ read, delimiter }: { read: Read; delimiter: string }) {
  const used = delimiter === ',' ? delimiterOf(read.text.slice(0, 65_536)) : delimiter;
  const all = useMemo(() => new CsvReader(used).push(read.text.replace(/^\ufeff/, ''), read.ended), [read, used]);
  const [header, setHeader] = useState<boolean>();
  const named = header ?? hasHeader(all.slice(0, 20));
  const { columns, rows } = useMemo(() => {
    const width = all.slice(0, 200).reduce((most, row) => Math.max(most, row.length), 0);
    const names = named ? (all[0] ?? []) : [];
    return {
      columns: Array.from({ length: width }, (_, at) => names[at] ?? `Column ${at + 1}`),
      rows: all.slice(named ? 1 : 0).map((cells, at): GridRow => ({ at, cells })),
    };
  }, [all, named]);
  return (
    <>
      <div className="bh-preview-bar">
        <Toggle checked={named} onChange={({ detail }) => setHeader(detail.checked)}>
          The first row names the columns
        </Toggle>
        <span className="bh-soft">
          {count(rows.length)} {rows.length === 1 ? 'row' : 'rows'}
          {!read.ended && ' so far'}, {count(columns.length)} {columns.length === 1 ? 'column' : 'columns'}
        </span>
      </div>
      <Grid label="Rows" columns={columns} rows={rows} />
    </>
  );
}

function JsonRows({ read }: { read: Read }) {
  const parsed = useMemo(() => {
    const text = read.text.replace(/^\ufeff?\s*\[/, '');
    const { found, rest, broken } = documents(read.ended ? `${text}\n` : text);
    const isList = text.length !== read.text.length;
    const table = isList || found.length !== 1 ? tableOf(found) : undefined;
    return { found, rest, broken, table, isList };
  }, [read]);
  const { table, found, broken } = parsed;
  const rows = useMemo(
    () => (table?.rows ?? []).map((row, at): GridRow => ({ at, cells: (table?.columns ?? []).map((name) => shown(row[name])) })),
    [table],
  );
  if (broken && found.length === 0) return <PlainText text={read.text} name="x.json" />;
  if (!table) return <JsonView label="Document" value={read.ended && !broken ? (parsed.isList ? found : (found[0] ?? read.text)) : read.text} height="max(320px, calc(100vh - 470px))" />;
  return (
    <>
      <span className="bh-soft">
        {count(rows.length)} {rows.length === 1 ? 'record' : 'records'}
        {!read.ended && ' so far'}
        {broken && ', and then something that is no JSON: see the text'}
      </span>
      <Grid label="Records" columns={table.columns} rows={rows} />
    </>
  );
}
