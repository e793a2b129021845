import { describe, expect, test } from 'vitest';

import type { Job, Table } from '../../aws/glue';
import { problemsOf } from './CreateCrawler';
import { mapOf, snapshotsOf } from './Snapshots';
import { changed, pathProblem, policyFor, took } from './crawls';
import { jobLinks, overlap } from './jobs';
import { type Use, graphOf, group, whoIs } from './lineage';
import { changes, columnsOf, formatOf, isIceberg, placeHref, s3Place, selectFrom } from './tables';

const table = (more: Partial<Table> = {}): Table => ({
  Name: 'departures',
  DatabaseName: 'flights',
  StorageDescriptor: {
    Columns: [{ Name: 'flight', Type: 'bigint' }, { Name: 'carrier', Type: 'string' }],
    Location: 's3://lake/departures',
    SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
  },
  PartitionKeys: [{ Name: 'day', Type: 'date' }],
  ...more,
});

describe('tables', () => {
  test('kinds', () => {
    expect(formatOf(table())).toBe('Parquet');
    expect(formatOf(table({ Parameters: { classification: 'csv' } }))).toBe('CSV');
    expect(formatOf(table({ TableType: 'VIRTUAL_VIEW' }))).toBe('View');
    expect(isIceberg({ Parameters: { table_type: 'iceberg' } })).toBe(true);
  });

  test('columns come with the partition keys behind them', () => {
    expect(columnsOf(table()).map(({ Name, partition, at }) => [Name, partition, at])).toEqual([['flight', false, 0], ['carrier', false, 1], ['day', true, 2]]);
  });

  test('places lead into Storage', () => {
    expect(s3Place('s3a://b/x/y')).toEqual({ bucket: 'b', prefix: 'x/y' });
    expect(placeHref('s3://lake/departures')).toBe('/_console/storage/buckets/lake?prefix=departures%2F');
    expect(placeHref('hdfs://x')).toBeUndefined();
  });

  test('names are quoted', () => {
    expect(selectFrom({ DatabaseName: 'a', Name: 'b"c' }, 10)).toBe('SELECT * FROM "a"."b""c" LIMIT 10');
  });

  test('what a version changed', () => {
    const columns = (Columns: { Name: string; Type: string }[]) => ({ VersionId: '1', Table: table({ StorageDescriptor: { Columns } }) });
    const before = columns([{ Name: 'a', Type: 'int' }, { Name: 'b', Type: 'int' }]);
    const after = columns([{ Name: 'a', Type: 'bigint' }, { Name: 'c', Type: 'string' }]);
    expect(changes(after, before)).toEqual(['added c string', 'removed b', 'a from int to bigint']);
    expect(changes(after, after)).toEqual(['nothing in columns, location or parameters']);
    const marked = { VersionId: '2', Table: { ...after.Table, Parameters: { x: '1' } } };
    expect(changes(marked, after)).toEqual(['parameters x']);
  });
});

describe('crawlers', () => {
  test('what a run changed', () => {
    expect(changed('{"TABLE":{"ADD":1,"UPDATE":0,"DELETE":0},"PARTITION":{"ADD":31}}')).toBe('1 table added, 31 partitions added');
    expect(changed('{"TABLE":{"ADD":0}}')).toBe('No changes');
    expect([changed(undefined), changed('text')]).toEqual(['–', 'text']);
    expect([took({ CrawlId: '', State: '', StartTime: 10, EndTime: 12 }, 0), took({ CrawlId: '', State: '', StartTime: 10 }, 15_000)]).toEqual([2000, 5000]);
  });

  test('a role may read the targets and no other place', () => {
    const policy = JSON.parse(policyFor(['s3://a/x/', 's3://a/y', 's3://b'])) as { Statement: { Resource: string | string[] }[] };
    expect(policy.Statement.map(({ Resource }) => Resource)).toEqual([
      ['arn:aws:s3:::a/x/*', 'arn:aws:s3:::a/y/*', 'arn:aws:s3:::b/*'],
      ['arn:aws:s3:::a', 'arn:aws:s3:::b'],
      '*',
    ]);
  });

  test('what is missing in a form', () => {
    const draft = { name: '', description: '', paths: ['lake'], database: '', role: 'new', run: true };
    expect(Object.keys(problemsOf(draft))).toEqual(['name', 'paths', 'database']);
    expect(problemsOf({ ...draft, name: 'a', paths: ['s3://lake/x/'], database: 'b' })).toEqual({});
    expect([pathProblem('s3://lake'), pathProblem('s3:/lake') === undefined]).toEqual([undefined, false]);
  });
});

