/** Reads an execution's history as it grows: what is known is not read again. */
import { type HistoryEvent, getHistoryBack } from '../../aws/states';

/** Events of the first pages, and of those that ask for what is new. */
const MANY = 1000;
const FEW = 100;

type ReadBack = typeof getHistoryBack;

export class HistoryReader {
  private events: readonly HistoryEvent[] = [];

  constructor(
    private readonly arn: string,
    private readonly read: ReadBack = getHistoryBack,
  ) {}

  /** All events that there are now, the oldest first. */
  async more(): Promise<readonly HistoryEvent[]> {
    const last = this.events.at(-1)?.id ?? 0;
    const fresh: HistoryEvent[] = [];
    let token: string | undefined;
    do {
      const page = await this.read(this.arn, token, last === 0 ? MANY : FEW);
      const unknown = page.events.filter(({ id }) => id > last);
      fresh.push(...unknown);
      token = unknown.length === page.events.length ? page.nextToken : undefined;
    } while (token);
    // While pages were read backwards, events were added: the same one may stand on two of them, or be known by now.
    const known = this.events.at(-1)?.id ?? 0;
    const unknown = new Map(fresh.filter(({ id }) => id > known).map((event) => [event.id, event]));
    if (unknown.size > 0) this.events = [...this.events, ...[...unknown.values()].sort((a, b) => a.id - b.id)];
    return this.events;
  }
}
