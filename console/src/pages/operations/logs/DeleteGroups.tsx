import { deleteGroup } from '../../../aws/logs';
import { ConfirmDelete } from '../../../lib/confirm';
import { invalidate } from '../../../lib/live';
import { notify } from '../../../lib/notify';

export function DeleteGroups({ names, onClose, onDeleted }: { names: readonly string[]; onClose: () => void; onDeleted: () => void }) {
  const [first = '', ...others] = names;
  const one = others.length === 0;
  return (
    <ConfirmDelete
      what={one ? `log group ${first}` : `${names.length} log groups`}
      typed={one ? first : 'delete'}
      onClose={onClose}
      onConfirm={async () => {
        try {
          for (const name of names) await deleteGroup(name);
          notify('success', one ? `${first} is deleted` : `${names.length} log groups are deleted`);
          onDeleted();
        } finally {
          invalidate('logs/');
        }
      }}
    >
      {one ? 'All of its streams and events go with it.' : 'All of their streams and events go with them.'}
    </ConfirmDelete>
  );
}