test('snapshots are read by the names of the columns', () => {
  expect(mapOf('{added-records=2, engine-name=a, b, total-records=3}')).toEqual({ 'added-records': '2', 'engine-name': 'a, b', 'total-records': '3' });
  const columns = ['committed_at', 'snapshot_id', 'summary'].map((Name) => ({ Name, Type: 'varchar' }));
  expect(snapshotsOf({ columns, rows: [['now', '7', '{a=1}']] })).toEqual([{ id: '7', parent: '', committed: 'now', operation: '', summary: { a: '1' } }]);
});

describe('lineage', () => {
  const use = (more: Partial<Use>): Use => ({ kind: 'reader', statement: 'SELECT', principal: 'ann', id: '1', last: 10, times: 1, others: [], columns: ['a'], ...more });

  test('sessions of roles are the roles', () => {
    expect(whoIs('arn:aws:sts::1:assumed-role/clean/GlueJobRunnerSession')).toBe('clean');
    expect(whoIs('arn:aws:iam::1:user/team/ann')).toBe('ann');
  });

  test('the same again counts', () => {
    const found = group([use({ id: '1', last: 10 }), use({ id: '2', last: 20, columns: ['b'] }), use({ id: '3', principal: 'bob', last: 15 })]);
    expect(found.map(({ id, times, columns }) => [id, times, columns])).toEqual([['2', 2, ['a', 'b']], ['3', 1, ['a']]]);
  });

  test('jobs are known by the places and tables of their nodes', () => {
    const jobs: Job[] = [
      {
        Name: 'clean',
        Role: 'r',
        CodeGenConfigurationNodes: {
          a: { S3CsvSource: { Name: 'in', Paths: ['s3://raw/departures/', 's3://raw/unknown/'] } },
          b: { ApplyMapping: { Name: 'map', Inputs: ['a'] } },
          c: { S3GlueParquetTarget: { Name: 'out', Path: 's3://lake/departures/' } },
        },
      },
      { Name: 'report', Role: 'r', CodeGenConfigurationNodes: { a: { CatalogSource: { Database: 'flights', Table: 'departures' } } } },
      { Name: 'script', Role: 'r' },
    ];
    const raw = table({ Name: 'raw', StorageDescriptor: { Location: 's3://raw/departures' } });
    expect(jobLinks(jobs, table(), [table(), raw])).toEqual([
      { job: 'clean', kind: 'writer', others: ['flights.raw', 's3://raw/unknown/'] },
      { job: 'report', kind: 'reader', others: [] },
    ]);
    expect([overlap('s3://a/b', 's3a://a/b/c/'), overlap('s3://a/b', 's3://a/bc')]).toEqual([true, false]);
  });

  test('arrows go the way of the rows', () => {
    const { nodes, edges } = graphOf(
      table({ Parameters: { UPDATED_BY_CRAWLER: 'crawl' } }),
      { uses: [use({ id: 'r', others: ['flights.copy'] }), use({ kind: 'writer', id: 'w', others: ['raw.in'] })], jobs: [{ job: 'j', kind: 'writer', others: ['s3://in/x/'] }] },
      20_000,
    );
    expect(edges.map(({ from, to }) => `${from} > ${to}`)).toEqual([
      'bucket lake/departures > crawler crawl',
      'crawler crawl > table flights.departures',
      'job writer j > table flights.departures',
      'bucket in/x/ > job writer j',
      'table flights.departures > reader r',
      'reader r > table flights.copy',
      'writer w > table flights.departures',
      'table raw.in > writer w',
    ]);
    expect(nodes).toHaveLength(9);
  });
});
