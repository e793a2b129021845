/** A rule of an event bus: which events it takes or when it fires, and what it starts. */
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { type Rule, describeRule, listTargets, setRuleEnabled } from '../../aws/events';
import { platformNow } from '../../aws/session';
import type { PageProps } from '../../lib/area';
import { JsonView } from '../../lib/editor';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { Empty, Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { ArnLink } from './ArnLink';
import { expressionText } from './cron';
import { NextTimes, ruleTimes } from './NextTimes';
import { Switch } from './Switch';
import './pipelines.css';

export default function RulePage({ params }: PageProps) {
  const { bus = 'default', name = '' } = params;
  const rule = useLive(`events/rule/${bus}/${name}`, () => describeRule(name, bus), { every: 10_000 });
  return (
    <Frame
      title={name}
      description={rule.data?.Description ?? `Rule of the event bus ${bus}`}
      info={rule.data && <Status state={rule.data.State} />}
      actions={rule.data && <Switch name={name} enabled={rule.data.State === 'ENABLED'} onSet={(enabled) => setRuleEnabled(name, bus, enabled)} />}
    >
      <Shown live={rule} what="The rule can't be read">
        {(found) => (
          <SpaceBetween size="l">
            {found.ScheduleExpression && <When rule={found} />}
            {found.EventPattern && (
              <Container header={<Header variant="h2" description="Events that fit start the targets.">Event pattern</Header>}>
                <JsonView label="Event pattern" value={found.EventPattern} />
              </Container>
            )}
            <Targets name={name} bus={bus} />
          </SpaceBetween>
        )}
      </Shown>
    </Frame>
  );
}

function When({ rule }: { rule: Rule }) {
  const isRate = rule.ScheduleExpression?.startsWith('rate');
  return (
    <Container header={<Header variant="h2" description={isRate ? undefined : 'Computed here from the expression, which is in UTC; shown in local time.'}>{expressionText(rule.ScheduleExpression ?? '')}</Header>}>
      <NextTimes
        times={ruleTimes(rule, platformNow(), 10)}
        enabled={rule.State === 'ENABLED'}
        none={isRate ? "EventBridge doesn't tell since when a rule's rate counts, so its next time isn't known." : "It doesn't fire again."}
      />
    </Container>
  );
}

function Targets({ name, bus }: { name: string; bus: string }) {
  const targets = useLive(`events/targets/${bus}/${name}`, () => listTargets(name, bus), { every: 20_000 });
  return (
    <DataTable
      label="Targets"
      live={targets}
      filter={false}
      height={320}
      rowKey={({ Id }) => Id}
      columns={[
        { id: 'id', header: 'Id', width: 200, value: ({ Id }) => Id, cell: ({ Id }) => Id },
        { id: 'target', header: 'Target', value: ({ Arn }) => Arn, cell: ({ Arn }) => <ArnLink arn={Arn} /> },
        { id: 'input', header: 'Input', value: ({ Input, InputPath }) => Input ?? InputPath, cell: ({ Input, InputPath }) => Input ?? InputPath ?? 'The event' },
        { id: 'role', header: 'Role', value: ({ RoleArn }) => RoleArn, cell: ({ RoleArn }) => <ArnLink arn={RoleArn} /> },
      ]}
      empty={<Empty title="No targets">What fits the rule starts nothing. PutTargets adds what is started.</Empty>}
    />
  );
}
