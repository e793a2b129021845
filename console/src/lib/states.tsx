/** What stands where data is not: loading, nothing there, an error with what to do about it. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import type { ReactNode } from 'react';

import { type AwsError, advice } from '../aws/error';
import type { Live } from './live';

export function Loading({ text = 'Loading' }: { text?: string }) {
  return (
    <Box textAlign="center" padding="l" color="text-status-inactive">
      <span role="status">
        <Spinner /> {text}
      </span>
    </Box>
  );
}

/** Teaches what this is for, and how the first one comes about. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Box textAlign="center" padding="xl" color="inherit">
      <SpaceBetween size="s">
        <Box variant="h3" tagOverride="p">
          {title}
        </Box>
        {children && <Box color="text-body-secondary">{children}</Box>}
        {action}
      </SpaceBetween>
    </Box>
  );
}

/** An error of the server: its code, its words, the request's id, and what would help. */
export function ErrorBox({ error, what, onRetry }: { error: AwsError; what?: string; onRetry?: () => unknown }) {
  const help = advice(error);
  return (
    <Alert
      type="error"
      header={what ?? 'That did not work'}
      action={onRetry ? <Button onClick={() => void onRetry()}>Try again</Button> : undefined}
    >
      <SpaceBetween size="xxs">
        <div className="bh-wrap">
          <strong>{error.code}</strong>: {error.message}
        </div>
        {help && <div>{help}</div>}
        {error.requestId && <Box variant="small">Request {error.requestId}</Box>}
      </SpaceBetween>
    </Alert>
  );
}

/** Shows data when it is there; what loads and what fails until then. An error beside older data stands above it. */
export function Shown<T>({
  live,
  what,
  children,
}: {
  live: Live<T>;
  /** What failed, if it does: `The buckets can't be read`. */
  what?: string;
  children: (data: T) => ReactNode;
}) {
  const said = what === undefined ? {} : { what };
  if (live.data === undefined) {
    return live.error ? <ErrorBox error={live.error} onRetry={live.refresh} {...said} /> : <Loading />;
  }
  return (
    <>
      {live.error && <ErrorBox error={live.error} onRetry={live.refresh} {...said} />}
      {children(live.data)}
    </>
  );
}
