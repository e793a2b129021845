/** The platform as boxes and arrows, drawn from what is deployed. */
import type { Api, Integration } from '../../aws/apigateway';
import type { RoleAccess } from '../../aws/authorization';
import type { Rule, RuleTarget, Schedule } from '../../aws/events';
import type { DeliveryStream } from '../../aws/firehose';
import type { Crawler, Database, Job } from '../../aws/glue';
import type { EventSourceMapping, FunctionConfiguration } from '../../aws/lambda';
import type { Bucket } from '../../aws/s3';
import { shortName } from '../../lib/format';
import type { GraphEdge, GraphNode } from '../../lib/graph';
import { apiHref, arnHref, bucketHref, crawlerHref, databaseHref, functionHref, jobHref, machineHref, queueHref, ruleHref, scheduleHref, streamHref } from '../../lib/links';
import { tone } from '../../lib/status';

/** What is deployed; what may not be read is empty. */
export interface Deployed {
  buckets: Bucket[];
  streams: DeliveryStream[];
  apis: (Api & { integrations: Integration[] })[];
  queues: string[];
  functions: FunctionConfiguration[];
  mappings: EventSourceMapping[];
  jobs: Job[];
  crawlers: Crawler[];
  databases: (Database & { tables: number })[];
  machines: { name: string; arn: string; definition: string }[];
  schedules: (Schedule & { target?: string | undefined })[];
  rules: (Rule & { targets: RuleTarget[] })[];
  roles: RoleAccess[];
}

export interface Picture {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** What nothing leads to or from. */
  loose: GraphNode[];
  /** How many boxes more there would be. */
  more: number;
}

/** Boxes that can still be told apart. */
const DRAWN = 150;

/** The chart palette's colours for each responsibility. */
const HUE = { ingestion: 1, storage: 0, governance: 4, transformation: 2, orchestration: 3, analysis: 6 };

class Drawing {
  private readonly nodes = new Map<string, GraphNode>();
  private readonly edges = new Map<string, GraphEdge>();

  box(node: GraphNode): void {
    this.nodes.set(node.id, node);
  }

  /** Only between boxes that are there, once. */
  arrow(from: string, to: string, more: Partial<GraphEdge> = {}): void {
    if (from !== to) this.edges.set(`${from}>${to}`, { from, to, ...more });
  }

  done(): Picture {
    const edges = [...this.edges.values()].filter((edge) => this.nodes.has(edge.from) && this.nodes.has(edge.to));
    const met = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
    const nodes = [...this.nodes.values()];
    const joined = nodes.filter((node) => met.has(node.id));
    const loose = nodes.filter((node) => !met.has(node.id));
    return { nodes: joined.slice(0, DRAWN), edges, loose, more: Math.max(0, joined.length - DRAWN) };
  }
}

/** The bucket of `s3://bucket/…`. */
export const bucketOf = (location: string) => /^s3[an]?:\/\/([^/]+)/.exec(location)?.[1];

/** All texts in a document. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return value && typeof value === 'object' ? Object.values(value).flatMap(textsIn) : [];
}

const functionOf = (arn: string) => /:function:([^:/]+)/.exec(arn)?.[1];

/** The ids of what a machine's definition calls. */
export function calledBy(definition: string): string[] {
  let document: unknown;
  try {
    document = JSON.parse(definition);
  } catch {
    return [];
  }
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (!value || typeof value !== 'object') return;
    for (const [name, item] of Object.entries(value)) {
      if (typeof item === 'string') {
        const called = functionOf(item) ?? (/^FunctionName/.test(name) ? shortName(item) : undefined);
        if (called) found.add(`function/${called}`);
        if (name === 'JobName') found.add(`job/${item}`);
        if (name === 'StateMachineArn') found.add(`machine/${shortName(item)}`);
        if (/^arn:aws:states:::(aws-sdk:)?athena/.test(item)) found.add('athena');
      } else visit(item);
    }
  };
  visit(document);
  // Crawlers are named in parameters and in lists that are passed on; only the names of those that exist make arrows.
  for (const text of textsIn(document)) found.add(`crawler/${text}`);
  return [...found];
}

