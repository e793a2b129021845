/** What a change set's template has that the stack's has not, and the other way round. */
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import { useMemo } from 'react';

import { type Stack, getTemplate } from '../../../aws/cloudformation';
import { prettyJson } from '../../../lib/format';
import { useLive } from '../../../lib/live';
import { Shown } from '../../../lib/states';
import { type Line, diffLines } from './diff';

const SIGNS: Record<Line['kind'], string> = { added: '+', removed: '−', same: ' ', skipped: ' ' };

export function TemplateDiff({ stack, set }: { stack: Stack; set: string }) {
  const texts = useLive(`cloudformation/diff/${stack.id}/${set}/${stack.updated?.getTime()}`, () => Promise.all([getTemplate(stack.id), getTemplate(stack.id, set)]));
  return (
    <ExpandableSection headerText="Changes of the template" variant="footer">
      <Shown live={texts} what="The templates can't be read">
        {([before, after]) => (before === after ? <span className="bh-soft">The template stays as it is: only parameters, tags or the role change.</span> : <Lines before={before} after={after} />)}
      </Shown>
    </ExpandableSection>
  );
}

function Lines({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => diffLines(prettyJson(before), prettyJson(after)), [before, after]);
  return (
    <pre className="bh-diff" tabIndex={0} aria-label="Lines that differ">
      {lines.map(({ kind, text }, at) => (
        <div key={at} className={`bh-diff-${kind}`}>
          {SIGNS[kind]} {text}
        </div>
      ))}
    </pre>
  );
}
