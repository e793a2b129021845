import Alert from '@cloudscape-design/components/alert';

import { getTables } from '../../aws/glue';
import { deleteDatabase } from '../../aws/glue-catalog';
import { ConfirmDelete } from '../../lib/confirm';
import { count } from '../../lib/format';
import { invalidate, useLive } from '../../lib/live';
import { notify } from '../../lib/notify';

/** Deletes a database and its tables' entries, after its name was typed. */
export function RemoveDatabase({ database, onDone, onClose }: { database: string; onDone?: () => void; onClose: () => void }) {
  const tables = useLive(`glue/tables/${database}`, () => getTables(database));
  const number = tables.data?.length ?? 0;
  const act = async () => {
    await deleteDatabase(database);
    notify('success', `Database ${database} is deleted`);
    invalidate('glue/');
    onDone?.();
  };
  return (
    <ConfirmDelete what={`database ${database}`} {...(number > 0 ? { typed: database } : {})} onConfirm={act} onClose={onClose}>
      <Alert type="warning">
        {number > 0 ? `Its ${count(number)} ${number === 1 ? 'table goes' : 'tables go'} from the catalogue with it, and what asks them fails. ` : 'It has no tables. '}
        The files in S3 stay.
      </Alert>
    </ConfirmDelete>
  );
}
