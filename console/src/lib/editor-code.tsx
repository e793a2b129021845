/** The editor itself; pages use `editor.tsx`, which loads this one when it is needed. */
import { type CompletionSource, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { json } from '@codemirror/lang-json';
import { python } from '@codemirror/lang-python';
import { type SQLNamespace, sql } from '@codemirror/lang-sql';
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import {
  EditorView,
  drawSelection,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder as placeholderText,
} from '@codemirror/view';
import { tags as t } from '@lezer/highlight';
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react';

import { nonce } from './nonce';
import { useDark } from './theme';
import { TRINO } from './trino';
import './editor.css';

export type Language = 'sql' | 'json' | 'python' | 'javascript' | 'yaml' | 'text';

/** Something wrong at a place; lines and columns count from 1. */
export interface Problem {
  line: number;
  column: number;
  /** Exclusive; the end of the word without. */
  endColumn?: number;
  message: string;
  severity?: 'error' | 'warning' | 'info';
}

export interface EditorHandle {
  /** The chosen text; empty if none is. */
  selection: () => string;
  /** Where the chosen text begins and ends; where the cursor is if none is chosen. */
  range: () => { from: number; to: number };
  insert: (text: string) => void;
  focus: () => void;
}

export interface EditorProps {
  /** For screen readers. */
  label: string;
  language: Language;
  value: string;
  onChange?: (value: string) => void;
  readOnly?: boolean;
  /** Pixels or any CSS length; as high as the text without. */
  height?: number | string;
  minHeight?: number | string;
  placeholder?: string;
  /** Ctrl-Enter. */
  onRun?: () => void;
  /** Tables and columns for completion in SQL. */
  schema?: SQLNamespace;
  /** What else completes. */
  completions?: CompletionSource;
  problems?: readonly Problem[];
  /** The line to go to, counted from 1. */
  line?: number | undefined;
  handle?: Ref<EditorHandle>;
}

const COLOURS = HighlightStyle.define([
  { tag: [t.keyword, t.operatorKeyword, t.modifier], color: 'var(--bh-code-keyword)', fontWeight: '600' },
  { tag: [t.string, t.special(t.string)], color: 'var(--bh-code-string)' },
  { tag: [t.number, t.bool, t.null, t.atom], color: 'var(--bh-code-number)' },
  { tag: [t.comment, t.lineComment, t.blockComment], color: 'var(--bh-code-comment)', fontStyle: 'italic' },
  { tag: [t.typeName, t.className], color: 'var(--bh-code-type)' },
  { tag: [t.propertyName, t.function(t.variableName), t.standard(t.name)], color: 'var(--bh-code-name)' },
  { tag: t.invalid, color: 'var(--bh-bad)' },
]);

function languageOf(language: Language, schema: SQLNamespace | undefined): Extension {
  switch (language) {
    case 'sql':
      return sql({ dialect: TRINO, upperCaseKeywords: true, ...(schema ? { schema } : {}) });
    case 'json':
      return json();
    case 'python':
      return python();
    case 'javascript':
      return javascript();
    case 'yaml':
      return yaml();
    case 'text':
      return [];
  }
}

function marks(state: EditorState, problems: readonly Problem[]): Diagnostic[] {
  return problems.map(({ line, column, endColumn, message, severity = 'error' }) => {
    const row = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
    const from = Math.min(row.from + Math.max(column - 1, 0), row.to);
    const word = state.wordAt(from);
    const to = endColumn === undefined ? (word?.to ?? Math.min(from + 1, row.to)) : Math.min(row.from + endColumn - 1, row.to);
    return { from, to: Math.max(to, from), message, severity };
  });
}

const size = (length: number | string) => (typeof length === 'number' ? `${length}px` : length);

export default function Code(props: EditorProps) {
  const { label, language, value, readOnly = false, height, minHeight, placeholder, schema, completions, problems, line, handle } = props;
  const dark = useDark();
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const parts = useRef({ language: new Compartment(), looks: new Compartment(), completion: new Compartment(), lock: new Compartment() });

  useEffect(() => {
    const { language: speech, looks, completion, lock } = parts.current;
    const run = () => {
      latest.current.onRun?.();
      return latest.current.onRun !== undefined;
    };
    const editor = new EditorView({
      parent: place.current ?? document.body,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          EditorView.cspNonce.of(nonce()),
          keymap.of([{ key: 'Mod-Enter', run, preventDefault: true }]),
          lineNumbers(),
          foldGutter(),
          highlightSpecialChars(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          search({ top: true }),
          syntaxHighlighting(COLOURS),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, indentWithTab]),
          // What scrolls must be reachable by keyboard, which axe believes of a tab stop only.
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          placeholder ? placeholderText(placeholder) : [],
          speech.of([]),
          looks.of([]),
          completion.of([]),
          lock.of([]),
          latest.current.readOnly ? [] : lintGutter(),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      view.current = null;
      editor.destroy();
    };
  }, [label, placeholder]);

  useEffect(() => {
    const { language: speech, looks, completion, lock } = parts.current;
    view.current?.dispatch({
      effects: [
        speech.reconfigure(languageOf(language, schema)),
        looks.reconfigure(EditorView.theme({}, { dark })),
        // The icons are of fonts that not every machine has.
        completion.reconfigure(autocompletion({ icons: false, ...(completions ? { override: null, activateOnTyping: true } : {}) })),
        lock.reconfigure([
          EditorState.readOnly.of(readOnly),
          EditorView.editable.of(true),
          completions ? EditorState.languageData.of(() => [{ autocomplete: completions }]) : [],
        ]),
      ],
    });
  }, [language, schema, dark, completions, readOnly, label, placeholder]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, marks(editor.state, problems ?? [])));
  }, [problems, label, placeholder]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !line) return;
    const { from } = editor.state.doc.line(Math.min(line, editor.state.doc.lines));
    editor.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
  }, [line, label]);

  useImperativeHandle(handle, () => ({
    selection: () => {
      const state = view.current?.state;
      return state ? state.sliceDoc(state.selection.main.from, state.selection.main.to) : '';
    },
    range: () => {
      const { from, to } = view.current?.state.selection.main ?? { from: 0, to: 0 };
      return { from, to };
    },
    insert: (text) => view.current?.dispatch(view.current.state.replaceSelection(text)),
    focus: () => view.current?.focus(),
  }));

  const style = {
    ...(height === undefined ? {} : { height: size(height) }),
    ...(minHeight === undefined ? {} : { minHeight: size(minHeight) }),
  };
  return <div className="bh-editor" ref={place} style={style} />;
}
