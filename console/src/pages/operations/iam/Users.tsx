/** The users of the account. */
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { useState } from 'react';

import { listUsers, whatAllHold } from '../../../aws/iam';
import { listKeys } from '../../../aws/iam-keys';
import { Frame } from '../../../lib/frame';
import { groupHref, userHref } from '../../../lib/links';
import { useLive } from '../../../lib/live';
import { Empty } from '../../../lib/states';
import { DataTable } from '../../../lib/table';
import { Time } from '../../../lib/time';
import { CreateUser } from './CreateUser';
import { lastUse } from './KeyList';

export default function Users() {
  const users = useLive('iam/users', () => listUsers(), { every: 15_000 });
  const held = useLive('iam/all/User', () => whatAllHold('User'), { every: 30_000 });
  const [creating, setCreating] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      Create user
    </Button>
  );
  const of = (name: string) => held.data?.get(name);
  return (
    <Frame title="Users" counter={users.data?.length} actions={create} description="Somebody or something with keys of its own, that calls the platform.">
      <DataTable
        label="Users"
        title={false}
        live={users}
        sort={{ column: 'name' }}
        rowKey={(user) => user.name}
        columns={[
          { id: 'name', header: 'Name', value: (user) => user.name, cell: (user) => <Link href={userHref(user.name)}>{user.name}</Link> },
          { id: 'groups', header: 'Groups', value: (user) => of(user.name)?.groups.join(' '), cell: (user) => <Groups names={of(user.name)?.groups} /> },
          { id: 'policies', header: 'Policies', value: (user) => of(user.name)?.policies.join(' '), cell: (user) => <span title={of(user.name)?.policies.join(', ')}>{of(user.name)?.policies.join(', ') || '–'}</span> },
          { id: 'keys', header: 'Access keys', width: 120, cell: (user) => <Keys name={user.name} /> },
          { id: 'used', header: 'Last activity', width: 140, cell: (user) => <Used name={user.name} /> },
          { id: 'created', header: 'Created', width: 190, value: (user) => user.created, cell: (user) => <Time at={user.created} /> },
        ]}
        empty={
          <Empty title="No users yet" action={create}>
            Root may do everything; a user may do what its policies say. Make one for each person and each program outside the platform. What runs inside it works in a role.
          </Empty>
        }
      />
      {creating && <CreateUser onClose={() => setCreating(false)} />}
    </Frame>
  );
}

function Groups({ names }: { names: readonly string[] | undefined }) {
  if (!names || names.length === 0) return <span>–</span>;
  return (
    <>
      {names.map((name, at) => (
        <span key={name}>
          {at > 0 && ', '}
          <Link href={groupHref(name)}>{name}</Link>
        </span>
      ))}
    </>
  );
}

/** Read for the rows in sight only. */
const useKeys = (name: string) => useLive(`iam/keys/${name}`, () => listKeys(name), { every: 60_000 }).data;

function Keys({ name }: { name: string }) {
  const keys = useKeys(name);
  if (!keys) return <span>–</span>;
  const active = keys.filter((key) => key.active).length;
  return <span>{keys.length === 0 ? 'None' : active === keys.length ? active : `${active} of ${keys.length} active`}</span>;
}

function Used({ name }: { name: string }) {
  return <Time at={lastUse(useKeys(name))} relative />;
}
