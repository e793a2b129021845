/** Prepared statements: statements with placeholders, executed by name with other values each time. */
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { type PreparedStatement, createPrepared, deletePrepared, listPrepared, listWorkGroups, updatePrepared } from '../../aws/athena';
import { ConfirmDelete } from '../../lib/confirm';
import { CodeEditor } from '../../lib/editor';
import { FormDialog, useDeed } from '../../lib/form-dialog';
import { Frame } from '../../lib/frame';
import { useLive } from '../../lib/live';
import { notify } from '../../lib/notify';
import { navigate, to } from '../../lib/router';
import { Empty } from '../../lib/states';
import { DataTable } from '../../lib/table';
import { Time } from '../../lib/time';
import './query.css';
import { placeholders, quoted } from './statements';
import { open } from './tabs';

type Draft = { statement?: PreparedStatement };

export default function Prepared() {
  const statements = useLive('athena/prepared-all', async () => (await Promise.all((await listWorkGroups()).map(({ Name }) => listPrepared(Name)))).flat(), { every: 20_000 });
  const [going, setGoing] = useState<PreparedStatement>();
  const [draft, setDraft] = useState<Draft>();
  const execute = (one: PreparedStatement) => {
    open({ name: one.StatementName, sql: `EXECUTE ${quoted(one.StatementName)}`, workGroup: one.WorkGroupName });
    navigate(to('/query'));
  };
  return (
    <Frame
      title="Prepared statements"
      counter={statements.data?.length}
      description="A statement with ? where values go. EXECUTE runs it with the values of that time, which can't change what it does."
      actions={
        <Button variant="primary" onClick={() => setDraft({})}>
          Create prepared statement
        </Button>
      }
    >
      <DataTable<PreparedStatement>
        label="Prepared statements"
        title={false}
        live={statements}
        sort={{ column: 'name' }}
        rowKey={(one) => `${one.WorkGroupName}/${one.StatementName}`}
        columns={[
          { id: 'name', header: 'Name', width: 150, value: (one) => one.StatementName, cell: (one) => one.StatementName },
          { id: 'sql', header: 'Statement', value: (one) => one.QueryStatement, cell: (one) => <span className="bh-sql-cell" title={one.QueryStatement.slice(0, 1000)}>{one.QueryStatement.replace(/\s+/g, ' ').slice(0, 200)}</span> },
          { id: 'parameters', header: 'Parameters', width: 118, align: 'right', value: (one) => placeholders(one.QueryStatement), cell: (one) => placeholders(one.QueryStatement) },
          { id: 'group', header: 'Work group', width: 122, value: (one) => one.WorkGroupName, cell: (one) => one.WorkGroupName },
          { id: 'changed', header: 'Last changed', width: 172, value: (one) => one.LastModifiedTime, cell: (one) => <Time at={one.LastModifiedTime} /> },
          {
            id: 'actions',
            header: 'Actions',
            width: 185,
            cell: (one) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" onClick={() => execute(one)} ariaLabel={`Execute ${one.StatementName}`}>
                  Execute
                </Button>
                <Button variant="inline-link" onClick={() => setDraft({ statement: one })} ariaLabel={`Edit ${one.StatementName}`}>
                  Edit
                </Button>
                <Button variant="inline-link" onClick={() => setGoing(one)} ariaLabel={`Delete ${one.StatementName}`}>
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Empty title="No prepared statements yet">SELECT … WHERE airport = ? is one. Its values are asked for when it is executed, here or by any client.</Empty>}
      />
      {draft && <Edit draft={draft} onClose={() => setDraft(undefined)} onSaved={statements.refresh} />}
      {going && (
        <ConfirmDelete
          what={`prepared statement ${going.StatementName}`}
          onConfirm={async () => {
            await deletePrepared(going.StatementName, going.WorkGroupName);
            notify('success', `${going.StatementName} is deleted`);
            await statements.refresh();
          }}
          onClose={() => setGoing(undefined)}
        />
      )}
    </Frame>
  );
}

function Edit({ draft: { statement }, onClose, onSaved }: { draft: Draft; onClose: () => void; onSaved: () => Promise<void> }) {
  const groups = useLive('athena/workgroups', () => listWorkGroups());
  const [name, setName] = useState(statement?.StatementName ?? '');
  const [sql, setSql] = useState(statement?.QueryStatement ?? '');
  const [group, setGroup] = useState(statement?.WorkGroupName ?? 'primary');
  const valid = /^[a-zA-Z_][a-zA-Z0-9_@:]{0,255}$/.test(name);
  const ready = valid && sql.trim() !== '';
  const save = useDeed(async () => {
    const input = { StatementName: name, WorkGroup: group, QueryStatement: sql };
    await (statement ? updatePrepared(input) : createPrepared(input));
    notify('success', `${name} is prepared`);
    await onSaved();
    onClose();
  }, ready);
  return (
    <FormDialog title={statement ? `Edit ${statement.StatementName}` : 'Create a prepared statement'} action="Save" size="large" deed={save} ready={ready} onClose={onClose}>
      {!statement && (
        <FormField label="Name" errorText={name && !valid ? 'Letters, digits, _, @ and :, the first a letter or _' : undefined}>
          <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
        </FormField>
      )}
      {!statement && (
        <FormField label="Work group">
          <Select selectedOption={{ value: group, label: group }} options={(groups.data ?? []).map(({ Name }) => ({ value: Name, label: Name }))} onChange={({ detail }) => setGroup(detail.selectedOption.value ?? 'primary')} />
        </FormField>
      )}
      <FormField label="Statement" description={`${placeholders(sql)} parameters`} stretch>
        <CodeEditor label="Prepared statement" language="sql" value={sql} onChange={setSql} height={180} placeholder="SELECT * FROM departures WHERE airport = ? AND delay > ?" />
      </FormField>
    </FormDialog>
  );
}
