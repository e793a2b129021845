/** What tables are, read from their entries in the catalogue. */
import type { Column, Table } from '../../aws/glue';
import type { TableVersion } from '../../aws/glue-catalog';
import { bucketHref } from '../../lib/links';

/** An S3 location in its parts. */
export function s3Place(location: string | undefined): { bucket: string; prefix: string } | undefined {
  const [, bucket, prefix = ''] = /^s3[an]?:\/\/([^/]+)\/?(.*)$/.exec(location ?? '') ?? [];
  return bucket ? { bucket, prefix } : undefined;
}

/** The page of a location in Storage; a folder's name may lack its slash. */
export function placeHref(location: string | undefined): string | undefined {
  const place = s3Place(location);
  return place && bucketHref(place.bucket, place.prefix && !place.prefix.endsWith('/') ? `${place.prefix}/` : place.prefix);
}

export const isIceberg = ({ Parameters }: Pick<Table, 'Parameters'>) => Parameters?.table_type?.toUpperCase() === 'ICEBERG';
export const isView = ({ TableType }: Pick<Table, 'TableType'>) => TableType === 'VIRTUAL_VIEW';
export const isProjected = ({ Parameters }: Pick<Table, 'Parameters'>) => Parameters?.['projection.enabled'] === 'true';
export const crawlerOf = ({ Parameters }: Pick<Table, 'Parameters'>) => Parameters?.UPDATED_BY_CRAWLER;

const SERDES: [RegExp, string][] = [
  [/parquet/i, 'Parquet'],
  [/\borc\b/i, 'ORC'],
  [/avro/i, 'Avro'],
  [/json/i, 'JSON'],
  [/opencsv/i, 'CSV'],
  [/LazySimple/i, 'Delimited text'],
  [/grok/i, 'Grok'],
  [/regex/i, 'Regular expression'],
];

/** The kind of a table in a word: `Iceberg`, `View`, `Parquet`, `CSV`. */
export function formatOf(table: Table): string {
  if (isView(table)) return 'View';
  if (isIceberg(table)) return 'Iceberg';
  const classification = table.Parameters?.classification;
  const library = table.StorageDescriptor?.SerdeInfo?.SerializationLibrary ?? '';
  const known = SERDES.find(([pattern]) => pattern.test(library))?.[1];
  if (classification === 'csv') return 'CSV';
  return known ?? (classification ? classification.toUpperCase() : '–');
}

export interface ShownColumn extends Column {
  at: number;
  partition: boolean;
}

/** Columns in the order of SELECT *: those of the files, then the partition keys. */
export function columnsOf(table: Table): ShownColumn[] {
  const own = (table.StorageDescriptor?.Columns ?? []).map((column) => ({ ...column, partition: false }));
  const keys = (table.PartitionKeys ?? []).map((column) => ({ ...column, partition: true }));
  return [...own, ...keys].map((column, at) => ({ ...column, at }));
}

/** A name as Trino takes it, whatever is in it. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
/** A name as Hive's statements take it. */
export const ticked = (name: string) => `\`${name.replaceAll('`', '``')}\``;

export const selectFrom = (table: Pick<Table, 'DatabaseName' | 'Name'>, limit: number) =>
  `SELECT * FROM ${quoted(table.DatabaseName)}.${quoted(table.Name)} LIMIT ${limit}`;

/** What a version changed, compared with the one before. */
export function changes(version: TableVersion, before: TableVersion | undefined): string[] {
  if (!before) return ['the first that is kept'];
  const [now, then] = [columnsOf(version.Table), columnsOf(before.Table)];
  const old = new Map(then.map((column) => [column.Name, column]));
  const names = new Set(now.map(({ Name }) => Name));
  const found = [
    ...now.filter(({ Name }) => !old.has(Name)).map(({ Name, Type }) => `added ${Name} ${Type ?? ''}`.trim()),
    ...then.filter(({ Name }) => !names.has(Name)).map(({ Name }) => `removed ${Name}`),
    ...now.flatMap(({ Name, Type }) => {
      const was = old.get(Name)?.Type;
      return old.has(Name) && was !== Type ? [`${Name} from ${was} to ${Type}`] : [];
    }),
  ];
  if (version.Table.StorageDescriptor?.Location !== before.Table.StorageDescriptor?.Location) found.push('location');
  const parameters = changedParameters(version.Table.Parameters ?? {}, before.Table.Parameters ?? {});
  if (parameters.length > 0) found.push(`parameters ${parameters.join(', ')}`);
  return found.length > 0 ? found : ['nothing in columns, location or parameters'];
}

function changedParameters(now: Record<string, string>, then: Record<string, string>): string[] {
  return [...new Set([...Object.keys(now), ...Object.keys(then)])].filter((name) => now[name] !== then[name]);
}
