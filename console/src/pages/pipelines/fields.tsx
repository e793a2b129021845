/** Fields that several forms here have: the role that something acts as, what is started, when. */
import Autosuggest from '@cloudscape-design/components/autosuggest';
import FormField from '@cloudscape-design/components/form-field';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { listBuses } from '../../aws/events';
import { listStreams } from '../../aws/firehose';
import { getJobs } from '../../aws/glue';
import { listRoles } from '../../aws/iam';
import { listFunctions } from '../../aws/lambda';
import { describeGroups } from '../../aws/logs';
import { platformNow, requireSession } from '../../aws/session';
import { listQueues } from '../../aws/sqs';
import { listMachines } from '../../aws/states';
import { shortName } from '../../lib/format';
import { useLive } from '../../lib/live';
import { to } from '../../lib/router';
import { isExpression, nextTimes } from './cron';
import { NextTimes } from './NextTimes';

interface RoleFieldProps {
  /** Who takes the role, such as `states.amazonaws.com`. */
  service: string;
  value: string;
  onChange: (arn: string) => void;
  optional?: boolean;
}

/** The roles that trust a service. */
export function RoleField({ service, value, onChange, optional = false }: RoleFieldProps) {
  const roles = useLive('iam/roles', () => listRoles());
  const fitting = (roles.data ?? []).filter(({ trust }) => trust.includes(service));
  const options = fitting.map(({ arn, name, description }) => ({ value: arn, label: name, ...(description ? { description } : {}) }));
  const none = { value: '', label: 'None' };
  const chosen = options.find((one) => one.value === value) ?? (value ? { value, label: shortName(value) } : optional ? none : null);
  return (
    <FormField
      label="Role"
      errorText={roles.error && `${roles.error.code}: ${roles.error.message}`}
      constraintText={
        roles.data && fitting.length === 0 ? (
          <>
            No role trusts {service} yet. <Link href={to('/operations/iam/roles')}>Create one in IAM</Link>
          </>
        ) : (
          `Whom it acts as: roles that trust ${service}.`
        )
      }
    >
      <Select
        selectedOption={chosen}
        options={optional ? [none, ...options] : options}
        placeholder="Choose a role"
        filteringType="auto"
        filteringAriaLabel="Find roles"
        empty="No such role"
        statusType={roles.loading ? 'loading' : 'finished'}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
      />
    </FormField>
  );
}

/** What EventBridge Scheduler calls a job by: the operation that starts any. */
export const START_JOB_RUN = 'arn:aws:scheduler:::aws-sdk:glue:startJobRun';

export interface TargetGroup {
  label: string;
  options: { value: string; label: string; description?: string; input?: string }[];
}

/** All that can be started, as far as it can be listed. */
async function targets(of: 'rule' | 'schedule'): Promise<TargetGroup[]> {
  const { account, region } = requireSession();
  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
  const list = async <T,>(label: string, read: () => Promise<readonly T[]>, option: (item: T) => TargetGroup['options'][number]): Promise<TargetGroup> => ({
    label,
    // Who may not list some of them chooses among the others.
    options: (await read().catch(() => [])).map(option),
  });
  const job = (name: string) => ({ value: START_JOB_RUN, label: name, input: JSON.stringify({ JobName: name }, null, 2) });
  const queue = (url: string) => ({ value: arn('sqs', shortName(url)), label: shortName(url) });
  const group = (name: string) => ({ value: arn('logs', `log-group:${name}`), label: name });
  return Promise.all([
    list('State machines', listMachines, ({ name, stateMachineArn }) => ({ value: stateMachineArn, label: name })),
    list('Functions', listFunctions, ({ FunctionName, FunctionArn }) => ({ value: FunctionArn, label: FunctionName })),
    ...(of === 'schedule' ? [list('Glue jobs', getJobs, ({ Name }) => job(Name))] : [list('Log groups', describeGroups, ({ logGroupName }) => group(logGroupName))]),
    list('Queues', listQueues, queue),
    list('Delivery streams', listStreams, (name) => ({ value: arn('firehose', `deliverystream/${name}`), label: name })),
    list('Event buses', listBuses, ({ Name, Arn }) => ({ value: Arn, label: Name })),
  ]);
}

