import { describe, expect, test } from 'vitest';

import type { Verdict } from '../../../aws/iam-simulate';
import { ACTIONS } from './actions';
import { parseContext, parseDenial, sourceOf } from './denial';
import { allowing, conditionWords, documentOf, levelOf, nearMisses, spans, statementAt, statements, summarise, trustWords } from './document';
import { judge } from './explain';
import { simulatorId } from './held';
import { STARTERS, TEMPLATES, templateText, trustOf } from './starters';

describe('documents', () => {
  test('levels of access', () => {
    expect(['*', 'ListTables', 'GetTable', 'Get*', 'BatchGetPartition', 'CreateTable', 'TagResource', 'PutObjectTagging', 'PutBucketPolicy', 'PassRole', 'AttachUserPolicy'].map(levelOf)).toEqual([
      'Full access', 'List', 'Read', 'Read', 'Read', 'Write', 'Tagging', 'Tagging', 'Permissions management', 'Permissions management', 'Permissions management',
    ]);
  });

  test('a summary tells each service, denials first', () => {
    const document = documentOf([
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 'glue:*'], Resource: 'arn:aws:s3:::b/*' },
      { Effect: 'Deny', NotAction: 's3:ListBucket', NotResource: ['x'], Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    ]);
    const [deny, glue, s3] = summarise(document);
    expect(deny).toMatchObject({ allows: false, service: '*', isExcept: true, actions: ['s3:ListBucket'], resources: ['all but x'], conditions: ['aws:SecureTransport is false'] });
    expect(glue).toMatchObject({ allows: true, service: 'glue', levels: ['Full access'] });
    expect(s3).toMatchObject({ service: 's3', levels: ['Read', 'Write'], actions: ['GetObject', 'PutObject'] });
    expect([summarise('{'), summarise('null'), summarise('{"Statement":[1]}')]).toEqual([[], [], []]);
  });

  test('conditions in words', () => {
    expect(
      conditionWords({
        StringEquals: { 'aws:PrincipalTag/team': ['a', 'b'] },
        'ForAnyValue:StringLikeIfExists': { 'aws:TagKeys': 'x*' },
        Null: { 'aws:TokenIssueTime': 'true' },
        NumericLessThan: { 's3:max-keys': '10' },
      }),
    ).toEqual(['aws:PrincipalTag/team is a or b', 'any of aws:TagKeys is like x* (or is missing)', 'aws:TokenIssueTime is missing', 's3:max-keys < 10']);
  });

  test('trust in words', () => {
    const words = trustWords(
      documentOf([
        { Effect: 'Allow', Principal: { Service: ['lambda.amazonaws.com'], AWS: 'arn:aws:iam::000000000000:root' } },
        { Effect: 'Deny', Principal: '*', Condition: { StringNotEquals: { 'sts:ExternalId': 'x' } } },
        { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:user/a/ann', Federated: 'arn:aws:iam::000000000000:oidc-provider/issuer.example/x' } },
      ]),
    );
    expect(words).toEqual([
      { allows: true, who: ['the service lambda.amazonaws.com', 'account 000000000000: whoever its policies let'], conditions: [] },
      { allows: false, who: ['everybody'], conditions: ['sts:ExternalId is not x'] },
      { allows: true, who: ['user a/ann', 'people of the identity provider issuer.example/x'], conditions: [] },
    ]);
  });

  test('statements stand where they stand', () => {
    const text = '{"Id":"Statement","Statement":[{"Sid":"a}\\"{"},\n {"Condition":{"x":[{}]}}]}';
    expect(spans(text)).toEqual([
      { start: { line: 1, column: 32 }, end: { line: 1, column: 47 } },
      { start: { line: 2, column: 2 }, end: { line: 2, column: 26 } },
    ]);
    expect(statementAt(text, { line: 2, column: 2 })).toBe(1);
    expect(spans('{"Statement":{"Effect":"Allow"}}')).toHaveLength(1);
  });

  test('what comes near, and what it lacks', () => {
    const document = documentOf([
      { Effect: 'Allow', Action: 'glue:Get*', Resource: 'arn:aws:glue:*:*:table/sales/*' },
      { Effect: 'Allow', Action: 'GLUE:gettable', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 'glue:*', Resource: '*' },
    ]);
    const found = nearMisses(document, 'glue:GetTable', 'arn:aws:glue:us-east-1:000000000000:table/flights/f');
    expect(found.map(({ at, lacks }) => [at, lacks])).toEqual([[0, 'resource'], [1, 'condition']]);
  });

  test('what is missing is the least that allows it', () => {
    expect(statements(documentOf([allowing('glue:GetTable', '')]))).toEqual([{ Sid: 'AllowGetTable', Effect: 'Allow', Action: 'glue:GetTable', Resource: '*' }]);
    const glue = 'arn:aws:glue:us-east-1:000000000000:';
    expect(allowing('glue:GetTable', `${glue}table/d/t`).Resource).toEqual([`${glue}catalog`, `${glue}database/d`, `${glue}table/d/t`]);
    expect(allowing('glue:GetTables', `${glue}database/d`).Resource).toEqual([`${glue}catalog`, `${glue}database/d`]);
  });

  test('starters are documents', () => {
    for (const template of TEMPLATES) expect(summarise(templateText(template)).length, template.id).toBeGreaterThan(0);
    for (const { service } of STARTERS) expect(trustWords(trustOf({ Service: service }))).toHaveLength(1);
    const known = new Set(ACTIONS);
    for (const template of TEMPLATES) for (const { Action } of template.statements) for (const action of [Action].flat()) expect(known, `${action}`).toContain(action);
  });
});

