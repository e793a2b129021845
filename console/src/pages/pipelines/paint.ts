/** The picture of a machine in the colours of an execution. */
import { count, duration } from '../../lib/format';
import type { GraphEdge, GraphFrame, GraphNode } from '../../lib/graph';
import type { Tone } from '../../lib/status';
import { type Arrow, type Drawing, END, START } from './asl';
import { type Step, type StepStatus, itemsOf } from './history';

export const STEP_TONES: Record<StepStatus, Tone> = { RUNNING: 'busy', SUCCEEDED: 'good', FAILED: 'bad', CAUGHT: 'waiting', ABORTED: 'off' };
/** Which of several runs of a state gives it its colour. */
const WEIGHT: readonly StepStatus[] = ['RUNNING', 'FAILED', 'CAUGHT', 'ABORTED', 'SUCCEEDED'];

const WORDS: Record<StepStatus, string> = { RUNNING: 'running', SUCCEEDED: 'succeeded', FAILED: 'failed', CAUGHT: 'caught', ABORTED: 'aborted' };

/** The steps of each state, by its name. */
export function byState(steps: readonly Step[]): Map<string, Step[]> {
  const found = new Map<string, Step[]>();
  for (const step of steps) {
    const known = found.get(step.name);
    if (known) known.push(step);
    else found.set(step.name, [step]);
  }
  return found;
}

export function stepMs(step: Step, now: number): number {
  return Math.max(0, (step.ended ?? now / 1000) - step.began) * 1000;
}

/** Colours boxes and arrows by the steps; of a Map's frame, by all of its items. */
export function paint(drawing: Drawing, steps: readonly Step[], now: number): Picture {
  const runs = byState(steps);
  const taken = new Set(steps.map(({ after, name }) => arrowKey(after ?? '', name)));
  const colour = <T extends { id: string }>(thing: T): T => {
    const of = runs.get(thing.id);
    return of ? { ...thing, tone: STEP_TONES[status(of)], detail: about(of, now) } : thing;
  };
  const edges = drawing.edges.map((edge) => {
    if (!went(edge, runs, taken)) return edge;
    const failed = edge.catches === true || runs.get(edge.from)?.at(-1)?.status === 'FAILED';
    return { ...edge, tone: failed ? ('bad' as const) : ('good' as const) };
  });
  return { nodes: drawing.nodes.map(colour), frames: drawing.frames.map(colour), edges };
}

export interface Picture {
  nodes: GraphNode[];
  frames: GraphFrame[];
  edges: GraphEdge[];
}

const arrowKey = (from: string, to: string) => `${from}\n${to}`;

function went({ from, to, catches }: Arrow, runs: ReadonlyMap<string, readonly Step[]>, taken: ReadonlySet<string>): boolean {
  if (from === START) return runs.has(to);
  if (to === END) return runs.get(from)?.at(-1)?.ended !== undefined && runs.get(from)?.at(-1)?.status !== 'ABORTED';
  if (!taken.has(arrowKey(from, to))) return false;
  // Whether an error or the ordinary way led there, where both lead to the same.
  const led: StepStatus = catches ? 'CAUGHT' : 'SUCCEEDED';
  return runs.get(from)?.some(({ status }) => status === led) ?? false;
}

function status(steps: readonly Step[]): StepStatus {
  return WEIGHT.find((one) => steps.some((step) => step.status === one)) ?? 'SUCCEEDED';
}

function about(steps: readonly Step[], now: number): string {
  const [only] = steps;
  if (steps.length !== 1 || !only) return counts(steps);
  const said = only.status === 'SUCCEEDED' ? '' : `${WORDS[only.status]}, `;
  const items = only.items ? ` · ${counts(itemsOf(only))}` : '';
  return `${said}${duration(stepMs(only, now))}${only.retries > 0 ? `, ${only.retries + 1} attempts` : ''}${items}`;
}

/** `2 running, 1 failed`. */
export function counts(of: readonly { status: StepStatus }[]): string {
  return WEIGHT.flatMap((one) => {
    const many = of.filter(({ status }) => status === one).length;
    return many > 0 ? [`${count(many)} ${WORDS[one]}`] : [];
  }).join(', ');
}
