import { describe, expect, test } from 'vitest';

import type { DeclaredParameter, Stack, StackEvent, TemplateSummary } from '../../../aws/cloudformation';
import { rootCause } from './causes';
import { diffLines } from './diff';
import { type Draft, EXAMPLE, changeSetName, inputOf, isReady, nameProblem, problemsOf, sourceOf, templateUrl } from './drafts';
import { references } from './references';

describe('references', () => {
  const names = ['Role', 'Table', 'Db', 'Fn'];
  const wanted = [
    { from: 'Db', to: 'Table' },
    { from: 'Role', to: 'Fn' },
    { from: 'Table', to: 'Fn' },
    { from: 'Db', to: 'Fn' },
  ];

  test('of YAML, short and long, and in texts', () => {
    const template = `Parameters:
  Role: {Type: String}
Resources:
  # Role: nothing
  Role:
    Type: AWS::IAM::Role
  Db:
    Type: AWS::Glue::Database
  Table:
    Type: AWS::Glue::Table
    Properties:
      DatabaseName: !Ref Db
  Fn:
    Type: AWS::Lambda::Function
    DependsOn:
      - Db
    Properties:
      Role: !GetAtt Role.Arn
      Environment: !Sub "s3://\${Table}/\${AWS::Region}"
Outputs:
  Fn: {Value: !Ref Role}
`;
    expect(new Set(references(template, names).map((one) => JSON.stringify(one)))).toEqual(new Set(wanted.map((one) => JSON.stringify(one))));
  });

  test('of JSON', () => {
    const template = JSON.stringify({
      Resources: {
        Role: {},
        Db: {},
        Table: { Properties: { DatabaseName: { Ref: 'Db' } } },
        Fn: { DependsOn: ['Db'], Properties: { Role: { 'Fn::GetAtt': ['Role', 'Arn'] }, X: { 'Fn::Sub': 'a ${Table}' } } },
      },
    });
    expect(new Set(references(template, names).map((one) => JSON.stringify(one)))).toEqual(new Set(wanted.map((one) => JSON.stringify(one))));
    expect(references('{', names)).toEqual([]);
  });

  test('of the example', () => {
    expect(references(EXAMPLE, ['Landing', 'Lake'])).toEqual([{ from: 'Landing', to: 'Lake' }]);
  });
});

describe('causes', () => {
  const arn = 'arn:aws:cloudformation:us-east-1:000000000000:stack/lake/1';
  const event = (logicalId: string, status: string, reason?: string): StackEvent => ({
    id: `${logicalId} ${status}`,
    logicalId,
    physicalId: logicalId === 'lake' ? arn : logicalId.toLowerCase(),
    type: logicalId === 'lake' ? 'AWS::CloudFormation::Stack' : 'AWS::S3::Bucket',
    status,
    reason,
    time: undefined,
  });

  test('the first that failed by itself, of the last operation', () => {
    const failed = [
      event('lake', 'ROLLBACK_COMPLETE'),
      event('A', 'DELETE_COMPLETE'),
      event('lake', 'ROLLBACK_IN_PROGRESS', 'The following resource(s) failed to create: [B, C].'),
      event('C', 'CREATE_FAILED', 'Resource creation cancelled'),
      event('B', 'CREATE_FAILED', 'The bucket is not empty'),
      event('A', 'CREATE_COMPLETE'),
      event('lake', 'CREATE_IN_PROGRESS', 'User Initiated'),
    ];
    expect(rootCause(failed)?.logicalId).toBe('B');
    expect(rootCause([event('lake', 'UPDATE_COMPLETE'), event('lake', 'UPDATE_IN_PROGRESS'), ...failed])).toBeUndefined();
    expect(rootCause([event('lake', 'CREATE_FAILED', 'Not allowed'), event('lake', 'CREATE_IN_PROGRESS')])?.reason).toBe('Not allowed');
  });
});

