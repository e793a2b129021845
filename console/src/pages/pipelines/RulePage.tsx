/** A rule of an event bus: which events it takes or when it fires, and what it starts. */
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Rule, deleteRule, describeRule, isRate, setRuleEnabled, withSince } from '../../aws/events';
import { platformNow } from '../../aws/session';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { JsonView } from '../../lib/editor';
import { prettyJson } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to } from '../../lib/router';
import { Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { expressionText } from './cron';
import { NextTimes, ruleTimes } from './NextTimes';
import { PatternTest } from './PatternEditor';
import { RuleForm } from './RuleForm';
import { RuleTargets } from './RuleTargets';
import { Switch } from './Switch';
import './pipelines.css';

export default function RulePage({ params }: PageProps) {
  const { bus = 'default', name = '' } = params;
  const [asked, setAsked] = useState<'edit' | 'delete'>();
  const rule = useLive(`events/rule/${bus}/${name}`, () => ruleWithTimes(name, bus), { every: 10_000 });
  return (
    <Frame
      title={name}
      description={rule.data?.Description ?? `Rule of the event bus ${bus}`}
      info={rule.data && <Status state={rule.data.State} />}
      actions={
        rule.data && (
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => setAsked('delete')}>Delete</Button>
            <Switch name={name} enabled={rule.data.State === 'ENABLED'} onSet={(enabled) => setRuleEnabled(name, bus, enabled)} />
            <Button onClick={() => setAsked('edit')}>Edit</Button>
          </SpaceBetween>
        )
      }
    >
      <Shown live={rule} what="The rule can't be read">
        {(found) => (
          <SpaceBetween size="l">
            {found.ScheduleExpression && <When rule={found} />}
            {found.EventPattern && (
              <div className="bh-two">
                <Container fitHeight header={<Header variant="h2" description="Events that fit start the targets.">Event pattern</Header>}>
                  <JsonView label="Event pattern" value={found.EventPattern} />
                </Container>
                <Container fitHeight header={<Header variant="h2" description="Asked of EventBridge; nothing is sent.">Test with an event</Header>}>
                  <PatternTest pattern={prettyJson(found.EventPattern)} />
                </Container>
              </div>
            )}
            <RuleTargets name={name} bus={bus} />
          </SpaceBetween>
        )}
      </Shown>
      {asked === 'edit' && rule.data && <RuleForm rule={rule.data} onClose={() => setAsked(undefined)} />}
      {asked === 'delete' && (
        <ConfirmDelete
          what={`rule ${name}`}
          onClose={() => setAsked(undefined)}
          onConfirm={async () => {
            await deleteRule(name, bus);
            notify('success', `${name} is deleted`);
            navigate(to('/pipelines/schedules', { tab: 'rules' }));
            invalidate('events/');
          }}
        >
          Its targets go with it. They are not started by it any more; they themselves stay.
        </ConfirmDelete>
      )}
    </Frame>
  );
}

/** Who may see one rule may not be allowed to list them, and then does without the times of its rate. */
async function ruleWithTimes(name: string, bus: string): Promise<Rule> {
  const rule = await describeRule(name, bus);
  const [known] = await withSince([rule]).catch(() => [rule]);
  return known ?? rule;
}

function When({ rule }: { rule: Rule }) {
  return (
    <Container header={<Header variant="h2" description={isRate(rule) ? 'Computed here from when it was made or last enabled.' : 'Computed here from the expression, which is in UTC; shown in local time.'}>{expressionText(rule.ScheduleExpression ?? '')}</Header>}>
      <NextTimes
        times={ruleTimes(rule, platformNow(), 10)}
        enabled={rule.State === 'ENABLED'}
        none={isRate(rule) ? 'When its rate began is told to who may list rules.' : "It doesn't fire again."}
      />
    </Container>
  );
}
