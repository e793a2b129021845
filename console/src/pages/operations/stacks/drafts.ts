/** What somebody wants a stack to be, before the server is asked what that would change. */
import type { ChangeSetInput, DeclaredParameter, Stack, StackTag, TemplateSource, TemplateSummary } from '../../../aws/cloudformation';

export interface Draft {
  name: string;
  /** The template's text, unless `url` names an object. */
  template: string;
  url: string;
  inS3: boolean;
  /** What was typed for parameters; what was not keeps its value, or its default. */
  parameters: Record<string, string>;
  acknowledged: boolean;
  tags: StackTag[];
  role: string;
  onFailure: string;
}

/** Bytes of a template that a call carries; larger ones lie in S3. */
export const MOST_BYTES = 51_200;

export const size = (template: string) => new TextEncoder().encode(template).length;

/** `s3://bucket/key` as the address that CloudFormation takes, which is one of this server. */
export function templateUrl(url: string, origin = location.origin): string {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url.trim()) ?? [];
  return bucket && key ? `${origin}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}` : url.trim();
}

/** Where the template is; nowhere as long as there is none. */
export function sourceOf({ template, url, inS3 }: Pick<Draft, 'template' | 'url' | 'inS3'>): Extract<TemplateSource, { TemplateBody: string } | { TemplateURL: string }> | undefined {
  if (inS3) return url.trim() === '' ? undefined : { TemplateURL: templateUrl(url) };
  return template.trim() === '' || size(template) > MOST_BYTES ? undefined : { TemplateBody: template };
}

/** What a parameter has where nobody types anything. */
export function presentValue(parameter: DeclaredParameter, stack: Stack | undefined): string {
  const kept = stack?.parameters[parameter.key];
  // What must not be shown is not known here.
  return (parameter.noEcho ? undefined : kept) ?? parameter.default ?? '';
}

/** Whether the stack keeps a value that nobody may see. */
export const keepsSecret = (parameter: DeclaredParameter, stack: Stack | undefined) => parameter.noEcho && stack?.parameters[parameter.key] !== undefined;

export function nameProblem(name: string): string | undefined {
  if (name === '') return 'A stack has a name.';
  if (name.length > 128) return 'At most 128 characters.';
  return /^[a-zA-Z][-a-zA-Z0-9]*$/.test(name) ? undefined : 'Letters, digits and hyphens, beginning with a letter.';
}

function parameterProblem(parameter: DeclaredParameter, draft: Draft, stack: Stack | undefined): string | undefined {
  const value = draft.parameters[parameter.key] ?? presentValue(parameter, stack);
  if (value === '') return keepsSecret(parameter, stack) || parameter.default !== undefined ? undefined : 'It has no default: give it a value.';
  return parameter.type === 'Number' && Number.isNaN(Number(value)) ? 'A number.' : undefined;
}

export interface Problems {
  name?: string;
  template?: string;
  capabilities?: string;
  parameters: Record<string, string>;
}

/** What is missing in a draft. */
export function problemsOf(draft: Draft, summary: TemplateSummary | undefined, stack: Stack | undefined): Problems {
  const name = stack ? undefined : nameProblem(draft.name);
  const parameters = (summary?.parameters ?? []).flatMap((parameter) => {
    const problem = parameterProblem(parameter, draft, stack);
    return problem ? [[parameter.key, problem]] : [];
  });
  return {
    ...(name ? { name } : {}),
    ...(summary ? {} : { template: 'The template must be one that can be read.' }),
    ...(summary && summary.capabilities.length > 0 && !draft.acknowledged ? { capabilities: 'It must be acknowledged.' } : {}),
    parameters: Object.fromEntries(parameters) as Record<string, string>,
  };
}

export const isReady = ({ parameters, ...others }: Problems) => Object.keys(others).length === 0 && Object.keys(parameters).length === 0;

const pad = (value: number) => String(value).padStart(2, '0');

/** A change set's name by the time: `changes-20260131-140509`. */
export function changeSetName(at: Date): string {
  const day = `${at.getFullYear()}${pad(at.getMonth() + 1)}${pad(at.getDate())}`;
  return `changes-${day}-${pad(at.getHours())}${pad(at.getMinutes())}${pad(at.getSeconds())}`;
}

/** The call that asks what a draft would change. */
export function inputOf(draft: Draft, summary: TemplateSummary, stack: Stack | undefined, at: Date): ChangeSetInput {
  return {
    StackName: stack?.name ?? draft.name,
    ChangeSetName: changeSetName(at),
    ChangeSetType: stack ? 'UPDATE' : 'CREATE',
    ...sourceOf(draft),
    Parameters: summary.parameters.flatMap((parameter): ChangeSetInput['Parameters'] => {
      const typed = draft.parameters[parameter.key];
      if (!typed && keepsSecret(parameter, stack)) return [{ ParameterKey: parameter.key, UsePreviousValue: true }];
      const value = typed ?? presentValue(parameter, stack);
      return value === '' && parameter.default === undefined ? [] : [{ ParameterKey: parameter.key, ParameterValue: value }];
    }),
    Capabilities: summary.capabilities,
    Tags: draft.tags.filter(({ key }) => key !== '').map(({ key, value }) => ({ Key: key, Value: value })),
    ...(draft.role ? { RoleARN: draft.role } : {}),
    ...(stack ? {} : { OnStackFailure: draft.onFailure }),
  };
}

/** A template to begin with. */
export const EXAMPLE = `AWSTemplateFormatVersion: "2010-09-09"
Description: A bucket for what arrives, and a database for the tables in it.

Parameters:
  Retention:
    Type: Number
    Default: 30
    Description: Days after which old versions go

Resources:
  Landing:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration:
        Status: Enabled
      LifecycleConfiguration:
        Rules:
          - Id: old-versions
            Status: Enabled
            NoncurrentVersionExpiration:
              NoncurrentDays: !Ref Retention

  Lake:
    Type: AWS::Glue::Database
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseInput:
        Description: !Sub Tables over \${Landing}
        LocationUri: !Sub s3://\${Landing}/

Outputs:
  Bucket:
    Description: Where files go
    Value: !Ref Landing
`;
