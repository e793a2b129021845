/** CloudFormation. Operations that are not here: `cloudformation('Name', parameters)`. */
import { collect, queryService } from './call';
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
  parent: string | undefined;
  parameters: Record<string, string>;
  outputs: { key: string; value: string; description: string | undefined; exportName: string | undefined }[];
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
    parent: xml.maybe('ParentId'),
    parameters: Object.fromEntries(parameters) as Record<string, string>,
    outputs: xml.members('Outputs').map((output) => ({
      key: output.text('OutputKey'),
      value: output.text('OutputValue'),
      description: output.maybe('Description'),
      exportName: output.maybe('ExportName'),
    })),
  };
}

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
