/** The parts of the data directory in words, and what to do about problems. */

export interface PartText {
  title: string;
  about: string;
}

const PARTS: Record<string, PartText> = {
  objects: { title: 'Objects', about: 'Bodies of objects, all versions. Lifecycle rules let old ones go.' },
  indexes: { title: 'Indexes', about: 'Keys, versions and properties of objects; small bodies stand in it too.' },
  metadata: { title: 'Metadata', about: 'What all other services know: tables, functions, executions, queues.' },
  journal: { title: 'Journal', about: 'Records of delivery streams that have not landed yet.' },
  logs: { title: 'Logs', about: 'Events of log groups. Their retention lets old ones go.' },
  audit: { title: 'Audit', about: 'Who called what, of the last 90 days.' },
  functions: { title: 'Functions', about: 'The code of functions and layers.' },
  runtimes: { title: 'Runtimes', about: 'Interpreters and packages that functions and jobs run on.' },
  work: { title: 'Work', about: 'What runs just now: sandboxes, queries that need more than memory.' },
  other: { title: 'Other', about: 'Keys and locks.' },
};

export const textOf = (part: string): PartText => PARTS[part] ?? { title: part, about: '' };

const ADVICE: [RegExp, string][] = [
  [/^writes are refused/, 'Nothing new is taken until there is room; reads and deletions go on. Delete what is not needed, shorten retention, or give the disk more room: no restart is needed.'],
  [/objects are damaged/, 'Their bytes are not what was written, and are never served. The log names them (DamagedObject): put them again, or restore a backup. Have the disk checked.'],
  [/readers met damage/, 'Bytes on the disk are not what was written. The log names the files. Have the disk checked, and compare with a backup.'],
  [/remote store failed/, 'Objects whose bodies lie there can neither be read nor written until it answers again. Its own words are in the log.'],
  [/disk can't be looked at/, 'The system does not answer for the data directory: is its disk still mounted?'],
  [/index of objects can't be read/, 'Reads of objects may fail. The log has the cause; a restart checks the index again.'],
];

/** What helps against a problem of the health page. */
export const adviceOn = (problem: string) => ADVICE.find(([pattern]) => pattern.test(problem))?.[1];
