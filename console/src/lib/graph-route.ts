/** The line of an arrow that goes along given points, from top to bottom: straight past boxes, in curves between their rows. */
import type { Placed, Size } from './graph-layout';

type Box = Placed & Size;

/** How close the middles of two boxes of one row are. */
const SAME_ROW = 2;

/** An SVG path, and where its words stand. */
export function routed(points: readonly Placed[], from: Box, to: Box, boxes: readonly Box[]): { path: string; label: Placed } {
  const inner = points.slice(1, -1);
  const [first, last] = [points[0], points.at(-1)];
  const down = from.y < to.y;
  const begin = down || !first ? { x: from.x + from.width / 2, y: from.y + from.height } : first;
  const end = down || !last ? { x: to.x + to.width / 2, y: to.y } : last;
  const sign = down ? 1 : -1;
  const edge = ({ x }: Placed, row: number, side: number) => ({ x, y: row + (side * rowHeight(row, boxes)) / 2 });
  // A box is left and reached at its row's edge: others of the row may be higher.
  const stops = [begin, edge(begin, from.y + from.height / 2, sign)];
  for (const point of inner) stops.push(edge(point, point.y, -sign), edge(point, point.y, sign));
  stops.push(edge(end, to.y + to.height / 2, -sign), end);
  // A piece without a length would turn the arrow's head aside.
  const path = stops.filter((stop, at) => at === 0 || stop.x !== stops[at - 1]?.x || stop.y !== stops[at - 1]?.y);
  const middle = inner[Math.floor(inner.length / 2)] ?? { x: (begin.x + end.x) / 2, y: (begin.y + end.y) / 2 };
  return { path: path.map((stop, at) => (at === 0 ? `M ${stop.x} ${stop.y}` : curve(path[at - 1] ?? stop, stop))).join(' '), label: middle };
}

/** How high the boxes are whose middle is there. */
function rowHeight(y: number, boxes: readonly Box[]): number {
  return boxes.reduce((most, box) => (Math.abs(box.y + box.height / 2 - y) < SAME_ROW ? Math.max(most, box.height) : most), 0);
}

function curve(from: Placed, to: Placed): string {
  const middle = (from.y + to.y) / 2;
  return from.x === to.x ? `L ${to.x} ${to.y}` : `C ${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`;
}
