/**
 * The code editor: SQL as Trino speaks it, JSON, Python, JavaScript, YAML. It is loaded when the first one is shown.
 *
 *     <CodeEditor label="Statement" language="sql" value={sql} onChange={setSql} onRun={run} schema={tables} />
 */
import { Suspense, lazy } from 'react';

import type { EditorProps } from './editor-code';
import { Loading } from './states';

const Code = lazy(() => import('./editor-code'));

export type { EditorHandle, EditorProps, Problem } from './editor-code';

export function CodeEditor(props: EditorProps) {
  return (
    <Suspense fallback={<Loading text="Loading the editor" />}>
      <Code {...props} />
    </Suspense>
  );
}

/** JSON to read: indented, coloured, folded at will. Text that is none is shown as it is. */
export function JsonView({ value, label, height }: { value: unknown; label: string; height?: number | string }) {
  const text = typeof value === 'string' ? pretty(value) : JSON.stringify(value, null, 2);
  return <CodeEditor label={label} language="json" value={text ?? ''} readOnly {...(height ? { height } : {})} />;
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
