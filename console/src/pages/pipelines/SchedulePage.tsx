/** A schedule: when it fires, what it starts with which input. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type ScheduleDetails, type ScheduleTarget, deleteSchedule, describeSchedule, setScheduleEnabled } from '../../aws/events';
import { platformNow } from '../../aws/session';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { JsonView } from '../../lib/editor';
import { duration } from '../../lib/format';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to } from '../../lib/router';
import { Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { Time } from '../../lib/time';
import { ArnLink } from './ArnLink';
import { expressionText } from './cron';
import { NextTimes, scheduleTimes } from './NextTimes';
import { ScheduleForm } from './ScheduleForm';
import { Switch } from './Switch';
import './pipelines.css';

export default function SchedulePage({ params }: PageProps) {
  const { group = 'default', name = '' } = params;
  const schedule = useLive(`events/schedule/${group}/${name}`, () => describeSchedule(name, group), { every: 10_000 });
  const enabled = schedule.data?.State === 'ENABLED';
  const [asked, setAsked] = useState<'edit' | 'delete'>();
  return (
    <Frame
      title={name}
      description={schedule.data?.Description}
      info={schedule.data && <Status state={schedule.data.State} />}
      actions={
        schedule.data && (
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => setAsked('delete')}>Delete</Button>
            <Switch name={name} enabled={enabled} onSet={(on) => setScheduleEnabled(name, group, on)} />
            <Button onClick={() => setAsked('edit')}>Edit</Button>
          </SpaceBetween>
        )
      }
    >
      <Shown live={schedule} what="The schedule can't be read">
        {(found) => <Body schedule={found} />}
      </Shown>
      {asked === 'edit' && schedule.data && <ScheduleForm schedule={schedule.data} onClose={() => setAsked(undefined)} />}
      {asked === 'delete' && (
        <ConfirmDelete
          what={`schedule ${name}`}
          onClose={() => setAsked(undefined)}
          onConfirm={async () => {
            await deleteSchedule(name, group);
            notify('success', `${name} is deleted`);
            navigate(to('/pipelines/schedules'));
            invalidate('events/');
          }}
        >
          It doesn't fire any more. What it has started goes on.
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function retries(target: ScheduleTarget | undefined): string {
  const { MaximumRetryAttempts: attempts = 185, MaximumEventAgeInSeconds: age = 86_400 } = target?.RetryPolicy ?? {};
  return `Up to ${attempts}, for ${duration(age * 1000)}`;
}

function Body({ schedule }: { schedule: ScheduleDetails }) {
  const { Target: target, FlexibleTimeWindow: window } = schedule;
  return (
    <SpaceBetween size="l">
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'When', value: expressionText(schedule.ScheduleExpression) },
          { label: 'Time zone', value: schedule.ScheduleExpressionTimezone },
          { label: 'Flexible window', value: window?.MaximumWindowInMinutes ? `${window.MaximumWindowInMinutes} minutes` : 'Off' },
          { label: 'Begins', value: <Time at={schedule.StartDate ?? schedule.CreationDate} /> },
          { label: 'Target', value: <ArnLink arn={target?.Arn} /> },
          { label: 'Role', value: <ArnLink arn={target?.RoleArn} /> },
          { label: 'Ends', value: <Time at={schedule.EndDate} /> },
          { label: 'Group', value: schedule.GroupName },
          { label: 'Retries', value: retries(target) },
          { label: 'After its last time', value: schedule.ActionAfterCompletion === 'DELETE' ? 'It is deleted' : 'It stays' },
          { label: 'Changed', value: <Time at={schedule.LastModificationDate} /> },
        ]}
      />
      <Container header={<Header variant="h2" description="Computed here from the expression, in local time.">Next times</Header>}>
        <NextTimes times={scheduleTimes(schedule, platformNow(), 10)} enabled={schedule.State === 'ENABLED'} none="It doesn't fire again." />
      </Container>
      {target?.Input && (
        <Container header={<Header variant="h2">Input of the target</Header>}>
          <JsonView label="Input of the target" value={target.Input} />
        </Container>
      )}
    </SpaceBetween>
  );
}
