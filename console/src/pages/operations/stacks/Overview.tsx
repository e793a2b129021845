/** What a stack is: outputs, parameters, tags, and how it was made. */
import Badge from '@cloudscape-design/components/badge';
import Container from '@cloudscape-design/components/container';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { type Stack, type StackResource, listResources } from '../../../aws/cloudformation';
import { KeyValuePairs } from '../../../lib/frame';
import { arnHref, bucketHref, objectHref, resourceHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { Empty } from '../../../lib/states';
import { Status } from '../../../lib/status';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';

export function Overview({ stack }: { stack: Stack }) {
  const resources = useLive(`cloudformation/resources/${stack.id}`, () => listResources(stack.id));
  const role = stack.role && arnHref(stack.role);
  return (
    <SpaceBetween size="l">
      <Container
        footer={<CopyToClipboard variant="inline" textToCopy={stack.id} textToDisplay={stack.id} copyButtonAriaLabel="Copy the ARN" copySuccessText="Copied" copyErrorText="It could not be copied" />}
      >
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Status', value: <Status state={stack.status} /> },
            { label: 'Created', value: <Time at={stack.created} /> },
            { label: stack.deleted ? 'Deleted' : 'Updated', value: <Time at={stack.deleted ?? stack.updated} /> },
            { label: 'Termination protection', value: stack.isProtected ? 'On' : 'Off' },
            { label: 'Status reason', value: <span className="bh-wrap">{stack.reason ?? '–'}</span> },
            { label: 'Capabilities', value: stack.capabilities.length > 0 ? <Badges names={stack.capabilities} /> : 'None' },
            { label: 'Role', value: stack.role ? role ? <Link href={role}>{stack.role}</Link> : stack.role : 'Whoever deploys it' },
            { label: 'When creation fails', value: stack.disableRollback ? 'What was made stays' : 'What was made is removed' },
          ]}
        />
      </Container>
      <Outputs stack={stack} resources={resources.data ?? []} />
      <div className="bh-two">
        <Pairs label="Parameters" pairs={Object.entries(stack.parameters)} empty="The template asks for none." />
        <Pairs label="Tags" pairs={stack.tags.map(({ key, value }) => [key, value])} empty="It has none." />
      </div>
    </SpaceBetween>
  );
}

function Badges({ names }: { names: readonly string[] }) {
  return (
    <SpaceBetween direction="horizontal" size="xxs">
      {names.map((name) => (
        <Badge key={name}>{name}</Badge>
      ))}
    </SpaceBetween>
  );
}

function Outputs({ stack, resources }: { stack: Stack; resources: readonly StackResource[] }) {
  return (
    <DataTable
      label="Outputs"
      param="outputs"
      filter={stack.outputs.length > 8}
      items={stack.outputs}
      rowKey={({ key }) => key}
      height={420}
      columns={[
        { id: 'key', header: 'Key', width: 220, value: ({ key }) => key, cell: ({ key }) => <strong>{key}</strong> },
        { id: 'value', header: 'Value', value: ({ value }) => value, cell: ({ value }) => <Value value={value} resources={resources} /> },
        { id: 'description', header: 'Description', value: ({ description }) => description, cell: ({ description }) => <span title={description}>{description ?? '–'}</span> },
        { id: 'export', header: 'Exported as', width: 220, value: ({ exportName }) => exportName, cell: ({ exportName }) => exportName ?? '–' },
      ]}
      empty={<Empty title="No outputs">What a template puts under Outputs stands here, such as the address of an API.</Empty>}
    />
  );
}

/** What an output's value leads to, in the console or outside. */
export function hrefOfValue(value: string, resources: readonly StackResource[]): string | undefined {
  if (value.startsWith('arn:')) return arnHref(value);
  const [, bucket, key] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(value) ?? [];
  if (bucket) return key && !key.endsWith('/') ? objectHref(bucket, key) : bucketHref(bucket, key);
  const same = resources.find(({ physicalId }) => physicalId === value);
  const known = same && resourceHref(same.type, value);
  return known ?? (/^https?:\/\//.test(value) ? value : undefined);
}

function Value({ value, resources }: { value: string; resources: readonly StackResource[] }) {
  const href = hrefOfValue(value, resources);
  if (!href) return <span title={value}>{value}</span>;
  return /^https?:/.test(href) ? <Link href={href} external>{value}</Link> : <Link href={href}>{value}</Link>;
}

function Pairs({ label, pairs, empty }: { label: string; pairs: readonly (readonly [string, string])[]; empty: string }) {
  return (
    <Container header={<Header variant="h2" counter={`(${pairs.length})`}>{label}</Header>}>
      {pairs.length === 0 ? (
        <span className="bh-soft">{empty}</span>
      ) : (
        <KeyValuePairs columns={2} items={pairs.map(([key, value]) => ({ label: key, value: <span className="bh-wrap">{value || '–'}</span> }))} />
      )}
    </Container>
  );
}
