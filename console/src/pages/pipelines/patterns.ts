/** Patterns of events to begin with, each with an event that fits it: what the services here tell. */
export interface Example {
  id: string;
  label: string;
  pattern: object;
  event: { source: string; 'detail-type': string; detail: object; resources?: string[] };
}

export const EXAMPLES: readonly Example[] = [
  {
    id: 'job',
    label: 'A Glue job has failed',
    pattern: { source: ['aws.glue'], 'detail-type': ['Glue Job State Change'], detail: { state: ['FAILED', 'TIMEOUT'] } },
    event: { source: 'aws.glue', 'detail-type': 'Glue Job State Change', detail: { jobName: 'flights-clean', severity: 'ERROR', state: 'FAILED', jobRunId: 'jr_1', message: 'no such file' } },
  },
  {
    id: 'crawler',
    label: 'A crawler has succeeded',
    pattern: { source: ['aws.glue'], 'detail-type': ['Glue Crawler State Change'], detail: { state: ['Succeeded'] } },
    event: { source: 'aws.glue', 'detail-type': 'Glue Crawler State Change', detail: { crawlerName: 'landing', state: 'Succeeded' } },
  },
  {
    id: 'object',
    label: 'An object has arrived in a bucket',
    pattern: { source: ['aws.s3'], 'detail-type': ['Object Created'], detail: { bucket: { name: ['landing'] }, object: { key: [{ prefix: 'in/' }] } } },
    event: { source: 'aws.s3', 'detail-type': 'Object Created', resources: ['arn:aws:s3:::landing'], detail: { bucket: { name: 'landing' }, object: { key: 'in/flights.csv', size: 1024 } } },
  },
  {
    id: 'execution',
    label: 'A state machine has failed',
    pattern: { source: ['aws.states'], 'detail-type': ['Step Functions Execution Status Change'], detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'] } },
    event: { source: 'aws.states', 'detail-type': 'Step Functions Execution Status Change', detail: { status: 'FAILED', name: 'by-hand' } },
  },
  {
    id: 'query',
    label: 'A query has ended',
    pattern: { source: ['aws.athena'], 'detail-type': ['Athena Query State Change'], detail: { currentState: ['SUCCEEDED', 'FAILED', 'CANCELLED'] } },
    event: { source: 'aws.athena', 'detail-type': 'Athena Query State Change', detail: { currentState: 'SUCCEEDED', workgroupName: 'primary' } },
  },
  {
    id: 'own',
    label: 'An event of an application',
    pattern: { source: ['shop.orders'], 'detail-type': ['Order placed'] },
    event: { source: 'shop.orders', 'detail-type': 'Order placed', detail: { order: 1 } },
  },
];

/** A whole event, as TestEventPattern wants it. */
export function eventOf({ event }: Example, account: string, region: string, now: number): string {
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
  const whole = { version: '0', id: '00000000-0000-0000-0000-000000000000', account, region, time, resources: [], ...event };
  return JSON.stringify(whole, null, 2);
}

/** An event that a pattern's own words suggest: the first text of each list. */
export function eventFor(pattern: string, account: string, region: string, now: number): string {
  const fallback = EXAMPLES.at(-1);
  let asked: Record<string, unknown> = {};
  try {
    asked = JSON.parse(pattern) as Record<string, unknown>;
  } catch {
    // Then nothing is suggested.
  }
  const example = EXAMPLES.find(({ pattern: known }) => JSON.stringify(known) === JSON.stringify(asked));
  if (example) return eventOf(example, account, region, now);
  const event = { source: 'shop.orders', 'detail-type': 'Order placed', detail: {}, ...(suggested(asked) as object) };
  return eventOf({ ...(fallback as Example), event }, account, region, now);
}

function suggested(pattern: unknown): unknown {
  if (Array.isArray(pattern)) return wordOf(pattern[0]);
  if (typeof pattern !== 'object' || pattern === null) return pattern;
  const members = Object.entries(pattern).filter(([name]) => !name.startsWith('$'));
  return Object.fromEntries(members.map(([name, inner]) => [name, name === 'resources' ? [suggested(inner)] : suggested(inner)]));
}

/** A value that a matcher lets in, where that is easily said. */
function wordOf(matcher: unknown): unknown {
  if (typeof matcher !== 'object' || matcher === null) return matcher;
  const { prefix, suffix, numeric } = matcher as { prefix?: unknown; suffix?: unknown; numeric?: unknown[] };
  if (typeof prefix === 'string') return `${prefix}…`;
  if (typeof suffix === 'string') return `…${suffix}`;
  return numeric?.find((one) => typeof one === 'number') ?? 'anything';
}