interface TargetFieldProps {
  of: 'rule' | 'schedule';
  value: string;
  /** The ARN, and the input that the choice needs, if it needs one. */
  onChange: (arn: string, input?: string) => void;
}

export function TargetField({ of, value, onChange }: TargetFieldProps) {
  const known = useLive(`pipelines/targets/${of}`, () => targets(of));
  const groups = (known.data ?? []).filter(({ options }) => options.length > 0);
  // Jobs share one ARN, so that options are told apart by more.
  const options = groups.map(({ label, options: some }) => ({ label, options: some.map((one) => ({ ...one, value: keyOf(one), description: one.value })) }));
  const all = groups.flatMap((group) => group.options);
  const choose = (key: string) => {
    const found = all.find((one) => keyOf(one) === key);
    onChange(found?.value ?? key, found?.input);
  };
  return (
    <FormField label="Target" description={of === 'schedule' ? 'What it starts: choose one, or write an ARN, also one such as arn:aws:scheduler:::aws-sdk:athena:startQueryExecution.' : 'What it starts: choose one, or write an ARN.'}>
      <Autosuggest
        value={value}
        placeholder="State machine, function, queue …"
        enteredTextLabel={(text) => `Use ${text}`}
        options={options}
        filteringType="auto"
        statusType={known.loading ? 'loading' : 'finished'}
        empty="Nothing to start yet"
        ariaLabel="Target"
        onChange={({ detail }) => onChange(detail.value)}
        onSelect={({ detail }) => choose(detail.value)}
      />
    </FormField>
  );
}

const keyOf = ({ value, label }: { value: string; label: string }) => (value === START_JOB_RUN ? `job ${label}` : value);

const EXAMPLES = [
  { value: 'rate(5 minutes)', description: 'Every five minutes' },
  { value: 'rate(1 hour)', description: 'Every hour' },
  { value: 'cron(0 3 * * ? *)', description: 'Each day at 03:00' },
  { value: 'cron(0 8 ? * MON-FRI *)', description: 'On weekdays at 08:00' },
  { value: 'cron(0 0 1 * ? *)', description: 'On the first of each month' },
];

interface WhenFieldProps {
  value: string;
  onChange: (expression: string) => void;
  zone: string;
  /** Whether `at(…)` may be said, and times of rates are known: schedules, not rules. */
  once: boolean;
}

/** An expression, and when it fires. */
export function WhenField({ value, onChange, zone, once }: WhenFieldProps) {
  const wrong = value !== '' && (!isExpression(value) || (!once && value.startsWith('at(')));
  const now = platformNow();
  const at = { value: `at(${new Date(now + 86_400_000).toISOString().slice(0, 19)})`, description: 'Once' };
  const times = wrong || value === '' ? [] : nextTimes(value, { after: now, zone, ...(once ? { anchor: now } : {}) }, 4);
  return (
    <SpaceBetween size="m">
      <FormField
        label="When"
        description={once ? 'rate(5 minutes), cron(minutes hours day month weekday year), or at(2026-03-01T12:00:00).' : 'rate(5 minutes), or cron(minutes hours day month weekday year) in UTC.'}
        errorText={wrong ? 'This is no such expression: of a day and a weekday, one is ?.' : undefined}
      >
        <Autosuggest
          value={value}
          placeholder="cron(0 3 * * ? *)"
          enteredTextLabel={(text) => `Use ${text}`}
          options={once ? [...EXAMPLES, at] : EXAMPLES}
          filteringType="none"
          ariaLabel="When"
          onChange={({ detail }) => onChange(detail.value)}
        />
      </FormField>
      {value !== '' && !wrong && (
        <FormField label="Next times" description="In local time.">
          <NextTimes times={times} enabled none={value.startsWith('rate') ? 'EventBridge counts from when the rule is made.' : 'It never fires.'} />
        </FormField>
      )}
    </SpaceBetween>
  );
}
