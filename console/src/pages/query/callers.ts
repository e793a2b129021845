/**
 * Who ran a query. Athena doesn't tell, but the event history does: the event of the call that began a query names the caller
 * and, among its response's elements, the query. Rows ask for themselves when they are in sight; the askers of a moment share look-ups,
 * one after the other, each around the newest query that is still unknown, so that neighbours are answered by one.
 */
import { type Lookup, type TrailEvent, lookupEvents } from '../../aws/cloudtrail';
import { onSession } from '../../aws/session';

/** The name to show, and the ARN of who it was. */
export interface Caller {
  name: string;
  arn: string | undefined;
}

interface Wanted {
  id: string;
  /** Seconds since 1970. */
  submitted: number;
  answer: (caller: Caller | undefined) => void;
  refuse: (error: unknown) => void;
}

/** Seconds between the time of a query and that of its event: both are told rounded. */
const SLACK = 2;
/** Milliseconds in which askers gather. */
const GATHER_MS = 60;
/** Pages that are read for one query among many of the same seconds. */
const MOST_PAGES = 20;

type Look = (input: Lookup) => Promise<{ Events: TrailEvent[]; NextToken?: string }>;

export class Callers {
  private readonly known = new Map<string, Caller | undefined>();
  private wanted: Wanted[] = [];
  private reading = false;

  constructor(private readonly look: Look = lookupEvents) {}

  /** Who ran a query; undefined if the history doesn't know, because it is older or was kept without. */
  of(id: string, submitted: number): Promise<Caller | undefined> {
    if (this.known.has(id)) return Promise.resolve(this.known.get(id));
    return new Promise((answer, refuse) => {
      this.wanted.push({ id, submitted, answer, refuse });
      if (!this.reading) void this.read();
    });
  }

  clear(): void {
    this.known.clear();
  }

  private async read(): Promise<void> {
    this.reading = true;
    try {
      await new Promise((done) => setTimeout(done, GATHER_MS));
      while (this.wanted.length > 0) {
        await this.find(this.wanted.reduce((newest, one) => (one.submitted > newest.submitted ? one : newest)));
      }
    } catch (error) {
      for (const one of this.wanted.splice(0)) one.refuse(error);
    } finally {
      this.reading = false;
    }
  }

  /** Reads back from a query's time until its event was there, or must have been. */
  private async find({ id, submitted }: Wanted): Promise<void> {
    let NextToken: string | undefined;
    for (let pages = 0; pages < MOST_PAGES && !this.known.has(id); pages += 1) {
      const page = await this.look({
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'StartQueryExecution' }],
        EndTime: Math.ceil(submitted) + SLACK,
        MaxResults: 50,
        ...(NextToken ? { NextToken } : {}),
      });
      for (const event of page.Events) this.learn(event);
      NextToken = page.NextToken;
      const oldest = page.Events.at(-1)?.EventTime ?? 0;
      if (!NextToken || oldest < Math.floor(submitted) - SLACK) break;
    }
    if (!this.known.has(id)) this.known.set(id, undefined);
    const answered = this.wanted.filter((one) => this.known.has(one.id));
    this.wanted = this.wanted.filter((one) => !this.known.has(one.id));
    for (const one of answered) one.answer(this.known.get(one.id));
  }

  private learn(event: TrailEvent): void {
    interface Whole {
      responseElements?: { queryExecutionId?: string } | null;
      userIdentity?: { arn?: string; sessionContext?: { sessionIssuer?: { userName?: string } } };
    }
    const { responseElements, userIdentity } = JSON.parse(event.CloudTrailEvent) as Whole;
    const id = responseElements?.queryExecutionId;
    if (id === undefined) return;
    // A session's own name says less than the role that it has.
    const name = userIdentity?.sessionContext?.sessionIssuer?.userName ?? event.Username ?? 'unknown';
    this.known.set(id, { name, arn: userIdentity?.arn });
  }
}

export const callers = new Callers();
onSession(() => callers.clear());
