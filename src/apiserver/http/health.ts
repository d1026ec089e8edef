import type { Store } from '../../store/store.ts';

/** One check: undefined when it passes, otherwise why not. */
export type HealthCheck = { readonly name: string; check(): string | undefined | Promise<string | undefined> };

export interface HealthAnswer {
  readonly code: number;
  readonly text: string;
}

/** The checks of `/healthz`, `/livez` and `/readyz`. */
export function healthChecks(store: Store, closing: () => boolean): (endpoint: string) => readonly HealthCheck[] {
  const ping: HealthCheck = { name: 'ping', check: () => undefined };
  const log: HealthCheck = { name: 'log', check: () => undefined };
  const etcd: HealthCheck = {
    name: 'etcd',
    async check() {
      try {
        await store.stats();
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
  const shutdown: HealthCheck = { name: 'shutdown', check: () => (closing() ? 'process is shutting down' : undefined) };
  const ready: HealthCheck = { name: 'informer-sync', check: () => undefined };
  return (endpoint) => (endpoint === 'readyz' ? [ping, log, etcd, ready, shutdown] : [ping, log, etcd]);
}

/**
 * Answers `/livez`, `/livez?verbose`, `/livez/etcd`, `?exclude=etcd`, in upstream's words (server/healthz). Undefined for a check that
 * does not exist.
 */
export async function answerHealth(
  endpoint: string,
  single: string,
  query: URLSearchParams,
  checks: readonly HealthCheck[],
): Promise<HealthAnswer | undefined> {
  if (single !== '') {
    const found = checks.find((it) => it.name === single);
    if (!found) return undefined;
    const reason = await found.check();
    return reason === undefined ? { code: 200, text: 'ok' } : { code: 500, text: `internal server error: ${reason}\n` };
  }
  const excluded = new Set(query.getAll('exclude'));
  const lines: string[] = [];
  let failed = false;
  for (const it of checks) {
    if (excluded.delete(it.name)) {
      lines.push(`[+]${it.name} excluded: ok`);
      continue;
    }
    const reason = await it.check();
    if (reason === undefined) lines.push(`[+]${it.name} ok`);
    else {
      failed = true;
      lines.push(`[-]${it.name} failed: reason withheld`);
    }
  }
  for (const name of excluded) lines.push(`warn: some health checks cannot be excluded: no matches for "${name}"`);
  if (failed) return { code: 500, text: `${lines.join('\n')}\n${endpoint} check failed\n` };
  if (!query.has('verbose')) return { code: 200, text: 'ok' };
  return { code: 200, text: `${lines.join('\n')}\n${endpoint} check passed\n` };
}
