/** Which tables Glue's visual jobs read and write, by the places and names in their nodes. */
import type { Job, Table } from '../../aws/glue';

/** Ends of a job: names of tables (`database.table`) and places in S3. */
interface Ends {
  tables: string[];
  places: string[];
}

export interface JobLink {
  job: string;
  /** What it does with the table. */
  kind: 'writer' | 'reader';
  /** The tables at its other end; places that no table has stand as they are. */
  others: string[];
}

type Body = Record<string, unknown>;

const text = (value: unknown): string[] => (typeof value === 'string' && value !== '' ? [value] : []);
const body = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {});

function ends(node: Body): Ends {
  const named = [node, body(node.SchemaChangePolicy)].flatMap(({ Database, Table: name }) => (typeof Database === 'string' && typeof name === 'string' ? [`${Database}.${name}`] : []));
  const places = Array.isArray(node.Paths) ? node.Paths.flatMap(text) : text(node.Path);
  return { tables: named, places };
}

/** The sources, or the targets, of a job together. */
function side(job: Job, suffix: 'Source' | 'Target'): Ends {
  const nodes = Object.values(job.CodeGenConfigurationNodes ?? {}).flatMap((node) => Object.entries(node));
  const found = nodes.filter(([kind]) => kind.endsWith(suffix)).map(([, node]) => ends(body(node)));
  return { tables: found.flatMap((one) => one.tables), places: found.flatMap((one) => one.places) };
}

const folder = (place: string) => `${place.replace(/^s3[an]:/, 's3:').replace(/\/+$/, '')}/`;
const nameOf = (table: Table) => `${table.DatabaseName}.${table.Name}`;

/** Whether one of two folders is in the other. */
export function overlap(a: string, b: string): boolean {
  return folder(a).startsWith(folder(b)) || folder(b).startsWith(folder(a));
}

function touches({ tables, places }: Ends, table: Table): boolean {
  const location = table.StorageDescriptor?.Location;
  return tables.includes(nameOf(table)) || (location !== undefined && places.some((place) => overlap(place, location)));
}

/** The jobs that read or write a table, with what is at their other ends. */
export function jobLinks(jobs: readonly Job[], table: Table, all: readonly Table[]): JobLink[] {
  const other = (given: Ends): string[] => {
    const found = all.filter((one) => nameOf(one) !== nameOf(table) && touches(given, one));
    const unknown = given.places.filter((place) => !all.some((one) => touches({ tables: [], places: [place] }, one)));
    return [...new Set([...found.map(nameOf), ...given.tables.filter((name) => name !== nameOf(table)), ...unknown])].sort();
  };
  return jobs.flatMap((job): JobLink[] => {
    const [sources, targets] = [side(job, 'Source'), side(job, 'Target')];
    return [
      ...(touches(targets, table) ? [{ job: job.Name, kind: 'writer' as const, others: other(sources) }] : []),
      ...(touches(sources, table) ? [{ job: job.Name, kind: 'reader' as const, others: other(targets) }] : []),
    ];
  });
}
