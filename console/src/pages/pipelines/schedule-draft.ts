/** A schedule as its form holds it: texts that somebody types. */
import type { ScheduleDetails, ScheduleInput } from '../../aws/events';

export interface Draft {
  name: string;
  group: string;
  description: string;
  expression: string;
  zone: string;
  /** Whether it goes when it has fired for the last time. */
  once: boolean;
  target: string;
  role: string;
  input: string;
  window: string;
  attempts: string;
  age: string;
  begins: string;
  ends: string;
  enabled: boolean;
}

const moment = (seconds: number | undefined) => (seconds === undefined ? '' : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
const text = (value: number | undefined) => (value === undefined ? '' : String(value));

export function draftOf(schedule: ScheduleDetails | undefined): Draft {
  const { Target: target, FlexibleTimeWindow: window } = schedule ?? {};
  return {
    name: schedule?.Name ?? '',
    group: schedule?.GroupName ?? 'default',
    description: schedule?.Description ?? '',
    expression: schedule?.ScheduleExpression ?? '',
    zone: schedule?.ScheduleExpressionTimezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    once: schedule?.ActionAfterCompletion === 'DELETE',
    target: target?.Arn ?? '',
    role: target?.RoleArn ?? '',
    input: target?.Input ?? '',
    window: text(window?.MaximumWindowInMinutes ?? 0),
    attempts: text(target?.RetryPolicy?.MaximumRetryAttempts),
    age: text(target?.RetryPolicy?.MaximumEventAgeInSeconds),
    begins: moment(schedule?.StartDate),
    ends: moment(schedule?.EndDate),
    enabled: schedule?.State !== 'DISABLED',
  };
}

export function problemOfMoment(value: string): string | undefined {
  return value !== '' && Number.isNaN(Date.parse(value)) ? 'This is no time' : undefined;
}

/** What is sent: the draft over what the schedule said before, members that the form doesn't know included. */
export function scheduleOf(draft: Draft, before?: ScheduleInput): ScheduleInput {
  const minutes = Number(draft.window);
  const RetryPolicy = {
    ...(draft.attempts === '' ? {} : { MaximumRetryAttempts: Number(draft.attempts) }),
    ...(draft.age === '' ? {} : { MaximumEventAgeInSeconds: Number(draft.age) }),
  };
  const { Input: _input, RetryPolicy: _retry, ...target } = before?.Target ?? { Arn: '' };
  const { StartDate: _start, EndDate: _end, Description: _description, ...rest } = before ?? {};
  return {
    ...rest,
    Name: draft.name,
    GroupName: draft.group,
    State: draft.enabled ? 'ENABLED' : 'DISABLED',
    ScheduleExpression: draft.expression.trim(),
    ScheduleExpressionTimezone: draft.zone,
    ActionAfterCompletion: draft.once && draft.expression.startsWith('at(') ? 'DELETE' : 'NONE',
    FlexibleTimeWindow: minutes > 0 ? { Mode: 'FLEXIBLE', MaximumWindowInMinutes: minutes } : { Mode: 'OFF' },
    ...(draft.description ? { Description: draft.description } : {}),
    ...(draft.begins ? { StartDate: Date.parse(draft.begins) / 1000 } : {}),
    ...(draft.ends ? { EndDate: Date.parse(draft.ends) / 1000 } : {}),
    Target: {
      ...target,
      Arn: draft.target.trim(),
      RoleArn: draft.role,
      ...(draft.input.trim() ? { Input: draft.input } : {}),
      ...(Object.keys(RetryPolicy).length > 0 ? { RetryPolicy } : {}),
    },
  };
}
