/** Puts a record into a stream, as a program does. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type AwsError, asAwsError } from '../../aws/error';
import { type DeliveryStream, putRecord } from '../../aws/firehose';
import { CodeEditor } from '../../lib/editor';
import { ErrorBox } from '../../lib/states';
import { Time } from '../../lib/time';
import { destinationOf } from './delivered';

interface Sent {
  id: string;
  at: Date;
  text: string;
}

const EXAMPLE = '{"flight": "BH 42", "airport": "BER", "delay": 7}';

export function SendRecord({ stream, onSent }: { stream: DeliveryStream; onSent: () => void }) {
  const [text, setText] = useState(EXAMPLE);
  const [line, setLine] = useState(true);
  const [sent, setSent] = useState<Sent[]>([]);
  const [error, setError] = useState<AwsError>();
  const [busy, setBusy] = useState(false);
  const send = async () => {
    if (busy || text === '') return;
    setBusy(true);
    setError(undefined);
    try {
      const { RecordId } = await putRecord(stream.DeliveryStreamName, line && !text.endsWith('\n') ? `${text}\n` : text);
      setSent((all) => [{ id: RecordId, at: new Date(), text }, ...all].slice(0, 20));
      onSent();
    } catch (failed) {
      setError(asAwsError(failed));
    } finally {
      setBusy(false);
    }
  };
  const seconds = destinationOf(stream)?.BufferingHints?.IntervalInSeconds;
  return (
    <SpaceBetween size="m">
      <FormField label="Record" description="Any text up to 1,000 KiB. Ctrl-Enter sends it." stretch>
        <CodeEditor label="Record" language="json" value={text} onChange={setText} onRun={() => void send()} height={150} />
      </FormField>
      <Checkbox checked={line} onChange={({ detail }) => setLine(detail.checked)} description="Firehose puts nothing between records: without it, lines run together.">
        End the record with a new line
      </Checkbox>
      <Button variant="primary" onClick={() => void send()} loading={busy} disabled={text === ''}>
        Send record
      </Button>
      {error && <ErrorBox error={error} what="The record was not taken" />}
      {sent.length > 0 && (
        <section aria-label="Sent records">
          <Box variant="h3">Sent</Box>
          <Box color="text-body-secondary">Kept on disk when the answer came{seconds ? `; delivered within ${seconds} s` : ''}.</Box>
          <ol className="bh-records">
            {sent.map(({ id, at, text: record }) => (
              <li key={id}>
                <Time at={at} /> <code>{record.slice(0, 120)}</code> <small className="bh-wrap">{id}</small>
              </li>
            ))}
          </ol>
        </section>
      )}
    </SpaceBetween>
  );
}
