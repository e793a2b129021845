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
