/** Signing in and out. The secret of an access key signs one request and is forgotten. */
import { errorOf, queryService, send } from './call';
import { AwsError } from './error';
import { type Session, beginSession, currentSession, learnTime } from './session';
import type { Credentials } from './sigv4';

const SESSION = '/_console/api/session';

interface Answer {
  AccessKeyId: string;
  SecretAccessKey: string;
  SessionToken: string;
  ExpiresInSeconds: number;
  Arn: string;
  Account: string;
  Region: string;
  Now: number;
}

function session(answer: Answer): Session {
  return {
    accessKeyId: answer.AccessKeyId,
    secretAccessKey: answer.SecretAccessKey,
    sessionToken: answer.SessionToken,
    arn: answer.Arn,
    account: answer.Account,
    region: answer.Region,
    expiresAt: Date.now() + answer.ExpiresInSeconds * 1000,
    platformAhead: answer.Now - Date.now(),
    renewable: true,
  };
}

async function exchange(credentials: Credentials): Promise<Session> {
  const headers = { 'content-type': 'application/json' };
  const request = { service: 'console', method: 'POST', path: SESSION, headers, body: '{}', credentials };
  return session((await (await send(request)).json()) as Answer);
}

/** Signs in with an access key. Temporary credentials are used as they are. */
export async function signInWithKey(credentials: Credentials): Promise<void> {
  if (!credentials.sessionToken) return beginSession(await exchange(credentials));
  const sts = queryService('sts', '2011-06-15');
  const identity = await sts('GetCallerIdentity', {}, { credentials });
  beginSession({
    ...credentials,
    arn: identity.text('Arn'),
    account: identity.text('Account'),
    region: 'us-east-1',
    // Their end is not known: the server says when it has come.
    expiresAt: Date.now() + 12 * 3600_000,
    platformAhead: 0,
    renewable: false,
  });
}

/** Signs in with the token of a one-time link. */
export async function signInWithLink(token: string): Promise<void> {
  let response: Response;
  try {
    const headers = { 'content-type': 'application/json' };
    response = await fetch(SESSION, { method: 'POST', headers, body: JSON.stringify({ LinkToken: token }) });
  } catch {
    throw new AwsError('NetworkError', 'The server did not answer', 0);
  }
  learnTime(response.headers.get('date'));
  if (!response.ok) throw await errorOf(response);
  beginSession(session((await response.json()) as Answer));
}

/** Prolongs the session. */
export async function renewSession(): Promise<void> {
  const present = currentSession();
  if (!present) return;
  const renewed = await exchange(present);
  // Who has signed out meanwhile stays out.
  if (currentSession() !== present) return;
  const active = sessionStorage.getItem('boathouse.active');
  beginSession(renewed);
  if (active) sessionStorage.setItem('boathouse.active', active);
}
