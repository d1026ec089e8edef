import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/base/clock.ts';
import { etcdChannel } from '../src/store/etcd/channel.ts';
import { etcdStore } from '../src/store/etcd/etcd-store.ts';
import { lmdbStore } from '../src/store/lmdb/lmdb-store.ts';
import { prefixRange, type Store } from '../src/store/store.ts';
import { hasEtcd, startEtcd } from '../testing/etcd-process.ts';
import { quantile } from './raw-client.ts';
import { machineLine } from './table.ts';

/**
 * `npm run bench:store [-- SECONDS]`: the embedded store and a real etcd, one after the other on the same disk, both with fsync. Each
 * is driven from a process of its own: the embedded store in it, etcd through gRPC's plain Put.
 */
type Figures = Readonly<Record<string, number>>;
type Put = (key: string, value: Buffer) => Promise<unknown>;

const concurrencies = [1, 64, 512];
const keys = 50_000;
const watchers = 1000;
const fanOutEvents = 100;

/** About 2 KB of JSON, different each time. */
function value(n: number): Buffer {
  const filler = Array.from({ length: 58 }, (_, i) => `"field${i}":"${(n * 2654435761 + i * 40503) >>> 0}"`).join(',');
  return Buffer.from(`{"kind":"ConfigMap","metadata":{"name":"bench-${n}"},"data":{${filler}}}`.padEnd(2048, ' '));
}

/** Fifty values, made beforehand: what is measured is the store. */
const values = Array.from({ length: 50 }, (_, n) => value(n));
const keyOf = (n: number): string => `/registry/configmaps/bench/cm-${String((n * 7919) % keys).padStart(6, '0')}`;

async function puts(put: Put, writers: number, seconds: number, from: number): Promise<[number, number, number]> {
  const waits: number[] = [];
  let next = from;
  const began = performance.now();
  const end = began + seconds * 1000;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let at = performance.now(); at < end; ) {
        const n = next++;
        await put(keyOf(n), values[n % values.length] as Buffer);
        const now = performance.now();
        waits.push(now - at);
        at = now;
      }
    }),
  );
  waits.sort((a, b) => a - b);
  const rate = (next - from) / ((performance.now() - began) / 1000);
  return [rate, quantile(waits, 0.99), next];
}

async function watchFigures(store: Store, put: Put): Promise<Figures> {
  const waits: number[] = [];
  let heard: (() => void) | undefined;
  const one = store.watch(prefixRange('/registry/watched/'), 0, { events: () => heard?.(), closed: () => undefined });
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (let i = 0; i < 300; i++) {
    const event = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const at = performance.now();
    await Promise.all([event, put('/registry/watched/one', values[i % 50] as Buffer)]);
    waits.push(performance.now() - at);
  }
  one.cancel();
  waits.sort((a, b) => a - b);
  let seen = 0;
  let all: (() => void) | undefined;
  const many = Array.from({ length: watchers }, () =>
    store.watch(prefixRange('/registry/fan/'), 0, {
      events(batch) {
        seen += batch.length;
        if (seen >= watchers * fanOutEvents) all?.();
      },
      closed: () => undefined,
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const began = performance.now();
  const done = new Promise<void>((resolve) => {
    all = resolve;
  });
  for (let i = 0; i < fanOutEvents; i++) await put('/registry/fan/one', values[i % 50] as Buffer);
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 20_000))]);
  const fanOut = seen / ((performance.now() - began) / 1000);
  for (const watch of many) watch.cancel();
  return { 'watch p50 ms': quantile(waits, 0.5), 'watch p99 ms': quantile(waits, 0.99), 'fan-out events/s': fanOut };
}

async function drive(store: Store, put: Put, seconds: number): Promise<Figures> {
  const figures: Record<string, number> = {};
  let next = 0;
  for (const writers of concurrencies) {
    const [rate, p99, reached] = await puts(put, writers, seconds, next);
    next = reached;
    figures[`${writers} puts/s`] = rate;
    figures[`${writers} p99 ms`] = p99;
  }
  for (; next < keys; next += 512) {
    const batch = Array.from({ length: Math.min(512, keys - next) }, (_, i) => next + i);
    await Promise.all(batch.map((n) => put(keyOf(n), values[n % 50] as Buffer)));
  }
  const reads: number[] = [];
  for (let i = 0; i < 3; i++) {
    const at = performance.now();
    const { entries } = await store.range(prefixRange('/registry/configmaps/'));
    if (entries.length !== keys) throw new Error(`the range has ${entries.length} keys`);
    reads.push(performance.now() - at);
  }
  reads.sort((a, b) => a - b);
  figures['range ms'] = quantile(reads, 0.5);
  Object.assign(figures, await watchFigures(store, put));
  figures['writes'] = (await store.stats()).revision;
  return figures;
}

const bytesBelow = (dir: string): number =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((total, entry) => total + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0);

