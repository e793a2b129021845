/**
 * Reads the events of a log group as they come: what the log viewer knows of the way to the server. One feed is one search; each
 * `more` reads one page and answers all that is known so far. When to read on, `log-tail.ts` hears from the server.
 */
import { AwsError } from '../aws/error';
import { type LogEvent, filterEvents } from '../aws/logs';

/** What is looked for. Times are milliseconds since 1970; both ends belong to the range. */
export interface LogQuery {
  group: string;
  /** All of the group without. */
  streams?: readonly string[] | undefined;
  /** A filter pattern of CloudWatch Logs, such as `ERROR` or `{ $.level = "error" }`. */
  pattern?: string | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

export interface LogState {
  /** The oldest first. */
  lines: readonly LogEvent[];
  /** Whether everything that there was has been read. */
  ended: boolean;
  /** How many of the oldest were let go, so that the last {@link MOST} stay. */
  dropped: number;
  /** Whether there is no such group, or no such stream. */
  missing: boolean;
}

/** Events that are kept. */
export const MOST = 50_000;
/** Events may come later than their time says: what is this old (ms) is asked for again. */
const LATE_MS = 5_000;

export class LogFeed {
  private lines: readonly LogEvent[] = [];
  private dropped = 0;
  private token: string | undefined;
  private from: number | undefined;

  constructor(
    private readonly query: LogQuery,
    private readonly read: typeof filterEvents = filterEvents,
  ) {
    this.from = query.from;
  }

  /** Reads a page: the next one of the search, or after its end what has come since. */
  async more(signal?: AbortSignal): Promise<LogState> {
    const { group, streams, pattern, to } = this.query;
    try {
      const page = await this.read(
        {
          logGroupName: group,
          ...(streams?.length ? { logStreamNames: [...streams] } : {}),
          ...(pattern ? { filterPattern: pattern } : {}),
          ...(this.from === undefined ? {} : { startTime: this.from }),
          ...(to === undefined ? {} : { endTime: to }),
          ...(this.token ? { nextToken: this.token } : {}),
        },
        signal,
      );
      this.add(page.events);
      this.token = page.nextToken;
      if (!this.token) this.goOnFrom();
      return this.state(!this.token, false);
    } catch (error) {
      // A function's group and a run's stream are made by their first line.
      if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return this.state(true, true);
      throw error;
    }
  }

  private add(events: readonly LogEvent[]): void {
    const known = this.known();
    const fresh = events.filter((event) => !known.has(idOf(event)));
    if (fresh.length === 0) return;
    const last = this.lines.at(-1);
    const all = [...this.lines, ...fresh];
    if (last && fresh.some(({ timestamp }) => timestamp < last.timestamp)) all.sort((a, b) => a.timestamp - b.timestamp);
    this.dropped += Math.max(0, all.length - MOST);
    this.lines = all.slice(-MOST);
  }

  /** The ids of lines that may be read again. */
  private known(): Set<string> {
    const ids = new Set<string>();
    for (let at = this.lines.length - 1; at >= 0; at -= 1) {
      const line = this.lines[at];
      if (!line || (this.from !== undefined && line.timestamp < this.from)) break;
      ids.add(idOf(line));
    }
    return ids;
  }

  private goOnFrom(): void {
    const last = this.lines.at(-1)?.timestamp;
    if (last !== undefined) this.from = Math.max(this.from ?? 0, last - LATE_MS);
  }

  private state(ended: boolean, missing: boolean): LogState {
    return { lines: this.lines, ended, dropped: this.dropped, missing };
  }
}

/** A line's name among all lines. */
export const idOf = ({ eventId, logStreamName, timestamp, message }: LogEvent) => eventId ?? `${logStreamName} ${timestamp} ${message}`;

/** Several groups as one: a page of each at a time, and the lines of all in their order. */
class LogFeeds {
  private readonly states = new Map<string, LogState>();

  constructor(private readonly feeds: ReadonlyMap<string, LogFeed>) {}

  async more(signal?: AbortSignal): Promise<LogState> {
    // Those that have ended are asked again only when all have, which is when they are followed.
    const all = [...this.states.values()].every(({ ended }) => ended);
    const due = [...this.feeds].filter(([group]) => all || this.states.get(group)?.ended !== true);
    await Promise.all(due.map(async ([group, feed]) => this.states.set(group, named(await feed.more(signal), group))));
    return merge([...this.states.values()]);
  }
}

const named = (state: LogState, logGroupName: string): LogState => ({ ...state, lines: state.lines.map((line) => ({ ...line, logGroupName })) });

export function merge(states: readonly LogState[]): LogState {
  const lines = states.flatMap((state) => state.lines).sort((a, b) => a.timestamp - b.timestamp);
  const dropped = states.reduce((sum, state) => sum + state.dropped, Math.max(0, lines.length - MOST));
  return { lines: lines.slice(-MOST), ended: states.every(({ ended }) => ended), dropped, missing: states.every(({ missing }) => missing) };
}

/** What reads one group, or several. */
export function feedOf(groups: readonly string[], query: Omit<LogQuery, 'group'>): { more: LogFeed['more'] } {
  const [group = '', ...others] = groups;
  if (others.length === 0) return new LogFeed({ group, ...query });
  return new LogFeeds(new Map(groups.map((name) => [name, new LogFeed({ group: name, ...query })])));
}
