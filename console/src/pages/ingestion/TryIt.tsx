/** Calls a route of an API, as its clients do. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';

import { invokePath } from '../../aws/apigateway';
import { requireSession, signingTime } from '../../aws/session';
import { sign } from '../../aws/sigv4';
import { CodeEditor } from '../../lib/editor';
import { bytes, duration, prettyJson } from '../../lib/format';
import { Empty } from '../../lib/states';
import type { Parts } from './Api';
import { fill, routeParts } from './route';

interface Answer {
  status: number;
  statusText: string;
  ms: number;
  headers: [string, string][];
  body: string;
  size: number;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const SHOWN = 200_000;

/** Lines of `name: value`. */
export function headersOf(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => /^([^:\s]+):\s*(.*)$/.exec(line.trim()));
  return Object.fromEntries(lines.flatMap((line) => (line ? [[(line[1] ?? '').toLowerCase(), line[2] ?? '']] : [])));
}

export interface TryItProps {
  api: string;
  parts: Parts;
  routeKey: string;
  onRoute: (key: string) => void;
}

export function TryIt({ api, parts: { routes, stages }, routeKey, onRoute }: TryItProps) {
  const route = routes.find((one) => one.routeKey === routeKey) ?? routes[0];
  const { method: own, path: pattern, variables } = routeParts(route?.routeKey ?? '');
  const [stage, setStage] = useState(stages.find(({ stageName }) => stageName === '$default')?.stageName ?? stages[0]?.stageName ?? '$default');
  const [method, setMethod] = useState(own === 'ANY' ? 'GET' : own);
  const [values, setValues] = useState<Record<string, string>>({});
  const [free, setFree] = useState('/');
  const [query, setQuery] = useState('');
  const [headers, setHeaders] = useState('');
  const [body, setBody] = useState('');
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer | Error>();
  if (!route) return <Empty title="No routes yet">There is nothing to call.</Empty>;
  const isDefault = route.routeKey === '$default';
  const path = invokePath(api, stage) + (isDefault ? free : fill(pattern, values));
  const withBody = method !== 'GET' && method !== 'HEAD';
  const call = async () => {
    setBusy(true);
    try {
      setAnswer(await send({ method, path, query, headers: headersOf(headers), body: withBody ? body : '', signed: route.authorizationType === 'AWS_IAM' }));
    } catch (failed) {
      setAnswer(failed instanceof Error ? failed : new Error(String(failed)));
    } finally {
      setBusy(false);
    }
  };
  const option = (value: string) => ({ value, label: value });
  return (
    <div className="bh-try">
      <SpaceBetween size="m">
        <FormField label="Route">
          <Select selectedOption={option(route.routeKey)} options={routes.map((one) => option(one.routeKey))} onChange={({ detail }) => onRoute(detail.selectedOption.value ?? '')} />
        </FormField>
        <div className="bh-pairs">
          <FormField label="Method">
            <Select selectedOption={option(method)} options={(own === 'ANY' ? METHODS : [own]).map(option)} onChange={({ detail }) => setMethod(detail.selectedOption.value ?? 'GET')} />
          </FormField>
          <FormField label="Stage">
            <Select selectedOption={option(stage)} options={stages.map(({ stageName }) => option(stageName))} empty="No stages yet" onChange={({ detail }) => setStage(detail.selectedOption.value ?? '')} />
          </FormField>
          {isDefault && (
            <FormField label="Path">
              <Input value={free} onChange={({ detail }) => setFree(detail.value.startsWith('/') ? detail.value : `/${detail.value}`)} />
            </FormField>
          )}
          {variables.map((name) => (
            <FormField key={name} label={`{${name}}`}>
              <Input value={values[name] ?? ''} onChange={({ detail }) => setValues({ ...values, [name]: detail.value })} />
            </FormField>
          ))}
        </div>
        <FormField label="Query" constraintText="from=BER&limit=10">
          <Input value={query} onChange={({ detail }) => setQuery(detail.value.replace(/^\?/, ''))} />
        </FormField>
        <FormField label="Headers" constraintText="A line for each: content-type: application/json">
          <Textarea value={headers} rows={2} onChange={({ detail }) => setHeaders(detail.value)} />
        </FormField>
        {withBody && (
          <FormField label="Body" stretch>
            <CodeEditor label="Body" language="json" value={body} onChange={setBody} onRun={() => void call()} height={140} />
          </FormField>
        )}
        {route.authorizationType === 'AWS_IAM' && <Box color="text-body-secondary">The route asks for IAM: the call is signed as you.</Box>}
        {route.authorizationType === 'CUSTOM' && <Box color="text-body-secondary">The route has an authorizer: add the header that it looks at.</Box>}
        <div className="bh-url" data-testid="address">
          {method} {location.origin}
          {path}
          {query && `?${query}`}
        </div>
        <Button variant="primary" loading={busy} disabled={variables.some((name) => !values[name])} onClick={() => void call()}>
          Call
        </Button>
      </SpaceBetween>
      <section aria-label="Answer" className="bh-answer">
        {answer === undefined ? <Empty title="No answer yet">The call goes to the API itself, on this port, from your browser.</Empty> : <Shown answer={answer} />}
      </section>
    </div>
  );
}

function Shown({ answer }: { answer: Answer | Error }) {
  if (answer instanceof Error) return <StatusIndicator type="error">{answer.message}</StatusIndicator>;
  const json = answer.headers.some(([name, value]) => name === 'content-type' && value.includes('json'));
  const text = answer.body.slice(0, SHOWN);
  return (
    <SpaceBetween size="m">
      <div>
        <StatusIndicator type={answer.status < 400 ? 'success' : 'error'}>
          {answer.status} {answer.statusText}
        </StatusIndicator>{' '}
        in {duration(answer.ms)}, {bytes(answer.size)}
      </div>
      {answer.body === '' ? <Box color="text-body-secondary">The answer has no body.</Box> : <CodeEditor label="Body of the answer" language={json ? 'json' : 'text'} value={json ? prettyJson(text) : text} readOnly />}
      <div>
        <Box variant="awsui-key-label">Headers</Box>
        <pre>{answer.headers.map(([name, value]) => `${name}: ${value}`).join('\n')}</pre>
      </div>
    </SpaceBetween>
  );
}

interface Call {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  body: string;
  signed: boolean;
}

/** Sends a call to the API, whatever it answers. */
async function send({ method, path, query, headers, body, signed }: Call): Promise<Answer> {
  const pairs = [...new URLSearchParams(query)].map(([name, value]) => [name, value] as const);
  const session = requireSession();
  const scope = { credentials: session, service: 'execute-api', region: session.region, now: signingTime() };
  const all = signed ? sign({ method, host: location.host, path, query: pairs, headers, body }, scope) : headers;
  const search = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  const began = performance.now();
  const response = await fetch(`${path}${search ? `?${search}` : ''}`, { method, headers: all, ...(body ? { body } : {}), cache: 'no-store', credentials: 'omit' });
  const bytesOf = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    statusText: response.statusText,
    ms: performance.now() - began,
    headers: [...response.headers],
    body: new TextDecoder().decode(bytesOf),
    size: bytesOf.length,
  };
}
