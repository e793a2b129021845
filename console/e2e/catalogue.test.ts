import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

const DEPARTURES = [
  'flight,carrier,origin,destination,distance,delayed_minutes',
  ...Array.from({ length: 500 }, (_, at) => `${1000 + at},${['UA', 'AA', 'DL', 'B6'][at % 4]},JFK,${['BOS', 'ORD', 'LAX'][at % 3]},${200 + (at % 2300)},${(at % 45) - 10}`),
  '',
].join('\n');

const STATEMENTS = [
  `CREATE TABLE flights.by_carrier WITH (format = 'PARQUET', external_location = 's3://lake/by-carrier/') AS
     SELECT carrier, destination, count(*) AS departures, avg(delayed_minutes) AS delay FROM flights.departures GROUP BY carrier, destination`,
  `CREATE TABLE flights.visits (visit bigint, place string COMMENT 'where', at timestamp) LOCATION 's3://lake/visits/' TBLPROPERTIES ('table_type' = 'ICEBERG')`,
  `INSERT INTO flights.visits VALUES (1, 'Hamburg', timestamp '2026-01-01 10:00:00'), (2, 'Kiel', timestamp '2026-01-02 11:00:00')`,
  `INSERT INTO flights.visits VALUES (3, 'Bremen', timestamp '2026-01-03 12:00:00')`,
  `CREATE VIEW flights.late AS SELECT * FROM flights.departures WHERE delayed_minutes > 20`,
  `CREATE TABLE flights.days WITH (format = 'PARQUET', external_location = 's3://lake/days/', partitioned_by = ARRAY['day']) AS
     SELECT flight, carrier, 'day-' || lpad(cast(flight % 60 AS varchar), 3, '0') AS day FROM flights.departures`,
  `SELECT carrier, max(delay) FROM flights.by_carrier GROUP BY carrier`,
];

