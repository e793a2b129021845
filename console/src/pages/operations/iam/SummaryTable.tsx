/** What a policy allows and denies, for people: service → access → resources → conditions. */
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useMemo } from 'react';

import { type Summary, summarise } from './document';
import './iam.css';

/** Actions and resources that are written out; more of them are counted. */
const MANY = 6;

export function SummaryTable({ document, label }: { document: string; label: string }) {
  const rows = useMemo(() => summarise(document), [document]);
  if (rows.length === 0) return <span className="bh-soft">It says nothing yet.</span>;
  return (
    <table className="bh-summary" aria-label={label}>
      <thead>
        <tr>
          <th scope="col">Service</th>
          <th scope="col">Access</th>
          <th scope="col">Resources</th>
          <th scope="col">Only if</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={at}>
            <td>
              <StatusIndicator type={row.allows ? 'success' : 'error'}>
                {row.allows ? '' : 'Deny: '}
                {row.service === '*' ? 'All services' : row.service}
              </StatusIndicator>
            </td>
            <td>
              <Access row={row} />
            </td>
            <td>
              <Few items={row.resources.map((each) => (each === '*' ? 'All resources' : each))} none="–" />
            </td>
            <td>
              <Few items={row.conditions} none="Always" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const STRONG = new Set(['Full access', 'Permissions management']);

function Access({ row }: { row: Summary }) {
  return (
    <>
      {row.levels.length > 0 && (
        <div className="bh-levels">
          {row.levels.map((level) => (
            <span key={level} className={`bh-level ${STRONG.has(level) ? 'bh-level-strong' : ''}`}>
              {level}
            </span>
          ))}
        </div>
      )}
      {row.isExcept && <span>Everything except </span>}
      {!(row.levels.length === 1 && row.levels[0] === 'Full access') && <span className="bh-soft">{few(row.actions).join(', ')}</span>}
    </>
  );
}

const few = (items: readonly string[]) => (items.length > MANY ? [...items.slice(0, MANY), `and ${items.length - MANY} more`] : items);

function Few({ items, none }: { items: readonly string[]; none: string }) {
  if (items.length === 0) return <span className="bh-soft">{none}</span>;
  return (
    <ul>
      {few(items).map((item) => (
        <li key={item}>{item}</li>
      ))}
    </ul>
  );
}
