/** Who may do what with a bucket: Block Public Access, its policy, whose browsers may call it, who owns objects. */
import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';

import { CORS, PUBLIC_ACCESS, type Json, deleteDocument, putDocument, putPolicy } from '../../aws/s3-documents';
import { notify, notifyError } from '../../lib/notify';
import { Shown } from '../../lib/states';
import { JsonForm } from './JsonForm';
import { SWITCHES, type Switches, useCors, useOwnership, usePolicy, usePublicAccess } from './configuration';

export function Permissions({ bucket }: { bucket: string }) {
  return (
    <SpaceBetween size="l">
      <PublicAccess bucket={bucket} />
      <Policy bucket={bucket} />
      <Cors bucket={bucket} />
      <Ownership bucket={bucket} />
    </SpaceBetween>
  );
}

const SAID: Record<keyof Switches, string> = {
  BlockPublicAcls: 'Refuses new ACLs that make objects public',
  IgnorePublicAcls: 'Ignores public ACLs that are there',
  BlockPublicPolicy: 'Refuses bucket policies that make the bucket public',
  RestrictPublicBuckets: 'Lets nobody else in, though a policy is public',
};

function PublicAccess({ bucket }: { bucket: string }) {
  const live = usePublicAccess(bucket);
  const [busy, setBusy] = useState(false);
  const set = async (next: Switches) => {
    setBusy(true);
    try {
      await putDocument(bucket, PUBLIC_ACCESS, next);
      await live.refresh();
      notify('success', 'Block Public Access: saved');
    } catch (error) {
      notifyError('Block Public Access was not changed', error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Container header={<Header variant="h2" description="Holds whatever ACLs and policies say.">Block Public Access</Header>}>
      <Shown live={live} what="Block Public Access can't be read">
        {(now) => (
          <SpaceBetween size="s">
            {SWITCHES.map((name) => (
              <Toggle key={name} checked={now[name]} disabled={busy} description={SAID[name]} onChange={({ detail }) => void set({ ...now, [name]: detail.checked })}>
                {name}
              </Toggle>
            ))}
          </SpaceBetween>
        )}
      </Shown>
    </Container>
  );
}

function Policy({ bucket }: { bucket: string }) {
  const live = usePolicy(bucket);
  const example = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:role/NAME' }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` },
    ],
  });
  const put = async (text: string) => {
    await putPolicy(bucket, text);
    await live.refresh();
  };
  return (
    <Shown live={live} what="The policy can't be read">
      {(policy) => (
        <JsonForm
          title="Bucket policy"
          description="What principals may do here, beside what their own policies say."
          value={policy}
          example={example}
          onSave={put}
          onDelete={() => put('')}
          deletion={<Alert type="warning">Whoever gets in by this policy alone gets in no more.</Alert>}
        />
      )}
    </Shown>
  );
}

const CORS_EXAMPLE = JSON.stringify({ CORSRules: [{ AllowedOrigins: ['https://example.com'], AllowedMethods: ['GET'], AllowedHeaders: ['*'], MaxAgeSeconds: 3000 }] });

function Cors({ bucket }: { bucket: string }) {
  const live = useCors(bucket);
  return (
    <Shown live={live} what="The CORS rules can't be read">
      {(document) => (
        <JsonForm
          title="Cross-origin resource sharing (CORS)"
          description="Which other sites' pages may call this bucket."
          value={document ? JSON.stringify(document) : ''}
          example={CORS_EXAMPLE}
          onSave={async (text) => {
            await putDocument(bucket, CORS, JSON.parse(text) as Json);
            await live.refresh();
          }}
          onDelete={async () => {
            await deleteDocument(bucket, CORS);
            await live.refresh();
          }}
        />
      )}
    </Shown>
  );
}

function Ownership({ bucket }: { bucket: string }) {
  const live = useOwnership(bucket);
  return (
    <Container header={<Header variant="h2" description="Whether ACLs count here.">Object Ownership</Header>}>
      <Shown live={live} what="Object Ownership can't be read">
        {(ownership) => <KeyValuePairs items={[{ label: 'Object Ownership', value: ownership || 'ObjectWriter' }]} />}
      </Shown>
    </Container>
  );
}
