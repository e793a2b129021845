/** CloudFormation. Operations that are not here: `cloudformation('Name', parameters)`. */
import { type QueryValue, collect, queryService } from './call';
import { AwsError } from './error';
import type { Xml } from './xml';

export const cloudformation = queryService('cloudformation', '2010-05-15');

export interface Stack {
  name: string;
  id: string;
  status: string;
  reason: string | undefined;
  description: string | undefined;
  created: Date | undefined;
  updated: Date | undefined;
  deleted: Date | undefined;
  parent: string | undefined;
  parameters: Record<string, string>;
  outputs: StackOutput[];
  tags: StackTag[];
  capabilities: string[];
  role: string | undefined;
  isProtected: boolean;
  disableRollback: boolean;
}

export interface StackOutput {
  key: string;
  value: string;
  description: string | undefined;
  exportName: string | undefined;
}

export interface StackTag {
  key: string;
  value: string;
}

export interface StackResource {
  logicalId: string;
  physicalId: string | undefined;
  type: string;
  status: string;
  reason: string | undefined;
  time: Date | undefined;
}

export interface StackEvent extends StackResource {
  id: string;
}

function stack(xml: Xml): Stack {
  const parameters = xml.members('Parameters').map((p) => [p.text('ParameterKey'), p.text('ParameterValue')]);
  return {
    name: xml.text('StackName'),
    id: xml.text('StackId'),
    status: xml.text('StackStatus'),
    reason: xml.maybe('StackStatusReason'),
    description: xml.maybe('Description'),
    created: xml.time('CreationTime'),
    updated: xml.time('LastUpdatedTime'),
    deleted: xml.time('DeletionTime'),
    parent: xml.maybe('ParentId'),
    parameters: Object.fromEntries(parameters) as Record<string, string>,
    outputs: xml.members('Outputs').map((output) => ({
      key: output.text('OutputKey'),
      value: output.text('OutputValue'),
      description: output.maybe('Description'),
      exportName: output.maybe('ExportName'),
    })),
    tags: xml.members('Tags').map(tag),
    capabilities: xml.members('Capabilities').map(({ value }) => value),
    role: xml.maybe('RoleARN'),
    isProtected: xml.flag('EnableTerminationProtection'),
    disableRollback: xml.flag('DisableRollback'),
  };
}

const tag = (xml: Xml): StackTag => ({ key: xml.text('Key'), value: xml.text('Value') });

function resource(xml: Xml): StackResource {
  return {
    logicalId: xml.text('LogicalResourceId'),
    physicalId: xml.maybe('PhysicalResourceId'),
    type: xml.text('ResourceType'),
    status: xml.text('ResourceStatus'),
    reason: xml.maybe('ResourceStatusReason'),
    time: xml.time('LastUpdatedTimestamp') ?? xml.time('Timestamp'),
  };
}

/** All stacks, or the one of this name or id. */
export const describeStacks = (StackName?: string) =>
  collect(async (NextToken) => {
    const answer = await cloudformation('DescribeStacks', { StackName, NextToken });
    return { items: answer.members('Stacks').map(stack), next: answer.maybe('NextToken') };
  });

/** The stack of a name, or of an id: one that is deleted has its id only. */
export async function describeStack(name: string): Promise<Stack> {
  const [found] = await describeStacks(name);
  if (!found) throw new AwsError('ValidationError', `Stack with id ${name} does not exist`, 404);
  return found;
}

/** What is left of stacks that are deleted. */
export const deletedStacks = () =>
  collect(async (NextToken) => {
    const answer = await cloudformation('ListStacks', { StackStatusFilter: ['DELETE_COMPLETE'], NextToken });
    return { items: answer.members('StackSummaries').map((xml) => ({ ...stack(xml), description: xml.maybe('TemplateDescription') })), next: answer.maybe('NextToken') };
  });

export const deleteStack = (StackName: string, RetainResources: string[] = []) => cloudformation('DeleteStack', { StackName, RetainResources });

export const setProtection = (StackName: string, EnableTerminationProtection: boolean) =>
  cloudformation('UpdateTerminationProtection', { StackName, EnableTerminationProtection });

export const listResources = (StackName: string) =>
  collect(async (NextToken) => {
    const answer = await cloudformation('ListStackResources', { StackName, NextToken });
    return { items: answer.members('StackResourceSummaries').map(resource), next: answer.maybe('NextToken') };
  });

/** A stack's events, the newest first. */
export const describeStackEvents = (StackName: string, most = 500) =>
  collect(async (NextToken) => {
    const answer = await cloudformation('DescribeStackEvents', { StackName, NextToken });
    const items = answer.members('StackEvents').map((xml): StackEvent => ({ ...resource(xml), id: xml.text('EventId') }));
    return { items, next: answer.maybe('NextToken') };
  }, most);

/** Where a template is: its text, an object's URL, or the stack that has it. */
export type TemplateSource = { TemplateBody: string } | { TemplateURL: string } | { StackName: string };

