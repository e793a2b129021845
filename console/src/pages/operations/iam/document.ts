/** Policy documents: read, told in words, and made. */

import type { Place } from '../../../aws/iam-simulate';

type OneOrMany = string | string[];

export interface Statement {
  Sid?: string;
  Effect?: string;
  Action?: OneOrMany;
  NotAction?: OneOrMany;
  Resource?: OneOrMany;
  NotResource?: OneOrMany;
  Principal?: '*' | Record<string, OneOrMany>;
  NotPrincipal?: '*' | Record<string, OneOrMany>;
  Condition?: Record<string, Record<string, OneOrMany | boolean | number>>;
}

export const many = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

/** The statements of a document; none of one that can't be read. */
export function statements(document: string): readonly Statement[] {
  try {
    const found = (JSON.parse(document) as { Statement?: Statement | Statement[] } | null)?.Statement;
    return many(found).filter((each) => typeof each === 'object' && each !== null);
  } catch {
    return [];
  }
}

export function documentOf(list: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: list }, null, 2);
}

/** The ways to access, as AWS sorts actions. */
export type Level = 'Full access' | 'List' | 'Read' | 'Write' | 'Permissions management' | 'Tagging';

const LEVELS: [RegExp, Level][] = [
  [/^(Tag|Untag)|Tagging$|Tags$/, 'Tagging'],
  [/^(Put|Delete|Attach|Detach|Create|Update|Set|Add|Remove).*(Policy|PolicyVersion|Acl|Permission|PermissionsBoundary|PublicAccessBlock)$|^PassRole$/, 'Permissions management'],
  [/^List/, 'List'],
  [/^(Get|Describe|BatchGet|Lookup|Head|Filter|Search|Simulate|Select|Query|Test|Validate|View|Receive|Generate.*Details)/, 'Read'],
];

/** The level of an action's name; a pattern's is that of what it begins with. */
export function levelOf(name: string): Level {
  if (name === '*') return 'Full access';
  const word = name.replace(/[*?].*$/, '');
  return LEVELS.find(([pattern]) => pattern.test(word))?.[1] ?? 'Write';
}

/** What a document does with one service. */
export interface Summary {
  allows: boolean;
  /** `*` for all of them. */
  service: string;
  levels: readonly Level[];
  actions: readonly string[];
  /** Whether it is about all actions but these. */
  isExcept: boolean;
  resources: readonly string[];
  conditions: readonly string[];
}

const ORDER: readonly Level[] = ['Full access', 'List', 'Read', 'Write', 'Permissions management', 'Tagging'];

/** What a document allows and denies: what it denies first, then service by service. */
export function summarise(document: string): Summary[] {
  const rows = statements(document).flatMap(summariseOne);
  return rows.sort((a, b) => Number(a.allows) - Number(b.allows) || a.service.localeCompare(b.service));
}

function summariseOne(statement: Statement): Summary[] {
  const isExcept = statement.NotAction !== undefined;
  const byService = new Map<string, string[]>();
  for (const action of many(statement.Action ?? statement.NotAction)) {
    const [service = '', name] = action.split(':');
    const key = isExcept ? '*' : service.toLowerCase();
    byService.set(key, [...(byService.get(key) ?? []), isExcept ? action : (name ?? '*')]);
  }
  const resources = statement.NotResource ? many(statement.NotResource).map((each) => `all but ${each}`) : many(statement.Resource);
  const conditions = conditionWords(statement.Condition);
  return [...byService].map(([service, actions]) => {
    const levels = new Set(isExcept ? [] : actions.map(levelOf));
    return { allows: statement.Effect === 'Allow', service, levels: ORDER.filter((level) => levels.has(level)), actions, isExcept, resources, conditions };
  });
}

const OPERATORS: Record<string, string> = {
  StringEquals: 'is',
  StringNotEquals: 'is not',
  StringEqualsIgnoreCase: 'is',
  StringNotEqualsIgnoreCase: 'is not',
  StringLike: 'is like',
  StringNotLike: 'is not like',
  ArnEquals: 'is like',
  ArnLike: 'is like',
  ArnNotEquals: 'is not like',
  ArnNotLike: 'is not like',
  Bool: 'is',
  IpAddress: 'is in',
  NotIpAddress: 'is not in',
  NumericEquals: '=',
  NumericNotEquals: '≠',
  NumericLessThan: '<',
  NumericLessThanEquals: '≤',
  NumericGreaterThan: '>',
  NumericGreaterThanEquals: '≥',
  DateEquals: 'is',
  DateNotEquals: 'is not',
  DateLessThan: 'is before',
  DateLessThanEquals: 'is not after',
  DateGreaterThan: 'is after',
  DateGreaterThanEquals: 'is not before',
};

/** A statement's conditions, each in words; all of them must hold. */
export function conditionWords(condition: Statement['Condition']): string[] {
  return Object.entries(condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => {
      const list = many(values as OneOrMany).map(String).join(' or ');
      if (operator === 'Null') return `${key} is ${list === 'true' ? 'missing' : 'there'}`;
      const [, set = '', plain = operator, ifExists = ''] = /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
      const subject = set === 'ForAnyValue' ? `any of ${key}` : set === 'ForAllValues' ? `each of ${key}` : key;
      return `${subject} ${OPERATORS[plain] ?? plain} ${list}${ifExists ? ' (or is missing)' : ''}`;
    }),
  );
}

