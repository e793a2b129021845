/** What happened in an execution: its history's events, put together to the steps they tell of. */
import type { HistoryEvent } from '../../aws/states';

/** `CAUGHT`: it failed, and the machine went on from there. */
export type StepStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CAUGHT' | 'ABORTED';

/** One time that a state was entered. */
export interface Step {
  /** The number of the event that entered it. */
  id: number;
  name: string;
  type: string;
  status: StepStatus;
  /** Seconds since 1970. */
  began: number;
  ended?: number;
  input?: string;
  output?: string;
  error?: string;
  cause?: string;
  /** Times that it was tried again. */
  retries: number;
  /** What the task answered to: a function, a service's action. */
  resource?: string;
  /** The Parallel or Map that it is inside of. */
  parent?: Step;
  /** Which item of the Map. */
  index?: number;
  /** The state that led here, or that this is inside of. */
  after?: string;
  /** A Map's items that have begun, by their index. */
  items?: Item[];
}

/** One time that a Map ran its states. */
export interface Item {
  index: number;
  status: StepStatus;
  began: number;
  ended?: number;
  error?: string;
  cause?: string;
}

interface Context {
  step?: Step | undefined;
  scope?: Step | undefined;
  index?: number | undefined;
}

interface Details {
  name?: string;
  input?: string;
  output?: string;
  error?: string;
  cause?: string;
  index?: number;
  resource?: string;
  resourceType?: string;
}

/** The details of an event, whichever member holds them. */
export function detailsOf(event: HistoryEvent): Details {
  const member = Object.keys(event).find((name) => name.endsWith('EventDetails'));
  return ((member ? event[member] : undefined) as Details | undefined) ?? {};
}

/** The steps that a history's events, in order, tell of. */
export function tell(events: readonly HistoryEvent[]): Step[] {
  const teller = new Teller();
  for (const event of events) teller.take(event);
  return teller.steps;
}

class Teller {
  readonly steps: Step[] = [];
  private readonly contexts = new Map<number, Context>();

  take(event: HistoryEvent): void {
    const before = this.contexts.get(event.previousEventId ?? 0) ?? {};
    this.contexts.set(event.id, this.follow(event, before));
  }

  private follow(event: HistoryEvent, before: Context): Context {
    const { type } = event;
    const details = detailsOf(event);
    if (type.endsWith('StateEntered')) return this.enter(event, details, before);
    if (type.endsWith('StateExited')) return this.exit(event, details, before);
    if (type.startsWith('Execution')) return this.execution(event, details, before);
    if (type.startsWith('MapIteration')) return this.iteration(event, details, before);
    const container = /^(Map|Parallel)State(Started|Succeeded|Failed|Aborted)$/.exec(type);
    if (container) return this.container(event, container[1] ?? '', container[2] ?? '', before);
    const { step } = before;
    if (!step) return before;
    if (/Failed$|TimedOut$/.test(type)) fail(step, event, details);
    else if (type.endsWith('Aborted')) abort(step, event);
    else if (/Scheduled$|Started$/.test(type)) begin(step, type, details);
    return before;
  }

  private enter(event: HistoryEvent, details: Details, { step: from, scope, index }: Context): Context {
    const step: Step = {
      id: event.id,
      name: details.name ?? '',
      type: event.type.replace('StateEntered', ''),
      status: 'RUNNING',
      began: event.timestamp,
      retries: 0,
      ...(details.input === undefined ? {} : { input: details.input }),
      ...(scope ? { parent: scope } : {}),
      ...(index === undefined ? {} : { index }),
      ...(from ? { after: from.name } : {}),
    };
    this.steps.push(step);
    return { step, scope, index };
  }

  private exit(event: HistoryEvent, details: Details, before: Context): Context {
    let { step } = before;
    while (step && (step.name !== details.name || step.ended !== undefined)) step = step.parent;
    // A failed step that is left has been caught.
    step ??= [...this.steps].reverse().find((one) => one.name === details.name);
    if (!step) return before;
    step.status = step.status === 'FAILED' ? 'CAUGHT' : 'SUCCEEDED';
    step.ended = event.timestamp;
    if (details.output !== undefined) step.output = details.output;
    return { step, scope: step.parent, index: step.index };
  }

