/** HTTP APIs of API Gateway. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { type Api, createApi, getApis } from '../../aws/apigateway';
import { listFunctions } from '../../aws/lambda';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { Frame } from '../../lib/frame';
import { apiHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';

export default function Apis() {
  const apis = useLive('apigateway/apis', () => getApis(), { every: 10_000 });
  const [creating, setCreating] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      Create HTTP API
    </Button>
  );
  return (
    <Frame title="HTTP APIs" counter={apis.data?.length} description="Addresses that functions, buses and state machines answer, by API Gateway." actions={create}>
      <DataTable<Api>
        label="HTTP APIs"
        title={false}
        live={apis}
        rowKey={(api) => api.apiId}
        columns={[
          { id: 'name', header: 'Name', value: (api) => api.name, cell: (api) => <Link href={apiHref(api.apiId)}>{api.name}</Link> },
          { id: 'id', header: 'ID', width: 150, value: (api) => api.apiId, cell: (api) => api.apiId },
          { id: 'endpoint', header: 'Endpoint', value: (api) => api.apiEndpoint, cell: (api) => <span title={api.apiEndpoint}>{api.apiEndpoint}</span> },
          { id: 'description', header: 'Description', value: (api) => api.description, cell: (api) => api.description ?? '–' },
          { id: 'created', header: 'Created', width: 190, value: (api) => api.createdDate, cell: (api) => <Time at={api.createdDate} /> },
        ]}
        empty={
          <Empty title="No HTTP APIs yet" action={create}>
            An API maps methods and paths to functions: uploads come in by one, and answers go out.
          </Empty>
        }
      />
      {creating && <Create onClose={() => setCreating(false)} />}
    </Frame>
  );
}

/** An API whose every path is answered by a function, as CreateApi with a target makes it. */
function Create({ onClose }: { onClose: () => void }) {
  const functions = useLive('lambda/functions', () => listFunctions());
  const [name, setName] = useState('');
  const [target, setTarget] = useState('');
  const options = (functions.data ?? []).map(({ FunctionName, FunctionArn }) => ({ value: FunctionArn, label: FunctionName }));
  const ready = name.trim() !== '';
  const save = useDeed(async () => {
    const { apiId } = await createApi(name, target);
    notify('success', `${name} is created`);
    navigate(apiHref(apiId));
  }, ready);
  return (
    <FormDialog title="Create an HTTP API" action="Create" deed={save} ready={ready} onClose={onClose}>
      <FormField label="Name">
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
      <FormField label="Function" description="It answers every path. The function must allow apigateway.amazonaws.com to invoke it.">
        <Select selectedOption={options.find(({ value }) => value === target) ?? null} placeholder="None yet" options={options} filteringType="auto" empty="No functions yet" onChange={({ detail }) => setTarget(detail.selectedOption.value ?? '')} />
      </FormField>
    </FormDialog>
  );
}
