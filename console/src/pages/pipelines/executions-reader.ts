/**
 * A machine's executions, as far as they were read. Those that have ended hardly change: a look reads what is new and what runs, and
 * goes on into the past by a page when somebody has scrolled there. Ten thousand cost no more than a hundred this way.
 */
import { type Execution, type ExecutionStatus, describeExecution, listExecutionPage } from '../../aws/states';

/** Executions of a page. */
export const PAGE = 500;
/** Executions that have ended since the last look, and are asked for one by one. */
const MOST_ENDED = 50;

export class ExecutionsReader {
  private readonly known = new Map<string, Execution>();
  private token: string | undefined;
  private begun = false;
  private wanted = false;
  /** Whether the oldest one is known. */
  complete = false;

  constructor(
    private readonly machine: string,
    private readonly page: typeof listExecutionPage = listExecutionPage,
    private readonly describe: (arn: string) => Promise<Execution> = describeExecution,
  ) {}

  /** The next look reads a page of older ones too. */
  wantOlder(): void {
    this.wanted = !this.complete;
  }

  /** The newest first. */
  async look(): Promise<readonly Execution[]> {
    const runs = [...this.known.values()].filter(({ status }) => status === 'RUNNING').map(({ executionArn }) => executionArn);
    const seen = new Set(await this.newest());
    if (runs.some((arn) => !seen.has(arn)) || this.known.size > PAGE) await this.running(runs.filter((arn) => !seen.has(arn)));
    if (this.wanted) await this.older();
    return [...this.known.values()].sort((a, b) => b.startDate - a.startDate);
  }

  /** What is new stands before the first that is known. */
  private async newest(): Promise<string[]> {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const { executions, nextToken } = await this.page(this.machine, { nextToken: token, maxResults: PAGE });
      const overlaps = executions.some(({ executionArn }) => this.known.has(executionArn));
      seen.push(...this.keep(executions));
      if (!this.begun) {
        this.begun = true;
        this.token = nextToken;
        this.complete = !nextToken;
        break;
      }
      token = overlaps ? undefined : nextToken;
    } while (token);
    return seen;
  }

  /** What runs now, redriven ones among them; of what ran before and doesn't any more, how it ended. */
  private async running(before: readonly string[]): Promise<void> {
    const { executions } = await this.page(this.machine, { statusFilter: 'RUNNING' satisfies ExecutionStatus, maxResults: 1000 });
    const now = new Set(executions.map(({ executionArn }) => executionArn));
    this.keep(executions.filter(({ executionArn }) => this.known.has(executionArn)));
    const ended = before.filter((arn) => !now.has(arn)).slice(0, MOST_ENDED);
    this.keep(await Promise.all(ended.map((arn) => this.describe(arn))));
  }

  private async older(): Promise<void> {
    const { executions, nextToken } = await this.page(this.machine, { nextToken: this.token, maxResults: PAGE });
    this.keep(executions);
    this.token = nextToken;
    this.complete = !nextToken;
    this.wanted = false;
  }

  private keep(executions: readonly Execution[]): string[] {
    for (const one of executions) this.known.set(one.executionArn, one);
    return executions.map(({ executionArn }) => executionArn);
  }
}
