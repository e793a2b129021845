/** The policy simulator of IAM: what policies say of a call, without doing it. */
import { iam } from './iam';
import type { Xml } from './xml';

export interface Place {
  line: number;
  column: number;
}

/** A statement that brought a decision about. */
export interface Matched {
  /** `user_ann_inline`, `group_team_inline`, a managed policy's name, `PolicyInputList.1`. */
  policy: string;
  sort: string;
  start: Place | undefined;
  /** Behind its last brace. */
  end: Place | undefined;
}

export interface Verdict {
  decision: 'allowed' | 'explicitDeny' | 'implicitDeny';
  matched: Matched[];
  /** Condition keys that a policy asks about and that have no value. */
  missing: string[];
  /** Undefined where there is no boundary. */
  withinBoundary: boolean | undefined;
}

export interface Simulation {
  action: string;
  resource: string;
  /** Values of condition keys. */
  context?: Readonly<Record<string, string>>;
  /** Policies beside the principal's own. */
  more?: readonly string[];
  resourcePolicy?: string | undefined;
  /** In place of the principal's own boundary. */
  boundary?: string;
}

const place = (xml: Xml): Place | undefined => (xml.exists ? { line: xml.number('Line'), column: xml.number('Column') } : undefined);

function verdict(answer: Xml): Verdict {
  const xml = answer.members('EvaluationResults')[0] ?? answer;
  return {
    decision: xml.text('EvalDecision') as Verdict['decision'],
    matched: xml.members('MatchedStatements').map((each) => ({
      policy: each.text('SourcePolicyId'),
      sort: each.text('SourcePolicyType'),
      start: place(each.child('StartPosition')),
      end: place(each.child('EndPosition')),
    })),
    missing: xml.members('MissingContextValues').map(({ value }) => value),
    withinBoundary: xml.child('PermissionsBoundaryDecisionDetail').exists ? xml.flag('PermissionsBoundaryDecisionDetail', 'AllowedByPermissionsBoundary') : undefined,
  };
}

const question = ({ action, resource, context = {}, resourcePolicy, boundary }: Simulation) => ({
  ActionNames: [action],
  ResourceArns: [resource || '*'],
  ResourcePolicy: resourcePolicy,
  PermissionsBoundaryPolicyInputList: boundary ? [boundary] : [],
  ContextEntries: Object.entries(context).map(([ContextKeyName, value]) => ({
    ContextKeyName,
    ContextKeyType: 'stringList',
    ContextKeyValues: value.split(',').map((each) => each.trim()),
  })),
});

/** What a user's, role's or group's policies say, with others beside them if any are given. */
export const simulatePrincipal = async (PolicySourceArn: string, simulation: Simulation): Promise<Verdict> =>
  verdict(await iam('SimulatePrincipalPolicy', { PolicySourceArn, PolicyInputList: simulation.more ?? [], ...question(simulation) }));

/** What documents say by themselves. */
export const simulateCustom = async (documents: readonly string[], simulation: Simulation): Promise<Verdict> =>
  verdict(await iam('SimulateCustomPolicy', { PolicyInputList: documents, ...question(simulation) }));
