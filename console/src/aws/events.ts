/** EventBridge buses and rules, and EventBridge Scheduler. */
import { collect, jsonService, ownCall, restService } from './call';
import { AwsError } from './error';
import type { Seconds } from './glue';

export const events = jsonService('events', 'AWSEvents', '1.1');
export const scheduler = restService('scheduler');

export interface Bus {
  Name: string;
  Arn: string;
}

export interface Rule {
  Name: string;
  Arn: string;
  EventBusName: string;
  State: 'ENABLED' | 'DISABLED';
  Description?: string;
  EventPattern?: string;
  ScheduleExpression?: string;
  /** When its rate began, from {@link withSince}. */
  Since?: Seconds | undefined;
}

export interface RuleTarget {
  Id: string;
  Arn: string;
  RoleArn?: string | undefined;
  Input?: string | undefined;
  InputPath?: string | undefined;
  InputTransformer?: { InputPathsMap?: Record<string, string>; InputTemplate: string } | undefined;
  [other: string]: unknown;
}

export interface ScheduleTarget {
  Arn: string;
  RoleArn?: string;
  Input?: string | undefined;
  RetryPolicy?: { MaximumRetryAttempts?: number; MaximumEventAgeInSeconds?: number };
  DeadLetterConfig?: { Arn?: string };
}

export interface Schedule {
  Name: string;
  GroupName: string;
  Arn: string;
  State: 'ENABLED' | 'DISABLED';
  Target?: ScheduleTarget;
  CreationDate?: Seconds;
  ScheduleExpression?: string;
  ScheduleExpressionTimezone?: string;
}

export const listBuses = () => events<{ EventBuses: Bus[] }>('ListEventBuses').then((answer) => answer.EventBuses);

export const listRules = (EventBusName = 'default') =>
  collect(async (NextToken) => {
    const page = await events<{ Rules: Rule[]; NextToken?: string }>('ListRules', { EventBusName, NextToken });
    return { items: page.Rules, next: page.NextToken };
  });

export const isRate = ({ ScheduleExpression }: Rule) => ScheduleExpression?.startsWith('rate') ?? false;

/** Rules, those with a rate with the time when it began, which EventBridge's own calls don't tell. */
export async function withSince(rules: Rule[]): Promise<Rule[]> {
  if (!rules.some(isRate)) return rules;
  const { Rules } = await ownCall<{ Rules: { Name: string; Since: Seconds }[] }>('events', '/_boathouse/rules/since');
  const since = new Map(Rules.map(({ Name, Since }) => [Name, Since]));
  return rules.map((rule) => (isRate(rule) ? { ...rule, Since: since.get(rule.Name) } : rule));
}

export const listTargets = (Rule: string, EventBusName = 'default') =>
  events<{ Targets: RuleTarget[] }>('ListTargetsByRule', { Rule, EventBusName }).then((answer) => answer.Targets);

export const listSchedules = () =>
  collect(async (NextToken) => {
    const page = await scheduler.call<{ Schedules: Schedule[]; NextToken?: string }>('GET', ['schedules'], {
      query: { NextToken },
    });
    return { items: page.Schedules, next: page.NextToken };
  });

export const getSchedule = (name: string, groupName = 'default') =>
  scheduler.call<Schedule>('GET', ['schedules', name], { query: { groupName } });

export const describeRule = (Name: string, EventBusName = 'default') => events<Rule>('DescribeRule', { Name, EventBusName });

export const setRuleEnabled = (Name: string, EventBusName: string, enabled: boolean) =>
  events(enabled ? 'EnableRule' : 'DisableRule', { Name, EventBusName });

/** All that a schedule says; what UpdateSchedule takes but what the service adds. */
export interface ScheduleDetails extends Schedule {
  ScheduleExpression: string;
  ScheduleExpressionTimezone: string;
  Description?: string;
  StartDate?: Seconds;
  EndDate?: Seconds;
  FlexibleTimeWindow?: { Mode: string; MaximumWindowInMinutes?: number };
  ActionAfterCompletion?: 'NONE' | 'DELETE';
  LastModificationDate?: Seconds;
}

export const describeSchedule = (name: string, groupName = 'default') =>
  scheduler.call<ScheduleDetails>('GET', ['schedules', name], { query: { groupName } });

/** What CreateSchedule and UpdateSchedule take. */
export type ScheduleInput = Omit<ScheduleDetails, 'Arn' | 'CreationDate' | 'LastModificationDate'>;

export const createSchedule = ({ Name, ...body }: ScheduleInput) => scheduler.call('POST', ['schedules', Name], { body });

/** Replaces everything, so the rest is to be given back as it was read. */
export const updateSchedule = ({ Name, ...body }: ScheduleInput) => scheduler.call('PUT', ['schedules', Name], { body });

export const deleteSchedule = (name: string, groupName: string) => scheduler.call('DELETE', ['schedules', name], { query: { groupName } });

/** A schedule without what only the service says. */
export function scheduleInput(schedule: ScheduleDetails): ScheduleInput {
  const { Arn: _arn, CreationDate: _created, LastModificationDate: _modified, ...rest } = schedule;
  return rest;
}

export async function setScheduleEnabled(name: string, groupName: string, enabled: boolean): Promise<void> {
  await updateSchedule({ ...scheduleInput(await describeSchedule(name, groupName)), State: enabled ? 'ENABLED' : 'DISABLED' });
}

export const listScheduleGroups = () =>
  collect(async (NextToken) => {
    const page = await scheduler.call<{ ScheduleGroups: { Name: string }[]; NextToken?: string }>('GET', ['schedule-groups'], { query: { NextToken } });
    return { items: page.ScheduleGroups.map(({ Name }) => Name), next: page.NextToken };
  });

export interface RuleInput {
  Name: string;
  EventBusName: string;
  State?: Rule['State'];
  Description?: string | undefined;
  EventPattern?: string | undefined;
  ScheduleExpression?: string | undefined;
}

/** Makes a rule, or replaces all that a rule says but its targets. */
export const putRule = (input: RuleInput) => events<{ RuleArn: string }>('PutRule', input);

interface Failed {
  FailedEntries?: { ErrorCode?: string; ErrorMessage?: string }[];
}

function accepted({ FailedEntries: [failed] = [] }: Failed): void {
  if (failed) throw new AwsError(failed.ErrorCode ?? 'ValidationException', failed.ErrorMessage ?? 'The target was refused', 400);
}

/** Adds a target to a rule, or replaces the one of the same id. */
export const putTarget = (Rule: string, EventBusName: string, target: RuleTarget) =>
  events<Failed>('PutTargets', { Rule, EventBusName, Targets: [target] }).then(accepted);

export const removeTargets = (Rule: string, EventBusName: string, Ids: readonly string[]) =>
  events<Failed>('RemoveTargets', { Rule, EventBusName, Ids }).then(accepted);

/** A rule goes when its targets are gone. */
export async function deleteRule(Name: string, EventBusName: string): Promise<void> {
  const targets = await listTargets(Name, EventBusName);
  if (targets.length > 0) await removeTargets(Name, EventBusName, targets.map(({ Id }) => Id));
  await events('DeleteRule', { Name, EventBusName });
}

/** Whether an event fits a pattern. */
export const testPattern = (EventPattern: string, Event: string) =>
  events<{ Result: boolean }>('TestEventPattern', { EventPattern, Event }).then((answer) => answer.Result);
