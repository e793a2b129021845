/** A function's code: read as the archive that it is, deployed as another one. */
import { asAwsError, AwsError } from '../../aws/error';
import { download, getFunction, updateCode } from '../../aws/lambda';
import { type Live, invalidate, useLive } from '../../lib/live';
import { type Packed, base64, readArchive, unpack } from './archive';
import { NO_DRAFT, archiveOf, draftOf, setDraft } from './draft';

export interface Code {
  /** CodeSha256 of the archive that was read. */
  sha: string;
  files: readonly Packed[];
  bytes: Uint8Array<ArrayBuffer>;
}

export const useCode = (name: string): Live<Code> => useLive(`lambda/code/${name}`, () => readCode(name));

async function readCode(name: string): Promise<Code> {
  const { Configuration, Code } = await getFunction(name);
  if (!Code.Location) throw new AwsError('NoLocation', 'GetFunction does not say where the code can be downloaded', 0);
  const bytes = await download(Code.Location);
  try {
    return { sha: Configuration.CodeSha256 ?? '', files: readArchive(bytes), bytes };
  } catch (error) {
    throw new AwsError('UnreadableArchive', asAwsError(error).message, 0);
  }
}

/** Deploys what was changed in `code`. Refused when somebody else has deployed since it was read. */
export async function deploy(name: string, code: Code): Promise<void> {
  const draft = draftOf(name);
  const archive = await archiveOf(code.files, draft);
  await replaceCode(name, archive, code.sha);
  setDraft(name, NO_DRAFT);
}

/** Makes an archive the function's code. */
export async function replaceCode(name: string, archive: Uint8Array, expected?: string): Promise<void> {
  const { Configuration } = await getFunction(name);
  if (expected !== undefined && Configuration.CodeSha256 !== expected) {
    throw new AwsError('CodeChanged', 'Somebody has deployed other code since this was read. Reading it again keeps your changes: files that you changed stay as you made them.', 0);
  }
  await updateCode(name, base64(archive), Configuration.RevisionId);
  invalidate('lambda/');
}

/** Bytes of a file that is shown as text. */
const MOST_TEXT = 1_000_000;

/** What of a file can be shown: its text, or why there is none. */
export async function textOf(file: Packed): Promise<{ text: string } | { reason: string }> {
  if (file.size > MOST_TEXT) return { reason: 'It is too large to be shown here.' };
  try {
    const bytes = await unpack(file);
    if (bytes.includes(0)) return { reason: 'It is no text.' };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return { reason: error instanceof TypeError ? 'It is no text.' : asAwsError(error).message };
  }
}

const LANGUAGES: Readonly<Record<string, 'python' | 'javascript' | 'json' | 'yaml' | 'sql'>> = {
  py: 'python',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  ts: 'javascript',
  json: 'json',
  yaml: 'yaml',
  yml: 'yaml',
  sql: 'sql',
};

export const languageOf = (path: string) => LANGUAGES[path.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'text';

/** The file that a handler such as `src/app.handler` is in, else the first that looks like code. */
export function handlerFile(paths: readonly string[], handler: string | undefined): string | undefined {
  const module = handler?.slice(0, handler.lastIndexOf('.')).replaceAll('\\', '/') ?? '';
  const wanted = [module, module.replaceAll('.', '/')].flatMap((base) => ['py', 'mjs', 'js', 'cjs'].map((ending) => `${base}.${ending}`));
  return paths.find((path) => wanted.includes(path)) ?? paths.find((path) => path === 'bootstrap') ?? paths.find((path) => languageOf(path) !== 'text') ?? paths[0];
}

/** Hands bytes to the browser as a file. */
export function save(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes]));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
