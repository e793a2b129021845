/** What came of an invocation: the answer or the error, what it took, the end of its log. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';

import { JsonView } from '../../lib/editor';
import { duration } from '../../lib/format';
import { KeyValuePairs } from '../../lib/frame';
import { reportOf, requestOf } from '../../lib/log-lines';
import { LogRows } from '../../lib/log-rows';
import { type Failure, culprit, failureOf } from './failure';
import { codeHref, logsHref } from './hrefs';
import type { Tried } from './TestTab';

export function Outcome({ name, tried }: { name: string; tried: Tried }) {
  const lines = useMemo(() => tried.log.split('\n').filter(Boolean).map((message, at) => ({ message, timestamp: 0, eventId: String(at) })), [tried.log]);
  const report = lines.map(({ message }) => reportOf(message)).find(Boolean);
  const request = tried.requestId ?? lines.map(({ message }) => requestOf(message)).find(Boolean);
  const failure = tried.error ? failureOf(tried.payload) : undefined;
  return (
    <SpaceBetween size="m">
      <Alert type={tried.error ? 'error' : 'success'} header={tried.error ? (failure ? `${failure.type}: ${failure.message}` : `The function failed (${tried.error})`) : 'The function succeeded'}>
        {failure && <Stack name={name} failure={failure} />}
      </Alert>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Duration', value: report ? `${duration(report.duration)}, billed ${duration(report.billed)}` : duration(tried.ms) },
          { label: 'Start of the instance', value: report?.init === undefined ? 'was warm' : duration(report.init) },
          { label: 'Memory', value: report ? `${report.maxMemory} of ${report.memorySize} MB` : '–' },
          { label: 'Version', value: tried.version ?? '–' },
        ]}
      />
      {!failure && <Answer payload={tried.payload} />}
      {lines.length > 0 && (
        <div>
          <div className="bh-codebar">
            <Box variant="h3">Log</Box>
            {request && <Link href={logsHref(name, request)}>All lines of request {request}</Link>}
          </div>
          <LogRows label="Log of the test" lines={lines} times={false} wrap height={260} />
        </div>
      )}
    </SpaceBetween>
  );
}

function Answer({ payload }: { payload: string }) {
  return (
    <div>
      <Box variant="h3">Answer</Box>
      <JsonView label="Answer" value={payload} {...(payload.split(',').length > 12 ? { height: 280 } : {})} />
    </div>
  );
}

/** The stack trace; lines of the function's own code lead there. */
function Stack({ name, failure }: { name: string; failure: Failure }) {
  const here = culprit(failure);
  return (
    <SpaceBetween size="xs">
      {failure.stack.length > 0 && (
        <ol className="bh-stack" aria-label="Stack trace">
          {failure.stack.map((one, at) => (
            <li key={at}>{one.file ? <Link href={codeHref(name, one.file, one.line)}>{one.text.trim()}</Link> : one.text}</li>
          ))}
        </ol>
      )}
      {here?.file && (
        <Link href={codeHref(name, here.file, here.line)}>
          Open {here.file} at line {here.line}
        </Link>
      )}
    </SpaceBetween>
  );
}
