/** Everything that is known of an execution beside its result. */
import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { type QueryExecution, type RuntimeStatistics, type Used, executionLineage, getStatistics, isOver } from '../../aws/athena';
import { bytes, count, duration } from '../../lib/format';
import { databaseHref, objectHref, tableHref } from '../../lib/links';
import { useLive } from '../../lib/live';
import { Time } from '../../lib/time';
import { RanBy } from './RanBy';
import { s3Place } from './results';

export function ExecutionDetails({ execution }: { execution: QueryExecution }) {
  const { QueryExecutionId: id, Status: status } = execution;
  const over = isOver(status.State);
  const statistics = useLive(`athena/statistics/${id}`, () => getStatistics(id), { enabled: over });
  const lineage = useLive(`athena/lineage/${id}`, () => executionLineage(id), { enabled: status.State === 'SUCCEEDED' });
  const place = s3Place(execution.ResultConfiguration?.OutputLocation);
  const database = execution.QueryExecutionContext?.Database;
  return (
    <SpaceBetween size="l">
      <KeyValuePairs
        columns={3}
        items={[
          { label: 'Execution ID', value: <span className="bh-wrap">{id}</span> },
          { label: 'Submitted', value: <Time at={status.SubmissionDateTime} /> },
          { label: 'Ended', value: <Time at={status.CompletionDateTime} /> },
          { label: 'Kind', value: [execution.StatementType, execution.SubstatementType].filter(Boolean).join(' · ') || '–' },
          { label: 'Database', value: database ? <Link href={databaseHref(database)}>{database}</Link> : '–' },
          { label: 'Work group', value: execution.WorkGroup ?? 'primary' },
          { label: 'Run by', value: <RanBy query={execution} /> },
          { label: 'Rows read', value: count(statistics.data?.Rows?.InputRows) },
          { label: 'Rows given', value: count(statistics.data?.Rows?.OutputRows) },
          { label: 'Size of the result', value: bytes(statistics.data?.Rows?.OutputBytes) },
          ...(execution.ExecutionParameters?.length ? [{ label: 'Parameters', value: execution.ExecutionParameters.join(', ') }] : []),
          {
            label: 'Result',
            value: place ? (
              <Link href={objectHref(place.bucket, place.key)}>
                <span className="bh-wrap">{execution.ResultConfiguration?.OutputLocation}</span>
              </Link>
            ) : (
              '–'
            ),
          },
        ]}
      />
      {statistics.data?.Timeline && <Timeline timeline={statistics.data.Timeline} />}
      {lineage.data && (lineage.data.Read.length > 0 || lineage.data.Written.length > 0) && (
        <ColumnLayout columns={2}>
          <Tables title="Read" used={lineage.data.Read} />
          <Tables title="Written" used={lineage.data.Written} />
        </ColumnLayout>
      )}
    </SpaceBetween>
  );
}

/** A bar of what came after what, and how long it took. */
function Timeline({ timeline }: { timeline: NonNullable<RuntimeStatistics['Timeline']> }) {
  const parts: [string, number][] = [
    ['Queue', timeline.QueryQueueTimeInMillis ?? 0],
    ['Preparation', timeline.ServicePreProcessingTimeInMillis ?? 0],
    ['Planning', timeline.QueryPlanningTimeInMillis ?? 0],
    ['Engine', timeline.EngineExecutionTimeInMillis ?? 0],
    ['Result', timeline.ServiceProcessingTimeInMillis ?? 0],
  ];
  const shown = parts.filter(([, ms]) => ms > 0);
  if (shown.length === 0) return null;
  return (
    <div>
      <Box variant="awsui-key-label">Where the time went</Box>
      <div className="bh-timeline" aria-hidden="true">
        {shown.map(([name, ms]) => (
          <span key={name} className={`bh-timeline-${name.toLowerCase()}`} style={{ flexGrow: ms }} />
        ))}
      </div>
      <ul className="bh-timeline-names">
        {shown.map(([name, ms]) => (
          <li key={name} className={`bh-timeline-${name.toLowerCase()}`}>
            {name} <strong>{duration(ms)}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Tables({ title, used }: { title: string; used: readonly Used[] }) {
  return (
    <div>
      <Box variant="awsui-key-label">{title}</Box>
      {used.length === 0 && <Box color="text-body-secondary">no table</Box>}
      {used.map(({ Database, Table, Columns }) => (
        <div key={`${Database}.${Table}`} className="bh-wrap">
          <Link href={tableHref(Database, Table)}>
            {Database}.{Table}
          </Link>{' '}
          <Box display="inline" color="text-body-secondary">
            {Columns.join(', ')}
          </Box>
        </div>
      ))}
    </div>
  );
}
