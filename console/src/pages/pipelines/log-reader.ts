/** Reads a log stream as it grows: what is known is not read again. */
import { AwsError } from '../../aws/error';
import { type LogEvent, getLogEvents } from '../../aws/logs';

/** Lines that are kept: the last ones. */
const MOST = 5_000;

export class LogReader {
  private lines: readonly LogEvent[] = [];
  private token: string | undefined;
  private reading: Promise<readonly LogEvent[]> | undefined;

  constructor(
    private readonly group: string,
    private readonly stream: string,
  ) {}

  /** All lines that there are now. Two who ask at once read once. */
  more(): Promise<readonly LogEvent[]> {
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async read(): Promise<readonly LogEvent[]> {
    try {
      for (;;) {
        const page = await getLogEvents(this.group, this.stream, this.token);
        if (page.events.length > 0) this.lines = [...this.lines, ...page.events].slice(-MOST);
        // The same token again: that was the end.
        if (page.nextForwardToken === this.token) return this.lines;
        this.token = page.nextForwardToken;
      }
    } catch (error) {
      // The stream is made by the first line.
      if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return this.lines;
      throw error;
    }
  }
}
