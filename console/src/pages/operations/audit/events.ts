/** Events of the audit log: told, filtered, and read page by page. */
import { type Lookup, type TrailEvent, lookupEvents } from '../../../aws/cloudtrail';
import { date } from '../../../lib/format';

/** What an event's own JSON says, as far as lists and panels show it. */
export interface Told {
  userIdentity?: {
    type?: string;
    arn?: string;
    userName?: string;
    principalId?: string;
    accessKeyId?: string;
    invokedBy?: string;
    sessionContext?: { sessionIssuer?: { arn?: string; userName?: string } };
  };
  sourceIPAddress?: string;
  userAgent?: string;
  awsRegion?: string;
  errorCode?: string;
  errorMessage?: string;
  requestID?: string;
  requestParameters?: Record<string, unknown> | null;
}

export interface AuditEvent extends TrailEvent {
  told: Told;
}

export function tell(event: TrailEvent): AuditEvent {
  try {
    return { ...event, told: JSON.parse(event.CloudTrailEvent) as Told };
  } catch {
    return { ...event, told: {} };
  }
}

export const isDenied = ({ told }: AuditEvent) => /AccessDenied|Unauthorized|NotAuthorized/.test(told.errorCode ?? '');

/** Who it was, as short as it can be said. */
export function whoOf({ Username, told: { userIdentity = {} } }: AuditEvent): string {
  const role = userIdentity.sessionContext?.sessionIssuer?.userName;
  if (userIdentity.type === 'AssumedRole' && role) return `${role}/${Username ?? ''}`;
  return Username ?? userIdentity.userName ?? userIdentity.principalId ?? userIdentity.type ?? '';
}

/** What kinds of calls are wanted. */
export type Kind = 'changes' | 'reads' | 'all' | 'denied' | 'failed';

export interface Filter {
  kind: Kind;
  user: string;
  name: string;
  /** `iam.amazonaws.com`. */
  source: string;
  resource: string;
  error: string;
  /** Milliseconds since 1970. */
  from?: number;
  to?: number;
}

/** What the server looks for: one attribute, the one that leaves the least. The rest is looked for in what comes back. */
export function lookupOf({ kind, user, name, source, resource, from, to }: Filter): Lookup {
  const attributes: [string, string][] = [
    ['ResourceName', resource],
    ['Username', user],
    ['EventName', name],
    ['EventSource', source],
    ['ReadOnly', kind === 'changes' ? 'false' : kind === 'reads' ? 'true' : ''],
  ];
  const found = attributes.find(([, value]) => value !== '');
  return {
    ...(found ? { LookupAttributes: [{ AttributeKey: found[0], AttributeValue: found[1] }] } : {}),
    ...(from === undefined ? {} : { StartTime: Math.floor(from / 1000) }),
    ...(to === undefined ? {} : { EndTime: Math.floor(to / 1000) }),
    MaxResults: 50,
  };
}

export function matches(filter: Filter, event: AuditEvent): boolean {
  const { kind, user, name, source, resource, error } = filter;
  const same = (wanted: string, found: string | undefined) => wanted === '' || found === wanted;
  const ofKind = {
    all: true,
    changes: event.ReadOnly !== 'true',
    reads: event.ReadOnly === 'true',
    denied: isDenied(event),
    failed: event.told.errorCode !== undefined,
  }[kind];
  return (
    ofKind &&
    same(user, event.Username) &&
    same(name, event.EventName) &&
    same(source, event.EventSource) &&
    (resource === '' || (event.Resources ?? []).some(({ ResourceName }) => ResourceName === resource)) &&
    (error === '' || (event.told.errorCode ?? '').toLowerCase().includes(error.toLowerCase()))
  );
}

/** What has been read so far. */
export interface Read {
  /** The newest first. */
  events: readonly AuditEvent[];
  /** Events that were looked at, those that don't match too. */
  looked: number;
  /** Of the oldest one. */
  back: Date | undefined;
  /** Whether there is nothing older. */
  complete: boolean;
}

type LookUp = typeof lookupEvents;

/** Reads events that match a filter: into the past as far as wanted, and what is new. */
export class EventReader {
  private read: Read = { events: [], looked: 0, back: undefined, complete: false };
  private readonly known = new Set<string>();
  private older: string | undefined;
  private running: Promise<Read> | undefined;

  constructor(
    private readonly filter: Filter,
    private readonly lookUp: LookUp = lookupEvents,
  ) {}

  /** What is new, and older ones until there are `most`, by at most so many pages. Two who ask at once read once. */
  more(most: number, pages: number): Promise<Read> {
    this.running ??= this.go(most, pages).finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async go(most: number, pages: number): Promise<Read> {
    if (this.read.looked > 0) await this.newer();
    for (let page = 0; page < pages && !this.read.complete && this.read.events.length < most; page += 1) {
      const found = await this.lookUp({ ...lookupOf(this.filter), ...(this.older ? { NextToken: this.older } : {}) });
      this.older = found.NextToken;
      const fresh = this.unknown(found.Events);
      const back = date(found.Events.at(-1)?.EventTime) ?? this.read.back;
      this.read = { events: [...this.read.events, ...this.wanted(fresh)], looked: this.read.looked + fresh.length, back, complete: !found.NextToken };
    }
    return this.read;
  }

  /** What stands before the first that is known. */
  private async newer(): Promise<void> {
    const fresh: AuditEvent[] = [];
    for (let token: string | undefined, first = true; first || token; first = false) {
      const found = await this.lookUp({ ...lookupOf(this.filter), ...(token ? { NextToken: token } : {}) });
      const unknown = this.unknown(found.Events);
      fresh.push(...unknown);
      token = unknown.length === found.Events.length ? found.NextToken : undefined;
    }
    if (fresh.length > 0) this.read = { ...this.read, events: [...this.wanted(fresh), ...this.read.events], looked: this.read.looked + fresh.length };
  }

  private unknown(events: readonly TrailEvent[]): AuditEvent[] {
    const fresh = events.filter(({ EventId }) => !this.known.has(EventId));
    fresh.forEach(({ EventId }) => this.known.add(EventId));
    return fresh.map(tell);
  }

  private wanted(events: readonly AuditEvent[]): AuditEvent[] {
    return events.filter((event) => matches(this.filter, event));
  }
}