describe('denials', () => {
  const ann = 'arn:aws:iam::000000000000:user/ann';

  test('are read from what clients say', () => {
    expect(parseDenial(`An error occurred (AccessDeniedException) when calling the GetTable operation: User: ${ann} is not authorized to perform: glue:GetTable on resource: arn:aws:glue:us-east-1:000000000000:table/d/t because no identity-based policy allows the glue:GetTable action`)).toEqual({
      principal: ann, action: 'glue:GetTable', resource: 'arn:aws:glue:us-east-1:000000000000:table/d/t',
    });
    expect(parseDenial(`User: ${ann} is not authorized to perform: s3:PutObject on\n resource: "arn:aws:s3:::b/k.csv" with an explicit deny in a resource-based policy`)).toMatchObject({ action: 's3:PutObject', resource: 'arn:aws:s3:::b/k.csv' });
    expect(parseDenial(`User: ${ann} is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows it`)).toMatchObject({ resource: '*' });
    expect(parseDenial('lambda.amazonaws.com is not authorized to perform: sts:AssumeRole on arn:aws:iam::000000000000:role/r: its trust policy does not allow it')).toEqual({
      principal: 'lambda.amazonaws.com', action: 'sts:AssumeRole', resource: 'arn:aws:iam::000000000000:role/r',
    });
    expect(parseDenial('Table not found')).toBeUndefined();
  });

  test('a session is its role', () => {
    expect(['arn:aws:iam::0:user/a/ann', 'arn:aws:sts::0:assumed-role/Crawler/daily', 'arn:aws:iam::0:root', 'glue.amazonaws.com', 'arn:aws:sts::0:federated-user/x'].map(sourceOf)).toEqual([
      { kind: 'User', name: 'ann' }, { kind: 'Role', name: 'Crawler' }, { kind: 'root', name: 'root' }, { kind: 'service', name: 'glue.amazonaws.com' }, { kind: 'other', name: 'arn:aws:sts::0:federated-user/x' },
    ]);
  });

  test('context is told by lines', () => {
    expect(parseContext('aws:SourceIp = 10.0.0.1\n\n  s3:prefix=a/b=c \nnothing')).toEqual({ 'aws:SourceIp': '10.0.0.1', 's3:prefix': 'a/b=c' });
  });

  test('a document is judged by the statements that the simulator names', () => {
    const document = documentOf([{ Effect: 'Allow', Action: 's3:*', Resource: '*' }, { Effect: 'Deny', Action: 's3:Delete*', Resource: '*' }]);
    const policy = { name: 'own', arn: undefined, holder: { kind: 'User' as const, name: 'ann' } };
    const start = spans(document)[1]?.start;
    const denied: Verdict = { decision: 'explicitDeny', matched: [{ policy: simulatorId(policy), sort: 'user', start, end: undefined }], missing: [], withinBoundary: undefined };
    expect(judge(policy, document, 's3:DeleteObject', '*', denied)).toMatchObject({ says: 'denies', marks: [{ at: 1, tone: 'bad' }], near: [] });
    const nothing: Verdict = { ...denied, decision: 'implicitDeny', matched: [] };
    expect(judge(policy, document, 'glue:GetTable', '*', nothing).says).toBe('nothing');
  });
});
