import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';

import { createStream } from '../../aws/firehose';
import { listRoles } from '../../aws/iam';
import { listBuckets } from '../../aws/s3';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { streamHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate } from '../../lib/router';

const FORMATS = ['UNCOMPRESSED', 'GZIP', 'ZIP', 'Snappy', 'HADOOP_SNAPPY'].map((value) => ({ value, label: value }));

/** Makes a delivery stream into S3. */
export function CreateStream({ onClose }: { onClose: () => void }) {
  const buckets = useLive('s3/buckets', () => listBuckets());
  const roles = useLive('iam/roles', () => listRoles());
  const [name, setName] = useState('');
  const [bucket, setBucket] = useState('');
  const [role, setRole] = useState('');
  const [prefix, setPrefix] = useState('');
  const [errors, setErrors] = useState('');
  const [size, setSize] = useState('5');
  const [seconds, setSeconds] = useState('60');
  const [format, setFormat] = useState('UNCOMPRESSED');
  const options = (names: readonly string[] | undefined) => (names ?? []).map((value) => ({ value, label: value.split('/').at(-1) ?? value }));
  const valid = /^[a-zA-Z0-9_.-]{1,64}$/.test(name) && bucket !== '' && role !== '';
  const save = useDeed(async () => {
    await createStream({ name, bucket, role, prefix, errorPrefix: errors, sizeInMBs: Number(size), seconds: Number(seconds), compression: format });
    invalidate('firehose/');
    notify('success', `${name} is being created`);
    navigate(streamHref(name));
  }, valid);
  const field = (label: string, value: string, set: (value: string) => void, hint?: string, type: 'text' | 'number' = 'text') => (
    <FormField label={label} constraintText={hint}>
      <Input type={type} value={value} onChange={({ detail }) => set(detail.value)} autoFocus={label === 'Name'} />
    </FormField>
  );
  return (
    <FormDialog title="Create a delivery stream" action="Create" size="large" deed={save} ready={valid} onClose={onClose}>
      {field('Name', name, setName, 'Letters, digits, . _ -')}
      <ColumnLayout columns={2}>
        <FormField label="Bucket">
          <Select selectedOption={bucket ? { value: bucket, label: bucket } : null} placeholder="Choose a bucket" filteringType="auto" options={options(buckets.data?.map((one) => one.name))} empty="No buckets yet" onChange={({ detail }) => setBucket(detail.selectedOption.value ?? '')} />
        </FormField>
        <FormField label="Role" constraintText="firehose.amazonaws.com assumes it to write into the bucket">
          <Select selectedOption={role ? { value: role, label: role.split('/').at(-1) ?? role } : null} placeholder="Choose a role" filteringType="auto" options={options(roles.data?.map((one) => one.arn))} empty="No roles yet" onChange={({ detail }) => setRole(detail.selectedOption.value ?? '')} />
        </FormField>
        {field('Prefix', prefix, setPrefix, 'raw/!{timestamp:yyyy/MM/dd}/')}
        {field('Prefix for errors', errors, setErrors, 'errors/!{firehose:error-output-type}/')}
        {field('Gather up to (MB)', size, setSize, undefined, 'number')}
        {field('Gather for (seconds)', seconds, setSeconds, '0 delivers at once', 'number')}
      </ColumnLayout>
      <FormField label="Compression">
        <Select selectedOption={FORMATS.find(({ value }) => value === format) ?? null} options={FORMATS} onChange={({ detail }) => setFormat(detail.selectedOption.value ?? 'UNCOMPRESSED')} />
      </FormField>
    </FormDialog>
  );
}
