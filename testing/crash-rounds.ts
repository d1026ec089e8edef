import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Random } from '../src/base/random.ts';
import { lmdbStore } from '../src/store/lmdb/lmdb-store.ts';

export interface CrashReport {
  readonly rounds: number;
  readonly acknowledged: number;
  /** What was wrong; empty when nothing was. */
  readonly faults: readonly string[];
}

const program = ['../dist/testing/crash-writer.js', './crash-writer.js']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find(existsSync);

interface Acknowledged {
  readonly revision: number;
  readonly value: string;
}

/** Writers work until they are killed, `ms` milliseconds after the first acknowledgement. */
function oneKill(dir: string, round: number, ms: number, last: Map<string, Acknowledged>): Promise<number> {
  if (!program) throw new Error('crash-writer.js is not built; run npm run build');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, dir, String(round), String(1 + ((round * 7) % 32))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let rest = '';
    let count = 0;
    let armed = false;
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [key = '', revision = '', value = ''] = line.split(' ');
        if (key !== 'open') {
          count += 1;
          const known = last.get(key);
          if (!known || known.revision < Number(revision)) last.set(key, { revision: Number(revision), value });
        }
      }
      if (armed) return;
      armed = true;
      setTimeout(() => child.kill('SIGKILL'), ms);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(count);
      else reject(new Error(`the writer ended with ${code ?? signal}`));
    });
  });
}

/** Opens the store after a kill and compares it with what was acknowledged. */
async function inspect(
  dir: string,
  round: number,
  last: ReadonlyMap<string, Acknowledged>,
): Promise<readonly string[]> {
  const store = await lmdbStore(dir);
  try {
    const faults = [...(await store.verify()).faults];
    const { entries } = await store.range({ start: '/crash/', end: '/crash0' });
    const found = new Map(entries.map((entry) => [entry.key, entry]));
    const said = (key: string): string =>
      Buffer.from(found.get(key)?.value ?? '')
        .toString()
        .split(' ')[0] ?? '';
    for (const [key, { revision, value }] of last) {
      const entry = found.get(key);
      if (!entry) faults.push(`${key}: acknowledged at ${revision}, missing`);
      // Overwritten by a write whose acknowledgement the kill cut off: newer, never older.
      else if (entry.modRevision < revision || (entry.modRevision === revision && said(key) !== value))
        faults.push(`${key}: acknowledged ${value} at ${revision}, found ${said(key)} at ${entry.modRevision}`);
    }
    for (const { key, modRevision } of entries) {
      if (key.endsWith('/twin')) continue;
      const twin = found.get(`${key}/twin`);
      if (twin?.modRevision !== modRevision || said(key) !== said(twin.key)) faults.push(`${key}: half a write`);
    }
    return faults.map((fault) => `round ${round}: ${fault}`);
  } finally {
    await store.close();
  }
}

/** Kills writers at random moments, `rounds` times over one store, and looks at what is left after each. */
export async function crashRounds(
  dir: string,
  rounds: number,
  random: Random,
  tell: (line: string) => void = () => undefined,
): Promise<CrashReport> {
  const last = new Map<string, Acknowledged>();
  const faults: string[] = [];
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    acknowledged += await oneKill(dir, round, 5 + random.next() * 300, last);
    const found = await inspect(dir, round, last);
    faults.push(...found.slice(0, 20));
    if (round % 10 === 9) tell(`${round + 1} kills, ${acknowledged} acknowledged writes, ${faults.length} faults`);
    if (faults.length > 100) break;
    // Old rounds have been looked at often enough.
    for (const key of last.keys()) if (key.startsWith(`/crash/${round - 20}/`)) last.delete(key);
  }
  return { rounds, acknowledged, faults };
}
