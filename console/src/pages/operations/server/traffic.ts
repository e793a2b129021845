/** How many calls there are and how long they take, from the counters that the server shows Prometheus. */
import type { Sample } from '../../../aws/platform';

export interface Counters {
  /** When they were read (ms). */
  at: number;
  services: ReadonlyMap<string, ServiceCounters>;
}

export interface ServiceCounters {
  calls: number;
  /** Answers of 500 and above. */
  failed: number;
  /** Answers of 400 to 499: what the caller did wrong. */
  refused: number;
  seconds: number;
  /** Calls that took no longer than each bound, the bounds ascending; the last one is infinite. */
  within: readonly (readonly [bound: number, calls: number])[];
}

/** The console's own pages and what this page asks are nobody's traffic. */
const OURS = new Set(['console', 'operations']);

export function countersOf(samples: readonly Sample[], at: number): Counters {
  const services = new Map<string, ServiceCounters & { bounds: Map<number, number> }>();
  const of = (service: string) => {
    const found = services.get(service) ?? { calls: 0, failed: 0, refused: 0, seconds: 0, within: [], bounds: new Map<number, number>() };
    services.set(service, found);
    return found;
  };
  for (const { name, labels, value } of samples) {
    const service = labels.service;
    if (!service || OURS.has(service)) continue;
    const sum = of(service);
    if (name === 'boathouse_calls_total') {
      sum.calls += value;
      if (Number(labels.status) >= 500) sum.failed += value;
      else if (Number(labels.status) >= 400) sum.refused += value;
    } else if (name === 'boathouse_call_seconds_sum') {
      sum.seconds += value;
    } else if (name === 'boathouse_call_seconds_bucket') {
      const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
      sum.bounds.set(bound, (sum.bounds.get(bound) ?? 0) + value);
    }
  }
  const done = [...services].map(([service, { bounds, ...sum }]) => [service, { ...sum, within: [...bounds].sort(([a], [b]) => a - b) }] as const);
  return { at, services: new Map(done) };
}

export interface Traffic {
  service: string;
  /** Calls in each second. */
  rate: number;
  calls: number;
  failed: number;
  refused: number;
  /** Milliseconds; nothing where there were no calls. */
  mean: number | undefined;
  median: number | undefined;
  slowest: number | undefined;
}

const NONE: ServiceCounters = { calls: 0, failed: 0, refused: 0, seconds: 0, within: [] };

/** What happened between two looks; since the server's start without the earlier one. */
export function trafficBetween(before: Counters | undefined, after: Counters): Traffic[] {
  const seconds = before ? (after.at - before.at) / 1000 : undefined;
  return [...after.services].map(([service, now]) => {
    // A server that was started anew counts from zero.
    const known = before?.services.get(service);
    const then = known && known.calls <= now.calls ? known : NONE;
    const calls = now.calls - then.calls;
    const within = now.within.map(([bound, count]) => [bound, count - (then.within.find(([other]) => other === bound)?.[1] ?? 0)] as const);
    return {
      service,
      rate: seconds ? calls / seconds : 0,
      calls,
      failed: now.failed - then.failed,
      refused: now.refused - then.refused,
      mean: calls > 0 ? ((now.seconds - then.seconds) / calls) * 1000 : undefined,
      median: quantile(within, 0.5),
      slowest: quantile(within, 0.95),
    };
  });
}

/** A quantile in milliseconds, as Prometheus computes it: evenly spread within a bound. */
export function quantile(within: ServiceCounters['within'], share: number): number | undefined {
  const all = within.at(-1)?.[1] ?? 0;
  if (all === 0) return undefined;
  const wanted = all * share;
  let [low, below] = [0, 0];
  for (const [bound, calls] of within) {
    if (calls >= wanted) {
      const high = bound === Infinity ? low : bound;
      return (low + (high - low) * ((wanted - below) / Math.max(calls - below, 1))) * 1000;
    }
    [low, below] = [bound, calls];
  }
  return undefined;
}

/** Points that a chart shows. */
const POINTS = 150;

/** Looks that are kept while the page is open: rates are drawn of them. */
export class History {
  private looks: readonly Counters[] = [];

  add(look: Counters): readonly Counters[] {
    this.looks = [...this.looks, look].slice(-POINTS);
    return this.looks;
  }
}

/** Rows of a chart: each service's calls a second between two looks; the busiest services, and the rest as one. */
export function ratesOf(looks: readonly Counters[], most = 7): (readonly [Date, number, string])[] {
  const steps = looks.slice(1).map((look, at) => ({ at: new Date(look.at), traffic: trafficBetween(looks[at], look) }));
  const sums = new Map<string, number>();
  for (const { traffic } of steps) for (const { service, calls } of traffic) sums.set(service, (sums.get(service) ?? 0) + calls);
  const busy = [...sums].filter(([, calls]) => calls > 0).sort(([, a], [, b]) => b - a).slice(0, most).map(([service]) => service);
  return steps.flatMap(({ at, traffic }) => {
    const rate = (service: string) => traffic.find((one) => one.service === service)?.rate ?? 0;
    const rest = traffic.filter(({ service }) => !busy.includes(service)).reduce((sum, one) => sum + one.rate, 0);
    const rows = busy.map((service) => [at, rate(service), service] as const);
    return sums.size > busy.length && busy.length === most ? [...rows, [at, rest, 'others'] as const] : rows;
  });
}
