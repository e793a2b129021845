/** What starts by itself: schedules of EventBridge Scheduler, and rules of event buses. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';

import { type Rule, type Schedule, describeSchedule, listBuses, listRules, listSchedules, setRuleEnabled, setScheduleEnabled, withSince } from '../../aws/events';
import { Frame } from '../../lib/frame';
import { ruleHref, scheduleHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { useParam } from '../../lib/router';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { ArnLink } from './ArnLink';
import { expressionText } from './cron';
import { First, ruleTimes, scheduleTimes } from './NextTimes';
import { RuleForm } from './RuleForm';
import { ScheduleForm } from './ScheduleForm';
import { Switch } from './Switch';
import './pipelines.css';

export default function Schedules() {
  const [tab, setTab] = useParam('tab', 'schedules');
  const [creating, setCreating] = useState(false);
  return (
    <Frame
      title="Schedules and rules"
      description="What starts by itself: at times, or because something has happened."
      actions={
        <Button variant="primary" onClick={() => setCreating(true)}>
          {tab === 'rules' ? 'Create rule' : 'Create schedule'}
        </Button>
      }
    >
      <Tabs
        activeTabId={tab}
        onChange={({ detail }) => setTab(detail.activeTabId)}
        ariaLabel="Kind"
        tabs={[
          { id: 'schedules', label: 'Schedules', content: tab === 'schedules' && <ScheduleList onCreate={() => setCreating(true)} /> },
          { id: 'rules', label: 'Rules', content: tab === 'rules' && <RuleList onCreate={() => setCreating(true)} /> },
        ]}
      />
      {creating && (tab === 'rules' ? <RuleForm onClose={() => setCreating(false)} /> : <ScheduleForm onClose={() => setCreating(false)} />)}
    </Frame>
  );
}

interface ListProps {
  onCreate: () => void;
}

function ScheduleList({ onCreate }: ListProps) {
  const schedules = useLive('events/schedules', () => listSchedules(), { every: 10_000 });
  return (
    <DataTable<Schedule>
      label="Schedules"
      live={schedules}
      sort={{ column: 'name' }}
      rowKey={({ Arn }) => Arn}
      columns={[
        { id: 'name', header: 'Name', value: ({ Name }) => Name, cell: ({ Name, GroupName }) => <Link href={scheduleHref(Name, GroupName)}>{Name}</Link> },
        { id: 'group', header: 'Group', width: 120, value: ({ GroupName }) => GroupName, cell: ({ GroupName }) => GroupName },
        { id: 'state', header: 'State', width: 120, value: ({ State }) => State, cell: ({ State }) => <Status state={State} /> },
        { id: 'when', header: 'When', width: 200, cell: (schedule) => <When schedule={schedule} /> },
        { id: 'next', header: 'Next time', width: 180, cell: (schedule) => <Next schedule={schedule} /> },
        { id: 'target', header: 'Target', value: ({ Target }) => Target?.Arn, cell: ({ Target }) => <ArnLink arn={Target?.Arn} /> },
        {
          id: 'actions',
          header: 'Actions',
          width: 100,
          cell: ({ Name, GroupName, State }) => <Switch inline name={Name} enabled={State === 'ENABLED'} onSet={(enabled) => setScheduleEnabled(Name, GroupName, enabled)} />,
        },
      ]}
      empty={
        <Empty title="No schedules yet" action={<Button onClick={onCreate}>Create the first schedule</Button>}>
          A schedule starts a state machine, a job or a function at times that cron(…), rate(…) or at(…) says.
        </Empty>
      }
    />
  );
}

/** ListSchedules doesn't tell when they fire, so each row in sight asks. */
function useDetails({ Name, GroupName }: Schedule) {
  return useLive(`events/schedule/${GroupName}/${Name}`, () => describeSchedule(Name, GroupName), { every: 30_000 }).data;
}

function When({ schedule }: { schedule: Schedule }) {
  const details = useDetails(schedule);
  return <span>{details ? expressionText(details.ScheduleExpression) : '–'}</span>;
}

function Next({ schedule }: { schedule: Schedule }) {
  const details = useDetails(schedule);
  return details ? <First times={(now, most) => scheduleTimes(details, now, most)} enabled={details.State === 'ENABLED'} /> : <span>–</span>;
}

async function allRules(): Promise<Rule[]> {
  const buses = await listBuses();
  return withSince((await Promise.all(buses.map(({ Name }) => listRules(Name)))).flat());
}

function RuleList({ onCreate }: ListProps) {
  const rules = useLive('events/rules', allRules, { every: 10_000 });
  return (
    <DataTable<Rule>
      label="Rules"
      live={rules}
      sort={{ column: 'name' }}
      rowKey={({ Arn }) => Arn}
      columns={[
        { id: 'name', header: 'Name', value: ({ Name }) => Name, cell: ({ Name, EventBusName }) => <Link href={ruleHref(Name, EventBusName)}>{Name}</Link> },
        { id: 'bus', header: 'Event bus', width: 130, value: ({ EventBusName }) => EventBusName, cell: ({ EventBusName }) => EventBusName },
        { id: 'state', header: 'State', width: 120, value: ({ State }) => State, cell: ({ State }) => <Status state={State} /> },
        { id: 'when', header: 'When', value: when, cell: (rule) => <span title={rule.EventPattern}>{when(rule)}</span> },
        { id: 'next', header: 'Next time', width: 180, cell: (rule) => <First times={(now, most) => ruleTimes(rule, now, most)} enabled={rule.State === 'ENABLED'} /> },
        {
          id: 'actions',
          header: 'Actions',
          width: 100,
          cell: ({ Name, EventBusName, State }) => <Switch inline name={Name} enabled={State === 'ENABLED'} onSet={(enabled) => setRuleEnabled(Name, EventBusName, enabled)} />,
        },
      ]}
      empty={
        <Empty title="No rules yet" action={<Button onClick={onCreate}>Create the first rule</Button>}>
          A rule starts its targets when an event of the bus fits its pattern, such as a job's end or an object's arrival.
        </Empty>
      }
    />
  );
}

function when({ ScheduleExpression, EventPattern }: Rule): string {
  if (ScheduleExpression) return expressionText(ScheduleExpression);
  try {
    const pattern = JSON.parse(EventPattern ?? '{}') as Record<string, unknown>;
    return [pattern.source, pattern['detail-type']].flat().filter((one) => typeof one === 'string').join(', ') || (EventPattern ?? '–');
  } catch {
    return EventPattern ?? '–';
  }
}
