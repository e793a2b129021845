import Badge from '@cloudscape-design/components/badge';

import type { Table } from '../../aws/glue';
import { getTableVersions } from '../../aws/glue-catalog';
import { useLive } from '../../lib/live';
import { Shown } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import { changes } from './tables';

/** The versions of the table's entry, and what each changed. */
export function TableVersions({ table }: { table: Table }) {
  const { DatabaseName, Name, VersionId } = table;
  const live = useLive(`glue/versions/${DatabaseName}/${Name}/${VersionId ?? ''}`, () => getTableVersions(DatabaseName, Name));
  return (
    <Shown live={live} what="The versions can't be read">
      {(versions) => (
        <DataTable
          label="Versions"
          title={false}
          filter={false}
          items={versions.map((version, at) => ({ ...version, current: at === 0, did: changes(version, versions[at + 1]).join('; ') }))}
          rowKey={(version) => version.VersionId}
          height="max(240px, calc(100vh - 560px))"
          columns={[
            { id: 'id', header: 'Version', width: 150, value: (version) => Number(version.VersionId), cell: (version) => <>{version.VersionId} {version.current && <Badge color="blue">Current</Badge>}</> },
            { id: 'updated', header: 'Updated', width: 220, value: (version) => version.Table.UpdateTime, cell: (version) => <Time at={version.Table.UpdateTime} /> },
            { id: 'did', header: 'What it changed', value: (version) => version.did, cell: (version) => <span title={version.did}>{version.did}</span> },
          ]}
        />
      )}
    </Shown>
  );
}