describe('catalogue', () => {
  let server: Server;
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
    folder = mkdtempSync(join(tmpdir(), 'boathouse-files-'));
    await server.put('lake');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const athena = <Output>(operation: string, input: object) => server.json<Output>('athena', `AmazonAthena.${operation}`, input);
  const run = async (sql: string) => {
    const { QueryExecutionId } = await athena<{ QueryExecutionId: string }>('StartQueryExecution', { QueryString: sql, WorkGroup: 'primary' });
    await expect
      .poll(async () => {
        const { QueryExecution } = await athena<{ QueryExecution: { Status: { State: string; StateChangeReason?: string } } }>('GetQueryExecution', { QueryExecutionId });
        return [QueryExecution.Status.State, QueryExecution.Status.StateChangeReason];
      }, { timeout: 30_000 })
      .toEqual(['SUCCEEDED', undefined]);
  };

  test('an uploaded file is crawled, becomes a table, and its rows are asked for', async () => {
    const path = join(folder, 'departures.csv');
    writeFileSync(path, DEPARTURES);
    const page = await browser.signedIn('/storage/buckets/lake?prefix=departures/');
    await page.getByText('Nothing in this folder').waitFor();
    await page.getByLabel('Files to upload').first().setInputFiles(path);
    await page.getByRole('link', { name: 'departures.csv' }).waitFor();
    await page.getByRole('link', { name: 'Crawl', exact: true }).click();
    await page.getByRole('heading', { name: 'Create crawler', level: 1 }).waitFor();
    expect(await page.getByLabel('Target', { exact: true }).inputValue()).toBe('s3://lake/departures/');
    await page.getByRole('button', { name: 'Create crawler' }).click();
    await page.getByText('A crawler has a name.').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel('Name', { exact: true }).fill('departures');
    await page.getByLabel('Database').fill('flights');
    await page.keyboard.press('Escape');
    await page.getByText('There is no such database: it will be created.').waitFor();
    await screenshot(page, 'catalogue-create-crawler');
    await page.getByRole('button', { name: 'Create crawler' }).click();
    await page.getByRole('heading', { name: 'departures', level: 1 }).waitFor();
    await page.getByText('1 table added').first().waitFor();
    await page.getByRole('table', { name: 'Runs' }).getByText('Completed').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('table', { name: 'Tables' }).getByRole('link', { name: 'departures', exact: true }).waitFor();
    await screenshot(page, 'catalogue-crawler');
    await page.getByRole('table', { name: 'Tables' }).getByRole('link', { name: 'departures', exact: true }).click();
    await page.getByRole('cell', { name: 'delayed_minutes' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Sample rows' }).click();
    // Nobody has said yet where results go.
    await page.getByLabel('Place for results').fill('s3://lake/athena-results/');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Keep for the work group' }).click();
    await page.getByRole('cell', { name: '1003' }).waitFor();
    await page.getByText(/ scanned in /).waitFor();
    await expect.poll(() => page.getByRole('table', { name: 'Sample rows' }).locator('tbody tr').count()).toBe(10);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'catalogue-sample');
    await page.close();
  });

  test('a crawler is run again, and says that nothing changed', async () => {
    const page = await browser.signedIn('/catalogue/crawlers');
    await page.getByRole('link', { name: 'departures', exact: true }).click();
    await page.getByRole('button', { name: 'Run crawler' }).click();
    await page.getByText('The run is completed').waitFor();
    await expect.poll(() => page.getByRole('table', { name: 'Runs' }).locator('tbody tr').count()).toBe(2);
    await page.getByRole('link', { name: 'Crawlers' }).first().click();
    await page.getByRole('heading', { name: 'Crawlers', level: 1 }).waitFor();
    await page.getByText('Succeeded').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'catalogue-crawlers');
    await page.close();
  });

  test('a run that fails says why', async () => {
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'glue.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
    await server.query('iam', '2010-05-08', 'CreateRole', { RoleName: 'blind', AssumeRolePolicyDocument: JSON.stringify(trust) });
    const crawler = { Name: 'blind', Role: 'blind', DatabaseName: 'flights', Targets: { S3Targets: [{ Path: 's3://lake/departures/' }] } };
    await server.json('glue', 'AWSGlue.CreateCrawler', crawler);
    const page = await browser.signedIn('/catalogue/crawlers/blind');
    await page.getByText('It has not run yet').waitFor();
    await page.getByRole('button', { name: 'Run crawler' }).click();
    await page.getByRole('table', { name: 'Runs' }).getByText('s3:ListBucket').waitFor();
    await page.getByText('The run ended: Failed').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Crawlers', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'blind', exact: true }).waitFor({ state: 'detached' });
    await page.close();
  });

  test('databases and tables are listed, and found by their columns', async () => {
    for (const sql of STATEMENTS) await run(sql);
    const page = await browser.signedIn('/catalogue');
    await page.getByRole('link', { name: 'flights', exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'catalogue-databases');
    await page.goto(browser.url('/catalogue/tables'));
    await page.getByRole('link', { name: 'by_carrier', exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'catalogue-tables');
    await page.getByPlaceholder('Find in tables').fill('visit');
    await page.getByRole('link', { name: 'by_carrier', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'visits', exact: true }).waitFor();
    await page.close();
  });

  test('a table says who wrote it and who reads it', async () => {
    const page = await browser.signedIn('/catalogue/databases/flights/tables/by_carrier?tab=lineage');
    const graph = page.getByRole('group', { name: 'Lineage of by_carrier' });
    await graph.getByText('CREATE TABLE AS SELECT').waitFor();
    await graph.getByText('SELECT', { exact: true }).waitFor();
    await graph.getByText('departures', { exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'catalogue-lineage');
    await graph.getByText('departures', { exact: true }).click();
    await page.getByRole('heading', { name: 'departures', level: 1 }).waitFor();
    await page.close();
  });

  test('DDL, versions, partitions and snapshots', async () => {
    const page = await browser.signedIn('/catalogue/databases/flights/tables/departures?tab=ddl');
    await page.getByLabel('Statement').getByText('CREATE EXTERNAL TABLE').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'catalogue-ddl');
    await page.getByRole('tab', { name: 'Versions' }).click();
    await page.getByText('the first that is kept').waitFor();
    await page.goto(browser.url('/catalogue/databases/flights/tables/visits?tab=snapshots'));
    await page.getByRole('cell', { name: 'append' }).nth(1).waitFor();
    await expect.poll(() => page.getByRole('table', { name: 'Snapshots' }).locator('tbody tr').count()).toBe(2);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'catalogue-snapshots');
    await page.goto(browser.url('/catalogue/databases/flights/tables/late?tab=ddl'));
    await page.getByLabel('Statement').getByText('CREATE VIEW').waitFor();
    await page.goto(browser.url('/catalogue/databases/flights/tables/days?tab=partitions'));
    await page.getByText('60 partitions').waitFor();
    await page.getByLabel('Condition on the partition keys').fill("day < 'day-010'");
    await page.getByRole('button', { name: 'Find', exact: true }).click();
    await page.getByText('10 partitions').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('a Parquet file shows its rows and its schema', async () => {
    const list = await server.call('s3', { method: 'GET', path: '/lake', query: [['list-type', '2'], ['prefix', 'by-carrier/']] });
    const key = /<Key>([^<]*)<\/Key>/.exec(list)?.[1] ?? '';
    const page = await browser.signedIn(`/storage/buckets/lake/object?key=${encodeURIComponent(key)}`);
    await page.getByRole('columnheader', { name: 'destination' }).waitFor();
    await page.getByText(/^(\d+) of \1 rows shown/).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'storage-preview-parquet');
    await page.getByText('Schema', { exact: true }).click();
    await page.getByRole('cell', { name: 'departures' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.close();
  });

  test('a database is made, and deleted with its name typed', async () => {
    const page = await browser.signedIn('/catalogue');
    await page.getByRole('button', { name: 'Create database' }).click();
    await page.getByLabel('Database name').fill('scratch');
    await page.getByRole('dialog').getByRole('button', { name: 'Create database' }).click();
    await page.getByRole('heading', { name: 'scratch', level: 1 }).waitFor();
    await page.getByText('No tables in this database').waitFor();
    await page.goto(browser.url('/catalogue/databases/flights'));
    await page.getByRole('link', { name: 'late', exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'catalogue-database');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByText('Its 5 tables go').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel('To confirm, type flights').fill('flights');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('link', { name: 'scratch', exact: true }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'flights', exact: true }).count()).toBe(0);
    await page.goto(browser.url('/catalogue/databases/flights'));
    await page.getByText('EntityNotFoundException').first().waitFor();
    await page.close();
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
