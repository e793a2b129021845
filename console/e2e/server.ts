/**
 * A server of the real binary for a test file: on a port of its own, with a data directory of its own that goes with it.
 *
 * `BOATHOUSE_BINARY` names the binary, `target/release/boathouse` without. It shows `console/dist/site` as it is now
 * (or what `BOATHOUSE_CONSOLE_DIR` names), so that a change of the pages needs no build of the binary; with
 * `BOATHOUSE_CONSOLE=embedded` it shows what is in the binary.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import type { Credentials } from '../src/aws/sigv4';
import { type Scope, type Unsigned, sign } from '../src/aws/sigv4';

const BINARY = resolve(process.env.BOATHOUSE_BINARY ?? join(import.meta.dirname, '../../target/release/boathouse'));
const SITE = resolve(process.env.BOATHOUSE_CONSOLE_DIR ?? join(import.meta.dirname, '../dist/site'));

export interface Options {
  /** More of `boathouse serve`'s options. */
  flags?: string[];
  /** A file with the seconds by which the platform's clock is ahead; see {@link Server.advance}. */
  clock?: boolean;
}

export class Server {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly stderr: string[],
    readonly endpoint: string,
    /** The link that signs in once. */
    readonly link: string,
    readonly root: Credentials,
  ) {}

  static async start(options: Options = {}): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'boathouse-console-'));
    const clock = join(folder, 'ahead');
    writeFileSync(clock, '0');
    const flags = ['serve', '--dev', '--listen', '127.0.0.1:0', '--data-dir', join(folder, 'data'), ...(options.flags ?? [])];
    if (options.clock) flags.push('--clock-ahead', clock);
    return Server.launch(folder, flags, { accessKeyId: 'test', secretAccessKey: 'test' });
  }

  /** `boathouse demo --keep`, when it has deployed, fed and run its platform. Its functions need Python. */
  static async demo(): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'boathouse-console-'));
    const data = join(folder, 'data');
    const nobody = { accessKeyId: '', secretAccessKey: '' };
    const server = await Server.launch(folder, ['demo', '--keep', '--data-dir', data], nobody);
    const text = readFileSync(join(data, 'credentials'), 'utf8');
    const part = (name: string) => new RegExp(`${name} = (\\S+)`).exec(text)?.[1] ?? '';
    Object.assign(server.root, { accessKeyId: part('aws_access_key_id'), secretAccessKey: part('aws_secret_access_key') });
    return server;
  }

  private static async launch(folder: string, flags: string[], root: Credentials): Promise<Server> {
    const env = { ...process.env };
    delete env.BOATHOUSE_CONSOLE_DIR;
    if (process.env.BOATHOUSE_CONSOLE !== 'embedded') {
      if (!existsSync(join(SITE, 'index.html'))) throw new Error(`${SITE} is not built: npm run build`);
      env.BOATHOUSE_CONSOLE_DIR = SITE;
    }
    const child = spawn(BINARY, flags, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const stderr: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      stderr.push(line);
      if (stderr.length > 20_000) stderr.shift();
    });
    const lines = createInterface({ input: child.stdout });
    const said = await new Promise<{ endpoint: string; link: string }>((found, failed) => {
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`the server ended with ${code}: ${stderr.slice(-5).join('\n')}`)));
      lines.on('line', (line) => {
        const [link, endpoint = ''] = /(http\S+)\/_console\/login#link=\S+$/.exec(line) ?? [];
        if (link) found({ endpoint, link });
      });
    });
    return new Server(child, folder, stderr, said.endpoint, said.link, root);
  }

  /** What the server has logged so far. */
  get log(): string {
    return this.stderr.join('\n');
  }

  /** Moves the platform's clock ahead, if the server was started with one. */
  async advance(seconds: number): Promise<void> {
    writeFileSync(join(this.folder, 'ahead'), String(seconds));
    await new Promise((done) => setTimeout(done, 200));
  }

  /** A signed request; JSON in, JSON (or text) back. For what tests need to be there before they look. */
  async call(service: string, request: Omit<Unsigned, 'host'>, credentials: Credentials = this.root): Promise<string> {
    const host = new URL(this.endpoint).host;
    const scope: Scope = { credentials, service, region: 'us-east-1', now: new Date() };
    const unsigned: Unsigned = { ...request, host };
    const query = new URLSearchParams((request.query ?? []).map(([name, value]) => [name, value])).toString();
    const response = await fetch(`${this.endpoint}${request.path}${query ? `?${query}` : ''}`, {
      method: request.method,
      headers: sign(unsigned, scope),
      ...(request.body ? { body: request.body as BodyInit } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service} ${request.path}: ${response.status} ${text}`);
    return text;
  }

  /** An operation of a JSON service: `json('glue', 'AWSGlue.CreateDatabase', {…})`. */
  async json<Output = Record<string, unknown>>(service: string, target: string, input: object, version = '1.1'): Promise<Output> {
    const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target };
    const text = await this.call(service, { method: 'POST', path: '/', headers, body: JSON.stringify(input) });
    return (text ? JSON.parse(text) : {}) as Output;
  }

  /** An operation of a query service; the XML that comes back. */
  async query(service: string, version: string, action: string, parameters: Record<string, string> = {}): Promise<string> {
    const body = new URLSearchParams({ Action: action, Version: version, ...parameters }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.call(service, { method: 'POST', path: '/', headers, body });
  }

  /** A role that what runs by itself may take, and that may do everything; answers its ARN. */
  async serviceRole(name: string): Promise<string> {
    const Service = ['states', 'glue', 'scheduler', 'events'].map((service) => `${service}.amazonaws.com`);
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }] };
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    const xml = await this.query('iam', '2010-05-08', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) });
    await this.query('iam', '2010-05-08', 'PutRolePolicy', { RoleName: name, PolicyName: 'all', PolicyDocument: JSON.stringify(policy) });
    return /<Arn>(.+?)<\/Arn>/.exec(xml)?.[1] ?? '';
  }

  /** A bucket, or with a body an object: `put('b')`, `put('b/k.csv', 'a,b')`. */
  async put(path: string, body = ''): Promise<void> {
    await this.call('s3', { method: 'PUT', path: `/${path}`, body });
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      const ended = new Promise((done) => this.process.once('exit', done));
      // Both commands end well by it.
      this.process.kill('SIGINT');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
