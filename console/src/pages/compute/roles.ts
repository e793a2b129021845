/** Roles that functions can run as. */
import { type Role, iam, listRoles } from '../../aws/iam';
import { useLive } from '../../lib/live';

const LAMBDA = 'lambda.amazonaws.com';

/** What a function needs to write its log. */
const LOGS = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*' }] };
const TRUST = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: LAMBDA }, Action: 'sts:AssumeRole' }] };

/** The roles that trust Lambda. */
export function useLambdaRoles(): { roles: readonly Role[]; failed: boolean; loading: boolean } {
  const live = useLive('iam/roles', () => listRoles());
  return { roles: (live.data ?? []).filter(({ trust }) => trust.includes(LAMBDA)), failed: live.error !== undefined, loading: live.loading };
}

/** Makes a role that may write logs, and answers its ARN. */
export async function createLogRole(name: string): Promise<string> {
  const made = await iam('CreateRole', { RoleName: name, AssumeRolePolicyDocument: JSON.stringify(TRUST) });
  await iam('PutRolePolicy', { RoleName: name, PolicyName: 'logs', PolicyDocument: JSON.stringify(LOGS) });
  return made.child('Role').text('Arn');
}
