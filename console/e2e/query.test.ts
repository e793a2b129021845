import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Browser, barriers, screenshot } from './browser';
import { Server } from './server';

describe('query', () => {
  let server: Server;
  let browser: Browser;

  const athena = <Output>(operation: string, input: object) => server.json<Output>('athena', `AmazonAthena.${operation}`, input);

  /** Runs a statement to its end, as any client does. */
  async function execute(sql: string, database = 'default'): Promise<string> {
    const started = await athena<{ QueryExecutionId: string }>('StartQueryExecution', {
      QueryString: sql,
      QueryExecutionContext: { Database: database },
      ResultConfiguration: { OutputLocation: 's3://results/made/' },
    });
    for (;;) {
      const { QueryExecution } = await athena<{ QueryExecution: { Status: { State: string; StateChangeReason?: string } } }>('GetQueryExecution', started);
      const { State, StateChangeReason } = QueryExecution.Status;
      if (State === 'SUCCEEDED') return started.QueryExecutionId;
      if (State === 'FAILED' || State === 'CANCELLED') throw new Error(`${sql}: ${StateChangeReason}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  beforeAll(async () => {
    server = await Server.start();
    browser = await Browser.open(server);
    await server.put('results');
    await server.put('lake');
    await execute('CREATE DATABASE flights');
    await execute(
      `CREATE TABLE flights.departures WITH (format = 'PARQUET', external_location = 's3://lake/departures/') AS
       SELECT element_at(ARRAY['BER', 'HAM', 'MUC', 'FRA', 'CGN'], 1 + x % 5) AS airport, 'BH' || CAST(x AS varchar) AS flight,
         DATE '2026-01-01' + INTERVAL '1' DAY * (x / 5 % 30) AS day, CAST((x * 7919) % 97 + x % 5 * 11 AS integer) AS delay,
         IF(x % 7 = 0, NULL, CAST(x AS decimal(10,2)) / 3) AS fuel
       FROM UNNEST(sequence(1, 5000)) AS t(x)`,
      'flights',
    );
    await execute(`CREATE TABLE flights.airports WITH (format = 'PARQUET', external_location = 's3://lake/airports/') AS SELECT 'BER' AS code, 'Berlin' AS city`, 'flights');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const editor = (page: Page) => page.getByRole('textbox', { name: 'Statement' });
  const run = (page: Page) => page.keyboard.press('Control+Enter');
  const grid = (page: Page) => page.getByRole('grid', { name: 'Result' });
  const state = (page: Page) => page.getByRole('status', { name: 'State of the query' });

  async function write(page: Page, sql: string): Promise<void> {
    await editor(page).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(sql);
    await page.keyboard.press('Escape');
  }

  test('a place for results is asked for once, and then a statement runs', async () => {
    const page = await browser.signedIn('/query');
    await page.getByText('does not say where results go').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel('Place for results').fill('s3://results/console/');
    await page.getByRole('button', { name: 'Keep for the work group' }).click();
    await page.getByText('Results of primary go to').waitFor();
    await write(page, 'SELECT 41 + 1 AS answer');
    await run(page);
    await grid(page).getByText('42').waitFor();
    await state(page).getByText('Succeeded').waitFor();
    const group = await athena<{ WorkGroup: { Configuration: { ResultConfiguration: { OutputLocation: string } } } }>('GetWorkGroup', { WorkGroup: 'primary' });
    expect(group.WorkGroup.Configuration.ResultConfiguration.OutputLocation).toBe('s3://results/console/');
    await page.close();
  });

  test('names are completed from the catalogue', async () => {
    const page = await browser.signedIn('/query');
    await page.getByRole('treeitem', { name: /^departures/ }).waitFor();
    await write(page, 'SELECT * FROM depart');
    await page.keyboard.press('Control+Space');
    await page.locator('.cm-tooltip-autocomplete').getByText('departures').click();
    await page.keyboard.type(' d WHERE d.fu');
    await page.locator('.cm-tooltip-autocomplete').getByText('fuel').waitFor();
    await screenshot(page, 'query-completion');
    await page.locator('.cm-tooltip-autocomplete').getByText('fuel').click();
    await expect.poll(() => editor(page).textContent()).toContain('d.fuel');
    await page.close();
  });

  test('a result is a grid that sorts, copies and shows whole values', async () => {
    const page = await browser.signedIn('/query');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await write(page, 'SELECT airport, flight, day, delay, fuel, ARRAY[delay, 1] AS list\nFROM departures\nWHERE delay > 30\nORDER BY flight');
    await run(page);
    await page.getByText(/^[\d,]+ rows$/).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await grid(page).getByRole('row').count()).toBeLessThan(80);
    await page.getByRole('treeitem', { name: /^departures/ }).click();
    await page.getByRole('treeitem', { name: /^fuel/ }).waitFor();
    await screenshot(page, 'query-editor');
    const first = grid(page).locator('[data-cell="0/3"]');
    await grid(page).getByRole('button', { name: /delay/ }).click();
    await expect.poll(() => first.textContent()).toBe('31');
    await grid(page).getByRole('button', { name: /delay/ }).click();
    await expect.poll(() => first.textContent()).toBe('140');
    await first.click();
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Control+c');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.split('\n').map((row) => row.split('\t').length)).toEqual([2, 2]);
    expect(copied.startsWith('140\t')).toBe(true);
    await grid(page).locator('[data-cell="0/5"]').dblclick();
    await page.getByRole('dialog').getByText('140').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.close();
  });

  test('a large result streams as somebody looks, and is exported', async () => {
    const page = await browser.signedIn('/query');
    await write(page, 'SELECT x, x * 2 AS twice FROM UNNEST(sequence(1, 10000)) AS t(x) CROSS JOIN UNNEST(sequence(1, 20)) AS u(y) ORDER BY x, y');
    await run(page);
    await page.getByText(/First [\d,]+ of 200,000 rows/).waitFor();
    await page.getByRole('button', { name: 'Read all' }).click();
    await page.getByText('200,000 rows', { exact: true }).waitFor();
    await grid(page).focus();
    await page.keyboard.press('Control+End');
    await grid(page).getByText('20000').first().waitFor();
    await page.getByRole('button', { name: 'Export' }).click();
    const [csv] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Download CSV' }).click()]);
    expect(readFileSync(await csv.path(), 'utf8').split('\n')).toHaveLength(200_002);
    await page.getByRole('button', { name: 'Export' }).click();
    const [json] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Download JSON' }).click()]);
    const rows = JSON.parse(readFileSync(await json.path(), 'utf8')) as { x: number; twice: number }[];
    expect([rows.length, rows.at(-1)]).toEqual([200_000, { x: 10_000, twice: 20_000 }]);
    await page.close();
  });

  test('a result becomes a chart, whose data is SQL again', async () => {
    const page = await browser.signedIn('/query');
    await write(page, 'SELECT airport, day, delay FROM departures');
    await run(page);
    await page.getByText('5,000 rows', { exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Chart' }).click();
    await page.getByRole('img', { name: /^Line chart of delay by day/ }).waitFor();
    await page.getByRole('button', { name: /For equal places/ }).click();
    await page.getByRole('option', { name: 'Average' }).click();
    await page.getByRole('img', { name: /^Line chart of avg\(delay\) by day/ }).waitFor();
    for (const kind of ['Bar', 'Area', 'Pie', 'Scatter', 'Line']) {
      await page.getByRole('button', { name: kind, exact: true }).click();
      await page.getByRole('img', { name: new RegExp(`^${kind} chart`) }).waitFor();
    }
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('img', { name: /^Line chart/ }).evaluate((chart) => chart.scrollIntoView({ block: 'center' }));
    await screenshot(page, 'query-chart');
    await page.getByRole('button', { name: "SQL of the chart's data" }).click();
    await page.getByRole('button', { name: 'Open in a new tab' }).click();
    await page.getByRole('button', { name: /chart$/, expanded: true }).waitFor();
    await editor(page).click();
    await run(page);
    await page.getByText('150 rows', { exact: true }).waitFor();
    await page.close();
  });

  test('a plan is a graph, a tree and a text', async () => {
    const page = await browser.signedIn('/query');
    await write(page, 'SELECT d.airport, a.city, count(*) AS n\nFROM departures d JOIN airports a ON d.airport = a.code\nGROUP BY 1, 2 ORDER BY n DESC');
    await page.getByRole('button', { name: 'Explain', exact: true }).first().click();
    await page.getByRole('menuitem', { name: 'Explain', exact: true }).click();
    const scan = page.locator('.react-flow__node').filter({ hasText: 'flights.departures' });
    await scan.waitFor();
    await scan.click();
    await page.getByRole('complementary', { name: 'Step of the plan' }).getByText('awsdatacatalog:flights:departures').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('group', { name: 'Plan of the statement' }).evaluate((plan) => scrollTo(0, plan.getBoundingClientRect().top + scrollY - 200));
    await screenshot(page, 'query-plan');
    await page.getByRole('button', { name: 'Tree', exact: true }).click();
    await page.locator('summary', { hasText: 'Table scan' }).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Explain analyze' }).click();
    await page.getByText(/Fragment 0/).waitFor();
    await page.close();
  });

  test('an error is marked where it is', async () => {
    const page = await browser.signedIn('/query');
    await write(page, 'SELECT 1;\n\nSELECT airport,\n  nothing\nFROM departures');
    await run(page);
    await page.getByText(/COLUMN_NOT_FOUND: line 2:3/).first().waitFor();
    // The second statement's second line is the text's fourth.
    const line = page.locator('.cm-line', { has: page.locator('.cm-lintRange-error') });
    expect(await line.textContent()).toContain('nothing');
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'query-error');
    await write(page, 'SELECT FROM WHERE');
    await run(page);
    await page.getByText(/mismatched input/).first().waitFor();
    await page.close();
  });

  test('only the selection runs, several statements run one after the other', async () => {
    const page = await browser.signedIn('/query');
    await write(page, "SELECT 'one' AS a;\nSELECT 'two' AS b;\nSELECT 'three' AS c");
    await run(page);
    await grid(page).getByText('three').waitFor();
    await page.getByRole('button', { name: /Statement of 3/ }).click();
    await page.getByRole('option', { name: /'two'/ }).click();
    await grid(page).getByText('two').waitFor();
    await editor(page).click();
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('Shift+End');
    await run(page);
    await grid(page).getByText('one').waitFor();
    expect(await page.getByRole('button', { name: /Statement of/ }).count()).toBe(0);
    await page.close();
  });

  test('what runs is cancelled', async () => {
    const page = await browser.signedIn('/query');
    await write(page, 'SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b(y) CROSS JOIN UNNEST(sequence(1, 10000)) AS c(z) WHERE (x * y + z) % 7 = 3');
    await run(page);
    await state(page).getByText('Running').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The query was cancelled').waitFor();
    await state(page).getByText('Cancelled').waitFor();
    await page.close();
  });

  test('parameters are asked for', async () => {
    const page = await browser.signedIn('/query');
    await write(page, 'SELECT count(*) AS n FROM departures WHERE airport = ? AND delay >= ?');
    await page.getByLabel('Parameter 1').fill('BER');
    await page.getByText("A text stands in quotes: 'BER'").waitFor();
    await page.getByLabel('Parameter 1').fill("'BER'");
    await page.getByLabel('Parameter 2').fill('0');
    await page.keyboard.press('Enter');
    await grid(page).getByText('1000').waitFor();
    await screenshot(page, 'query-parameters');
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    expect(kept).not.toContain("'BER'");
    await page.close();
  });

  test('tabs survive a reload, with their results', async () => {
    const page = await browser.signedIn('/query');
    await page.getByRole('button', { name: 'New query' }).click();
    await write(page, "SELECT 'kept' AS word");
    await run(page);
    await grid(page).getByText('kept').waitFor();
    const count = await page.getByRole('button', { name: /^Close (Query|Words)/ }).count();
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Rename the tab' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Words');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Words', exact: true, expanded: true }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Words', exact: true, expanded: true }).waitFor();
    await expect.poll(() => page.getByRole('button', { name: /^Close (Query|Words)/ }).count()).toBe(count);
    await page.locator('.cm-content').getByText("'kept'").waitFor();
    await grid(page).getByText('kept').waitFor();
    await page.getByRole('button', { name: 'Close Words' }).click();
    await page.getByRole('button', { name: 'Words', exact: true }).waitFor({ state: 'detached' });
    await page.close();
  });

  test('a link brings a statement along', async () => {
    const page = await browser.signedIn(`/query?sql=${encodeURIComponent('SELECT city FROM airports')}&database=flights`);
    await page.locator('.cm-content').getByText('airports').waitFor();
    expect(new URL(page.url()).search).toBe('');
    await editor(page).click();
    await run(page);
    await grid(page).getByText('Berlin').waitFor();
    await page.close();
  });

  test('the tree shows first rows and inserts names', async () => {
    const page = await browser.signedIn('/query');
    const airports = page.getByRole('treeitem', { name: /^airports/ });
    await airports.hover();
    await page.getByRole('button', { name: 'First rows of airports' }).click();
    await grid(page).getByText('Berlin').waitFor();
    await airports.click();
    await page.getByRole('treeitem', { name: /^city/ }).waitFor();
    await page.keyboard.press('Control+a');
    await page.getByPlaceholder('Find tables and columns').fill('fuel');
    await page.getByRole('treeitem', { name: /^departures/ }).waitFor();
    await airports.waitFor({ state: 'detached' });
    await page.close();
  });

  test('a query is saved, found and deleted', async () => {
    const page = await browser.signedIn('/query');
    await page.getByRole('button', { name: 'New query' }).click();
    await write(page, 'SELECT airport, avg(delay) AS delay FROM departures GROUP BY 1 ORDER BY 2 DESC');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Delay by airport');
    await page.getByRole('textbox', { name: 'Description' }).fill('Which airports are late');
    await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Delay by airport is saved').waitFor();
    await page.goto(browser.url('/query/saved'));
    await page.getByRole('link', { name: 'Delay by airport' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'query-saved');
    await page.getByRole('link', { name: 'Delay by airport' }).click();
    await page.getByRole('button', { name: 'Delay by airport', exact: true, expanded: true }).waitFor();
    await page.goto(browser.url('/query/saved'));
    await page.getByRole('button', { name: 'Delete Delay by airport' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No saved queries yet').waitFor();
    await page.close();
  });

  test('a statement is prepared and executed with values', async () => {
    const page = await browser.signedIn('/query/prepared');
    await page.getByText('No prepared statements yet').waitFor();
    await page.getByRole('button', { name: 'Create prepared statement' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('late_at');
    await page.getByRole('textbox', { name: 'Prepared statement' }).click();
    await page.keyboard.insertText('SELECT count(*) AS n FROM flights.departures WHERE airport = ? AND delay > ?');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('late_at is prepared').waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'query-prepared');
    await page.getByRole('button', { name: 'Execute late_at' }).click();
    await page.getByLabel('Parameter 1').fill("'HAM'");
    await page.getByLabel('Parameter 2').fill('60');
    await page.keyboard.press('Enter');
    await grid(page).getByRole('gridcell').first().waitFor();
    await page.close();
  });

  test('history lists, filters and opens what ran', async () => {
    const page = await browser.signedIn('/query/executions');
    await page.getByRole('heading', { name: 'Query history', level: 1 }).waitFor();
    await page.getByRole('row', { name: /SELECT city FROM airports.* root / }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'query-history');
    await page.getByRole('button', { name: 'State' , exact: false }).first().click();
    await page.getByRole('option', { name: 'Failed' }).click();
    await page.getByText(/nothing FROM departures/).first().waitFor();
    expect(new URL(page.url()).searchParams.get('state')).toBe('FAILED');
    await page.goto(browser.url('/query/executions?q=city+airports'));
    await page.getByRole('link', { name: /SELECT city FROM airports/ }).click();
    await page.getByRole('heading', { name: 'Query execution', level: 1 }).waitFor();
    await grid(page).getByText('Berlin').waitFor();
    await page.getByRole('tab', { name: 'Details' }).click();
    await page.getByRole('link', { name: 'flights.airports' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'query-execution');
    await page.getByRole('button', { name: 'Open in the editor' }).click();
    await page.getByRole('heading', { name: 'SQL editor', level: 1 }).waitFor();
    await grid(page).getByText('Berlin').waitFor();
    await page.close();
  });

  test('work groups say where results go', async () => {
    const page = await browser.signedIn('/query/workgroups');
    await page.getByRole('link', { name: 's3://results/console/' }).waitFor();
    await page.getByRole('button', { name: 'Create work group' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('analysts');
    await page.getByLabel('Results go to').fill('s3://results/analysts/');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'analysts', exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, 'query-workgroups');
    await page.getByRole('button', { name: 'Delete analysts' }).click();
    await page.getByLabel('To confirm, type analysts').fill('analysts');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('link', { name: 'analysts', exact: true }).waitFor({ state: 'detached' });
    await page.close();
  });

  test('nothing was asked of anybody else, and nothing broke the content policy', () => {
    expect(browser.strangers).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
