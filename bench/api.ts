import { type ClusterProcess, freshDir, removeDir, startClusterProcess } from './cluster-process.ts';
import { cpuSeconds, type Measured, ownBytes, startPeer } from './peer.ts';
import { load, openConnection, quantile, targetOf } from './raw-client.ts';
import { seedPods } from './seed-pods.ts';
import type { Row } from './table.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
const rate = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;
const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const times = (ours: number, theirs: number): string => `(${(ours / theirs).toFixed(1)} x)`;

type Ask = (n: number) => readonly [method: string, path: string, body?: string | Buffer];

interface Run {
  readonly perSecond: number;
  readonly p99: number;
  /** Processor microseconds of the server for each request: steadier than the rate where the machine is shared. */
  readonly cpuMicros: number;
}

async function run(on: Measured, connections: number, total: number, expect: number, ask: Ask): Promise<Run> {
  const before = cpuSeconds(on.child);
  const { perSecond, p99 } = await load(on.target, connections, total, expect, ask);
  return { perSecond, p99, cpuMicros: ((cpuSeconds(on.child) - before) / total) * 1e6 };
}

const show = (it: Run): string => `${rate(it.perSecond)}, p99 ${ms(it.p99)}, ${Math.round(it.cpuMicros)} us CPU`;
const against = (it: Run, peer: Run): string =>
  `${rate(peer.perSecond)}, ${Math.round(peer.cpuMicros)} us CPU ${times(it.cpuMicros, peer.cpuMicros)}`;

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, more = ''): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: 'x'.repeat(1800), more } });

/** Requests per second, each against the bare server in the same run. */
async function requests(cluster: Measured, peer: Measured, rows: Row[]): Promise<void> {
  const sent = configMap('c-0');
  await load(cluster.target, 64, 2000, 201, (n) => ['POST', configMaps, configMap(`warm-${n}`)]);
  await load(peer.target, 64, 2000, 201, () => ['POST', '/', sent]);
  const posts = await run(peer, 64, 10_000, 201, () => ['POST', '/', sent]);
  const creates = await run(cluster, 64, 10_000, 201, (n) => ['POST', configMaps, configMap(`c-${n}`)]);
  rows.push({
    what: 'creates of 2 KB, durable, 64 connections',
    measured: show(creates),
    peer: against(creates, posts),
    aim: '8,000/s',
  });
  const updates = await run(cluster, 64, 10_000, 200, (n) => [
    'PUT',
    `${configMaps}/c-${n % 10_000}`,
    configMap(`c-${n % 10_000}`, 'x'),
  ]);
  rows.push({
    what: 'updates of 2 KB, durable, 64 connections',
    measured: show(updates),
    peer: against(updates, posts),
    aim: '6,000/s',
  });
  const bare = await run(peer, 64, 30_000, 200, () => ['GET', '/bytes/2400']);
  const gets = await run(cluster, 64, 30_000, 200, (n) => ['GET', `${configMaps}/c-${n % 10_000}`]);
  rows.push({
    what: 'gets of 2 KB, 64 connections',
    measured: show(gets),
    peer: against(gets, bare),
    aim: '25,000/s',
  });
}