/** Who a trust policy lets in, one sentence for each statement. */
export interface Trusted {
  allows: boolean;
  /** `the service lambda.amazonaws.com`. */
  who: string[];
  conditions: string[];
}

const SORTS: Record<string, (value: string) => string> = {
  Service: (value) => `the service ${value}`,
  AWS: (value) => {
    if (value === '*') return 'everybody in AWS';
    const account = /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/.exec(value)?.[1];
    return account ? `account ${account}: whoever its policies let` : value.replace(/^arn:aws:(?:iam|sts)::\d+:(?:user|role|assumed-role)\//, (all) => (all.includes(':user/') ? 'user ' : 'role '));
  },
  Federated: (value) => `people of the identity provider ${value.split('/').slice(1).join('/') || value}`,
};

export function trustWords(document: string): Trusted[] {
  return statements(document).map(({ Effect, Principal, NotPrincipal, Condition }) => {
    const principal = Principal ?? NotPrincipal;
    const named = principal === '*' ? ['everybody'] : Object.entries(principal ?? {}).flatMap(([sort, values]) => many(values).map((value) => (SORTS[sort] ?? String)(value)));
    return { allows: Effect === 'Allow', who: NotPrincipal ? [`everybody but ${named.join(', ')}`] : named, conditions: conditionWords(Condition) };
  });
}

/** A pattern of IAM's as a regular expression: `*` any characters, `?` one. Variables may be anything. */
function pattern(text: string, flags = ''): RegExp {
  const escaped = text.replace(/\$\{[^}]*\}/g, '*').replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, flags);
}

const namesAction = ({ Action, NotAction }: Statement, action: string) =>
  NotAction ? !many(NotAction).some((each) => pattern(each, 'i').test(action)) : many(Action).some((each) => pattern(each, 'i').test(action));
const namesResource = ({ Resource, NotResource }: Statement, resource: string) =>
  NotResource ? !many(NotResource).some((each) => pattern(each).test(resource)) : many(Resource).some((each) => pattern(each).test(resource));

/** A statement that all but allows. */
export interface NearMiss {
  /** Its place among the document's. */
  at: number;
  statement: Statement;
  /** What it lacks. */
  lacks: 'resource' | 'condition';
}

/** The statements of a document that allow the action, but on other resources, or under conditions. */
export function nearMisses(document: string, action: string, resource: string): NearMiss[] {
  return statements(document).flatMap((statement, at): NearMiss[] => {
    if (statement.Effect !== 'Allow' || !namesAction(statement, action)) return [];
    if (!namesResource(statement, resource)) return [{ at, statement, lacks: 'resource' }];
    return statement.Condition ? [{ at, statement, lacks: 'condition' }] : [];
  });
}

/** Glue asks about a table, its database and the catalogue, and each must be allowed. */
function withThoseAbove(resource: string): string | string[] {
  const [, catalogue = '', kind, database = '', table] = /^(arn:aws:glue:[\w-]*:\d*:)(database|table)\/([^/]+)(?:\/(.+))?$/.exec(resource) ?? [];
  if (!kind) return resource;
  const above = [`${catalogue}catalog`, `${catalogue}database/${database}`];
  return table ? [...above, resource] : above;
}

/** The least statement that allows a call. */
export function allowing(action: string, resource: string): Statement {
  const word = (text: string) => text.replace(/[^A-Za-z0-9]/g, '');
  return { Sid: `Allow${word(action.split(':')[1] ?? action)}`, Effect: 'Allow', Action: action, Resource: withThoseAbove(resource || '*') };
}

/** Where a statement stands in a text: from its first brace to behind its last one, counted from 1. */
export interface Span {
  start: Place;
  end: Place;
}

/** The spans of a document's statements, in their order. */
export function spans(document: string): Span[] {
  const found: Span[] = [];
  let [line, column, depth] = [1, 1, 0];
  let [inText, escaped] = [false, false];
  let [word, member] = ['', ''];
  let begun: { depth: number; start: Place } | undefined;
  for (const c of document) {
    const here = { line, column };
    if (c === '\n') [line, column] = [line + 1, 1];
    else column += 1;
    if (inText) {
      if (escaped) escaped = false;
      else if (c === '\\') escaped = true;
      else if (c === '"') inText = false;
      else word += c;
    } else if (c === '"') [inText, word] = [true, ''];
    else if (c === ':' && depth === 1) member = word;
    else if (c === '{' || c === '[') {
      depth += 1;
      if (c === '{' && depth > 1 && member === 'Statement') begun ??= { depth, start: here };
    } else if (c === '}' || c === ']') {
      if (begun?.depth === depth) {
        found.push({ start: begun.start, end: { line, column } });
        begun = undefined;
      }
      depth -= 1;
    }
  }
  return found;
}

/** Which statement of a document begins at a place. */
export const statementAt = (document: string, { line, column }: Place): number =>
  spans(document).findIndex(({ start }) => start.line === line && start.column === column);
