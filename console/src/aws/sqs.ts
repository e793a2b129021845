/** SQS. Operations that are not here: `sqs<Output>('Name', input)`. */
import { collect, jsonService } from './call';

export const sqs = jsonService('sqs', 'AmazonSQS', '1.0');

export const listQueues = () =>
  collect(async (NextToken) => {
    const input = { NextToken, MaxResults: 1000 };
    const page = await sqs<{ QueueUrls?: string[]; NextToken?: string }>('ListQueues', input);
    return { items: page.QueueUrls ?? [], next: page.NextToken };
  });

export const queueAttributes = (QueueUrl: string) =>
  sqs<{ Attributes: Record<string, string> }>('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] }).then(
    (answer) => answer.Attributes,
  );

export const queueUrl = (QueueName: string) => sqs<{ QueueUrl: string }>('GetQueueUrl', { QueueName }).then((answer) => answer.QueueUrl);

export interface QueueMessage {
  MessageId: string;
  Body: string;
  ReceiptHandle: string;
  Attributes?: Record<string, string>;
}

export const sendMessage = (input: { QueueUrl: string; MessageBody: string; MessageGroupId?: string; MessageDeduplicationId?: string }) =>
  sqs<{ MessageId: string }>('SendMessage', input);

/** Receives messages for `seconds`, in which nobody else gets them. */
export const receiveMessages = (QueueUrl: string, seconds: number) =>
  sqs<{ Messages?: QueueMessage[] }>('ReceiveMessage', {
    QueueUrl,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: seconds,
    WaitTimeSeconds: 0,
    AttributeNames: ['All'],
  }).then((answer) => answer.Messages ?? []);

export const deleteMessage = (QueueUrl: string, ReceiptHandle: string) => sqs('DeleteMessage', { QueueUrl, ReceiptHandle });

export const purgeQueue = (QueueUrl: string) => sqs('PurgeQueue', { QueueUrl });
