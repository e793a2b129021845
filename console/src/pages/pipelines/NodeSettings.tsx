/** What a node of a visual job does, in words for the kinds that there are; and all of its options. */
import Box from '@cloudscape-design/components/box';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { CodeEditor, JsonView } from '../../lib/editor';
import { KeyValuePairs } from '../../lib/frame';
import { bucketHref, tableHref } from '../../lib/links';
import { type VisualNode, mappingOf, settingsOf } from './visual';

export function NodeSettings({ node }: { node: VisualNode }) {
  const { Database, Table, Path, Paths, SqlQuery } = node.options;
  const places = [Path, Paths].flat().filter((place): place is string => typeof place === 'string');
  const settings = settingsOf(node);
  const mapping = mappingOf(node);
  return (
    <SpaceBetween size="s">
      {typeof Database === 'string' && typeof Table === 'string' && (
        <Link href={tableHref(Database, Table)}>
          Table {Database}.{Table}
        </Link>
      )}
      {places.map((place) => {
        const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place) ?? [];
        return bucket ? (
          <div key={place} className="bh-wrap">
            <Link href={bucketHref(bucket, prefix)}>{place}</Link>
          </div>
        ) : null;
      })}
      {typeof SqlQuery === 'string' && <CodeEditor label={`Query of ${node.name}`} language="sql" value={SqlQuery} readOnly />}
      {settings.length > 0 && <KeyValuePairs columns={2} items={settings.map(({ label, text }) => ({ label, value: text }))} />}
      {mapping.length > 0 && <Mapping rows={mapping} />}
      <ExpandableSection headerText="All options" defaultExpanded={settings.length === 0 && mapping.length === 0}>
        <JsonView key={node.id} label={`Options of ${node.name}`} value={node.options} />
      </ExpandableSection>
    </SpaceBetween>
  );
}

function Mapping({ rows }: { rows: ReturnType<typeof mappingOf> }) {
  return (
    <table className="bh-mapping" aria-label="Mapping">
      <thead>
        <tr>
          <th scope="col">From</th>
          <th scope="col">To</th>
          <th scope="col">Type</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ from, to, type }) => (
          <tr key={`${from}/${to}`}>
            <td>{from}</td>
            <td>{to ?? <Box color="text-status-inactive">dropped</Box>}</td>
            <td>{type}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
