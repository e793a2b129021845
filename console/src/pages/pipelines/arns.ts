/** ARNs of what a page's address names. */
import { requireSession } from '../../aws/session';

export function machineArn(name: string): string {
  const { account, region } = requireSession();
  return `arn:aws:states:${region}:${account}:stateMachine:${name}`;
}
