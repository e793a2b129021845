/** The roles of the account, and who they trust. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';

import { listRoles, whatAllHold } from '../../../aws/iam';
import { Frame } from '../../../lib/frame';
import { roleHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { CreateRole } from './CreateRole';
import { trustWords } from './document';

export default function Roles() {
  const roles = useLive('iam/roles', () => listRoles(), { every: 15_000 });
  const held = useLive('iam/all/Role', () => whatAllHold('Role'), { every: 30_000 });
  const [creating, setCreating] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      Create role
    </Button>
  );
  const policies = (name: string) => held.data?.get(name)?.policies.join(', ');
  return (
    <Frame title="Roles" counter={roles.data?.length} actions={create} description="What functions, jobs, streams, state machines and people work in: permissions without keys that last.">
      <DataTable
        label="Roles"
        title={false}
        live={roles}
        sort={{ column: 'name' }}
        rowKey={(role) => role.name}
        columns={[
          { id: 'name', header: 'Name', value: (role) => role.name, cell: (role) => <Link href={roleHref(role.name)}>{role.name}</Link> },
          { id: 'trust', header: 'Trusts', value: (role) => trusts(role.trust), cell: (role) => <span title={trusts(role.trust)}>{trusts(role.trust)}</span> },
          { id: 'policies', header: 'Policies', value: (role) => policies(role.name), cell: (role) => <span title={policies(role.name)}>{policies(role.name) || '–'}</span> },
          { id: 'description', header: 'Description', value: (role) => role.description, cell: (role) => <span title={role.description}>{role.description || '–'}</span> },
          { id: 'created', header: 'Created', width: 190, value: (role) => role.created, cell: (role) => <Time at={role.created} /> },
        ]}
        empty={
          <Empty title="No roles yet" action={create}>
            Whatever runs in the platform works in a role: its trust policy says who may, its policies say what it may do then.
          </Empty>
        }
      />
      {creating && <CreateRole onClose={() => setCreating(false)} />}
    </Frame>
  );
}

/** Services without the end that all of them have. */
const trusts = (document: string) =>
  trustWords(document)
    .filter(({ allows }) => allows)
    .flatMap(({ who }) => who.map((each) => each.replace(/^the service (\S+)\.amazonaws\.com$/, '$1').replace(': whoever its policies let', '')))
    .join(', ');
