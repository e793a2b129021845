/** An error as the server tells it, whatever the protocol. */
export class AwsError extends Error {
  constructor(
    /** AWS's code, such as `NoSuchKey`; `NetworkError` when no answer came. */
    readonly code: string,
    message: string,
    /** The HTTP status; 0 when no answer came. */
    readonly status: number,
    readonly requestId: string | undefined = undefined,
    /** Further members of the error, such as Athena's `AthenaErrorCode`. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'AwsError';
  }

  /** Whether the session is over, so that only signing in again helps. */
  get endsSession(): boolean {
    return SESSION_IS_OVER.has(this.code);
  }

  get isDenied(): boolean {
    return /^AccessDenied|^UnauthorizedOperation|NotAuthorized/.test(this.code);
  }

  get isMissing(): boolean {
    return this.status === 404 || /NotFound|NoSuch|DoesNotExist/.test(this.code);
  }
}

const SESSION_IS_OVER = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
]);

/** Anything thrown, as an {@link AwsError}. Aborted requests stay what they are: nobody waits for them. */
export function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AwsError('ClientError', message, 0);
}

/** Whether a request was given up by us. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** What people can do about an error, where that is known. */
export function advice(error: AwsError): string | undefined {
  if (error.code === 'NetworkError') return 'The server does not answer. Is it still running?';
  if (error.isDenied) return 'The signed-in principal lacks a permission: the message names it. Root may do everything.';
  if (error.code === 'NotImplemented' || error.code === 'UnknownOperationException')
    return 'The platform does not do this yet.';
  if (/Throttl|TooManyRequests|SlowDown/.test(error.code)) return 'Too many at once: try again in a moment.';
  if (error.status >= 500) return "The server's log has the cause, under the request id.";
  return undefined;
}
