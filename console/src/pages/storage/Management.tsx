/** What becomes of objects by themselves, and uploads that were never completed. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { LIFECYCLE, type Json, deleteDocument, putDocument } from '../../aws/s3-documents';
import { type Upload, abortUpload, listUploads } from '../../aws/s3-objects';
import { ConfirmDelete } from '../../lib/confirm';
import { count } from '../../lib/format';
import { useLive } from '../../lib/live';
import { Shown } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { JsonForm } from './JsonForm';
import { useLifecycle } from './configuration';
import { lifecycleRules } from './rules';

export function Management({ bucket }: { bucket: string }) {
  return (
    <SpaceBetween size="l">
      <Lifecycle bucket={bucket} />
      <Unfinished bucket={bucket} />
    </SpaceBetween>
  );
}

const EXAMPLE = JSON.stringify({ Rules: [{ ID: 'expire-temporary', Status: 'Enabled', Filter: { Prefix: 'tmp/' }, Expiration: { Days: 7 } }] });

function Lifecycle({ bucket }: { bucket: string }) {
  const live = useLifecycle(bucket);
  return (
    <Shown live={live} what="The lifecycle rules can't be read">
      {(document) => (
        <JsonForm
          title="Lifecycle rules"
          description="Carried out at each midnight (UTC)."
          value={document ? JSON.stringify(document) : ''}
          example={EXAMPLE}
          onSave={async (text) => {
            await putDocument(bucket, LIFECYCLE, JSON.parse(text) as Json);
            await live.refresh();
          }}
          onDelete={async () => {
            await deleteDocument(bucket, LIFECYCLE);
            await live.refresh();
          }}
        >
          <Rules document={document} />
        </JsonForm>
      )}
    </Shown>
  );
}

function Rules({ document }: { document: { [name: string]: Json } | null }) {
  const rules = lifecycleRules(document);
  if (rules.length === 0) return <span className="bh-soft">No rules: objects stay until somebody deletes them.</span>;
  return (
    <div>
      {rules.map((rule, at) => (
        <div className="bh-rule" key={at}>
          <SpaceBetween direction="horizontal" size="s">
            <Box variant="h3" tagOverride="span">
              {rule.id}
            </Box>
            <Status state={rule.enabled ? 'ENABLED' : 'DISABLED'} />
          </SpaceBetween>
          <div>{rule.scope}:</div>
          <ul>
            {rule.actions.map((action) => (
              <li key={action}>{action}</li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

const idOf = ({ key, uploadId }: Upload) => `${key}\n${uploadId}`;

function Unfinished({ bucket }: { bucket: string }) {
  const live = useLive(`s3/uploads/${bucket}`, (signal) => listUploads(bucket, { signal }));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState(false);
  const doomed = (live.data ?? []).filter((upload) => chosen.has(idOf(upload)));
  const abort = async () => {
    for (const { key, uploadId } of doomed) await abortUpload(bucket, key, uploadId);
    setChosen(new Set());
    await live.refresh();
  };
  return (
    <>
      <DataTable
        label="Unfinished uploads"
        description="Uploads in parts that were neither completed nor given up. Their parts take room."
        live={live}
        rowKey={idOf}
        selected={chosen}
        onSelect={setChosen}
        actions={
          <Button disabled={doomed.length === 0} onClick={() => setAsked(true)}>
            Give up
          </Button>
        }
        columns={[
          { id: 'key', header: 'Key', value: (upload) => upload.key, cell: (upload) => upload.key },
          { id: 'started', header: 'Started', width: 220, value: (upload) => upload.started, cell: (upload) => <Time at={upload.started} /> },
        ]}
        empty={<p className="bh-soft">There are none.</p>}
      />
      {asked && <ConfirmDelete verb="Give up" what={`${count(doomed.length)} ${doomed.length === 1 ? 'upload' : 'uploads'}`} onConfirm={abort} onClose={() => setAsked(false)} />}
    </>
  );
}