/** Events to 100 watchers of one namespace, until the last has its last byte. */
async function fanOut(cluster: Measured, peer: Measured, rows: Row[]): Promise<void> {
  const writes = 1000;
  const watched = async (on: Measured, watch: string, ask: Ask): Promise<{ seconds: number; cpu: number }> => {
    const watchers = await Promise.all(Array.from({ length: 100 }, () => openConnection(on.target)));
    let bytes = 0;
    for (const watcher of watchers)
      watcher.stream(watch, (chunk) => {
        bytes += chunk.length;
      });
    await pause(200);
    const cpu = cpuSeconds(on.child);
    const began = performance.now();
    await load(on.target, 16, writes, 201, ask);
    while (bytes < writes * 100 * 1900) await pause(5);
    const seconds = (performance.now() - began) / 1000;
    for (const watcher of watchers) watcher.close();
    return { seconds, cpu: cpuSeconds(on.child) - cpu };
  };
  const path = '/api/v1/namespaces/kube-public/configmaps';
  const ours = await watched(cluster, `${path}?watch=1`, (n) => ['POST', path, configMap(`w-${n}`)]);
  const bare = await watched(peer, '/watch', () => ['POST', '/', configMap('w')]);
  const micros = (cpu: number): string => `${((cpu / (writes * 100)) * 1e6).toFixed(1)} us CPU`;
  rows.push({
    what: 'watch events to 100 watchers',
    measured: `${rate((writes * 100) / ours.seconds)}, ${micros(ours.cpu)}`,
    peer: `${rate((writes * 100) / bare.seconds)}, ${micros(bare.cpu)} ${times(ours.cpu, bare.cpu)}`,
    aim: '60,000/s',
  });
}

/** The whole list, against the bare server sending as many bytes. */
async function lists(cluster: Measured, peer: Measured, count: number, aim: string, rows: Row[]): Promise<void> {
  const timed = async (on: Measured, path: string): Promise<{ took: number; bytes: number }> => {
    const connection = await openConnection(on.target);
    const took: number[] = [];
    let bytes = 0;
    for (let i = 0; i < 5; i++) {
      const began = performance.now();
      bytes = (await connection.send('GET', path)).body.length;
      took.push(performance.now() - began);
    }
    connection.close();
    took.sort((a, b) => a - b);
    return { took: quantile(took, 0.5), bytes };
  };
  const ours = await timed(cluster, '/api/v1/pods');
  const bare = await timed(peer, `/bytes/${ours.bytes}`);
  rows.push({
    what: `list of ${count.toLocaleString('en')} pods (${mb(ours.bytes)})`,
    measured: ms(ours.took),
    peer: `${ms(bare.took)} ${times(ours.took, bare.took)}`,
    aim,
  });
}

/** A cluster that already holds `count` pods of 3 KB: its start, its memory, its lists. */
async function full(count: number, aims: { start: string; list: string }, rows: Row[]): Promise<void> {
  const dir = freshDir();
  try {
    const empty = await startClusterProcess(dir, '--no-node');
    const emptyBytes = ownBytes(empty.child);
    await empty.stop();
    const objectBytes = await seedPods(dir, count);
    const cluster = await startClusterProcess(dir, '--no-node');
    rows.push({
      what: `start with ${count.toLocaleString('en')} pods`,
      measured: ms(cluster.readyMs),
      peer: `${ms(empty.readyMs)} without`,
      aim: aims.start,
    });
    const target = targetOf(cluster.kubeconfig);
    const peer = await startPeer(dir, target);
    await lists({ child: cluster.child, target }, peer, count, aims.list, rows);
    const each = (ownBytes(cluster.child) - emptyBytes) / count;
    rows.push({
      what: `memory for each of ${count.toLocaleString('en')} pods`,
      measured: `${(each / 1000).toFixed(1)} KB`,
      peer: `${(objectBytes / 1000).toFixed(1)} KB of JSON ${times(each, objectBytes)}`,
      aim: '2 x',
    });
    peer.stop();
    await cluster.stop();
  } finally {
    removeDir(dir);
  }
}

export async function apiRequests(rows: Row[]): Promise<void> {
  const dir = freshDir();
  const cluster: ClusterProcess = await startClusterProcess(dir, '--no-node');
  const target = targetOf(cluster.kubeconfig);
  const peer = await startPeer(dir, target);
  await requests({ child: cluster.child, target }, peer, rows);
  await fanOut({ child: cluster.child, target }, peer, rows);
  peer.stop();
  await cluster.stop();
  removeDir(dir);
}

export async function apiLists(rows: Row[]): Promise<void> {
  await full(10_000, { start: '', list: '100 ms' }, rows);
}

export async function apiScale(rows: Row[]): Promise<void> {
  await full(100_000, { start: '3000 ms', list: '' }, rows);
}
