/** CloudTrail's event history. */
import { jsonService } from './call';
import type { Seconds } from './glue';

export const cloudtrail = jsonService(
  'cloudtrail',
  'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
  '1.1',
);

export interface TrailEvent {
  EventId: string;
  EventName: string;
  EventSource: string;
  EventTime: Seconds;
  Username?: string;
  ReadOnly?: string;
  Resources?: { ResourceType?: string; ResourceName?: string }[];
  /** The whole event, as JSON. */
  CloudTrailEvent: string;
}

export interface Lookup {
  LookupAttributes?: { AttributeKey: string; AttributeValue: string }[];
  StartTime?: Seconds;
  EndTime?: Seconds;
  MaxResults?: number;
  NextToken?: string;
}

export const lookupEvents = (input: Lookup = {}) =>
  cloudtrail<{ Events: TrailEvent[]; NextToken?: string }>('LookupEvents', input);
