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
