/** A queue: how it is set, what waits in it, and a message to send. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type QueueMessage, deleteMessage, purgeQueue, queueAttributes, queueUrl, receiveMessages, sendMessage } from '../../aws/sqs';
import type { PageProps } from '../../lib/area';
import { ConfirmDelete } from '../../lib/confirm';
import { CodeEditor } from '../../lib/editor';
import { count, duration, prettyJson } from '../../lib/format';
import { Frame, KeyValuePairs } from '../../lib/frame';
import { metricsHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { notify, notifyError } from '../../lib/notify';
import { Empty, Shown } from '../../lib/states';
import { Time } from '../../lib/time';
import './ingestion.css';

/** For how long messages that are looked at are hidden from others. */
const LOOK_SECONDS = 30;

interface QueueData {
  url: string;
  attributes: Record<string, string>;
}

export default function Queue({ params: { name = '' } }: PageProps) {
  const queue = useLive(
    `sqs/queue/${name}`,
    async (): Promise<QueueData> => {
      const url = await queueUrl(name);
      return { url, attributes: await queueAttributes(url) };
    },
    { every: 3_000 },
  );
  const [purging, setPurging] = useState(false);
  return (
    <Frame
      title={name}
      description="Queue of SQS"
      actions={
        <SpaceBetween size="xs" direction="horizontal">
          <Button href={metricsHref('AWS/SQS', { QueueName: name }, { NumberOfMessagesSent: 'Sum', NumberOfMessagesReceived: 'Sum', NumberOfMessagesDeleted: 'Sum' })}>Metrics</Button>
          <Button disabled={!queue.data} onClick={() => setPurging(true)}>
            Purge
          </Button>
        </SpaceBetween>
      }
    >
      <Shown live={queue} what="The queue can't be read">
        {(data) => (
          <SpaceBetween size="l">
            <Settings {...data} />
            <Send {...data} onSent={queue.refresh} />
            <Messages {...data} onChanged={queue.refresh} />
          </SpaceBetween>
        )}
      </Shown>
      {purging && queue.data && (
        <ConfirmDelete
          what={`queue ${name}`}
          verb="Purge"
          typed={name}
          onConfirm={async () => {
            await purgeQueue(queue.data?.url ?? '');
            notify('success', `${name} is empty`);
            await queue.refresh();
          }}
          onClose={() => setPurging(false)}
        >
          <Alert type="warning">Every message in it is deleted, those in flight too.</Alert>
        </ConfirmDelete>
      )}
    </Frame>
  );
}

function Settings({ url, attributes }: QueueData) {
  const number = (name: string) => (attributes[name] === undefined ? undefined : Number(attributes[name]));
  const seconds = (name: string) => duration((number(name) ?? 0) * 1000);
  return (
    <KeyValuePairs
      columns={4}
      items={[
        { label: 'Waiting', value: count(number('ApproximateNumberOfMessages')) },
        { label: 'In flight', value: count(number('ApproximateNumberOfMessagesNotVisible')) },
        { label: 'Delayed', value: count(number('ApproximateNumberOfMessagesDelayed')) },
        { label: 'Created', value: <Time at={number('CreatedTimestamp')} /> },
        { label: 'Visibility time-out', value: seconds('VisibilityTimeout') },
        { label: 'Kept for', value: seconds('MessageRetentionPeriod') },
        { label: 'Dead-letter queue', value: <span className="bh-wrap">{attributes.RedrivePolicy ?? 'none'}</span> },
        { label: 'URL', value: <span className="bh-url">{url}</span> },
      ]}
    />
  );
}

function Send({ url, attributes, onSent }: QueueData & { onSent: () => Promise<void> }) {
  const fifo = attributes.FifoQueue === 'true';
  const [body, setBody] = useState('{"hello": "queue"}');
  const [group, setGroup] = useState('test');
  const send = async () => {
    try {
      const { MessageId } = await sendMessage({ QueueUrl: url, MessageBody: body, ...(fifo ? { MessageGroupId: group, MessageDeduplicationId: `${Date.now()}` } : {}) });
      notify('success', 'The message is sent', MessageId);
      await onSent();
    } catch (error) {
      notifyError('The message was not taken', error);
    }
  };
  return (
    <SpaceBetween size="s">
      <Box variant="h2">Send a message</Box>
      <CodeEditor label="Message" language="json" value={body} onChange={setBody} onRun={() => void send()} height={110} />
      {fifo && (
        <FormField label="Message group">
          <Input value={group} onChange={({ detail }) => setGroup(detail.value)} />
        </FormField>
      )}
      <Button onClick={() => void send()} disabled={body === ''}>
        Send message
      </Button>
    </SpaceBetween>
  );
}

function Messages({ url, onChanged }: QueueData & { onChanged: () => Promise<void> }) {
  const [found, setFound] = useState<QueueMessage[]>();
  const look = async () => {
    try {
      setFound(await receiveMessages(url, LOOK_SECONDS));
      await onChanged();
    } catch (error) {
      notifyError("The queue can't be read", error);
    }
  };
  const remove = async (message: QueueMessage) => {
    try {
      await deleteMessage(url, message.ReceiptHandle);
      setFound((all) => all?.filter((one) => one !== message));
      await onChanged();
    } catch (error) {
      notifyError('The message was not deleted', error);
    }
  };
  return (
    <SpaceBetween size="s">
      <Box variant="h2">Messages</Box>
      <Alert type="info">
        Looking at messages receives them: for {LOOK_SECONDS} seconds nobody else gets them, and each look counts towards the dead-letter queue.
      </Alert>
      <Button onClick={() => void look()}>Receive up to 10 messages</Button>
      {found?.length === 0 && <Empty title="None waits">The queue is empty, or its messages are in flight.</Empty>}
      {found && found.length > 0 && (
        <ol className="bh-records" aria-label="Received messages">
          {found.map((message) => (
            <li key={message.MessageId}>
              <details>
                <summary>{message.Body.slice(0, 300)}</summary>
                <pre>{prettyJson(message.Body)}</pre>
                <small>
                  {message.MessageId}, received {message.Attributes?.ApproximateReceiveCount ?? '1'} times
                </small>{' '}
                <Button variant="inline-link" onClick={() => void remove(message)} ariaLabel={`Delete message ${message.MessageId}`}>
                  Delete
                </Button>
              </details>
            </li>
          ))}
        </ol>
      )}
    </SpaceBetween>
  );
}