describe('drafts', () => {
  const parameter = (key: string, more: Partial<DeclaredParameter> = {}): DeclaredParameter => ({ key, type: 'String', default: undefined, description: undefined, noEcho: false, allowed: [], ...more });
  const draft: Draft = { name: 'lake', template: 'Resources: {}', url: '', inS3: false, parameters: {}, acknowledged: false, tags: [], role: '', onFailure: 'DELETE' };
  const summary = (parameters: DeclaredParameter[], capabilities: string[] = []): TemplateSummary => ({ description: undefined, parameters, capabilities, capabilitiesReason: undefined, resourceTypes: [] });
  const at = new Date(2026, 0, 31, 14, 5, 9);

  test('names', () => {
    expect(['lake', 'a-1'].map(nameProblem)).toEqual([undefined, undefined]);
    for (const wrong of ['', '1a', 'a_b', 'a'.repeat(129)]) expect(nameProblem(wrong)).toBeTypeOf('string');
    expect(changeSetName(at)).toBe('changes-20260131-140509');
  });

  test('a template is its text or an object', () => {
    expect(sourceOf(draft)).toEqual({ TemplateBody: 'Resources: {}' });
    expect(sourceOf({ ...draft, template: ' ' })).toBeUndefined();
    expect(sourceOf({ ...draft, template: 'x'.repeat(51_201) })).toBeUndefined();
    expect(templateUrl('s3://b/a b/t.yaml', 'http://h')).toBe('http://h/b/a%20b/t.yaml');
    expect(templateUrl('https://b.s3.amazonaws.com/t', 'http://h')).toBe('https://b.s3.amazonaws.com/t');
  });

  test('what is missing is said', () => {
    const declared = summary([parameter('A'), parameter('B', { default: 'b' }), parameter('N', { type: 'Number', default: '1' })], ['CAPABILITY_IAM']);
    expect(problemsOf(draft, undefined, undefined).template).toBeDefined();
    const problems = problemsOf({ ...draft, parameters: { N: 'x' } }, declared, undefined);
    expect([Object.keys(problems.parameters), problems.capabilities !== undefined]).toEqual([['A', 'N'], true]);
    expect(isReady(problemsOf({ ...draft, acknowledged: true, parameters: { A: 'a' } }, declared, undefined))).toBe(true);
  });

  test('an update keeps what nobody types, and what nobody may see', () => {
    const stack = { name: 'lake', parameters: { A: 'old', S: '****' } } as unknown as Stack;
    const declared = summary([parameter('A'), parameter('S', { noEcho: true }), parameter('New', { default: 'n' })]);
    const input = inputOf({ ...draft, tags: [{ key: '', value: 'x' }, { key: 'k', value: 'v' }] }, declared, stack, at);
    expect(input.ChangeSetType).toBe('UPDATE');
    expect(input.OnStackFailure).toBeUndefined();
    expect(input.Parameters).toEqual([
      { ParameterKey: 'A', ParameterValue: 'old' },
      { ParameterKey: 'S', UsePreviousValue: true },
      { ParameterKey: 'New', ParameterValue: 'n' },
    ]);
    expect(input.Tags).toEqual([{ Key: 'k', Value: 'v' }]);
    expect(isReady(problemsOf(draft, declared, stack))).toBe(true);
  });
});

test('two templates differ by their lines', () => {
  const marks: Record<string, string> = { added: '+', removed: '-', same: '=', skipped: '~' };
  const shown = (before: string, after: string) => diffLines(before, after).map(({ kind, text }) => `${marks[kind]}${text}`).join(' ');
  expect(shown('a\nb\nc', 'a\nx\nc\nd')).toBe('=a -b +x =c +d');
  expect(shown('1\n2\n3\n4\n5\n6', '1\n2\n3\n4\n5\n7')).toBe('~⋯ =3 =4 =5 -6 +7');
  expect(shown('a', 'a')).toBe('~⋯');
  expect(shown('', 'a')).toBe('- +a');
});
