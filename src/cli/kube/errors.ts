import type { StatusError } from '../../api/status.ts';

/** A mistake in what was asked, or an answer that is bad news: `error: ` and the message on one line, then the exit code. */
export class KubectlError extends Error {
  override readonly name = 'KubectlError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A server's refusal in kubectl's words. */
export function serverError(error: StatusError): string {
  return `Error from server (${error.reason}): ${error.message}`;
}
