import { describe, expect, test } from 'vitest';

import type { S3Object } from '../../aws/s3';
import { failedRecord } from './FailedRecords';
import { fixedPart, isOf, recordsOf, slots } from './delivered';
import { fill, routeParts } from './route';

const object = (key: string, minute = 0, size = 10): S3Object => ({ key, size, modified: new Date(Date.UTC(2026, 0, 1, 12, minute)), etag: '', storageClass: '' });

describe('delivered objects', () => {
  test('are known by their names', () => {
    expect(isOf('flights', object('raw/2026/01/01/12/flights-1-2026-01-01-12-00-00-abc'))).toBe(true);
    expect(isOf('flights', object('raw/flights-late-1-2026-01-01-12-00-00-abc'))).toBe(false);
    expect(isOf('flights', object('raw/other'))).toBe(false);
  });

  test('lie below what does not change of the prefix', () => {
    expect(fixedPart('raw/dt=!{timestamp:yyyy}/')).toBe('raw/');
    expect(fixedPart(undefined)).toBe('');
  });

  test('are counted by when they came', () => {
    const now = Date.UTC(2026, 0, 1, 12, 20);
    const found = slots({ objects: [object('a', 19), object('b', 3, 5)], failed: [object('c', 3)], cut: false }, now);
    expect(found.reduce((sum, slot) => sum + slot.bytes, 0)).toBe(15);
    expect(found[0]).toMatchObject({ objects: 1, bytes: 5, failed: 1 });
    expect(found).toHaveLength(18);
    expect(slots({ objects: [], failed: [], cut: false }, now)).toEqual([]);
    expect(slots({ objects: [object('a'), object('b', -60 * 24 * 4000)], failed: [], cut: false }, now).length).toBeLessThanOrEqual(62);
  });

  test('hold records', () => {
    expect(recordsOf('{"a":1}\n{"a":2}\n')).toEqual(['{"a":1}', '{"a":2}']);
    expect(recordsOf('{"a":"}{"}{"b":{"c":1}}')).toEqual(['{"a":"}{"}', '{"b":{"c":1}}']);
    expect(recordsOf('plain }{ text')).toEqual(['plain }{ text']);
  });
});

test('failed records say why', () => {
  const line = JSON.stringify({ arrivalTimestamp: 5, errorCode: 'Lambda.ProcessingFailedStatus', errorMessage: 'no', rawData: btoa('{"a":1}\n') });
  expect(failedRecord(line, 'k')).toEqual({ key: 'k', at: 5, code: 'Lambda.ProcessingFailedStatus', message: 'no', record: '{"a":1}' });
  expect(failedRecord('no JSON', 'k')).toBeUndefined();
});

describe('routes', () => {
  test('are methods and paths with variables', () => {
    expect(routeParts('GET /flights/{id}')).toEqual({ method: 'GET', path: '/flights/{id}', variables: ['id'] });
    expect(routeParts('$default')).toEqual({ method: 'ANY', path: '/', variables: [] });
    expect(routeParts('ANY /{proxy+}').variables).toEqual(['proxy+']);
  });

  test('are filled with what is given', () => {
    expect(fill('/flights/{id}', { id: 'a b/c' })).toBe('/flights/a%20b%2Fc');
    expect(fill('/{proxy+}', { 'proxy+': 'a b/c' })).toBe('/a%20b/c');
  });
});
