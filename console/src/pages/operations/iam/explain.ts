/** Why a call is allowed or denied: the simulator's answer, beside every document that had a say. */
import { AwsError, asAwsError } from '../../../aws/error';
import { type HolderKind, getGroup, getRole, getUser } from '../../../aws/iam';
import { managedDocument } from '../../../aws/iam-policies';
import { type Matched, type Verdict, simulatePrincipal } from '../../../aws/iam-simulate';
import { lambda } from '../../../aws/lambda';
import { getPolicy as bucketPolicy } from '../../../aws/s3-documents';
import { queueAttributes, queueUrl } from '../../../aws/sqs';
import { type NearMiss, documentOf, nearMisses, statementAt } from './document';
import { type HeldPolicy, allPolicies, documentOfHeld, simulatorId } from './held';
import type { Mark } from './PolicyText';

export interface Question {
  /** As it was asked about: whose policies count follows from it. */
  principal: string;
  kind: HolderKind;
  name: string;
  action: string;
  resource: string;
  context: Readonly<Record<string, string>>;
}

/** A document that had a say, and what it said. */
export interface Weighed {
  policy: HeldPolicy;
  document: string;
  says: 'allows' | 'denies' | 'near' | 'nothing';
  marks: readonly Mark[];
  near: readonly NearMiss[];
}

/** A policy that is not the principal's own. */
export interface Other {
  document: string;
  marks: readonly Mark[];
}

export interface Explained {
  /** The ARN of whose policies were weighed. */
  arn: string;
  verdict: Verdict;
  /** The principal's policies; why they can't be read, if they can't. */
  policies: readonly Weighed[] | AwsError;
  boundary: { arn: string; document: string | undefined } | undefined;
  /** Whether the policies would allow it if no boundary held them back. */
  allowedWithoutBoundary: boolean;
  /** Of the resource; undefined where it has none, or can have none. */
  resource: Other | AwsError | undefined;
  /** Of the role that is to be assumed. */
  trust: { role: string; document: string } | undefined;
}

const BOUNDLESS = documentOf([{ Effect: 'Allow', Action: '*', Resource: '*' }]);

export async function explain({ principal, kind, name, action, resource, context }: Question): Promise<Explained> {
  const [holder, resourcePolicy] = await Promise.all([holderOf(principal, kind, name), resourcePolicyOf(resource)]);
  const ofResource = typeof resourcePolicy === 'string' ? resourcePolicy : undefined;
  const simulation = { action, resource, context, resourcePolicy: ofResource };
  const verdict = await simulatePrincipal(holder.arn, simulation);
  const [policies, boundary, trust, free] = await Promise.all([
    weigh(kind, name, action, resource, verdict).catch(asAwsError),
    boundaryOf(holder.boundary),
    trustOf(action, resource),
    verdict.withinBoundary === false ? simulatePrincipal(holder.arn, { ...simulation, boundary: BOUNDLESS }) : verdict,
  ]);
  const other = ofResource === undefined ? (resourcePolicy as AwsError | undefined) : { document: ofResource, marks: marksOf(ofResource, verdict, 'ResourcePolicy') };
  return { arn: holder.arn, verdict, policies, boundary, allowedWithoutBoundary: free.decision === 'allowed', resource: other, trust };
}

interface Holder {
  arn: string;
  boundary?: string | undefined;
}

/** Who may simulate need not be let read: then the ARN is what was asked about, if that is no session's. */
async function holderOf(principal: string, kind: HolderKind, name: string): Promise<Holder> {
  try {
    if (kind === 'Group') return { arn: (await getGroup(name)).arn };
    return await (kind === 'User' ? getUser(name) : getRole(name));
  } catch (error) {
    if (asAwsError(error).isDenied && principal.startsWith('arn:aws:iam:')) return { arn: principal };
    throw error;
  }
}

async function boundaryOf(arn: string | undefined): Promise<Explained['boundary']> {
  if (!arn) return undefined;
  return { arn, document: await managedDocument(arn).catch(() => undefined) };
}

async function weigh(kind: HolderKind, name: string, action: string, resource: string, verdict: Verdict): Promise<Weighed[]> {
  const held = await allPolicies(kind, name);
  return Promise.all(held.map(async (policy) => judge(policy, await documentOfHeld(policy), action, resource, verdict)));
}

/** What a document said, from the statements that the simulator names. */
export function judge(policy: HeldPolicy, document: string, action: string, resource: string, verdict: Verdict): Weighed {
  const matched = marksOf(document, verdict, simulatorId(policy));
  const near = verdict.decision === 'implicitDeny' ? nearMisses(document, action, resource) : [];
  const marks = matched.length > 0 ? matched : near.map(({ at }): Mark => ({ at, tone: 'near' }));
  const decides = verdict.matched.some((each) => each.policy === simulatorId(policy));
  const says = decides ? (verdict.decision === 'allowed' ? 'allows' : 'denies') : near.length > 0 ? 'near' : 'nothing';
  return { policy, document, says, marks, near };
}

function marksOf(document: string, { decision, matched }: Verdict, id: string): Mark[] {
  const tone = decision === 'allowed' ? 'good' : 'bad';
  return matched.filter(({ policy }) => policy === id).flatMap((each: Matched) => (each.start ? [{ at: statementAt(document, each.start), tone }] : []));
}

/** The policy of a bucket, function or queue; undefined where there is none, an error where it can't be told. */
async function resourcePolicyOf(arn: string): Promise<string | AwsError | undefined> {
  const [, , service, , , ...rest] = arn.split(':');
  const name = rest.join(':');
  try {
    if (service === 's3') return await bucketPolicy(name.split('/')[0] ?? '');
    if (service === 'sqs' && name) return (await queueAttributes(await queueUrl(name))).Policy;
    if (service === 'lambda' && name.startsWith('function:')) {
      const { Policy } = await lambda.call<{ Policy?: string }>('GET', ['2015-03-31', 'functions', name.split(':')[1] ?? '', 'policy']);
      return Policy;
    }
  } catch (error) {
    const known = asAwsError(error);
    return known.isMissing ? undefined : known;
  }
  return undefined;
}

async function trustOf(action: string, resource: string): Promise<Explained['trust']> {
  const role = /^arn:aws:iam::\d+:role\/(?:.*\/)?([^/*]+)$/.exec(resource)?.[1];
  if (action.toLowerCase() !== 'sts:assumerole' || !role) return undefined;
  return getRole(role).then(
    ({ trust }) => ({ role, document: trust }),
    () => undefined,
  );
}
