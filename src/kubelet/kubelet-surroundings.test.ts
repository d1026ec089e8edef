import { afterEach, describe, expect, it } from 'vitest';
import { configmaps, pods, secrets } from '../api/generated/resources.ts';
import type { KubeObject } from '../api/resource.ts';
import { CriError } from '../runtime/cri.ts';
import { createSimNodeFiles } from '../runtime/sim/vfs/sim-node-files.ts';
import { type Bench, type BenchOptions, startBench } from './testing/bench.ts';

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.life.end();
  bench = undefined;
});
const setup = async (more: Partial<BenchOptions> = {}): Promise<Bench> => {
  bench = await startBench({ makeFiles: (now) => createSimNodeFiles(now, 2 ** 40).files, ...more });
  return bench;
};

describe('kubelet around its containers', () => {
  it('restarts what fails its liveness probe, and takes what is not ready out', async () => {
    const b = await setup();
    let healthy = true;
    b.runtime.commands.set('check', async () => ({ exitCode: healthy ? 0 : 1, stdout: 'ill' }));
    const probe = { exec: { command: ['check'] }, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 1 };
    b.create('web', {
      containers: [
        { name: 'app', image: 'busybox:1', livenessProbe: probe, readinessProbe: { ...probe, failureThreshold: 1 } },
      ],
    });
    await b.until(() => b.container('web')?.ready);
    healthy = false;
    await b.until(() => b.container('web')?.ready === false);
    expect(b.said('Unhealthy')[0]).toMatch(/^(Readiness|Liveness) probe failed: ill$/);
    await b.until(() => b.said('Killing').length > 0);
    expect(b.said('Killing')).toEqual(['Container app failed liveness probe, will be restarted']);
    healthy = true;
    await b.until(() => b.container('web')?.ready && b.container('web')?.restartCount === 1);
  });

  it('says how network probes fail', async () => {
    const b = await setup();
    const base = { periodSeconds: 1, failureThreshold: 100, timeoutSeconds: 1 };
    b.create('web', {
      containers: [
        {
          name: 'app',
          image: 'busybox:1',
          ports: [{ containerPort: 80, name: 'http' }],
          readinessProbe: { ...base, httpGet: { path: '/', port: 'http' } },
          livenessProbe: { ...base, tcpSocket: { port: 81 } },
        },
      ],
    });
    await b.until(() => b.said('Unhealthy').length >= 2);
    const ip = b.pod('web')?.status?.podIP;
    expect(b.said('Unhealthy')).toContain(
      `Readiness probe failed: Get "http://${ip}:80/": dial tcp ${ip}:80: connect: connection refused`,
    );
    expect(b.said('Unhealthy')).toContain(`Liveness probe failed: dial tcp ${ip}:81: connect: connection refused`);
    let code = 500;
    b.runtime.listeners.set(`${ip}:80`, (socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 ${code} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`));
    });
    await b.until(() => b.said('Unhealthy').includes('Readiness probe failed: HTTP probe failed with statuscode: 500'));
    code = 200;
    await b.until(() => b.container('web')?.ready);
  });

  it('mounts volumes, tells what is missing, and keeps config maps up to date', async () => {
    const b = await setup();
    b.create('vol', {
      volumes: [
        { name: 'cfg', configMap: { name: 'cm' } },
        {
          name: 'sa',
          projected: {
            defaultMode: 0o644,
            sources: [
              { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
              { downwardAPI: { items: [{ path: 'ns', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
            ],
          },
        },
        { name: 'tmp', emptyDir: {} },
      ],
      containers: [
        {
          name: 'app',
          image: 'busybox:1',
          volumeMounts: [
            { name: 'cfg', mountPath: '/cfg' },
            { name: 'sa', mountPath: '/sa' },
            { name: 'tmp', mountPath: '/tmp', subPath: 'a/b' },
          ],
        },
      ],
    });
    await b.until(() => b.said('FailedMount').length > 0);
    expect(b.said('FailedMount')[0]).toBe('MountVolume.SetUp failed for volume "cfg" : configmap "cm" not found');
    expect(b.container('vol')?.state?.waiting?.reason).toBe('ContainerCreating');
    b.api.put(configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cm', namespace: 'ns' },
      data: { k: 'one' },
    } as KubeObject);
    await b.until(() => b.container('vol')?.ready);
    const dir = '/var/lib/kubelet/pods/uid-vol/volumes';
    const read = async (path: string) => (await b.files.read(`${dir}/${path}`)).toString();
    expect(await read('kubernetes.io~configmap/cfg/k')).toBe('one');
    expect(await read('kubernetes.io~projected/sa/ns')).toBe('ns');
    const token = await read('kubernetes.io~projected/sa/token');
    b.api.put(configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cm', namespace: 'ns' },
      data: { k: 'two', l: 'new' },
    } as KubeObject);
    await b.run(100);
    expect(await read('kubernetes.io~configmap/cfg/k')).toBe('two');
    expect(await read('kubernetes.io~configmap/cfg/l')).toBe('new');
    await b.clock.advance(3_000_000);
    await b.run();
    expect(await read('kubernetes.io~projected/sa/token')).not.toBe(token);
  });

  it('pulls with the credentials that fit', async () => {
    const b = await setup();
    b.runtime.registry.set('reg.example/private/app:1', { sizeBytes: 1, needs: 'secret' });
    const auths = {
      auths: {
        'reg.example/private': { username: 'me', password: 'secret' },
        'other.example': { username: 'x', password: 'y' },
      },
    };
    b.api.put(secrets, {
      metadata: { name: 'pull', namespace: 'ns' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify(auths)).toString('base64') },
    } as KubeObject);
    b.create('priv', {
      imagePullSecrets: [{ name: 'pull' }, { name: 'gone' }],
      containers: [{ name: 'app', image: 'reg.example/private/app:1' }],
    });
    await b.until(() => b.container('priv')?.ready);
    expect(b.runtime.transcript).toContain('pull reg.example/private/app:1 as me');
    expect(b.said('FailedToRetrieveImagePullSecret')[0]).toBe(
      'Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.',
    );
  });

  it('says why there is no sandbox', async () => {
    const b = await setup();
    const run = b.runtime.runtime.runPodSandbox;
    Object.assign(b.runtime.runtime, {
      runPodSandbox: () => Promise.reject(new CriError('Unknown', 'failed to setup network for sandbox: no addresses')),
    });
    b.create('net', {});
    await b.until(() => b.said('FailedCreatePodSandBox').length > 0);
    expect(b.said('FailedCreatePodSandBox')[0]).toBe(
      'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: no addresses',
    );
    Object.assign(b.runtime.runtime, { runPodSandbox: run });
    await b.until(() => b.container('net')?.ready);
  });

  it('resizes in place', async () => {
    const b = await setup();
    const spec = (cpu: string) => ({
      containers: [{ name: 'app', image: 'busybox:1', resources: { requests: { cpu }, limits: { cpu } } }],
    });
    b.create('rs', spec('1'));
    await b.until(() => b.container('rs')?.ready);
    const current = b.pod('rs')!;
    b.api.put(pods, {
      ...current,
      metadata: { ...current.metadata, generation: 2 },
      spec: { ...current.spec, ...spec('2') },
    } as KubeObject);
    await b.until(() => b.runtime.transcript.includes('update app#0 memory=0 quota=200000'));
    await b.run();
    expect(b.container('rs')).toMatchObject({ restartCount: 0, resources: { limits: { cpu: '2' } } });
    expect(b.said('ResizeStarted').length).toBe(1);
    expect(b.said('ResizeCompleted').length).toBe(1);
    const again = b.pod('rs')!;
    b.api.put(pods, {
      ...again,
      metadata: { ...again.metadata, generation: 3 },
      spec: { ...again.spec, ...spec('9') },
    } as KubeObject);
    await b.until(() => b.pod('rs')?.status?.conditions?.some((it) => it.type === 'PodResizePending'));
    expect(b.pod('rs')?.status?.conditions?.find((it) => it.type === 'PodResizePending')).toMatchObject({
      reason: 'Infeasible',
      message: "Node didn't have enough capacity: cpu, requested: 9000, capacity: 4000",
    });
  });

  it('runs static pods and mirrors them', async () => {
    const dir = '/etc/kubernetes/manifests';
    const b = await setup({
      staticPodDir: dir,
      before: async (files) => {
        await files.mkdir(dir);
        await files.write(
          `${dir}/etcd.yaml`,
          'apiVersion: v1\nkind: Pod\nmetadata: {name: etcd, namespace: kube-system}\nspec: {containers: [{name: app, image: "busybox:1"}]}\n',
        );
      },
    });
    await b.until(() => b.api.get(pods, 'kube-system', 'etcd-n1')?.status?.phase === 'Running');
    const mirror = b.api.get(pods, 'kube-system', 'etcd-n1');
    expect(mirror?.metadata.annotations).toHaveProperty('kubernetes.io/config.mirror');
    expect(mirror?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Node', name: 'n1' });
    b.api.remove(pods, 'kube-system', 'etcd-n1');
    await b.until(() => b.api.get(pods, 'kube-system', 'etcd-n1')?.status?.phase === 'Running');
    await b.files.remove(`${dir}/etcd.yaml`);
    await b.until(() => b.api.get(pods, 'kube-system', 'etcd-n1') === undefined, 120);
    await b.until(() => b.runtime.transcript.includes('stop-sandbox etcd-n1#0'));
  });

  it('leaves running pods alone when it starts again, and clears what nobody wants', async () => {
    const b = await setup();
    b.create('web', {});
    b.create('gone', {});
    await b.until(() => b.container('web')?.ready && b.container('gone')?.ready);
    await b.run();
    const before = b.pod('web')?.status;
    const done = b.runtime.transcript.length;
    b.api.remove(pods, 'ns', 'gone');
    await b.restart();
    await b.until(() => b.runtime.transcript.includes('remove-sandbox gone#0'));
    await b.clock.advance(120_000);
    expect(b.runtime.transcript.slice(done).filter((it) => it.includes('web') || it.startsWith('create'))).toEqual([]);
    expect(b.pod('web')?.status).toEqual(before);
  });
});
