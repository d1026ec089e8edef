import type { Process } from '../../kernel/process.ts';

/** The e2e image nonewprivs: a set-uid program that tells its effective user, which no_new_privs keeps at the caller's. */
export async function nonewprivs(p: Process): Promise<number> {
  await p.print(`Effective uid: ${p.workload.noNewPrivs ? p.credentials.uid : 0}\n`);
  return 0;
}
