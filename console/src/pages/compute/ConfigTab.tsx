/** How a function is set, and what belongs to it. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';

import { type FunctionDetails, logGroupOf, updateConfiguration } from '../../aws/lambda';
import { type EventInvokeConfig, getEventInvokeConfig, setTags } from '../../aws/lambda-settings';
import { duration, shortName } from '../../lib/format';
import { KeyValuePairs } from '../../lib/frame';
import { arnHref, logGroupHref, roleHref } from '../../lib/links';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { Shown } from '../../lib/states';
import { Time } from '../../lib/time';
import { AsyncForm, ConcurrencyForm, GeneralForm } from './ConfigForms';
import { layerHref } from './hrefs';
import { LayersForm } from './LayersForm';
import { PairsForm } from './PairsForm';
import { runtimeLabel } from './starters';
import { TriggerSections } from './TriggerSections';

type Dialog = 'general' | 'environment' | 'layers' | 'concurrency' | 'async' | 'tags';

export function ConfigTab({ details }: { details: FunctionDetails }) {
  const { Configuration: config, Concurrency, Tags = {} } = details;
  const name = config.FunctionName;
  const [dialog, setDialog] = useState<Dialog>();
  const asynchronous = useLive(`lambda/event-invoke/${name}`, () => getEventInvokeConfig(name).then((found) => found ?? {}));
  const close = () => setDialog(undefined);
  const saved = (what: string) => {
    invalidate('lambda/');
    notify('success', `${what}: saved`);
  };
  const edit = (which: Dialog, what: string) => (
    <Button onClick={() => setDialog(which)} ariaLabel={`Edit ${what}`}>
      Edit
    </Button>
  );
  return (
    <SpaceBetween size="l">
      <General details={details} action={edit('general', 'general settings')} />
      <Environment variables={config.Environment?.Variables ?? {}} action={edit('environment', 'environment variables')} />
      <TriggerSections name={name} arn={config.FunctionArn} />
      <Container header={<Header variant="h2" counter={`(${config.Layers?.length ?? 0})`} description="Archives that are unpacked into /opt; later ones win." actions={edit('layers', 'layers')}>Layers</Header>}>
        <Layers arns={(config.Layers ?? []).map(({ Arn }) => Arn)} />
      </Container>
      <div className="bh-pairs">
        <Container header={<Header variant="h2" actions={edit('concurrency', 'concurrency')}>Concurrency</Header>} fitHeight>
          <KeyValuePairs
            items={[{ label: 'Reserved', value: Concurrency?.ReservedConcurrentExecutions === undefined ? 'none: it shares what the others leave' : reservedText(Concurrency.ReservedConcurrentExecutions) }]}
          />
        </Container>
        <Container header={<Header variant="h2" actions={edit('async', 'asynchronous invocation')}>Asynchronous invocation</Header>} fitHeight>
          <Shown live={asynchronous} what="The configuration can't be read">
            {(found) => <Asynchronous config={found} deadLetters={config.DeadLetterConfig?.TargetArn} />}
          </Shown>
        </Container>
      </div>
      <Container header={<Header variant="h2" counter={`(${Object.keys(Tags).length})`} actions={edit('tags', 'tags')}>Tags</Header>}>
        {Object.keys(Tags).length === 0 ? <span className="bh-soft">No tags.</span> : <KeyValuePairs columns={4} items={Object.entries(Tags).map(([label, value]) => ({ label, value }))} />}
      </Container>
      {dialog === 'general' && <GeneralForm config={config} onSaved={() => saved('General settings')} onClose={close} />}
      {dialog === 'layers' && <LayersForm config={config} onSaved={() => saved('Layers')} onClose={close} />}
      {dialog === 'concurrency' && <ConcurrencyForm name={name} reserved={Concurrency?.ReservedConcurrentExecutions} onSaved={() => saved('Concurrency')} onClose={close} />}
      {dialog === 'async' && <AsyncForm name={name} config={asynchronous.data ?? {}} onSaved={() => saved('Asynchronous invocation')} onClose={close} />}
      {dialog === 'environment' && (
        <PairsForm
          title="Environment variables"
          what="variable"
          pairs={config.Environment?.Variables ?? {}}
          wrong={(variable) => (/^[a-zA-Z][a-zA-Z0-9_]+$/.test(variable) ? undefined : `${variable}: a letter first, then letters, digits and _`)}
          failed="The variables were not saved"
          onSave={async (Variables) => {
            await updateConfiguration(name, { Environment: { Variables } });
            saved('Environment variables');
          }}
          onClose={close}
        />
      )}
      {dialog === 'tags' && (
        <PairsForm
          title="Tags"
          what="tag"
          pairs={Tags}
          failed="The tags were not saved"
          onSave={async (tags) => {
            await setTags(config.FunctionArn, tags, Tags);
            saved('Tags');
          }}
          onClose={close}
        />
      )}
    </SpaceBetween>
  );
}

const reservedText = (reserved: number) => (reserved === 0 ? '0: it can\'t be invoked' : `${reserved} at once`);

function General({ details: { Configuration: config }, action }: { details: FunctionDetails; action: ReactNode }) {
  const group = logGroupOf(config);
  const role = shortName(config.Role);
  return (
    <Container header={<Header variant="h2" description={config.Description || 'No description.'} actions={action}>General</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Memory', value: `${config.MemorySize} MB` },
          { label: 'Timeout', value: duration(config.Timeout * 1000) },
          { label: 'Ephemeral storage', value: `${config.EphemeralStorage?.Size ?? 512} MB in /tmp` },
          { label: 'Runtime', value: runtimeLabel(config.Runtime) },
          { label: 'Handler', value: <span className="bh-code">{config.Handler}</span> },
          { label: 'Role', value: <Link href={roleHref(role)}>{role}</Link> },
          { label: 'Log group', value: <Link href={logGroupHref(group)}>{group}</Link> },
          { label: 'Last modified', value: <Time at={config.LastModified} /> },
        ]}
      />
    </Container>
  );
}

function Environment({ variables, action }: { variables: Readonly<Record<string, string>>; action: ReactNode }) {
  const [shown, setShown] = useState(false);
  const names = Object.keys(variables);
  const actions = (
    <SpaceBetween direction="horizontal" size="xs">
      {names.length > 0 && <Button onClick={() => setShown(!shown)}>{shown ? 'Hide values' : 'Show values'}</Button>}
      {action}
    </SpaceBetween>
  );
  return (
    <Container header={<Header variant="h2" counter={`(${names.length})`} description="What the code finds in its environment." actions={actions}>Environment variables</Header>}>
      {names.length === 0 ? (
        <span className="bh-soft">No variables. Names of buckets, tables and the like belong here rather than into the code.</span>
      ) : (
        <KeyValuePairs columns={3} items={names.map((label) => ({ label, value: <span className="bh-code">{shown ? variables[label] : '••••••••'}</span> }))} />
      )}
    </Container>
  );
}

function Layers({ arns }: { arns: readonly string[] }) {
  if (arns.length === 0) return <span className="bh-soft">No layers.</span>;
  return (
    <ol className="bh-plain">
      {arns.map((arn) => {
        const [name = '', version = ''] = arn.split(':').slice(-2);
        return (
          <li key={arn}>
            <Link href={layerHref(name)}>{name}</Link> <Box variant="span" color="text-body-secondary">version {version}</Box>
          </li>
        );
      })}
    </ol>
  );
}

function Asynchronous({ config, deadLetters }: { config: EventInvokeConfig; deadLetters: string | undefined }) {
  const { MaximumRetryAttempts = 2, MaximumEventAgeInSeconds = 21_600, DestinationConfig = {} } = config;
  return (
    <KeyValuePairs
      columns={2}
      items={[
        { label: 'Tried again', value: MaximumRetryAttempts === 0 ? 'never' : `${MaximumRetryAttempts} times` },
        { label: 'Events wait for at most', value: duration(MaximumEventAgeInSeconds * 1000) },
        { label: 'After success', value: <Destination arn={DestinationConfig.OnSuccess?.Destination} /> },
        { label: 'After failure', value: <Destination arn={DestinationConfig.OnFailure?.Destination ?? deadLetters} /> },
      ]}
    />
  );
}

function Destination({ arn }: { arn: string | undefined }) {
  if (!arn) return <span>nothing</span>;
  const href = arnHref(arn);
  return href ? <Link href={href}>{shortName(arn)}</Link> : <span className="bh-wrap">{arn}</span>;
}
