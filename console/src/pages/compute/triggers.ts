/** What makes a function run, as far as services and the function's policy tell. */
import { getApi, getIntegrations, getRoutes } from '../../aws/apigateway';
import { collect } from '../../aws/call';
import { events, listBuses, listSchedules } from '../../aws/events';
import { listMappings } from '../../aws/lambda';
import { getPolicy } from '../../aws/lambda-settings';
import { NOTIFICATION, getDocument } from '../../aws/s3-documents';
import { shortName } from '../../lib/format';
import { apiHref, arnHref, bucketHref, ruleHref, scheduleHref } from '../../lib/links';

export interface Trigger {
  id: string;
  /** The service: `SQS`, `API Gateway`. */
  kind: string;
  source: string;
  href?: string;
  detail: string;
  /** Of an event source mapping. */
  state?: string;
}

/** A statement of a resource policy, as far as it is looked at here. */
export interface Statement {
  Sid?: string;
  Effect?: string;
  Principal?: '*' | { Service?: string; AWS?: string };
  Action?: string;
  Condition?: Record<string, Record<string, string>>;
}

export function statementsOf(policy: string | undefined): Statement[] {
  if (!policy) return [];
  return (JSON.parse(policy) as { Statement?: Statement[] }).Statement ?? [];
}

/** The ARN that a statement's condition names as the source. */
export function sourceOf({ Condition = {} }: Statement): string | undefined {
  for (const conditions of Object.values(Condition)) {
    for (const [name, value] of Object.entries(conditions)) if (name.toLowerCase() === 'aws:sourcearn') return value;
  }
  return undefined;
}

export const principalOf = ({ Principal }: Statement) => (typeof Principal === 'object' ? (Principal.Service ?? Principal.AWS ?? '–') : (Principal ?? '–'));

/** Whether an ARN, with a qualifier or without, is that of the function. */
export const isOf = (arn: string, found: unknown) => typeof found === 'string' && (found === arn || found.startsWith(`${arn}:`) || found.includes(`${arn}/invocations`));

export interface Triggers {
  found: Trigger[];
  policy: string | undefined;
  /** What could not be read, in the server's words. */
  unread: string[];
}

export async function readTriggers(name: string, arn: string): Promise<Triggers> {
  const unread: string[] = [];
  const tried = async (what: string, asked: Promise<Trigger[]>): Promise<Trigger[]> => {
    try {
      return await asked;
    } catch (error) {
      unread.push(`${what}: ${(error as Error).message}`);
      return [];
    }
  };
  const policy = await getPolicy(name);
  const statements = statementsOf(policy);
  const sources = new Map(statements.flatMap((one) => (sourceOf(one) === undefined ? [] : [[`${principalOf(one)} ${sourceOf(one)}`, one] as const])));
  const permitted = [...sources.values()].map((one) => tried(shortName(sourceOf(one) ?? ''), permittedBy(arn, one)));
  const all = await Promise.all([tried('Event source mappings', mappings(name)), tried('Rules', rules(arn)), tried('Schedules', schedules(arn)), ...permitted]);
  return { found: all.flat(), policy, unread };
}

async function mappings(name: string): Promise<Trigger[]> {
  return (await listMappings(name)).map(({ UUID, EventSourceArn = '', State, BatchSize }) => {
    const href = arnHref(EventSourceArn);
    return { id: UUID, kind: 'SQS', source: shortName(EventSourceArn), detail: `up to ${BatchSize ?? 10} messages at once`, ...(href ? { href } : {}), ...(State ? { state: State } : {}) };
  });
}

async function rules(arn: string): Promise<Trigger[]> {
  const of = async (EventBusName: string) => {
    const names = await collect(async (NextToken) => {
      const page = await events<{ RuleNames: string[]; NextToken?: string }>('ListRuleNamesByTarget', { TargetArn: arn, EventBusName, NextToken });
      return { items: page.RuleNames, next: page.NextToken };
    });
    return names.map((rule) => ({ id: `rule ${EventBusName} ${rule}`, kind: 'EventBridge', source: rule, href: ruleHref(rule, EventBusName), detail: `rule of the bus ${EventBusName}` }));
  };
  return (await Promise.all((await listBuses()).map(({ Name }) => of(Name)))).flat();
}

async function schedules(arn: string): Promise<Trigger[]> {
  const own = (await listSchedules()).filter(({ Target }) => isOf(arn, Target?.Arn));
  return own.map(({ Name, GroupName, State }) => ({
    id: `schedule ${GroupName} ${Name}`,
    kind: 'Scheduler',
    source: Name,
    href: scheduleHref(Name, GroupName),
    detail: `schedule of the group ${GroupName}${State === 'DISABLED' ? ', disabled' : ''}`,
  }));
}

/** What a source that the policy lets in has of this function; rules are known already. */
async function permittedBy(arn: string, statement: Statement): Promise<Trigger[]> {
  const source = sourceOf(statement) ?? '';
  const [, , service, , , rest = ''] = source.split(':');
  if (service === 's3') return bucket(arn, source.split(':').at(-1) ?? '');
  if (service === 'execute-api') return routes(arn, rest.split('/')[0] ?? '');
  if (service === 'events') return [];
  const href = arnHref(source);
  return [{ id: source, kind: principalOf(statement), source: shortName(source), detail: 'permitted by the policy', ...(href ? { href } : {}) }];
}

async function bucket(arn: string, name: string): Promise<Trigger[]> {
  const found = (await getDocument(name, NOTIFICATION)) as { LambdaFunctionConfigurations?: { Id?: string; LambdaFunctionArn?: string; Events?: string[]; Filter?: { Key?: { FilterRules?: { Name: string; Value: string }[] } } }[] } | undefined;
  const own = (found?.LambdaFunctionConfigurations ?? []).filter((one) => isOf(arn, one.LambdaFunctionArn));
  return own.map(({ Id, Events = [], Filter }, at) => {
    const filter = (Filter?.Key?.FilterRules ?? []).map(({ Name, Value }) => `${Name.toLowerCase()} ${Value}`);
    return { id: `s3 ${name} ${Id ?? at}`, kind: 'S3', source: name, href: bucketHref(name), detail: [...Events, ...filter].join(', ') };
  });
}

async function routes(arn: string, id: string): Promise<Trigger[]> {
  const [api, all, integrations] = await Promise.all([getApi(id), getRoutes(id), getIntegrations(id)]);
  const own = new Set(integrations.filter(({ integrationUri }) => isOf(arn, integrationUri)).map(({ integrationId }) => `integrations/${integrationId}`));
  return all
    .filter(({ target }) => target !== undefined && own.has(target))
    .map(({ routeId, routeKey }) => ({ id: `api ${id} ${routeId}`, kind: 'API Gateway', source: api.name, href: apiHref(id), detail: routeKey }));
}
