/** What the server tells about itself: health and counters to everybody, the rest to those who may know. */
import { ownCall } from './call';

export interface Health {
  status: string;
  problems?: string[];
  disk?: { free_bytes: number; reserve_bytes: number; read_only: boolean };
  scrub?: { records: number; bytes: number; passes: number; last_pass_ms: number | null; damaged: number };
  remote?: { url: string; answers: boolean };
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

/** What the server tells those who may `operations:GetServer`. */
export interface ServerFacts {
  Version: string;
  UptimeSeconds: number;
  Memory: { ResidentBytes: number | null; PeakBytes: number | null; MachineBytes: number };
  Processors: number;
  /** Nothing as long as it has not been measured. */
  DataDirectory: { Parts: DiskPart[]; SecondsAgo: number } | null;
}

export interface DiskPart {
  Part: string;
  Bytes: number;
  Files: number;
}

export const serverFacts = () => ownCall<ServerFacts>('operations', '/_boathouse/server');
