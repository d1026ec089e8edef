/** The error texts of Linux (errno(3)) as C programs print them; Go prints the same in lower case. */
const texts = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  ENOEXEC: 'Exec format error',
  EBADF: 'Bad file descriptor',
  ECHILD: 'No child processes',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EBUSY: 'Resource busy',
  EEXIST: 'File exists',
  EXDEV: 'Invalid cross-device link',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENOTTY: 'Not a tty',
  EFBIG: 'File too large',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  EPIPE: 'Broken pipe',
  ELOOP: 'Too many levels of symbolic links',
  ENOTEMPTY: 'Directory not empty',
  ENAMETOOLONG: 'File name too long',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENETUNREACH: 'Network is unreachable',
  ECONNRESET: 'Connection reset by peer',
  ENOTCONN: 'Transport endpoint is not connected',
  ETIMEDOUT: 'Connection timed out',
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  EMSGSIZE: 'Message too long',
} as const;

export type Errno = keyof typeof texts;

/** A refused system call; carries Node's `code`. Without a stack: programs meet these all the time, and taking one is slow. */
export class SysError extends Error {
  override readonly name = 'SysError';
  readonly code: Errno;
  constructor(code: Errno, detail?: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(detail ? `${code}: ${texts[code].toLowerCase()}, ${detail}` : `${code}: ${texts[code].toLowerCase()}`);
    Error.stackTraceLimit = limit;
    this.code = code;
  }
}

/** The errno that an error carries, if it is one we know. */
export function errnoOf(error: unknown): Errno | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && Object.hasOwn(texts, code) ? (code as Errno) : undefined;
}

/** The C library's text of an error: of a SysError its errno's, of anything else its message. */
export function strerror(error: unknown): string {
  const code = errnoOf(error);
  if (code) return texts[code];
  return error instanceof Error ? error.message : String(error);
}

/** Whether an error is a SysError, of the given code when one is named. */
export function isSysError(error: unknown, code?: Errno): error is SysError {
  return error instanceof SysError && (code === undefined || error.code === code);
}
