/** EventBridge buses and rules, and EventBridge Scheduler. */
import { collect, jsonService, restService } from './call';
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
}

export interface RuleTarget {
  Id: string;
  Arn: string;
  RoleArn?: string;
  Input?: string;
  InputPath?: string;
}

export interface Schedule {
  Name: string;
  GroupName: string;
  Arn: string;
  State: 'ENABLED' | 'DISABLED';
  Target?: { Arn: string; RoleArn?: string; Input?: string };
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

/** UpdateSchedule replaces everything, so the rest is given back as it was read. */
export async function setScheduleEnabled(name: string, groupName: string, enabled: boolean): Promise<void> {
  const { Arn: _arn, CreationDate: _created, LastModificationDate: _modified, ...rest } = await describeSchedule(name, groupName);
  await scheduler.call('PUT', ['schedules', name], { body: { ...rest, State: enabled ? 'ENABLED' : 'DISABLED' } });
}
