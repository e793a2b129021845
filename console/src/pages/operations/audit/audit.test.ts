import { describe, expect, test } from 'vitest';

import type { TrailEvent } from '../../../aws/cloudtrail';
import { whyHref } from './EventPanel';
import { EventReader, type Filter, isDenied, lookupOf, matches, tell, whoOf } from './events';

const ANY: Filter = { kind: 'all', user: '', name: '', source: '', resource: '', error: '' };

function event(number: number, more: object = {}, told: object = {}): TrailEvent {
  return { EventId: `e${number}`, EventName: 'GetTable', EventSource: 'glue.amazonaws.com', EventTime: 1000 + number, Username: 'ann', ReadOnly: 'true', CloudTrailEvent: JSON.stringify(told), ...more };
}

describe('events', () => {
  test('the server looks for what leaves the least, the page for the rest', () => {
    expect(lookupOf({ ...ANY, kind: 'changes' }).LookupAttributes).toEqual([{ AttributeKey: 'ReadOnly', AttributeValue: 'false' }]);
    expect(lookupOf({ ...ANY, kind: 'changes', user: 'ann', name: 'x' }).LookupAttributes).toEqual([{ AttributeKey: 'Username', AttributeValue: 'ann' }]);
    expect(lookupOf({ ...ANY, from: 5_500, to: 9_000 })).toEqual({ StartTime: 5, EndTime: 9, MaxResults: 50 });
    const denied = tell(event(1, {}, { errorCode: 'AccessDenied' }));
    expect(matches({ ...ANY, kind: 'denied', user: 'ann', error: 'denied' }, denied)).toBe(true);
    expect([{ kind: 'changes' as const }, { name: 'x' }, { resource: 't' }, { error: 'Validation' }].map((wanted) => matches({ ...ANY, ...wanted }, denied))).toEqual([false, false, false, false]);
  });

  test('who it was, and why it was denied', () => {
    const session = { userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::0:assumed-role/Crawler/daily', sessionContext: { sessionIssuer: { userName: 'Crawler' } } }, errorCode: 'AccessDenied' };
    const told = tell(event(1, { Username: 'daily' }, session));
    expect([whoOf(told), isDenied(told)]).toEqual(['Crawler/daily', true]);
    expect(whyHref(told)).toContain('action=glue%3AGetTable');
    expect(whyHref(tell(event(2)))).toBeUndefined();
    expect(tell({ ...event(3), CloudTrailEvent: 'x' }).told).toEqual({});
  });

  test('are read into the past, and what is new before them, each once', async () => {
    let all = Array.from({ length: 130 }, (_, at) => event(130 - at, { ReadOnly: at % 2 ? 'true' : 'false' }));
    let asked = 0;
    const lookUp = async ({ NextToken }: { NextToken?: string } = {}) => {
      asked += 1;
      const at = Number(NextToken?.slice(1) ?? 0);
      const from = NextToken ? all.findIndex(({ EventId }) => EventId === NextToken) : at;
      const Events = all.slice(from, from + 50);
      const next = all[from + 50]?.EventId;
      return next ? { Events, NextToken: next } : { Events };
    };
    const reader = new EventReader({ ...ANY, kind: 'reads' }, lookUp);
    const first = await reader.more(20, 1);
    expect([first.events.length, first.looked, first.complete, asked]).toEqual([25, 50, false, 1]);
    all = [event(132), event(131), ...all];
    const second = await reader.more(200, 10);
    expect([second.events.length, second.looked, second.complete]).toEqual([67, 132, true]);
    expect(second.events.slice(0, 2).map(({ EventId }) => EventId)).toEqual(['e132', 'e131']);
    expect(new Set(second.events.map(({ EventId }) => EventId)).size).toBe(67);
  });
});
