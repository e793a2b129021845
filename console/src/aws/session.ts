/**
 * Who is signed in. Only short-lived credentials are kept, in this tab's session storage; a new tab signs in anew.
 * The session ends after half an hour without a key or pointer touched, and is prolonged while people work.
 */
import { AwsError } from './error';
import type { Credentials } from './sigv4';

export interface Session extends Credentials {
  arn: string;
  account: string;
  region: string;
  /** When the credentials end, by this machine's clock (ms). */
  expiresAt: number;
  /** What the platform's clock is ahead of this machine's, in ms: demonstrations move it. */
  platformAhead: number;
  /** Whether the server prolongs it. */
  renewable: boolean;
}

/** Why nobody is signed in any more; the login page says it. */
export type EndReason = 'logout' | 'idle' | 'expired';

const KEY = 'boathouse.session';
const ACTIVE = 'boathouse.active';
export const IDLE_MS = 30 * 60_000;
/** How long before its end a session is prolonged. */
export const RENEW_MS = 20 * 60_000;

type Listener = (session: Session | undefined, reason?: EndReason) => void;
const listeners = new Set<Listener>();
let session: Session | undefined = load();
/** What this machine's clock is behind the server's, in ms, learnt from answers: signatures must bear the server's time. */
let signingAhead = 0;

function load(): Session | undefined {
  try {
    const text = sessionStorage.getItem(KEY);
    const found = text ? (JSON.parse(text) as Session) : undefined;
    return found && found.expiresAt > Date.now() && Date.now() - lastActive() < IDLE_MS ? found : undefined;
  } catch {
    return undefined;
  }
}

export function currentSession(): Session | undefined {
  return session;
}

/** The session, or an error that leads to the login page. */
export function requireSession(): Session {
  if (!session) throw new AwsError('ExpiredToken', 'Nobody is signed in', 403);
  return session;
}

export function onSession(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function beginSession(begun: Session): void {
  session = begun;
  sessionStorage.setItem(KEY, JSON.stringify(begun));
  touch();
  listeners.forEach((listener) => listener(begun));
}

export function endSession(reason: EndReason): void {
  if (!session) return;
  session = undefined;
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(ACTIVE);
  listeners.forEach((listener) => listener(undefined, reason));
}

/** Notes that somebody is there. */
export function touch(): void {
  sessionStorage.setItem(ACTIVE, String(Date.now()));
}

export function lastActive(): number {
  return Number(sessionStorage.getItem(ACTIVE) ?? 0);
}

/** The platform's present time: "two minutes ago" is counted from here. */
export function platformNow(): number {
  return Date.now() + (session?.platformAhead ?? 0);
}

/** The time to sign with. */
export function signingTime(): Date {
  return new Date(Date.now() + signingAhead);
}

/** Learns the server's time from an answer's `Date`, which is exact to a second. */
export function learnTime(date: string | null): void {
  const theirs = date ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(theirs)) return;
  const ahead = theirs - Date.now();
  signingAhead = Math.abs(ahead) > 60_000 ? ahead : 0;
}

/** Watches for people who are gone and sessions that end. Answers how to stop watching. */
export function watchSession(renew: () => Promise<void>): () => void {
  let noted = 0;
  let renewing = false;
  const active = () => {
    if (Date.now() - noted < 5_000) return;
    // Somebody who comes back after the time-out must not prolong it by touching a key.
    look();
    noted = Date.now();
    if (session) touch();
  };
  const look = () => {
    if (!session) return;
    const now = Date.now();
    if (now - lastActive() >= IDLE_MS) return endSession('idle');
    if (session.expiresAt <= now) return endSession('expired');
    if (session.renewable && session.expiresAt - now < RENEW_MS && !renewing) {
      renewing = true;
      // What can't be prolonged ends by itself.
      renew().catch(() => undefined).finally(() => (renewing = false));
    }
  };
  const events = ['pointerdown', 'keydown', 'wheel'] as const;
  events.forEach((name) => addEventListener(name, active, { passive: true, capture: true }));
  document.addEventListener('visibilitychange', look);
  const timer = setInterval(look, 15_000);
  return () => {
    events.forEach((name) => removeEventListener(name, active, { capture: true }));
    document.removeEventListener('visibilitychange', look);
    clearInterval(timer);
  };
}
