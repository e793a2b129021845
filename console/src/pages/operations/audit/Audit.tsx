/** The audit log: who did what, from where, and whether it was let. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import { useCallback, useEffect, useMemo, useState } from 'react';

import { platformNow } from '../../../aws/session';
import { count, localTime, shortName } from '../../../lib/format';
import { Frame } from '../../../lib/frame';
import { useLive } from '../../../lib/live';
import { rangeOf } from '../../../lib/log-range';
import { useParam } from '../../../lib/router';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { EventPanel, whyHref } from './EventPanel';
import { TimeRange } from './TimeRange';
import { type AuditEvent, EventReader, type Filter, type Kind, type Read, isDenied, whoOf } from './events';
import './audit.css';

/** Events that are added when the end comes in sight. */
const PAGE = 200;
/** Pages of the server's at each look, and events that are looked at before somebody is asked whether to go on. */
const STRIDE = 10;
const PATIENCE = 10_000;
const FOLLOW_MS = 3_000;
const RANGE = '7d';

const KINDS: { value: Kind; label: string; description: string }[] = [
  { value: 'changes', label: 'Changes', description: 'Calls that are not read-only' },
  { value: 'denied', label: 'Denied', description: 'Calls that policies refused' },
  { value: 'failed', label: 'Failed', description: 'Calls with any error' },
  { value: 'reads', label: 'Reads', description: 'Read-only calls' },
  { value: 'all', label: 'Everything', description: "Reads of this console's own pages too" },
];

const SERVICES = ['apigateway', 'athena', 'cloudformation', 'cloudtrail', 'events', 'firehose', 'glue', 'iam', 'lambda', 'logs', 's3', 'scheduler', 'sqs', 'states', 'sts'];
const SOURCES = [{ value: '', label: 'All services' }, ...SERVICES.map((name) => ({ value: `${name}.amazonaws.com`, label: name }))];

/** What the address says is wanted. Its key changes when that does. */
function useFilter(): { filter: Filter; key: string } {
  const [kind] = useParam('kind', 'changes');
  const [user] = useParam('user');
  const [name] = useParam('name');
  const [source] = useParam('source');
  const [resource] = useParam('resource');
  const [error] = useParam('error');
  const [range] = useParam('range', RANGE);
  const key = JSON.stringify([kind, user, name, source, resource, error, range]);
  const filter = useMemo((): Filter => ({ kind: kind as Kind, user, name, source, resource, error, ...rangeOf(range, platformNow()) }), [key]);
  return { filter, key };
}

export default function Audit() {
  const { filter, key } = useFilter();
  const reader = useMemo(() => new EventReader(filter), [filter]);
  const [follow, setFollow] = useParam('follow');
  const [chosen, setChosen] = useParam('event');
  const [most, setMost] = useState(PAGE);
  const [patience, setPatience] = useState(PATIENCE);
  useEffect(() => {
    setMost(PAGE);
    setPatience(PATIENCE);
  }, [reader]);
  const goesOn = (read: Read | undefined) => read !== undefined && !read.complete && read.events.length < most && read.looked < patience;
  const live = useLive(`cloudtrail/events/${key}`, () => reader.more(most, STRIDE), { every: (read) => (goesOn(read) ? 20 : follow ? FOLLOW_MS : undefined) });
  const { refresh, data } = live;
  useEffect(() => {
    if (most > PAGE || patience > PATIENCE || follow) void refresh();
  }, [most, patience, follow, refresh]);
  const known = data?.events.length ?? 0;
  const onEnd = useCallback(() => {
    if (known >= most) setMost(most + PAGE);
  }, [known, most]);
  const event = data?.events.find(({ EventId }) => EventId === chosen);
  const isTired = data !== undefined && !data.complete && !goesOn(data) && known < most;
  return (
    <Frame
      title="Audit log"
      description="Every call that manages something, kept for 90 days: who made it, from where, and how it ended. Records, objects and invocations themselves are not in it, as with CloudTrail."
      actions={
        <SpaceBetween direction="horizontal" size="m" alignItems="center">
          <Toggle checked={follow !== ''} onChange={({ detail }) => setFollow(detail.checked ? '1' : '')}>
            Follow
          </Toggle>
          <Button iconName="refresh" ariaLabel="Read again" onClick={() => void refresh()} />
        </SpaceBetween>
      }
    >
      <Filters />
      <div className={`bh-audit ${event ? 'bh-audit-open' : ''}`}>
        <SpaceBetween size="xs">
          <Progress read={data} tired={isTired} busy={goesOn(data)} onFurther={() => setPatience(patience + PATIENCE)} />
          <Events live={{ ...live, data: data?.events }} narrow={event !== undefined} chosen={chosen} onChoose={setChosen} onEnd={onEnd} />
        </SpaceBetween>
        {event && <EventPanel event={event} onClose={() => setChosen('')} />}
      </div>
    </Frame>
  );
}

