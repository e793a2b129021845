/** What went wrong with a stack, and where its last operation began. */
import type { StackEvent } from '../../../aws/cloudformation';

/** Reasons of what failed only because something else had. */
const FOLLOWS = /cancelled|^The following resource\(s\) failed|^Resource creation Initiated/i;

/** Whether an event is about the stack itself. */
export const isOfStack = (event: StackEvent) => event.type === 'AWS::CloudFormation::Stack' && (event.physicalId?.includes(`:stack/${event.logicalId}/`) ?? false);

/** The events of the last operation, of events that come newest first. */
export function lastOperation(events: readonly StackEvent[]): readonly StackEvent[] {
  const begun = events.findIndex((event) => isOfStack(event) && /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(event.status));
  return begun < 0 ? events : events.slice(0, begun + 1);
}

/** The first thing that failed by itself in the last operation: what everything after it comes from. */
export function rootCause(events: readonly StackEvent[]): StackEvent | undefined {
  const failed = lastOperation(events).filter(({ status, reason }) => status.endsWith('_FAILED') && !FOLLOWS.test(reason ?? ''));
  return failed.findLast((event) => !isOfStack(event)) ?? failed.at(-1);
}

export const isBusy = (status: string) => status.endsWith('_IN_PROGRESS') && status !== 'REVIEW_IN_PROGRESS';

/** Whether an update may begin; what has only failed to be made can only be deleted. */
export const canUpdate = (status: string) => ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'].includes(status);

/** What a status means for whoever has to go on from there. */
export function meaning(status: string): string | undefined {
  switch (status) {
    case 'ROLLBACK_COMPLETE':
      return 'It could not be made, and what was made of it is removed again. Such a stack can only be deleted.';
    case 'ROLLBACK_FAILED':
      return 'It could not be made, and not everything that was made of it could be removed again. Delete it.';
    case 'CREATE_FAILED':
      return 'It could not be made; what was made of it is still there. Delete it, and create it again.';
    case 'UPDATE_ROLLBACK_COMPLETE':
      return 'The last update failed, and all is as it was before. It can be updated again.';
    case 'UPDATE_ROLLBACK_FAILED':
      return 'The last update failed, and not everything could be brought back to what it was.';
    case 'DELETE_FAILED':
      return 'Not everything could be deleted. Delete it again, and keep what is in the way if need be.';
    case 'REVIEW_IN_PROGRESS':
      return 'Nothing is made yet: a change set says what would be. Execute it, or delete the stack.';
    default:
      return undefined;
  }
}
