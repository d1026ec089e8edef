import { systemClock } from '../src/base/clock.ts';
import { purge } from '../src/cluster/purge.ts';
import { containerdSocket } from '../src/cluster/real-node.ts';
import { openChannel } from '../src/runtime/cri/channel.ts';
import { pauseImageName } from '../src/runtime/cri/pause-image.ts';
import { criRuntimeService } from '../src/runtime/cri/runtime-service.ts';
import type { ContainerConfig, PodSandboxConfig, RuntimeService } from '../src/runtime/cri.ts';
import { freshDir, removeDir, startClusterProcess } from './cluster-process.ts';
import { openConnection, quantile, targetOf } from './raw-client.ts';
import { runningWatch } from './running-watch.ts';
import { machineLine, type Row, renderTable } from './table.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ms = (value: number): string => `${Math.round(value)} ms`;
const middle = (times: readonly number[]): number =>
  quantile(
    [...times].sort((a, b) => a - b),
    0.5,
  );

const pod = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: pauseImageName, imagePullPolicy: 'Never' }],
    },
  });

const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const;
const seccomp = { profileType: 'RuntimeDefault', localhostRef: '' } as const;
const sandboxOf = (name: string): PodSandboxConfig => ({
  metadata: { name, uid: name, namespace: 'bare', attempt: 0 },
  hostname: name,
  logDirectory: `/tmp/coracle-bare/${name}`,
  portMappings: [],
  labels: {},
  annotations: {},
  linux: {
    cgroupParent: '/coracle-bare',
    sysctls: {},
    securityContext: { namespaceOptions, supplementalGroups: [], privileged: false, seccomp, readonlyRootfs: false },
  },
});
const containerOf: ContainerConfig = {
  metadata: { name: 'main', attempt: 0 },
  image: { image: pauseImageName },
  command: [],
  args: [],
  workingDir: '',
  envs: [],
  mounts: [],
  devices: [],
  labels: {},
  annotations: {},
  logPath: 'main.log',
  stdin: false,
  stdinOnce: false,
  tty: false,
  linux: {
    resources: {},
    securityContext: {
      namespaceOptions,
      privileged: false,
      supplementalGroups: [],
      readonlyRootfs: false,
      addCapabilities: [],
      dropCapabilities: [],
      noNewPrivs: false,
      maskedPaths: [],
      readonlyPaths: [],
      seccomp,
    },
  },
};

/** What the same pod costs without Kubernetes: sandbox, create, start. Gives the time and the sandbox. */
async function bareStart(
  runtime: RuntimeService,
  name: string,
): Promise<{ readonly took: number; readonly id: string }> {
  const began = performance.now();
  const sandbox = sandboxOf(name);
  const id = await runtime.runPodSandbox(sandbox, '');
  await runtime.startContainer(await runtime.createContainer(id, containerOf, sandbox));
  return { took: performance.now() - began, id };
}

async function removeBare(runtime: RuntimeService, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await runtime.stopPodSandbox(id);
    await runtime.removePodSandbox(id);
  }
}

/** Benchmarks of the real node: every figure beside what containerd takes by itself in the same run. */
async function main(): Promise<void> {
  const rows: Row[] = [];
  const dir = freshDir();
  const cluster = await startClusterProcess(dir, '--runtime', 'containerd');
  const target = targetOf(cluster.kubeconfig);
  const writer = await openConnection(target);
  const watch = await runningWatch(target);
  const runtime = criRuntimeService(await openChannel(containerdSocket(dir)), systemClock);
  const create = async (name: string): Promise<void> => {
    const { status, body } = await writer.send('POST', '/api/v1/namespaces/default/pods', pod(name));
    if (status !== 201) throw new Error(body.toString());
  };
  try {
    const bare: number[] = [];
    const whole: number[] = [];
    for (let i = 0; i < 10; i++) {
      const { took, id } = await bareStart(runtime, `b-${i}`);
      bare.push(took);
      await removeBare(runtime, [id]);
      const began = performance.now();
      await create(`p-${i}`);
      whole.push((await watch.wait(`p-${i}`)) - began);
    }
    rows.push({ what: 'sandbox + create + start on bare containerd, p50 of 10', measured: ms(middle(bare)), aim: '' });
    rows.push({
      what: 'pod create to seen Running (API, scheduler, kubelet, status), p50 of 10',
      measured: `${ms(middle(whole))} (+${Math.round((middle(whole) / middle(bare) - 1) * 100)} %)`,
      aim: '+10 %',
    });

    let began = performance.now();
    const together = await Promise.all(Array.from({ length: 50 }, (_, i) => bareStart(runtime, `c-${i}`)));
    const bareTogether = performance.now() - began;
    await removeBare(
      runtime,
      together.map((it) => it.id),
    );
    began = performance.now();
    for (let i = 10; i < 60; i++) await create(`p-${i}`);
    while (watch.count() < 60) await pause(10);
    const wholeTogether = performance.now() - began;
    rows.push({ what: '50 at once on bare containerd', measured: ms(bareTogether), aim: '' });
    rows.push({
      what: '50 pods at once, until the last is seen Running',
      measured: `${ms(wholeTogether)} (+${Math.round((wholeTogether / bareTogether - 1) * 100)} %)`,
      aim: '+10 %',
    });

    for (let i = 60; i < 110; i++) await create(`p-${i}`);
    while (watch.count() < 110) await pause(10);
    await pause(5_000);
    const before = cluster.cpuSeconds();
    await pause(10_000);
    rows.push({
      what: '110 pods at rest: CPU of the whole cluster process',
      measured: `${(((cluster.cpuSeconds() - before) / 10) * 100).toFixed(1)} %`,
      aim: '',
    });
    rows.push({
      what: '110 pods at rest: memory of the whole cluster process',
      measured: `${Math.round(cluster.memory() / 1e6)} MB`,
      aim: '',
    });
  } finally {
    watch.close();
    writer.close();
    await cluster.stop();
    await purge(dir);
    removeDir(dir);
  }
  process.stdout.write(`${machineLine()}\n\n${renderTable(rows)}\n`);
}

await main();
