import { CriError } from '../runtime/cri.ts';

/** Milliseconds as Go prints a duration: `250ms`, `1.5s`, `5m0s`, `1h0m0s`. */
export function goDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 0) return `-${goDuration(-ms)}`;
  if (ms < 1) return `${Number((ms * 1000).toFixed(3))}µs`;
  if (ms < 1000) return `${Number(ms.toFixed(6))}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${Number(((ms % 60_000) / 1000).toFixed(9))}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** A list as Go prints it with %v: `[a b]`. */
export function goList(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}

/** The text alone: what grpc's status.Message() gives. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** As Go prints an error of the runtime: `rpc error: code = NotFound desc = …`. */
export function runtimeErrorText(error: unknown): string {
  return error instanceof CriError ? `rpc error: code = ${error.code} desc = ${error.message}` : errorMessage(error);
}

/** A name for a piece of a connection error as Go's net package prints it: `dial tcp 10.0.0.1:80: connect: connection refused`. */
export function dialErrorText(error: unknown, host: string, port: number): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const syscalls: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ECONNRESET: 'connect: connection reset by peer',
    EINVAL: 'connect: invalid argument',
    ETIMEDOUT: 'i/o timeout',
  };
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`;
  return `dial tcp ${address}: ${syscalls[code] ?? errorMessage(error)}`;
}
