/** An error's name and cause, as Step Functions and Glue tell them. */
import Alert from '@cloudscape-design/components/alert';

import { prettyJson } from '../../lib/format';

export function Cause({ error, cause }: { error: string; cause?: string | undefined }) {
  return (
    <Alert type="error" header={error}>
      {cause ? (
        <pre className="bh-cause" tabIndex={0} aria-label="Cause">
          {prettyJson(cause)}
        </pre>
      ) : (
        'There is no cause.'
      )}
    </Alert>
  );
}
