/** A Parquet file: its footer, its columns, its rows. Only the footer and the pages of the rows that are shown are read. */
import Button from '@cloudscape-design/components/button';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import { decompress } from 'fzstd';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { decompressBrotli } from 'hyparquet-compressors/src/brotli.js';
import { gunzip } from 'hyparquet-compressors/src/gzip.js';
import { decompressLz4, decompressLz4Raw } from 'hyparquet-compressors/src/lz4.js';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { bytes, count } from '../../lib/format';
import { useLive } from '../../lib/live';
import { useParam } from '../../lib/router';
import { ErrorBox, Loading, Shown } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Grid, type GridRow } from '../../lib/grid';
import { shown } from './records';
import { type Source, rangeOf } from './text';

const STEP = 200;

/** Snappy is the reader's own: that of the package with the others is WebAssembly, which the content policy doesn't let in. */
const compressors = {
  GZIP: (input: Uint8Array, length: number) => gunzip(input, new Uint8Array(length)),
  BROTLI: (input: Uint8Array, length: number) => decompressBrotli(input, length),
  ZSTD: (input: Uint8Array) => decompress(input),
  LZ4: (input: Uint8Array, length: number) => decompressLz4(input, length),
  LZ4_RAW: (input: Uint8Array, length: number) => decompressLz4Raw(input, length),
};

interface Opened {
  file: AsyncBuffer;
  metadata: FileMetaData;
  /** Bytes that were read so far. */
  read: () => number;
}

async function open(source: Source): Promise<Opened> {
  let read = 0;
  const file: AsyncBuffer = {
    byteLength: source.size,
    slice: async (first, end = source.size) => {
      const found = await rangeOf(source, first, end - 1);
      read += found.byteLength;
      return found.buffer;
    },
  };
  return { file, metadata: await parquetMetadataAsync(file), read: () => read };
}

export default function ParquetPreview({ source }: { source: Source }) {
  const opened = useLive(`s3/parquet/${source.bucket}/${source.key}/${source.versionId ?? ''}/${source.size}`, () => open(source));
  const [mode, setMode] = useParam('show', 'rows');
  return (
    <Shown live={opened} what="The Parquet file can't be read">
      {(file) => (
        <div className="bh-preview">
          <div className="bh-preview-bar">
            <SegmentedControl
              label="Show"
              selectedId={mode}
              onChange={({ detail }) => setMode(detail.selectedId)}
              options={[
                { id: 'rows', text: 'Rows' },
                { id: 'schema', text: 'Schema' },
              ]}
            />
            <Facts file={file.metadata} />
          </div>
          {mode === 'schema' ? <Schema metadata={file.metadata} /> : <Rows opened={file} size={source.size} />}
        </div>
      )}
    </Shown>
  );
}

function Facts({ file }: { file: FileMetaData }) {
  const groups = file.row_groups.length;
  return (
    <span className="bh-soft">
      {count(Number(file.num_rows))} rows in {count(groups)} row {groups === 1 ? 'group' : 'groups'}
      {file.created_by && <>, written by {file.created_by}</>}
    </span>
  );
}

function Rows({ opened, size }: { opened: Opened; size: number }) {
  const columns = useMemo(() => parquetSchema(opened.metadata).children.map(({ element }) => element.name), [opened]);
  const total = Number(opened.metadata.num_rows);
  const [rows, setRows] = useState<GridRow[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const current = useRef(opened);
  current.current = opened;
  const more = useCallback(
    async (from: number) => {
      setBusy(true);
      setError(undefined);
      try {
        const { file, metadata } = opened;
        const found = await parquetReadObjects({ file, metadata, compressors, rowStart: from, rowEnd: Math.min(from + STEP, total) });
        const next = found.map((row, at): GridRow => ({ at: from + at, cells: columns.map((name) => shown(row[name])) }));
        if (current.current === opened) setRows((before) => [...before.slice(0, from), ...next]);
      } catch (failed) {
        setError(asAwsError(failed));
      } finally {
        setBusy(false);
      }
    },
    [opened, columns, total],
  );
  useEffect(() => void more(0), [more]);
  if (error) return <ErrorBox error={error} what="The rows can't be decoded" onRetry={() => more(rows.length)} />;
  if (rows.length === 0 && busy) return <Loading text="Reading the first rows" />;
  return (
    <>
      <div className="bh-preview-bar">
        <span className="bh-soft" role="status">
          {count(rows.length)} of {count(total)} rows shown, {bytes(Math.min(opened.read(), size))} of {bytes(size)} read
        </span>
        {rows.length < total && (
          <Button loading={busy} onClick={() => void more(rows.length)}>
            Read more
          </Button>
        )}
      </div>
      <Grid label="Rows" columns={columns} rows={rows} />
    </>
  );
}

interface Leaf {
  name: string;
  type: string;
  logical: string;
  optional: string;
  compression: string;
  packed: number;
  plain: number;
}

/** The leaves of the schema with what the footer says of their chunks. */
export function leaves(metadata: FileMetaData): Leaf[] {
  const found = new Map<string, Leaf>();
  const types = new Map<string, { type: string; logical: string; optional: string }>();
  const visit = (node: ReturnType<typeof parquetSchema>) => {
    const { element } = node;
    const logical = element.logical_type?.type ?? element.converted_type ?? '';
    types.set(node.path.join('.'), { type: element.type ?? '', logical, optional: element.repetition_type ?? '' });
    node.children.forEach(visit);
  };
  visit(parquetSchema(metadata));
  for (const group of metadata.row_groups) {
    for (const { meta_data: chunk } of group.columns) {
      if (!chunk) continue;
      const name = chunk.path_in_schema.join('.');
      const leaf = found.get(name) ?? { name, type: chunk.type, logical: '', optional: '', ...types.get(name), compression: chunk.codec, packed: 0, plain: 0 };
      leaf.packed += Number(chunk.total_compressed_size);
      leaf.plain += Number(chunk.total_uncompressed_size);
      found.set(name, leaf);
    }
  }
  return [...found.values()];
}

function Schema({ metadata }: { metadata: FileMetaData }) {
  const items = useMemo(() => leaves(metadata), [metadata]);
  return (
    <DataTable
      label="Columns"
      title={false}
      param="column"
      items={items}
      rowKey={(leaf) => leaf.name}
      columns={[
        { id: 'name', header: 'Column', value: (leaf) => leaf.name, cell: (leaf) => <strong>{leaf.name}</strong> },
        { id: 'type', header: 'Physical type', width: 150, value: (leaf) => leaf.type, cell: (leaf) => leaf.type },
        { id: 'logical', header: 'Logical type', width: 150, value: (leaf) => leaf.logical, cell: (leaf) => leaf.logical || '–' },
        { id: 'optional', header: 'Repetition', width: 130, value: (leaf) => leaf.optional, cell: (leaf) => leaf.optional || '–' },
        { id: 'codec', header: 'Codec', width: 150, value: (leaf) => leaf.compression, cell: (leaf) => leaf.compression },
        { id: 'packed', header: 'Compressed', width: 130, align: 'right', value: (leaf) => leaf.packed, cell: (leaf) => bytes(leaf.packed) },
        { id: 'plain', header: 'Uncompressed', width: 140, align: 'right', value: (leaf) => leaf.plain, cell: (leaf) => bytes(leaf.plain) },
      ]}
    />
  );
}
