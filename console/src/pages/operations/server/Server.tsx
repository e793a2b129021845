/** The server itself: how it is, what it keeps, what it is asked. */
import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { type Health, type Sample, type ServerFacts, health, metrics, serverFacts } from '../../../aws/platform';
import { bytes, count, duration } from '../../../lib/format';
import { Frame, KeyValuePairs } from '../../../lib/frame';
import { type Live, useLive } from '../../../lib/live';
import { ErrorBox, Shown } from '../../../lib/states';
import { DataDirectory } from './DataDirectory';
import { adviceOn } from './parts';
import { TrafficPanel } from './TrafficPanel';
import '../operations.css';

const EVERY_MS = 2_000;

export default function Server() {
  const well = useLive('server/health', () => health(), { every: EVERY_MS });
  const counted = useLive('server/metrics', () => metrics(), { every: EVERY_MS });
  const facts = useLive('server/facts', () => serverFacts(), { every: (found) => (found && !found.DataDirectory ? 500 : 5_000) });
  return (
    <Frame title="Server" info={well.data && <Verdict found={well.data} />} description="The process behind everything here.">
      <Shown live={well} what="The health page can't be read">
        {(found) => (
          <SpaceBetween size="l">
            <Problems problems={found.problems ?? []} />
            <Facts found={found} facts={facts} samples={counted.data ?? []} />
          </SpaceBetween>
        )}
      </Shown>
      {facts.data && <DataDirectory used={facts.data.DataDirectory} free={well.data?.disk?.free_bytes} />}
      <Shown live={counted} what="The counters can't be read">
        {(samples) => <TrafficPanel samples={samples} />}
      </Shown>
      <Backups />
    </Frame>
  );
}

function Verdict({ found }: { found: Health }) {
  return found.status === 'ok' ? <StatusIndicator>Healthy</StatusIndicator> : <StatusIndicator type="error">Degraded</StatusIndicator>;
}

function Problems({ problems }: { problems: readonly string[] }) {
  return (
    <>
      {problems.map((problem) => (
        <Alert key={problem} type="error" header={problem.charAt(0).toUpperCase() + problem.slice(1)}>
          {adviceOn(problem) ?? "The server's log has more."}
        </Alert>
      ))}
    </>
  );
}

const gauge = (samples: readonly Sample[], name: string) => samples.find((sample) => sample.name === `boathouse_${name}`)?.value;

function Facts({ found, facts, samples }: { found: Health; facts: Live<ServerFacts>; samples: readonly Sample[] }) {
  const { disk, scrub, remote } = found;
  const known = facts.data;
  return (
    <Container header={<Header variant="h2">Process and disk</Header>}>
      <SpaceBetween size="m">
        {facts.error && !known && (
          <ErrorBox error={facts.error} what={facts.error.isDenied ? 'Version, memory and disk use are for those who may operations:GetServer' : "Version, memory and disk use can't be read"} onRetry={facts.refresh} />
        )}
        <KeyValuePairs
          columns={4}
          items={[
            ...(known ? processOf(known) : []),
            { label: 'Free on the disk', value: disk ? `${bytes(disk.free_bytes)}${disk.read_only ? ', read only' : ''}` : '–' },
            { label: 'Writes end below', value: bytes(disk?.reserve_bytes) },
            { label: 'Calls that run now', value: count(gauge(samples, 'calls_in_flight')) },
            { label: 'Open connections', value: count(gauge(samples, 'connections')) },
            ...(scrub ? [{ label: 'Reread for damage', value: `${bytes(scrub.bytes)}, ${count(scrub.passes)} ${scrub.passes === 1 ? 'pass' : 'passes'}` }, { label: 'Damaged objects', value: count(scrub.damaged) }] : []),
            ...(remote ? [{ label: 'Remote store', value: remote.answers ? <StatusIndicator>Answers</StatusIndicator> : <StatusIndicator type="error">Does not answer</StatusIndicator> }] : []),
          ]}
        />
      </SpaceBetween>
    </Container>
  );
}

function processOf({ Version, UptimeSeconds, Memory, Processors }: ServerFacts) {
  return [
    { label: 'Version', value: Version },
    { label: 'Up for', value: duration(UptimeSeconds * 1000) },
    { label: 'Memory', value: `${bytes(Memory.ResidentBytes ?? undefined)} of ${bytes(Memory.MachineBytes)} (peak ${bytes(Memory.PeakBytes ?? undefined)})` },
    { label: 'Processors', value: count(Processors) },
  ];
}

const COMMANDS: readonly [command: string, meaning: string][] = [
  ['boathouse backup --to /backups/monday', 'all of the data directory at one moment, while the server runs'],
  ['boathouse backup --to /backups/tuesday --since /backups/monday', 'the same, with links to what has not changed'],
  ['boathouse backup --verify /backups/tuesday', 'reads a backup, and checks that it is whole'],
  ['boathouse restore --from /backups/tuesday --data-dir restored', 'makes a data directory of a backup'],
];

function Backups() {
  return (
    <Container header={<Header variant="h2" description="Run on the server's machine, as its user; BOATHOUSE_DATA_DIR or --data-dir names the data directory.">Backups</Header>}>
      <ul className="bh-commands">
        {COMMANDS.map(([command, meaning]) => (
          <li key={command}>
            <CopyToClipboard variant="inline" textToCopy={command} copyButtonAriaLabel={`Copy ${command}`} copySuccessText="Copied" copyErrorText="It could not be copied" textToDisplay={command} />
            <span className="bh-soft">{meaning}</span>
          </li>
        ))}
      </ul>
    </Container>
  );
}
