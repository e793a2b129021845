/** Makes a Python shell job with its script, or changes what a job is. */
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type Job, createJob, updateJob } from '../../aws/glue';
import { listBuckets, putObject } from '../../aws/s3';
import { CodeEditor } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { jsonProblems } from '../../lib/json';
import { jobHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';
import { RoleField } from './fields';
import { isScript, placeOf, readArguments } from './jobs';

const STARTER = `import sys

import boto3

print("arguments:", sys.argv[1:])
for bucket in boto3.client("s3").list_buckets()["Buckets"]:
    print(bucket["Name"])
`;

const CAPACITIES = [
  { value: '0.0625', label: '1/16 DPU', description: '1 GiB of memory' },
  { value: '1', label: '1 DPU', description: '16 GiB of memory' },
];
const SOURCES = [
  { id: 'new', text: 'Write it here' },
  { id: 'old', text: 'It is in S3' },
];

export function JobForm({ job, onClose }: { job?: Job; onClose: () => void }) {
  const [name, setName] = useState(job?.Name ?? '');
  const [description, setDescription] = useState(job?.Description ?? '');
  const [role, setRole] = useState(job?.Role ?? '');
  const [source, setSource] = useState(job ? 'old' : 'new');
  const [bucket, setBucket] = useState('');
  const [script, setScript] = useState(STARTER);
  const [location, setLocation] = useState(job?.Command?.ScriptLocation ?? '');
  const [defaults, setDefaults] = useState(() => JSON.stringify(job?.DefaultArguments ?? {}, null, 2));
  const [retries, setRetries] = useState(String(job?.MaxRetries ?? 0));
  const [timeout, setTimeoutMinutes] = useState(String(job?.Timeout ?? 60));
  const [runs, setRuns] = useState(String(job?.ExecutionProperty?.MaxConcurrentRuns ?? 1));
  const [capacity, setCapacity] = useState(String(job?.MaxCapacity ?? 0.0625));
  const buckets = useLive('s3/buckets', () => listBuckets());
  const scripted = !job || isScript(job);
  const written = scripted && source === 'new';
  const given = readArguments(defaults);
  const key = `scripts/${name}.py`;
  const ready = name.trim() !== '' && role !== '' && given !== undefined && (!scripted || (written ? bucket !== '' : placeOf(location) !== undefined));
  const save = useDeed(async () => {
    if (written) await putObject(bucket, key, script, 'text/x-python');
    const change: Partial<Job> = {
      Role: role,
      Description: description,
      DefaultArguments: given ?? {},
      MaxRetries: Number(retries),
      Timeout: Number(timeout),
      ExecutionProperty: { MaxConcurrentRuns: Number(runs) },
      ...(scripted ? { MaxCapacity: Number(capacity), Command: { ...(job?.Command ?? { Name: 'pythonshell', PythonVersion: '3.9' }), ScriptLocation: written ? `s3://${bucket}/${key}` : location } } : {}),
    };
    await (job ? updateJob(job.Name, change) : createJob({ ...change, Name: name, Role: role }));
    invalidate('glue/');
    notify('success', `${name} is ${job ? 'changed' : 'created'}`);
    onClose();
    if (!job) navigate(jobHref(name));
  }, ready);
  const number = (label: string, value: string, set: (value: string) => void, hint: string) => (
    <FormField label={label} constraintText={hint}>
      <Input type="number" value={value} onChange={({ detail }) => set(detail.value)} />
    </FormField>
  );
  return (
    <FormDialog title={job ? `Edit ${job.Name}` : 'Create a Python shell job'} action={job ? 'Save' : 'Create job'} size="large" deed={save} ready={ready} failed={job ? 'It was not changed' : 'It was not created'} onClose={onClose}>
      <ColumnLayout columns={2}>
        {!job && (
          <FormField label="Name">
            <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
          </FormField>
        )}
        <RoleField service="glue.amazonaws.com" value={role} onChange={setRole} />
        <FormField label="Description">
          <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
        </FormField>
        {!job && (
          <FormField label="Script">
            <SegmentedControl label="Script" selectedId={source} options={SOURCES} onChange={({ detail }) => setSource(detail.selectedId)} />
          </FormField>
        )}
      </ColumnLayout>
      {written && (
        <SpaceBetween size="s">
          <FormField label="Bucket of the script" constraintText={bucket && name ? `It is kept as s3://${bucket}/${key}` : undefined}>
            <Select selectedOption={bucket ? { value: bucket, label: bucket } : null} placeholder="Choose a bucket" filteringType="auto" filteringAriaLabel="Find buckets" empty="No buckets yet" options={(buckets.data ?? []).map((one) => ({ value: one.name, label: one.name }))} onChange={({ detail }) => setBucket(detail.selectedOption.value ?? '')} />
          </FormField>
          <CodeEditor label="Script" language="python" value={script} onChange={setScript} minHeight={170} height={220} />
        </SpaceBetween>
      )}
      {scripted && !written && (
        <FormField label="Script" constraintText="s3://bucket/key.py">
          <Input value={location} onChange={({ detail }) => setLocation(detail.value)} />
        </FormField>
      )}
      <ColumnLayout columns={4}>
        {number('Retries', retries, setRetries, '0 to 10')}
        {number('Timeout (minutes)', timeout, setTimeoutMinutes, '1 to 10080')}
        {number('Runs at once', runs, setRuns, '1 at least')}
        {scripted && (
          <FormField label="Capacity">
            <Select selectedOption={CAPACITIES.find(({ value }) => value === capacity) ?? null} options={CAPACITIES} onChange={({ detail }) => setCapacity(detail.selectedOption.value ?? '0.0625')} />
          </FormField>
        )}
      </ColumnLayout>
      <FormField label="Default arguments" description='Names and texts; "--job-bookmark-option": "job-bookmark-enable" makes runs of visual jobs leave out what earlier ones have read.' errorText={jsonProblems(defaults)[0]?.message ?? (given ? undefined : 'Names and texts: {"--day": "2026-03-01"}')} stretch>
        <CodeEditor label="Default arguments" language="json" value={defaults} onChange={setDefaults} problems={jsonProblems(defaults)} minHeight={80} />
      </FormField>
    </FormDialog>
  );
}
