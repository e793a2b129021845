import { expect, test } from 'vitest';

import { type Json, toJson, toXml } from './s3-documents';
import { Xml } from './xml';

/** There and back. */
const again = (root: string, json: Json) => toJson(Xml.parse(`<${root}>${toXml(json)}</${root}>`));

test('lifecycle rules keep their shape', () => {
  const rules = {
    Rules: [
      {
        ID: 'old',
        Status: 'Enabled',
        Filter: { And: { Prefix: 'a/', Tags: [{ Key: 'k', Value: 'v' }, { Key: 'l', Value: '2' }] } },
        Transitions: [{ Days: 30, StorageClass: 'STANDARD_IA' }],
        Expiration: { Days: 365 },
        NoncurrentVersionExpiration: { NoncurrentDays: 7, NewerNoncurrentVersions: 2 },
      },
      { ID: 'tag', Status: 'Disabled', Filter: { Tag: { Key: 'a&b', Value: '' } }, Expiration: { ExpiredObjectDeleteMarker: true } },
      { ID: 'all', Status: 'Enabled', Filter: {}, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
    ],
  };
  expect(again('LifecycleConfiguration', rules)).toEqual(rules);
});

test('notifications have other names on the wire', () => {
  const given = {
    QueueConfigurations: [
      { Id: 'q', QueueArn: 'arn:q', Events: ['s3:ObjectCreated:*'], Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'in/' }] } } },
    ],
    LambdaFunctionConfigurations: [{ LambdaFunctionArn: 'arn:f', Events: ['s3:ObjectRemoved:*', 's3:ObjectCreated:Put'] }],
    EventBridgeConfiguration: {},
  };
  const xml = toXml(given);
  expect(xml).toContain('<CloudFunctionConfiguration><CloudFunction>arn:f</CloudFunction><Event>s3:ObjectRemoved:*</Event>');
  expect(xml).toContain('<Filter><S3Key><FilterRule>');
  expect(again('NotificationConfiguration', given)).toEqual(given);
});

test('CORS rules', () => {
  const rules = { CORSRules: [{ AllowedOrigins: ['*'], AllowedMethods: ['GET', 'PUT'], MaxAgeSeconds: 300 }] };
  expect(again('CORSConfiguration', rules)).toEqual(rules);
});
