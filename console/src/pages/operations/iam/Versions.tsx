/** The versions of a managed policy: which one counts, and going back to another. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { iam } from '../../../aws/iam';
import { type PolicyDetails, type PolicyVersion, policyVersions, versionDocument } from '../../../aws/iam-policies';
import { ConfirmDelete } from '../../../lib/confirm';
import { invalidate, useLive } from '../../../lib/live';
import { notify, notifyError } from '../../../lib/notify';
import { useParam } from '../../../lib/router';
import { Shown } from '../../../lib/states';
import { Status } from '../../../lib/status';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { PolicyText } from './PolicyText';

export function Versions({ policy, editable }: { policy: PolicyDetails; editable: boolean }) {
  const { arn, name, defaultVersion } = policy;
  const versions = useLive(`iam/versions/${arn}`, () => policyVersions(arn), { every: 15_000 });
  const [chosen, setChosen] = useParam('version', defaultVersion);
  const [doomed, setDoomed] = useState<PolicyVersion>();
  const choose = async ({ id }: PolicyVersion) => {
    try {
      await iam('SetDefaultPolicyVersion', { PolicyArn: arn, VersionId: id });
      notify('success', `${id} of ${name} counts now`);
    } catch (error) {
      notifyError('The version was not changed', error);
    }
    invalidate('iam/');
  };
  return (
    <SpaceBetween size="m">
      <DataTable
        label="Versions"
        filter={false}
        live={versions}
        rowKey={({ id }) => id}
        onRowClick={({ id }) => setChosen(id)}
        columns={[
          { id: 'id', header: 'Version', width: 110, cell: ({ id }) => <Button variant="inline-link" onClick={() => setChosen(id)}>{id}</Button> },
          { id: 'state', header: 'State', cell: ({ isDefault }) => (isDefault ? <Status state="ACTIVE" text="Counts" /> : <Status state="INACTIVE" text="Kept" />) },
          { id: 'created', header: 'Created', width: 190, cell: ({ created }) => <Time at={created} /> },
          {
            id: 'actions',
            header: 'Actions',
            width: 220,
            cell: (version) =>
              editable && !version.isDefault ? (
                <SpaceBetween direction="horizontal" size="s">
                  <Button variant="inline-link" ariaLabel={`Let ${version.id} count`} onClick={() => void choose(version)}>
                    Let it count
                  </Button>
                  <Button variant="inline-link" ariaLabel={`Delete ${version.id}`} onClick={() => setDoomed(version)}>
                    Delete
                  </Button>
                </SpaceBetween>
              ) : (
                '–'
              ),
          },
        ]}
      />
      <VersionText arn={arn} id={chosen} />
      {doomed && (
        <ConfirmDelete
          what={`version ${doomed.id}`}
          onClose={() => setDoomed(undefined)}
          onConfirm={async () => {
            await iam('DeletePolicyVersion', { PolicyArn: arn, VersionId: doomed.id });
            notify('success', `${doomed.id} of ${name} is deleted`);
            setChosen(defaultVersion);
            invalidate('iam/');
          }}
        >
          <Alert type="warning">It does not count, so nobody loses anything; but nobody can go back to it.</Alert>
        </ConfirmDelete>
      )}
    </SpaceBetween>
  );
}

function VersionText({ arn, id }: { arn: string; id: string }) {
  const document = useLive(`iam/version/${arn}/${id}`, () => versionDocument(arn, id));
  return (
    <Shown live={document} what="The version can't be read">
      {(text) => <PolicyText label={`Document of ${id}`} document={text} />}
    </Shown>
  );
}
