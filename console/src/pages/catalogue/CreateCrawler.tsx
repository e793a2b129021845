/** The form of a new crawler: what it looks at, where it writes, as whom. */
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { getDatabases, startCrawler } from '../../aws/glue';
import { createDatabase } from '../../aws/glue-catalog';
import { createCrawler } from '../../aws/glue-crawlers';
import { iam } from '../../aws/iam';
import { Frame } from '../../lib/frame';
import { crawlerHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to, useParam } from '../../lib/router';
import { ErrorBox } from '../../lib/states';
import { Advanced, type Choices, DatabaseField, NEW_ROLE, RoleField, TargetsField } from './CrawlerFields';
import { TRUST, pathProblem, policyFor } from './crawls';

const START: Choices = { update: 'UPDATE_IN_DATABASE', remove: 'DEPRECATE_IN_DATABASE', prefix: '', classifiers: [], exclusions: '' };

interface Draft {
  name: string;
  description: string;
  paths: string[];
  database: string;
  role: string;
  run: boolean;
}

/** What is missing in a draft, by its field. */
export function problemsOf({ name, paths, database, role }: Draft): Partial<Record<keyof Draft, string>> {
  return {
    ...(name === '' ? { name: 'A crawler has a name.' } : {}),
    ...(paths.some(pathProblem) ? { paths: paths.map(pathProblem).find(Boolean) ?? '' } : {}),
    ...(database === '' ? { database: 'Choose a database, or type the name of a new one.' } : {}),
    ...(role === '' ? { role: 'Choose a role, or let one be made.' } : {}),
  };
}

/** Makes the role that a crawler needs, as AWS's console does. */
async function makeRole(name: string, paths: readonly string[]): Promise<string> {
  const RoleName = `AWSGlueServiceRole-${name.replace(/[^\w+=,.@-]/g, '-')}`.slice(0, 64);
  const made = await iam('CreateRole', { RoleName, AssumeRolePolicyDocument: TRUST, Description: `Of the crawler ${name}` });
  await iam('PutRolePolicy', { RoleName, PolicyName: 'crawl', PolicyDocument: policyFor(paths) });
  return made.text('Role', 'Arn');
}

export default function CreateCrawler() {
  const [path] = useParam('path');
  const [database] = useParam('database');
  const [draft, setDraft] = useState<Draft>({ name: '', description: '', paths: [path], database, role: NEW_ROLE, run: true });
  const [choices, setChoices] = useState(START);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AwsError>();
  const databases = useLive('glue/databases', () => getDatabases());
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const problems = problemsOf(draft);
  const shown = asked ? problems : {};
  const create = async () => {
    setAsked(true);
    if (Object.keys(problems).length > 0 || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      if (!databases.data?.some(({ Name }) => Name === draft.database)) await createDatabase({ Name: draft.database });
      const role = draft.role === NEW_ROLE ? await makeRole(draft.name, draft.paths) : draft.role;
      // A second attempt takes the role that the first one has made.
      change({ role });
      const Exclusions = choices.exclusions.split('\n').map((line) => line.trim()).filter(Boolean);
      await createCrawler({
        Name: draft.name,
        Role: role,
        DatabaseName: draft.database,
        ...(draft.description ? { Description: draft.description } : {}),
        ...(choices.prefix ? { TablePrefix: choices.prefix } : {}),
        ...(choices.classifiers.length > 0 ? { Classifiers: choices.classifiers } : {}),
        Targets: { S3Targets: draft.paths.map((Path) => ({ Path, ...(Exclusions.length > 0 ? { Exclusions } : {}) })) },
        SchemaChangePolicy: { UpdateBehavior: choices.update, DeleteBehavior: choices.remove },
      });
      if (draft.run) await startCrawler(draft.name);
      notify('success', `Crawler ${draft.name} is created`);
      invalidate('glue/');
      navigate(crawlerHref(draft.name));
    } catch (failed) {
      setError(asAwsError(failed));
      setBusy(false);
    }
  };
  return (
    <Frame title="Create crawler" description="It looks at files in S3, and writes the tables that they are into the catalogue.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" href={to('/catalogue/crawlers')}>
                Cancel
              </Button>
              <Button variant="primary" loading={busy}>
                Create crawler
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <Container header={<Header variant="h2">Crawler</Header>}>
              <SpaceBetween size="l">
                <FormField label="Name" errorText={shown.name}>
                  <Input value={draft.name} onChange={({ detail }) => change({ name: detail.value })} placeholder="flights-raw" autoFocus autoComplete={false} />
                </FormField>
                <FormField label="Description" description="Optional">
                  <Input value={draft.description} onChange={({ detail }) => change({ description: detail.value })} />
                </FormField>
                <TargetsField paths={draft.paths} onChange={(paths) => change({ paths })} error={shown.paths} />
                <DatabaseField value={draft.database} known={databases.data ?? []} onChange={(value) => change({ database: value })} error={shown.database} />
                <RoleField value={draft.role} onChange={(role) => change({ role })} error={shown.role} />
              </SpaceBetween>
            </Container>
            <ExpandableSection variant="container" headerText="More options">
              <Advanced value={choices} onChange={setChoices} />
            </ExpandableSection>
            <Checkbox checked={draft.run} onChange={({ detail }) => change({ run: detail.checked })}>
              Run it now
            </Checkbox>
            {error && <ErrorBox error={error} what="The crawler was not created" />}
          </SpaceBetween>
        </Form>
      </form>
    </Frame>
  );
}
