/** The picture of a machine in the colours of an execution. */
import { duration } from '../../lib/format';
import type { GraphEdge, GraphNode } from '../../lib/graph';
import type { Tone } from '../../lib/status';
import type { Drawing } from './asl';
import { type Step, type StepStatus, type Told, arrowKey } from './history';

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

export function paint(drawing: Drawing, { steps, taken }: Told, now: number): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const runs = byState(steps);
  const nodes = drawing.nodes.map((node) => {
    const of = runs.get(node.id);
    return of ? { ...node, tone: STEP_TONES[status(of)], detail: detail(of, now) } : node;
  });
  const edges = drawing.edges.map((edge) => {
    const went = taken.has(arrowKey(edge.of ?? edge.from, edge.to)) && (edge.of === undefined || runs.has(edge.from));
    const failed = runs.get(edge.from)?.some((step) => step.status === 'CAUGHT') ?? false;
    // Whether an error or the ordinary way led there, where both lead to the same.
    if (!went || (edge.catches === true && !failed)) return edge;
    return { ...edge, tone: edge.catches ? ('bad' as const) : ('good' as const) };
  });
  return { nodes, edges };
}

function status(steps: readonly Step[]): StepStatus {
  return WEIGHT.find((one) => steps.some((step) => step.status === one)) ?? 'SUCCEEDED';
}

function detail(steps: readonly Step[], now: number): string {
  const [only] = steps;
  if (steps.length === 1 && only) {
    const said = only.status === 'SUCCEEDED' ? '' : `${WORDS[only.status]}, `;
    return `${said}${duration(stepMs(only, now))}${only.retries > 0 ? `, ${only.retries + 1} attempts` : ''}`;
  }
  return WEIGHT.flatMap((one) => {
    const many = steps.filter((step) => step.status === one).length;
    return many > 0 ? [`${many} ${WORDS[one]}`] : [];
  }).join(', ');
}