/** Memory of its own, without the pages of mapped files, which the kernel takes back as it likes; and with them. */
function memoryOf(pid: number | 'self'): { readonly own: number; readonly all: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { own: field('RssAnon'), all: field('VmRSS') };
}

async function driveLmdb(seconds: number): Promise<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'coracle-bench-store-'));
  try {
    const store = await lmdbStore(dir);
    const put: Put = (key, bytes) => store.commit({ compares: [], operations: [{ type: 'put', key, value: bytes }] });
    const figures = await drive(store, put, seconds);
    globalThis.gc?.();
    const memory = memoryOf('self');
    const disk = bytesBelow(dir);
    await store.close();
    return { ...figures, 'own memory': memory.own, 'all memory': memory.all, disk };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function driveEtcd(seconds: number): Promise<Figures> {
  const etcd = await startEtcd({ flags: ['--quota-backend-bytes', String(8 * 2 ** 30)] });
  try {
    const { endpoints } = etcd;
    const store = await etcdStore({ endpoints });
    const channel = await etcdChannel({ endpoints }, systemClock);
    const put: Put = (key, bytes) => channel.attempt('KV.Put', { key: Buffer.from(key), value: bytes }, 30_000);
    const figures = await drive(store, put, seconds);
    const memory = memoryOf(etcd.pids()[0] ?? 'self');
    const disk = bytesBelow(etcd.dirs[0] ?? '');
    channel.close();
    await store.close();
    return { ...figures, 'own memory': memory.own, 'all memory': memory.all, disk };
  } finally {
    await etcd.stop();
  }
}

const inChild = (kind: string, seconds: number): Promise<Figures> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [kind, String(seconds)], { execArgv: ['--expose-gc'] });
    let figures: Figures | undefined;
    child.on('message', (message) => {
      figures = message as Figures;
    });
    child.on('exit', (code) => (figures ? resolve(figures) : reject(new Error(`${kind} ended with ${code}`))));
  });

interface Comparison {
  readonly what: string;
  readonly field: string;
  readonly show: (value: number) => string;
  readonly aim: number;
  readonly less?: boolean;
}
const rate = (value: number): string => Math.round(value).toLocaleString('en');
const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
const mb = (value: number): string => `${Math.round(value / 1e6)} MB`;
const comparisons: readonly Comparison[] = [
  ...concurrencies.flatMap((n): Comparison[] => [
    { what: `puts/s, ${n} writers`, field: `${n} puts/s`, show: rate, aim: n === 1 ? 2 : 5 },
    { what: `  p99`, field: `${n} p99 ms`, show: ms, aim: 1, less: true },
  ]),
  { what: 'range of 50,000 keys', field: 'range ms', show: ms, aim: 1, less: true },
  { what: 'put to event, median', field: 'watch p50 ms', show: ms, aim: 1, less: true },
  { what: '  p99', field: 'watch p99 ms', show: ms, aim: 1, less: true },
  { what: 'events/s to 1,000 watchers', field: 'fan-out events/s', show: rate, aim: 1 },
  { what: 'writes in all', field: 'writes', show: rate, aim: 0 },
  { what: 'on disk after them', field: 'disk', show: mb, aim: 1, less: true },
  { what: 'memory (lmdb: with the client)', field: 'own memory', show: mb, aim: 1, less: true },
  { what: '  with mapped files', field: 'all memory', show: mb, aim: 1, less: true },
];

function render(ours: Figures, theirs: Figures | undefined): string {
  const lines = comparisons.map(({ what, field, show, aim, less }) => {
    const a = ours[field] ?? 0;
    const b = theirs?.[field];
    const times = b === undefined ? Number.NaN : less ? b / a : a / b;
    const verdict = b === undefined || aim === 0 ? '' : `${times.toFixed(1)} x`;
    const wanted = aim === 0 ? '' : aim === 1 ? 'ahead' : `${aim} x`;
    return [what, show(a), b === undefined ? '-' : show(b), verdict, wanted];
  });
  const all = [['what', 'lmdb driver', 'etcd', 'ahead by', 'aim'], ...lines];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const row = (line: readonly string[]): string =>
    `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [row(all[0] ?? []), row(widths.map((width) => '-'.repeat(width))), ...all.slice(1).map(row)].join('\n');
}

const [kind = '2', given] = process.argv.slice(2);
if (kind === 'lmdb') process.send?.(await driveLmdb(Number(given)));
else if (kind === 'etcd') process.send?.(await driveEtcd(Number(given)));
else {
  const seconds = Number(kind);
  if (!(seconds > 0)) throw new Error(`bench:store wants seconds for each number of writers, not "${kind}"`);
  const ours = await inChild('lmdb', seconds);
  const theirs = hasEtcd() ? await inChild('etcd', seconds) : undefined;
  if (!theirs) process.stdout.write('etcd is not installed: the embedded store alone\n');
  process.stdout.write(`${machineLine()}\n\n${render(ours, theirs)}\n`);
}
