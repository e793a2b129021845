/** What roles may do with buckets, read from their policies: where functions and jobs read and write. */
import { iamList } from './iam';
import type { Xml } from './xml';

export interface RoleAccess {
  name: string;
  arn: string;
  reads: string[];
  writes: string[];
}

interface Statement {
  Effect?: string;
  Action?: string | string[];
  Resource?: string | string[];
}

const list = <T>(value: T | T[] | undefined): T[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

/** For each bucket the shortest beginning of keys that may be read, and that may be written. */
type Reach = Map<string, { read?: number; write?: number }>;

function bucketsOf(document: string, into: Reach): void {
  let statements: Statement[];
  try {
    statements = list((JSON.parse(document) as { Statement?: Statement | Statement[] }).Statement);
  } catch {
    return;
  }
  const shorter = (a: number | undefined, b: number) => Math.min(a ?? b, b);
  for (const { Effect, Action, Resource } of statements) {
    if (Effect !== 'Allow') continue;
    const actions = list(Action).map((action) => action.toLowerCase());
    const may = (name: string) => actions.some((action) => action === name || action === 's3:*' || action === '*');
    for (const arn of list(Resource)) {
      const [, bucket, keys = ''] = /^arn:aws:s3:::([^/*?]+)(?:\/(.*))?$/.exec(arn) ?? [];
      // Names that begin so are hidden from tables: notes and markers, no data.
      if (!bucket || /^[_.]/.test(keys)) continue;
      const known = into.get(bucket) ?? {};
      const length = keys.replace(/\*.*$/, '').length;
      if (may('s3:getobject')) known.read = shorter(known.read, length);
      if (may('s3:putobject')) known.write = shorter(known.write, length);
      into.set(bucket, known);
    }
  }
}

/** Who may read all of a bucket and write a corner of it takes data from there; who writes all of it brings data. */
function directions(reach: Reach): Pick<RoleAccess, 'reads' | 'writes'> {
  const reads: string[] = [];
  const writes: string[] = [];
  for (const [bucket, { read, write }] of reach) {
    if (write !== undefined && (read === undefined || write <= read)) writes.push(bucket);
    else if (read !== undefined) reads.push(bucket);
  }
  return { reads, writes };
}

function access(xml: Xml): RoleAccess {
  const reach: Reach = new Map();
  for (const policy of xml.members('RolePolicyList')) {
    const text = policy.text('PolicyDocument');
    bucketsOf(text.startsWith('{') ? text : decodeURIComponent(text), reach);
  }
  return { name: xml.text('RoleName'), arn: xml.text('Arn'), ...directions(reach) };
}

/** Every role's buckets, by its own policies. */
export const rolesAccess = () =>
  iamList('GetAccountAuthorizationDetails', 'RoleDetailList', access, { Filter: ['Role'] });

/** The buckets of one policy document. */
export function directionsOf(document: string): Pick<RoleAccess, 'reads' | 'writes'> {
  const reach: Reach = new Map();
  bucketsOf(document, reach);
  return directions(reach);
}