export interface DeclaredParameter {
  key: string;
  type: string;
  default: string | undefined;
  description: string | undefined;
  noEcho: boolean;
  allowed: string[];
}

export interface TemplateSummary {
  description: string | undefined;
  parameters: DeclaredParameter[];
  capabilities: string[];
  capabilitiesReason: string | undefined;
  resourceTypes: string[];
}

function parameter(xml: Xml): DeclaredParameter {
  return {
    key: xml.text('ParameterKey'),
    type: xml.text('ParameterType') || 'String',
    default: xml.maybe('DefaultValue'),
    description: xml.maybe('Description'),
    noEcho: xml.flag('NoEcho'),
    allowed: xml.members('ParameterConstraints', 'AllowedValues').map(({ value }) => value),
  };
}

export async function templateSummary(source: TemplateSource): Promise<TemplateSummary> {
  const answer = await cloudformation('GetTemplateSummary', { ...source });
  return {
    description: answer.maybe('Description'),
    parameters: answer.members('Parameters').map(parameter),
    capabilities: answer.members('Capabilities').map(({ value }) => value),
    capabilitiesReason: answer.maybe('CapabilitiesReason'),
    resourceTypes: answer.members('ResourceTypes').map(({ value }) => value),
  };
}

/** Fails where a template could never be deployed. */
export const validateTemplate = (source: TemplateSource) => cloudformation('ValidateTemplate', { ...source });

/** The template's text as it was given, of a stack or of one of its change sets. */
export async function getTemplate(StackName: string, ChangeSetName?: string): Promise<string> {
  return (await cloudformation('GetTemplate', { StackName, ChangeSetName })).text('TemplateBody');
}

export interface ChangeSetSummary {
  id: string;
  name: string;
  description: string | undefined;
  created: Date | undefined;
  status: string;
  reason: string | undefined;
  /** `AVAILABLE` ones can be executed. */
  execution: string;
}

export interface Change {
  action: string;
  logicalId: string;
  physicalId: string | undefined;
  type: string;
  /** `True`, `False` or `Conditional`, where something is modified. */
  replacement: string | undefined;
  /** The properties that differ. */
  properties: string[];
}

export interface ChangeSet extends ChangeSetSummary {
  changes: Change[];
  parameters: Record<string, string>;
  tags: StackTag[];
}

function changeSet(xml: Xml): ChangeSetSummary {
  return {
    id: xml.text('ChangeSetId'),
    name: xml.text('ChangeSetName'),
    description: xml.maybe('Description'),
    created: xml.time('CreationTime'),
    status: xml.text('Status'),
    reason: xml.maybe('StatusReason'),
    execution: xml.text('ExecutionStatus'),
  };
}

function change(xml: Xml): Change {
  const resource = xml.child('ResourceChange');
  return {
    action: resource.text('Action'),
    logicalId: resource.text('LogicalResourceId'),
    physicalId: resource.text('PhysicalResourceId') || undefined,
    type: resource.text('ResourceType'),
    replacement: resource.text('Replacement') || undefined,
    properties: resource.members('Details').map((detail) => detail.text('Target', 'Name')),
  };
}

/** A stack's change sets, the newest first. */
export const listChangeSets = async (StackName: string): Promise<ChangeSetSummary[]> =>
  (await cloudformation('ListChangeSets', { StackName })).members('Summaries').map(changeSet).reverse();

export async function describeChangeSet(StackName: string, ChangeSetName: string): Promise<ChangeSet> {
  const answer = await cloudformation('DescribeChangeSet', { StackName, ChangeSetName });
  const parameters = answer.members('Parameters').map((p) => [p.text('ParameterKey'), p.text('ParameterValue')]);
  return {
    ...changeSet(answer),
    changes: answer.members('Changes').map(change),
    parameters: Object.fromEntries(parameters) as Record<string, string>,
    tags: answer.members('Tags').map(tag),
  };
}

export interface ChangeSetInput {
  StackName: string;
  ChangeSetName: string;
  ChangeSetType: 'CREATE' | 'UPDATE';
  TemplateBody?: string;
  TemplateURL?: string;
  Parameters: { ParameterKey: string; ParameterValue?: string; UsePreviousValue?: boolean }[];
  Capabilities: string[];
  Tags: { Key: string; Value: string }[];
  RoleARN?: string;
  /** Of new stacks. */
  OnStackFailure?: string;
}

export const createChangeSet = (input: ChangeSetInput) => cloudformation('CreateChangeSet', { ...input } as Record<string, QueryValue>);

export const executeChangeSet = (StackName: string, ChangeSetName: string) => cloudformation('ExecuteChangeSet', { StackName, ChangeSetName });

export const deleteChangeSet = (StackName: string, ChangeSetName: string) => cloudformation('DeleteChangeSet', { StackName, ChangeSetName });
