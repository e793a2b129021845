/** All functions, and how they have fared in the last hour. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { type FunctionConfiguration, listFunctions, logGroupOf } from '../../aws/lambda';
import { bytes, count } from '../../lib/format';
import { Frame } from '../../lib/frame';
import { functionHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { useParam } from '../../lib/router';
import { Empty } from '../../lib/states';
import { Status } from '../../lib/status';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { CreateFunction } from './CreateFunction';
import { tabHref } from './hrefs';
import { hasFailed } from './invocations';
import { readInvocations } from './last-hour';
import { runtimeLabel } from './starters';
import './compute.css';

export default function Functions() {
  const functions = useLive('lambda/functions', () => listFunctions(), { every: 10_000 });
  const [dialog, setDialog] = useParam('create');
  const create = (variant: 'primary' | 'normal') => (
    <Button variant={variant} onClick={() => setDialog('function')}>
      Create function
    </Button>
  );
  return (
    <Frame title="Functions" counter={functions.data?.length} description="Code that runs when something happens: a request, an object, a message, a time." actions={create('primary')}>
      <DataTable<FunctionConfiguration>
        label="Functions"
        title={false}
        live={functions}
        sort={{ column: 'name' }}
        rowKey={({ FunctionName }) => FunctionName}
        columns={[
          { id: 'name', header: 'Name', value: ({ FunctionName }) => FunctionName, cell: ({ FunctionName, Description }) => <span title={Description}><Link href={functionHref(FunctionName)}>{FunctionName}</Link></span> },
          { id: 'runtime', header: 'Runtime', width: 115, value: ({ Runtime }) => runtimeLabel(Runtime), cell: ({ Runtime }) => runtimeLabel(Runtime) },
          { id: 'state', header: 'State', width: 105, value: ({ State }) => State, cell: ({ State }) => <Status state={State} /> },
          { id: 'memory', header: 'Memory', width: 95, align: 'right', value: ({ MemorySize }) => MemorySize, cell: ({ MemorySize }) => `${MemorySize} MB` },
          { id: 'timeout', header: 'Timeout', width: 95, align: 'right', value: ({ Timeout }) => Timeout, cell: ({ Timeout }) => `${Timeout} s` },
          { id: 'size', header: 'Code', width: 90, align: 'right', value: ({ CodeSize }) => CodeSize, cell: ({ CodeSize }) => bytes(CodeSize) },
          { id: 'hour', header: 'Last hour', width: 160, cell: (one) => <LastHour config={one} /> },
          { id: 'modified', header: 'Last modified', width: 145, value: ({ LastModified }) => LastModified, cell: ({ LastModified }) => <Time at={LastModified} relative /> },
        ]}
        empty={
          <Empty title="No functions yet" action={<SpaceBetween size="xs" direction="horizontal">{create('normal')}</SpaceBetween>}>
            A function is code in Python, Node.js or any program of your own. It runs when it is invoked: by API Gateway, by objects that come into a bucket, by messages of a queue, by EventBridge, by Step Functions, or by you.
            Stacks make them with AWS::Lambda::Function.
          </Empty>
        }
      />
      {dialog === 'function' && <CreateFunction onClose={() => setDialog('')} />}
    </Frame>
  );
}

/** Read for the rows in sight only. */
function LastHour({ config }: { config: FunctionConfiguration }) {
  const group = logGroupOf(config);
  const { data } = useLive(`logs/last-hour/${group}`, (signal) => readInvocations(group, signal), { every: 30_000 });
  if (!data) return <span>–</span>;
  const errors = data.filter(hasFailed).length;
  if (data.length === 0) return <span className="bh-soft">not invoked</span>;
  const text = errors > 0 ? `${count(errors)} of ${count(data.length)} failed` : `${count(data.length)} succeeded`;
  return (
    <Link href={tabHref(config.FunctionName, 'monitor')} ariaLabel={`${text}: ${config.FunctionName} in the last hour`}>
      <Status state={errors > 0 ? 'FAILED' : 'SUCCEEDED'} text={text} />
    </Link>
  );
}
