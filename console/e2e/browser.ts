/** The browser of a test file, and what tests do with it: sign in, look, take pictures, check that everybody can use it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { type BrowserContext, type Page, type Request, chromium } from 'playwright-core';
import { expect } from 'vitest';

import type { Server } from './server';

const CHROMIUM = process.env.BOATHOUSE_CHROMIUM ?? '/usr/bin/chromium';
/** Where pictures go; `BOATHOUSE_SCREENSHOTS=docs` puts those of {@link Browser.picture} into docs/screenshots. */
const DOCS = resolve(import.meta.dirname, '../../docs/screenshots');
const PICTURES = process.env.BOATHOUSE_SCREENSHOTS === 'docs' ? DOCS : resolve(process.env.BOATHOUSE_SCREENSHOTS ?? join(tmpdir(), 'boathouse-screenshots'));

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
];

export class Browser {
  /** Those of this test file. */
  private static readonly opened = new Set<Browser>();

  /** Errors that the pages wrote to the browser's console, violations of the content policy among them. */
  readonly complaints: string[] = [];
  /** Requests to anywhere but the server. */
  readonly strangers: string[] = [];
  /** Requests that have no answer yet, and when they were sent (ms). */
  private readonly waiting = new Map<Request, number>();

  private constructor(
    readonly context: BrowserContext,
    readonly server: Server,
    private readonly profile: string,
  ) {}

  static async open(server: Server, size = { width: 1280, height: 800 }): Promise<Browser> {
    if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium, or BOATHOUSE_CHROMIUM=…`);
    const profile = mkdtempSync(join(tmpdir(), 'boathouse-browser-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      headless: true,
      args: FLAGS,
      viewport: size,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      colorScheme: 'light',
      reducedMotion: 'reduce',
    });
    const browser = new Browser(context, server, profile);
    context.setDefaultTimeout(20_000);
    context.on('page', (page) => browser.watch(page));
    context.pages().forEach((page) => browser.watch(page));
    Browser.opened.add(browser);
    return browser;
  }

  private watch(page: Page): void {
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      // Refused calls are part of some tests; the browser notes every answer of 400 and above.
      if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) this.complaints.push(message.text());
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(this.server.endpoint) && !/^(data|blob|about|chrome):/.test(url)) this.strangers.push(url);
      this.waiting.set(request, Date.now());
    });
    page.on('requestfinished', (request) => this.waiting.delete(request));
    page.on('requestfailed', (request) => this.waiting.delete(request));
  }

  /** What open pages show, what they wait for, and the end of the server's log: for who can't look at a failed test. */
  static async scenes(): Promise<string> {
    return (await Promise.all([...Browser.opened].map((browser) => browser.scene()))).join('\n');
  }

  private async scene(): Promise<string> {
    const shown = this.context.pages().map(async (page) => {
      const text = await page.locator('body').innerText({ timeout: 2_000 }).catch(String);
      const focus = await page.locator(':focus').evaluate((at) => at.outerHTML.slice(0, 300), undefined, { timeout: 2_000 }).catch(() => 'nothing');
      return `== ${page.url()}, with the focus at ${focus}\n${text.slice(0, 4_000)}`;
    });
    const waiting = [...this.waiting].map(([request, since]) => {
      const target = request.headers()['x-amz-target'] ?? '';
      return `== no answer for ${Date.now() - since} ms: ${request.method()} ${request.url()} ${target}`;
    });
    const complaints = this.complaints.map((text) => `== the browser complained: ${text}`);
    return [...(await Promise.all(shown)), ...waiting, ...complaints, '== the server', this.server.log.split('\n').slice(-40).join('\n')].join('\n');
  }

  /** An address of the console, such as `/storage`. */
  url(path = '/'): string {
    return `${this.server.endpoint}/_console${path}`;
  }

  /** A new tab, signed in by root's key of `--dev`, at a page of the console. */
  async signedIn(path = '/'): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(this.url(`/login?return=${encodeURIComponent(path)}`));
    await signIn(page, 'test', 'test');
    await page.waitForURL((url) => !url.pathname.endsWith('/login'));
    return page;
  }

  async close(): Promise<void> {
    Browser.opened.delete(this);
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

/** Fills the login form and sends it. */
export async function signIn(page: Page, key: string, secret: string): Promise<void> {
  await page.getByLabel('Access key ID').fill(key);
  await page.getByLabel('Secret access key').fill(secret);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/**
 * Pictures of a page: 1280 and 1920 wide, light and dark, as `name-1280-light.png`. One of them, 1280 wide and light, is kept
 * as `name.png` with `BOATHOUSE_SCREENSHOTS=docs`. `tall` is another height. Answers the files' names.
 */
export async function screenshot(page: Page, name: string, tall?: number): Promise<string[]> {
  mkdirSync(PICTURES, { recursive: true });
  const kept = PICTURES === DOCS;
  const before = page.viewportSize() ?? { width: 1280, height: 800 };
  const made: string[] = [];
  // Nothing is pointed at.
  await page.mouse.move(0, 0);
  for (const [width, height] of kept ? [[1280, 800] as const] : [[1280, 800] as const, [1920, 1080] as const]) {
    for (const mode of kept ? (['light'] as const) : (['light', 'dark'] as const)) {
      await page.setViewportSize({ width, height: tall ?? height });
      await page.emulateMedia({ colorScheme: mode });
      await expect.poll(() => page.evaluate(() => document.documentElement.style.colorScheme), { timeout: 10_000 }).toBe(mode);
      // What draws itself into a canvas or moves to its place gets the time.
      await page.waitForTimeout(450);
      const path = join(PICTURES, kept ? `${name}.png` : `${name}-${width}-${mode}.png`);
      await page.screenshot({ path });
      made.push(path);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(before);
  return made;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  impact: string | null;
  help: string;
  nodes: { html: string; target: unknown }[];
}

/** What axe-core finds serious or critical on the page: empty when everybody can use it. */
export async function barriers(page: Page): Promise<string[]> {
  // By way of the debugger, which the page's content policy doesn't bind.
  const loaded = await page.evaluate(() => 'axe' in globalThis);
  if (!loaded) await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run: (where: unknown, how: unknown) => Promise<{ violations: unknown[] }> } }).axe;
    const found = await axe.run(document, { resultTypes: ['violations'] });
    return found.violations as { id: string; impact: string | null; help: string; nodes: { html: string; target: unknown }[] }[];
  });
  return violations
    .filter(({ impact }: Violation) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }: Violation) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(' | ')}`);
}