  private iteration(event: HistoryEvent, details: Details, before: Context): Context {
    const { index = 0 } = details;
    let map = before.scope ?? before.step;
    while (map && (map.type !== 'Map' || (details.name !== undefined && map.name !== details.name))) map = map.parent;
    if (!map) return before;
    map.items ??= [];
    if (event.type === 'MapIterationStarted') {
      map.items[index] = { index, status: 'RUNNING', began: event.timestamp };
      return { step: map, scope: map, index };
    }
    const item = map.items[index];
    if (!item) return before;
    item.ended = event.timestamp;
    item.status = event.type === 'MapIterationSucceeded' ? 'SUCCEEDED' : event.type === 'MapIterationFailed' ? 'FAILED' : 'ABORTED';
    const { error, cause } = item.status === 'FAILED' ? (before.step ?? {}) : {};
    if (error !== undefined) item.error = error;
    if (cause !== undefined) item.cause = cause;
    return before;
  }

  private container(event: HistoryEvent, type: string, what: string, before: Context): Context {
    let { step } = before;
    while (step && step.type !== type) step = step.parent;
    if (!step) return before;
    if (what === 'Started') {
      if (step.status !== 'RUNNING') reopen(step);
      return { step, scope: step };
    }
    if (what === 'Failed') {
      const inner = before.step === step ? undefined : before.step;
      if (inner?.ended === undefined && inner) fail(inner, event, {});
      fail(step, event, inner?.error === undefined ? {} : { error: inner.error, ...(inner.cause === undefined ? {} : { cause: inner.cause }) });
      this.abortInside(step, event);
    }
    if (what === 'Aborted') abort(step, event);
    return { step, scope: step.parent, index: step.index };
  }

  /** What a failure beside it has ended. */
  private abortInside(container: Step, event: HistoryEvent): void {
    for (const step of this.steps) {
      if (step.ended !== undefined || step.id < container.id) continue;
      let { parent } = step;
      while (parent && parent !== container) parent = parent.parent;
      if (parent) abort(step, event);
    }
  }

  private execution(event: HistoryEvent, details: Details, before: Context): Context {
    if (event.type === 'ExecutionFailed' || event.type === 'ExecutionTimedOut' || event.type === 'ExecutionAborted') {
      const failed = event.type === 'ExecutionFailed';
      for (let step = failed ? before.step : undefined; step; step = step.parent) {
        if (step.ended === undefined || step.type === 'Fail') fail(step, event, step.error === undefined ? details : {});
      }
      for (const step of this.steps) if (step.ended === undefined) abort(step, event);
    }
    return before;
  }
}

function begin(step: Step, type: string, details: Details): void {
  if (details.resource !== undefined) step.resource = details.resource;
  if (!type.endsWith('Scheduled') || step.status === 'RUNNING') return;
  step.retries += 1;
  for (let open: Step | undefined = step; open && open.status !== 'RUNNING'; open = open.parent) reopen(open);
}

function reopen(step: Step): void {
  step.status = 'RUNNING';
  delete step.ended;
  delete step.error;
  delete step.cause;
}

function fail(step: Step, event: HistoryEvent, details: Details): void {
  step.status = 'FAILED';
  step.ended = event.timestamp;
  abortItems(step, event);
  if (details.error) step.error = details.error;
  if (details.cause) step.cause = details.cause;
}

function abort(step: Step, event: HistoryEvent): void {
  step.status = 'ABORTED';
  step.ended = event.timestamp;
  abortItems(step, event);
}

function abortItems({ items = [] }: Step, event: HistoryEvent): void {
  for (const item of items) {
    // Items may begin in any order, so that some are missing.
    if (item?.ended === undefined && item) Object.assign(item, { status: 'ABORTED', ended: event.timestamp });
  }
}

/** The items of a Map that have begun. */
export const itemsOf = ({ items = [] }: Step): Item[] => items.filter((item) => item !== undefined);

/** Which item of a Map a step belongs to, however deep inside of it; nothing if it isn't inside of that Map. */
export function itemWithin(step: Step, map: Step): number | undefined {
  for (let at: Step | undefined = step; at; at = at.parent) if (at.parent === map) return at.index;
  return undefined;
}

/** The steps that are left when only one item of a Map is looked at. */
export function onlyItem(steps: readonly Step[], map: Step, index: number): Step[] {
  return steps.filter((step) => {
    const item = itemWithin(step, map);
    return item === undefined || item === index;
  });
}