function Filters() {
  const [kind, setKind] = useParam('kind', 'changes');
  const [source, setSource] = useParam('source');
  const [range, setRange] = useParam('range', RANGE);
  return (
    <div className="bh-audit-filters" role="search" aria-label="Filters">
      <FormField label="Calls">
        <Select selectedOption={KINDS.find(({ value }) => value === kind) ?? null} options={KINDS} onChange={({ detail }) => setKind(detail.selectedOption.value ?? '')} />
      </FormField>
      <FormField label="Time">
        <TimeRange value={range} onChange={setRange} />
      </FormField>
      <FormField label="Service">
        <Select selectedOption={SOURCES.find(({ value }) => value === source) ?? null} options={SOURCES} filteringType="auto" onChange={({ detail }) => setSource(detail.selectedOption.value ?? '')} />
      </FormField>
      <TextFilter name="user" label="User or session" placeholder="ann" />
      <TextFilter name="name" label="Event name" placeholder="CreateTable" />
      <TextFilter name="resource" label="Resource" placeholder="Name or ARN" />
      <TextFilter name="error" label="Error code" placeholder="AccessDenied" />
    </div>
  );
}

/** Counts when Enter is pressed or it is left: the server is not asked at every letter. */
function TextFilter({ name, label, placeholder }: { name: string; label: string; placeholder: string }) {
  const [value, setValue] = useParam(name);
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const commit = () => setValue(text.trim());
  return (
    <FormField label={label}>
      <Input
        type="search"
        value={text}
        placeholder={placeholder}
        clearAriaLabel={`Clear: ${label}`}
        onChange={({ detail }) => {
          setText(detail.value);
          if (detail.value === '') setValue('');
        }}
        onBlur={commit}
        onKeyDown={({ detail }) => detail.key === 'Enter' && commit()}
      />
    </FormField>
  );
}

interface ProgressProps {
  read: Read | undefined;
  tired: boolean;
  busy: boolean;
  onFurther: () => void;
}

/** How far into the past has been looked. */
function Progress({ read, tired, busy, onFurther }: ProgressProps) {
  if (!read) return null;
  const { events, looked, back, complete } = read;
  const until = complete ? 'that is all of this time' : back ? `back to ${localTime(back)}` : '';
  return (
    <div className="bh-audit-state">
      <span className="bh-soft" role="status">
        {count(events.length)} shown of {count(looked)} looked at, {until}
        {busy && ', looking on'}
      </span>
      {tired && <Button onClick={onFurther}>Look further back</Button>}
    </div>
  );
}

interface EventsProps {
  live: { data: readonly AuditEvent[] | undefined; error: ReturnType<typeof useLive>['error']; loading: boolean; refresh: () => Promise<void> };
  narrow: boolean;
  chosen: string;
  onChoose: (id: string) => void;
  onEnd: () => void;
}

function Events({ live, narrow, chosen, onChoose, onEnd }: EventsProps) {
  const service = ({ EventSource }: AuditEvent) => EventSource.replace('.amazonaws.com', '');
  const resources = ({ Resources = [] }: AuditEvent) => Resources.map(({ ResourceName = '' }) => shortName(ResourceName)).join(', ');
  return (
    <DataTable<AuditEvent>
      label="Events"
      title={false}
      filter={false}
      live={live}
      onEnd={onEnd}
      rowKey={({ EventId }) => EventId}
      marked={chosen}
      onRowClick={({ EventId }) => onChoose(EventId === chosen ? '' : EventId)}
      columns={[
        { id: 'time', header: 'Time', width: narrow ? 168 : 175, cell: (event) => <Time at={event.EventTime} /> },
        { id: 'who', header: 'Who', width: narrow ? 110 : 130, cell: (event) => <span title={event.told.userIdentity?.arn}>{whoOf(event)}</span> },
        {
          id: 'what',
          header: 'What',
          ...(narrow ? {} : { width: 270 }),
          cell: (event) => (
            <>
              <Button variant="inline-link" onClick={() => onChoose(event.EventId)} ariaLabel={`${event.EventName} by ${whoOf(event)}`}>
                {event.EventName}
              </Button>{' '}
              {!narrow && <span className="bh-soft bh-audit-service">{service(event)}</span>}
            </>
          ),
        },
        ...(narrow ? [] : [{ id: 'resource', header: 'Resources', cell: (event: AuditEvent) => <span title={resources(event)}>{resources(event) || '–'}</span> }]),
        { id: 'outcome', header: 'Outcome', width: narrow ? 165 : 200, cell: (event) => <Outcome event={event} /> },
      ]}
      empty={
        <Empty title="No such calls">
          None in this time matches. Every change that anybody makes, with any client, is noted here; so is every call that policies refuse.
        </Empty>
      }
    />
  );
}

function Outcome({ event }: { event: AuditEvent }) {
  const { errorCode } = event.told;
  if (!errorCode) return <span className="bh-soft">Done</span>;
  const why = whyHref(event);
  return (
    <span className={isDenied(event) ? 'bh-audit-denied' : 'bh-audit-failed'} title={event.told.errorMessage}>
      {errorCode}{' '}
      {why && (
        <Link href={why} ariaLabel={`Why was ${event.EventName} by ${whoOf(event)} denied?`}>
          Why?
        </Link>
      )}
    </span>
  );
}
