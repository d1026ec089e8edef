import { apiLists, apiRequests, apiScale } from './api.ts';
import { freshDir, removeDir, startClusterProcess } from './cluster-process.ts';
import { load, openConnection, quantile, type Target, targetOf } from './raw-client.ts';
import { runningWatch } from './running-watch.ts';
import { machineLine, type Row, renderTable } from './table.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

const smallPod = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'registry.k8s.io/pause:3.9' }] },
  });

async function startAndRest(rows: Row[]): Promise<void> {
  const dir = freshDir();
  const first = await startClusterProcess(dir, '--no-node');
  await first.stop();
  const warm: number[] = [];
  for (let i = 0; i < 3; i++) {
    const again = await startClusterProcess(dir, '--no-node');
    warm.push(again.readyMs);
    await again.stop();
  }
  rows.push({ what: 'up to ready, first time', measured: ms(first.readyMs), aim: '2000 ms' });
  rows.push({
    what: 'up to ready, warm (median of 3)',
    measured: ms(
      quantile(
        warm.sort((a, b) => a - b),
        0.5,
      ),
    ),
    aim: '1000 ms',
  });
  const idle = await startClusterProcess(dir, '--no-node');
  await pause(10_000);
  const before = idle.cpuSeconds();
  await pause(20_000);
  const share = ((idle.cpuSeconds() - before) / 20) * 100;
  rows.push({ what: 'idle memory (resident)', measured: mb(idle.memory()), aim: '150 MB' });
  rows.push({ what: 'idle CPU', measured: `${share.toFixed(1)} %`, aim: '1 %' });
  await idle.stop();
  removeDir(dir);
}

/** One pod after the other, from the request to the first sight of it Running. */
async function startTimes(target: Target, count: number): Promise<readonly number[]> {
  const watch = await runningWatch(target);
  const writer = await openConnection(target);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    const { status, body } = await writer.send('POST', '/api/v1/namespaces/default/pods', smallPod(`p-${i}`));
    if (status !== 201) throw new Error(body.toString());
    times.push((await watch.wait(`p-${i}`)) - began);
  }
  watch.close();
  writer.close();
  return times.sort((a, b) => a - b);
}

async function podStarts(rows: Row[], runtime: 'containerd' | 'sim', count: number): Promise<void> {
  const dir = freshDir();
  const cluster = await startClusterProcess(dir, '--runtime', runtime);
  const times = await startTimes(targetOf(cluster.kubeconfig), count);
  rows.push({
    what: `pod create to Running on ${runtime}, p50 / p99 of ${count}`,
    measured: `${ms(quantile(times, 0.5))} / ${ms(quantile(times, 0.99))}`,
    aim: '50 / 200 ms',
  });
  await cluster.stop();
  removeDir(dir);
}

/** Many simulated nodes and pods in one process. */
async function crowd(rows: Row[], nodes: number, pods: number): Promise<void> {
  const dir = freshDir();
  const cluster = await startClusterProcess(dir, '--runtime', 'sim', '--nodes', String(nodes));
  const target = targetOf(cluster.kubeconfig);
  const empty = cluster.memory();
  const watch = await runningWatch(target);
  const began = performance.now();
  await load(target, 32, pods, 201, (n) => ['POST', '/api/v1/namespaces/default/pods', smallPod(`p-${n}`)]);
  while (watch.count() < pods) {
    if (performance.now() - began > 300_000) throw new Error(`only ${watch.count()} of ${pods} pods run`);
    await pause(20);
  }
  const seconds = (performance.now() - began) / 1000;
  const running = cluster.memory();
  const before = cluster.cpuSeconds();
  await pause(20_000);
  const share = ((cluster.cpuSeconds() - before) / 20) * 100;
  rows.push({
    what: `${nodes} simulated nodes Ready (${mb(empty)})`,
    measured: ms(cluster.readyMs),
    aim: '10,000 ms',
  });
  rows.push({
    what: `${pods} pods on ${nodes} simulated nodes, all Running (${mb(running)})`,
    measured: ms(seconds * 1000),
    aim: '30,000 ms',
  });
  rows.push({ what: 'CPU of that cluster afterwards', measured: `${share.toFixed(0)} %`, aim: '50 %' });
  watch.close();
  await cluster.stop();
  removeDir(dir);
}

const parts: Readonly<Record<string, (rows: Row[]) => Promise<void>>> = {
  start: startAndRest,
  pods: (rows) => podStarts(rows, 'containerd', 20),
  sim: (rows) => podStarts(rows, 'sim', 100),
  crowd: (rows) => crowd(rows, 500, 5000),
  api: apiRequests,
  lists: apiLists,
  scale: apiScale,
};
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
const rows: Row[] = [];
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) await part(rows);
}
process.stdout.write(`${machineLine()}\n\n${renderTable(rows)}\n`);
