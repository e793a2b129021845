/** The answer of the simulator, so that nobody overlooks it. */
import Icon from '@cloudscape-design/components/icon';
import type { ReactNode } from 'react';

import type { Verdict } from '../../../aws/iam-simulate';
import './iam.css';

const WHY: Record<Verdict['decision'], string> = {
  allowed: 'A policy allows it, and none denies it.',
  explicitDeny: 'A statement denies it. A deny wins over whatever allows it.',
  implicitDeny: 'No policy that has a say allows it. What nobody allows is denied.',
};

export interface VerdictBoxProps {
  verdict: Verdict;
  action: string;
  /** Whether policies allow it, and only the boundary does not. */
  beyondBoundary?: boolean;
  children?: ReactNode;
}

export function VerdictBox({ verdict, action, beyondBoundary = false, children }: VerdictBoxProps) {
  const good = verdict.decision === 'allowed';
  return (
    <div className={`bh-verdict ${good ? 'bh-verdict-good' : 'bh-verdict-bad'}`} role="status">
      <Icon name={good ? 'status-positive' : 'status-negative'} variant={good ? 'success' : 'error'} size="large" />
      <div>
        <strong>{good ? `${action} is allowed` : `${action} is denied`}</strong>
        <p>{beyondBoundary ? 'Policies allow it, but it is beyond the permissions boundary.' : WHY[verdict.decision]}</p>
        {children}
      </div>
    </div>
  );
}
