/** CloudWatch Logs. Times here are milliseconds since 1970. */
import { collect, jsonService, streamService } from './call';
import { AwsError } from './error';

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
  storedBytes?: number;
}

export interface LogEvent {
  /** Of lines of several groups. */
  logGroupName?: string;
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

/** The group of exactly this name. */
export async function findGroup(name: string): Promise<LogGroup> {
  const page = await logs<{ logGroups: LogGroup[] }>('DescribeLogGroups', { logGroupNamePrefix: name });
  const found = page.logGroups.find(({ logGroupName }) => logGroupName === name);
  if (!found) throw new AwsError('ResourceNotFoundException', `There is no log group ${name}.`, 404);
  return found;
}

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

export const createGroup = (logGroupName: string) => logs('CreateLogGroup', { logGroupName });

export const deleteGroup = (logGroupName: string) => logs('DeleteLogGroup', { logGroupName });

/** Days after which events go; never without. */
export const setRetention = (logGroupName: string, retentionInDays: number | undefined) =>
  retentionInDays === undefined ? logs('DeleteRetentionPolicy', { logGroupName }) : logs('PutRetentionPolicy', { logGroupName, retentionInDays });

export const deleteStream = (logGroupName: string, logStreamName: string) => logs('DeleteLogStream', { logGroupName, logStreamName });

/** What a Live Tail session watches: groups by their ARNs; streams only of a single one. */
export interface LiveTail {
  logGroupIdentifiers: string[];
  logStreamNames?: string[];
  logEventFilterPattern?: string;
}

export interface LiveTailEvent {
  sessionStart?: { sessionId: string };
  /** Every second, perhaps without anything. */
  sessionUpdate?: { sessionMetadata: { sampled: boolean }; sessionResults: LogEvent[] };
}

const stream = streamService('logs', 'Logs_20140328', '1.1');

/** What is written from now on, until the signal ends it or the server does. */
export const startLiveTail = (input: LiveTail, signal: AbortSignal) => stream<LiveTailEvent>('StartLiveTail', input, { signal });
