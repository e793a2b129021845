/** One event of the audit log, whole. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';

import { JsonView } from '../../../lib/editor';
import { KeyValuePairs } from '../../../lib/frame';
import { shortName } from '../../../lib/format';
import { arnHref, auditHref, bucketHref, explainHref, functionHref, groupHref, queueHref, roleHref, stackHref, streamHref, userHref } from '../../../lib/links';
import { Time } from '../../../lib/time';
import { parseDenial } from '../iam/denial';
import { type AuditEvent, isDenied, whoOf } from './events';
import './audit.css';

/** The page that explains why a call was denied; none for calls that were not. */
export function whyHref(event: AuditEvent): string | undefined {
  if (!isDenied(event)) return undefined;
  const said = parseDenial(event.told.errorMessage ?? '');
  if (said) return explainHref(said);
  const { arn } = event.told.userIdentity ?? {};
  return arn ? explainHref({ principal: arn, action: `${event.EventSource.replace('.amazonaws.com', '')}:${event.EventName}` }) : undefined;
}

const HREF: Record<string, (name: string) => string> = {
  'AWS::IAM::User': userHref,
  'AWS::IAM::Role': roleHref,
  'AWS::IAM::Group': groupHref,
  'AWS::S3::Bucket': bucketHref,
  'AWS::Lambda::Function': functionHref,
  'AWS::KinesisFirehose::DeliveryStream': streamHref,
  'AWS::SQS::Queue': queueHref,
  'AWS::CloudFormation::Stack': stackHref,
};

export function EventPanel({ event, onClose }: { event: AuditEvent; onClose: () => void }) {
  const { told } = event;
  const why = whyHref(event);
  return (
    <section className="bh-audit-panel" aria-label="Event">
      <SpaceBetween size="m">
        <div className="bh-audit-head">
          <h2>{event.EventName}</h2>
          <Button variant="icon" iconName="close" ariaLabel="Close the event" onClick={onClose} />
        </div>
        {told.errorCode && (
          <Alert type={isDenied(event) ? 'error' : 'warning'} header={told.errorCode} action={why && <Button href={why}>Why?</Button>}>
            <span className="bh-wrap">{told.errorMessage}</span>
          </Alert>
        )}
        <KeyValuePairs
          columns={2}
          items={[
            { label: 'Who', value: <Who event={event} /> },
            { label: 'When', value: <Time at={event.EventTime} /> },
            { label: 'From where', value: told.sourceIPAddress ?? '–' },
            { label: 'With', value: <span title={told.userAgent}>{told.userAgent?.split(' ')[0] ?? '–'}</span> },
            { label: 'Of which service', value: event.EventSource },
            { label: 'Kind', value: event.ReadOnly === 'true' ? 'Read-only' : 'Change' },
            { label: 'Resources', value: <Resources event={event} /> },
            { label: 'Region', value: told.awsRegion ?? '–' },
            { label: 'Request', value: <span className="bh-wrap">{told.requestID ?? '–'}</span> },
            { label: 'Event', value: <span className="bh-wrap">{event.EventId}</span> },
          ]}
        />
        <JsonView label="The whole event" value={event.CloudTrailEvent} height={320} />
      </SpaceBetween>
    </section>
  );
}

const linked = (href: string | undefined, text: string): ReactNode => (href ? <Link href={href}>{text}</Link> : text);

function Who({ event }: { event: AuditEvent }) {
  const { userIdentity = {} } = event.told;
  const issuer = userIdentity.sessionContext?.sessionIssuer?.arn;
  const lines: [string, ReactNode][] = [
    ['name', linked(arnHref(issuer ?? userIdentity.arn ?? ''), whoOf(event))],
    ['arn', userIdentity.arn],
    ['key', userIdentity.accessKeyId],
    ['by way of', userIdentity.invokedBy],
  ];
  return (
    <SpaceBetween size="xxs">
      {lines
        .filter(([, value]) => value)
        .map(([label, value]) => (
          <div key={label} className={label === 'name' ? 'bh-wrap' : 'bh-wrap bh-soft'} title={label}>
            {value}
          </div>
        ))}
      {event.Username && <Link href={auditHref({ user: event.Username, kind: 'all' })}>All that they did</Link>}
    </SpaceBetween>
  );
}

function Resources({ event: { Resources = [] } }: { event: AuditEvent }) {
  if (Resources.length === 0) return <>–</>;
  return (
    <SpaceBetween size="xxs">
      {Resources.map(({ ResourceName = '', ResourceType = '' }) => (
        <div key={`${ResourceType} ${ResourceName}`} className="bh-wrap">
          {linked(ResourceName.startsWith('arn:') ? arnHref(ResourceName) : HREF[ResourceType]?.(shortName(ResourceName)), ResourceName)} <span className="bh-soft">{ResourceType.replace(/^AWS::/, '').replaceAll('::', ' ')}</span>
        </div>
      ))}
    </SpaceBetween>
  );
}
