/** A state machine's definition (Amazon States Language) as boxes and arrows. */
import type { GraphEdge, GraphFrame, GraphNode } from '../../lib/graph';

export interface Catcher {
  ErrorEquals?: string[];
  Next?: string;
}

export interface Rule {
  Next?: string;
  [test: string]: unknown;
}

export interface State {
  Type?: string;
  Comment?: string;
  Next?: string;
  End?: boolean;
  Resource?: string;
  Arguments?: unknown;
  Parameters?: unknown;
  Choices?: Rule[];
  Default?: string;
  Catch?: Catcher[];
  Retry?: unknown[];
  Branches?: Flow[];
  ItemProcessor?: Flow;
  Iterator?: Flow;
  Seconds?: number;
  Timestamp?: string;
  Error?: string;
  [field: string]: unknown;
}

export interface Flow {
  StartAt?: string;
  States?: Record<string, State>;
}

/** An arrow, and whether an error goes along it. */
export interface Arrow extends GraphEdge {
  catches?: boolean;
}

export interface Drawing {
  nodes: GraphNode[];
  edges: Arrow[];
  /** Parallel and Map, and the branches of Parallel. */
  frames: GraphFrame[];
  /** Every state by its name, which is unique in a machine. */
  states: Map<string, State>;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The definition that a text holds; none while it is no JSON object. */
export function parseDefinition(text: string): Flow | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return isObject(found) ? (found as Flow) : undefined;
  } catch {
    return undefined;
  }
}

const HUES: Record<string, number> = { Task: 0, Choice: 2, Parallel: 1, Map: 1, Wait: 3, Pass: 9, Succeed: 4, Fail: 5 };

/** Where the machine begins and ends, in its picture. States have no such names. */
export const START = '\u0001start';
export const END = '\u0001end';

/** Draws a definition; what is wrong or missing in it is left out, so that it can be drawn while somebody types. */
export function draw(flow: Flow): Drawing {
  const drawing: Drawing = { nodes: [], edges: [], frames: [], states: new Map() };
  const first = text(flow.StartAt);
  if (first !== undefined) {
    drawing.nodes.push({ id: START, title: 'Start', mark: true });
    drawing.edges.push({ from: START, to: first });
  }
  const last = drawFlow(flow, drawing);
  if (last.length > 0) drawing.nodes.push({ id: END, title: 'End', mark: true });
  drawing.edges.push(...last.map((from) => ({ from, to: END })));
  return drawing;
}

/** Draws the states of a flow into a frame, and answers those that end it. */
function drawFlow(flow: Flow | undefined, drawing: Drawing, inside?: string): string[] {
  const ends: string[] = [];
  // The first state is placed first.
  const names = Object.keys(isObject(flow?.States) ? flow.States : {});
  names.sort((a, b) => Number(b === flow?.StartAt) - Number(a === flow?.StartAt));
  for (const name of names) {
    const state = flow?.States?.[name];
    if (!isObject(state) || drawing.states.has(name)) continue;
    drawing.states.set(name, state);
    const standing = { ...box(name, state), ...(inside === undefined ? {} : { inside }) };
    if (drawInside(name, state, drawing)) drawing.frames.push(standing);
    else drawing.nodes.push(standing);
    const next = text(state.Next);
    if (next !== undefined) drawing.edges.push({ from: name, to: next });
    else if (state.Type !== 'Choice') ends.push(name);
    drawChoices(name, state, drawing);
    for (const catcher of list<Catcher>(state.Catch)) {
      const to = text(catcher.Next);
      if (to !== undefined) drawing.edges.push({ from: name, to, label: caught(catcher), dashed: true, catches: true, tone: 'waiting' });
    }
  }
  return ends;
}