/** `last` has the states of the last runs by the boxes' ids: `machine/daily`. */
export function picture(all: Deployed, last: ReadonlyMap<string, string>): Picture {
  const ended = (id: string) => {
    const state = last.get(id);
    return state ? tone(state) : undefined;
  };
  const drawing = new Drawing();
  const role = new Map(all.roles.map((one) => [one.arn, one]));
  const known = new Set(all.buckets.map((bucket) => bucket.name));

  for (const bucket of all.buckets) {
    drawing.box({ id: `bucket/${bucket.name}`, title: bucket.name, kind: 'Bucket', hue: HUE.storage, href: bucketHref(bucket.name) });
  }
  /** Arrows from and to the buckets that a role may read and write, and those that texts name. */
  const buckets = (id: string, arn: string | undefined, texts: string[]) => {
    const may = arn === undefined ? undefined : role.get(arn);
    for (const bucket of may?.writes ?? []) if (known.has(bucket)) drawing.arrow(id, `bucket/${bucket}`);
    for (const bucket of may?.reads ?? []) {
      if (known.has(bucket)) drawing.arrow(`bucket/${bucket}`, id);
    }
    const seen = new Set([...(may?.writes ?? []), ...(may?.reads ?? [])]);
    for (const text of texts) {
      const bucket = bucketOf(text) ?? text;
      if (known.has(bucket) && !seen.has(bucket)) drawing.arrow(`bucket/${bucket}`, id, { dashed: true });
    }
  };

  for (const stream of all.streams) {
    const id = `stream/${stream.DeliveryStreamName}`;
    const to = stream.Destinations[0]?.ExtendedS3DestinationDescription;
    drawing.box({ id, title: stream.DeliveryStreamName, kind: 'Delivery stream', hue: HUE.ingestion, tone: tone(stream.DeliveryStreamStatus) === 'bad' ? 'bad' : undefined, href: streamHref(stream.DeliveryStreamName) });
    if (!to) continue;
    const called = (to.ProcessingConfiguration?.Processors ?? []).flatMap((one) => one.Parameters ?? []);
    const through = called.map((one) => functionOf(one.ParameterValue)).find(Boolean);
    const target = `bucket/${shortName(to.BucketARN)}`;
    if (through) {
      drawing.arrow(id, `function/${through}`);
      drawing.arrow(`function/${through}`, target);
    } else drawing.arrow(id, target);
  }
  for (const api of all.apis) {
    drawing.box({ id: `api/${api.apiId}`, title: api.name, kind: 'HTTP API', hue: HUE.ingestion, href: apiHref(api.apiId) });
    for (const { integrationUri } of api.integrations) {
      const called = functionOf(integrationUri ?? '');
      if (called) drawing.arrow(`api/${api.apiId}`, `function/${called}`);
    }
  }
  for (const url of all.queues) {
    drawing.box({ id: `queue/${shortName(url)}`, title: shortName(url), kind: 'Queue', hue: HUE.ingestion, href: queueHref(shortName(url)) });
  }
  for (const one of all.functions) {
    const id = `function/${one.FunctionName}`;
    drawing.box({ id, title: one.FunctionName, kind: 'Function', ...(one.Runtime ? { detail: one.Runtime } : {}), hue: HUE.transformation, href: functionHref(one.FunctionName) });
    buckets(id, one.Role, Object.values(one.Environment?.Variables ?? {}));
  }
  for (const mapping of all.mappings) {
    const called = functionOf(mapping.FunctionArn ?? '');
    if (called) drawing.arrow(`queue/${shortName(mapping.EventSourceArn ?? '')}`, `function/${called}`);
  }
  for (const job of all.jobs) {
    const id = `job/${job.Name}`;
    drawing.box({ id, title: job.Name, kind: 'Glue job', hue: HUE.transformation, tone: ended(id), href: jobHref(job.Name) });
    const nodes = Object.values(job.CodeGenConfigurationNodes ?? {});
    for (const node of nodes) {
      for (const [kind, value] of Object.entries(node)) {
        const bucket = textsIn(value).map(bucketOf).find(Boolean);
        if (!bucket || !known.has(bucket)) continue;
        if (/Target/.test(kind)) drawing.arrow(id, `bucket/${bucket}`);
        else drawing.arrow(`bucket/${bucket}`, id);
      }
    }
    if (nodes.length === 0) {
      const script = bucketOf(job.Command?.ScriptLocation ?? '');
      const texts = Object.values(job.DefaultArguments ?? {}).filter((text) => bucketOf(text) !== script);
      const arn = job.Role.startsWith('arn:') ? job.Role : all.roles.find((one) => one.name === job.Role)?.arn;
      buckets(id, arn, texts);
    }
  }
  for (const crawler of all.crawlers) {
    const id = `crawler/${crawler.Name}`;
    drawing.box({ id, title: crawler.Name, kind: 'Crawler', hue: HUE.governance, tone: ended(id), href: crawlerHref(crawler.Name) });
    for (const target of crawler.Targets?.S3Targets ?? []) drawing.arrow(`bucket/${bucketOf(target.Path) ?? target.Path.split('/')[0]}`, id);
    if (crawler.DatabaseName) drawing.arrow(id, `database/${crawler.DatabaseName}`);
  }
  for (const database of all.databases) {
    if (database.Name === 'default' && database.tables === 0) continue;
    const detail = `${database.tables} ${database.tables === 1 ? 'table' : 'tables'}`;
    drawing.box({ id: `database/${database.Name}`, title: database.Name, kind: 'Database', detail, hue: HUE.governance, href: databaseHref(database.Name) });
  }
  for (const machine of all.machines) {
    const id = `machine/${machine.name}`;
    drawing.box({ id, title: machine.name, kind: 'State machine', hue: HUE.orchestration, tone: ended(id), href: machineHref(machine.name) });
    for (const called of calledBy(machine.definition)) drawing.arrow(id, called, { dashed: true });
  }
  for (const schedule of all.schedules) {
    const id = `schedule/${schedule.GroupName}/${schedule.Name}`;
    const detail = schedule.ScheduleExpression;
    drawing.box({ id, title: schedule.Name, kind: 'Schedule', ...(detail ? { detail } : {}), hue: HUE.orchestration, tone: schedule.State === 'DISABLED' ? 'off' : undefined, href: scheduleHref(schedule.Name, schedule.GroupName) });
    drawing.arrow(id, targetId(schedule.Target?.Arn ?? schedule.target ?? ''), { dashed: true });
  }
  for (const rule of all.rules) {
    const id = `rule/${rule.EventBusName}/${rule.Name}`;
    drawing.box({ id, title: rule.Name, kind: 'Rule', hue: HUE.orchestration, tone: rule.State === 'DISABLED' ? 'off' : undefined, href: ruleHref(rule.Name, rule.EventBusName) });
    for (const target of rule.targets) drawing.arrow(id, targetId(target.Arn), { dashed: true });
  }
  return drawing.done();
}

function targetId(arn: string): string {
  const name = shortName(arn);
  if (arn.includes(':stateMachine:')) return `machine/${name}`;
  if (arn.includes(':function:')) return `function/${functionOf(arn)}`;
  if (arn.includes(':deliverystream/')) return `stream/${name}`;
  return arn.includes(':sqs:') ? `queue/${name}` : arnHref(arn) ?? arn;
}
