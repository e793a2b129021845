/** CloudWatch Logs. Times here are milliseconds since 1970. */
import { collect, jsonService } from './call';

export const logs = jsonService('logs', 'Logs_20140328', '1.1');

export interface LogGroup {
  logGroupName: string;
  arn: string;
  creationTime: number;
  retentionInDays?: number;
  storedBytes?: number;
}

export interface LogStream {
  logStreamName: string;
  creationTime: number;
  firstEventTimestamp?: number;
  lastEventTimestamp?: number;
  lastIngestionTime?: number;
}

export interface LogEvent {
  logStreamName?: string;
  timestamp: number;
  ingestionTime?: number;
  message: string;
  eventId?: string;
}

export const describeGroups = () =>
  collect(async (nextToken) => {
    const page = await logs<{ logGroups: LogGroup[]; nextToken?: string }>('DescribeLogGroups', { nextToken });
    return { items: page.logGroups, next: page.nextToken };
  });

export const describeStreams = (logGroupName: string, most = 200) =>
  collect(async (nextToken) => {
    const input = { logGroupName, nextToken, orderBy: 'LastEventTime', descending: true };
    const page = await logs<{ logStreams: LogStream[]; nextToken?: string }>('DescribeLogStreams', input);
    return { items: page.logStreams, next: page.nextToken };
  }, most);

export interface LogFilter {
  logGroupName: string;
  filterPattern?: string;
  startTime?: number;
  endTime?: number;
  logStreamNames?: string[];
  nextToken?: string;
  limit?: number;
}

export const filterEvents = (input: LogFilter, signal?: AbortSignal) =>
  logs<{ events: LogEvent[]; nextToken?: string }>('FilterLogEvents', input, signal ? { signal } : {});

/** Events of a stream from a token on, the oldest first; the token that comes back reads on from there. */
export const getLogEvents = (logGroupName: string, logStreamName: string, nextToken: string | undefined) =>
  logs<{ events: LogEvent[]; nextForwardToken: string }>('GetLogEvents', { logGroupName, logStreamName, nextToken, startFromHead: true });