/** Draws what runs inside a state, and answers whether there is anything. */
function drawInside(name: string, state: State, drawing: Drawing): boolean {
  const before = drawing.states.size;
  if (state.Type === 'Parallel') {
    for (const [at, branch] of list<Flow>(state.Branches).entries()) {
      const frame = `${name}\u0001${at}`;
      drawing.frames.push({ id: frame, inside: name });
      drawFlow(branch, drawing, frame);
    }
  }
  const items = state.ItemProcessor ?? state.Iterator;
  if (state.Type === 'Map' && isObject(items)) drawFlow(items, drawing, name);
  return drawing.states.size > before;
}

function drawChoices(name: string, state: State, drawing: Drawing): void {
  if (state.Type !== 'Choice') return;
  for (const rule of list<Rule>(state.Choices)) {
    const to = text(rule.Next);
    if (to !== undefined) drawing.edges.push({ from: name, to, label: shorten(condition(rule)) });
  }
  const to = text(state.Default);
  if (to !== undefined) drawing.edges.push({ from: name, to, label: 'default' });
}

function box(name: string, state: State): GraphNode {
  const detail = about(state);
  return { id: name, title: name, kind: kind(state), hue: HUES[state.Type ?? ''] ?? 9, ...(detail ? { detail } : {}) };
}

function kind(state: State): string {
  if (state.Type !== 'Task') return state.Type ?? 'No type';
  const service = integration(state.Resource)?.[0];
  return service ? `Task, ${service}` : 'Task';
}

/** Service and action of a task's resource: `arn:aws:states:::glue:startJobRun.sync` as `glue`, `startJobRun.sync`. */
export function integration(resource: string | undefined): [string, string] | undefined {
  const [, , service, , , first = '', ...rest] = (resource ?? '').split(':');
  if (service === 'lambda') return ['lambda', rest.join(':')];
  if (service !== 'states') return undefined;
  if (first === 'activity') return ['activity', rest.join(':')];
  return first === 'aws-sdk' ? [rest[0] ?? '', rest.slice(1).join(':')] : [first, rest.join(':')];
}

function about(state: State): string | undefined {
  switch (state.Type) {
    case 'Task':
      return integration(state.Resource)?.[1];
    case 'Wait':
      return state.Seconds !== undefined ? `${state.Seconds} s` : text(state.Timestamp);
    case 'Fail':
      return text(state.Error);
    case 'Parallel':
      return `${list(state.Branches).length} branches`;
    case 'Map':
      return text(state.ItemsPath) ?? text(state.Comment) ?? 'each item';
    default:
      return text(state.Comment);
  }
}

const caught = (catcher: Catcher) => {
  const errors = list<string>(catcher.ErrorEquals);
  return errors.length === 1 && errors[0] === 'States.ALL' ? 'any error' : shorten(errors.join(', '));
};

const SIGNS: [RegExp, string][] = [
  [/GreaterThanEquals/, '≥'],
  [/LessThanEquals/, '≤'],
  [/GreaterThan/, '>'],
  [/LessThan/, '<'],
  [/Matches/, '~'],
  [/Equals/, '='],
];

/** What a choice's rule asks, as short as can be. */
export function condition(rule: Rule): string {
  if (typeof rule.Condition === 'string') return rule.Condition.replace(/^\{%\s*|\s*%\}$/g, '');
  for (const [name, word] of [['And', ' and '], ['Or', ' or ']] as const) {
    if (Array.isArray(rule[name])) return list<Rule>(rule[name]).map(condition).join(word);
  }
  if (isObject(rule.Not)) return `not ${condition(rule.Not)}`;
  const variable = (text(rule.Variable) ?? '').replace(/^\$\./, '');
  for (const [test, value] of Object.entries(rule)) {
    if (/^Is/.test(test)) return `${variable} is ${value === false ? 'not ' : ''}${test.slice(2).toLowerCase()}`;
    const sign = SIGNS.find(([pattern]) => pattern.test(test))?.[1];
    if (sign) return `${variable} ${sign} ${JSON.stringify(value)}`;
  }
  return variable;
}

const LONGEST = 28;
const shorten = (label: string) => (label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label);
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
const list = <T>(value: unknown): T[] => (Array.isArray(value) ? (value as T[]) : []);
