/** What the server tells about itself, unsigned: health and counters. */

export interface Health {
  status: string;
  problems?: string[];
  [more: string]: unknown;
}

export async function health(): Promise<Health> {
  return (await (await fetch('/_boathouse/health', { cache: 'no-store' })).json()) as Health;
}

/** A sample of Prometheus' text format. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export async function metrics(): Promise<Sample[]> {
  return parseMetrics(await (await fetch('/_boathouse/metrics', { cache: 'no-store' })).text());
}

export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const found = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found) return [];
    const labels = [...(found[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    const plain = (value: string) => value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    return [
      {
        name: found[1] ?? '',
        labels: Object.fromEntries(labels.map((label) => [label[1] ?? '', plain(label[2] ?? '')])),
        value: Number(found[3]),
      },
    ];
  });
}
