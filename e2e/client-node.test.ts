import { PassThrough } from 'node:stream';
import {
  AppsV1Api,
  Attach,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  Metrics,
  makeInformer,
  PortForward,
  type V1Pod,
  type V1Status,
  Watch,
} from 'client-node-1';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './harness.ts';
import { testRuntimes } from './runtimes.ts';

// Version 1 of @kubernetes/client-node: version 2 brings an HTTP client that wants Node 22.
const namespace = 'default';

/** A stream that keeps what is written to it. */
function kept(): PassThrough & { readonly text: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return Object.assign(stream, { text: () => text });
}

describe.each(await testRuntimes())('@kubernetes/client-node on $name', (runtime) => {
  let cluster: TestCluster;
  const config = new KubeConfig();
  const pod = (name: string, command: string): V1Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      restartPolicy: 'Never',
      containers: [
        { name: 'main', image: runtime.image, stdin: true, stdinOnce: true, command: ['sh', '-c', command] },
      ],
    },
  });
  const core = (): CoreV1Api => config.makeApiClient(CoreV1Api);
  /** Tries again until it succeeds, and throws the last failure when it does not within half a minute. */
  const eventually = async (attempt: () => Promise<unknown>): Promise<void> => {
    for (const end = Date.now() + 30_000; ; ) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  const running = (name: string): Promise<void> =>
    eventually(async () => {
      const { status } = await core().readNamespacedPod({ name, namespace });
      if (status?.phase !== 'Running') throw new Error(`${name} is ${status?.phase}`);
    });

  beforeAll(async () => {
    cluster = await startTestCluster({ args: [...runtime.args, '--store', 'memory'] });
    await runtime.prepare(cluster);
    config.loadFromFile(cluster.kubeconfig);
    const body = pod('web', 'mkdir -p /srv; echo hello > /srv/index.html; echo started; exec httpd -f -p 8080 -h /srv');
    await eventually(() => core().createNamespacedPod({ namespace, body }));
    await running('web');
  }, 120_000);
  afterAll(() => cluster?.dispose());

  it('creates, reads, changes, lists and deletes typed objects', async () => {
    const body = { metadata: { name: 'crud', labels: { a: 'b' } }, data: { x: '1' } };
    const made = await core().createNamespacedConfigMap({ namespace, body });
    expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
    await core().replaceNamespacedConfigMap({ name: 'crud', namespace, body: { ...made, data: { x: '2' } } });
    const stale = core().replaceNamespacedConfigMap({ name: 'crud', namespace, body: { ...made, data: { x: '3' } } });
    await expect(stale).rejects.toMatchObject({ code: 409 });
    const list = await core().listNamespacedConfigMap({ namespace, labelSelector: 'a=b' });
    expect(list.items.map((item) => item.data)).toEqual([{ x: '2' }]);
    await core().deleteNamespacedConfigMap({ name: 'crud', namespace });
    await expect(core().readNamespacedConfigMap({ name: 'crud', namespace })).rejects.toMatchObject({ code: 404 });
  });

  it('applies on the server', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const spec = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace } };
    const apply = (data: Record<string, string>) =>
      objects.patch(
        { ...spec, data } as never,
        undefined,
        undefined,
        'me',
        true,
        'application/apply-patch+yaml' as never,
      );
    await apply({ a: '1', b: '2' });
    await apply({ a: '1' });
    expect((await core().readNamespacedConfigMap({ name: 'applied', namespace })).data).toEqual({ a: '1' });
  });

  it('scales through the subresource', async () => {
    const apps = config.makeApiClient(AppsV1Api);
    const template = { metadata: { labels: { app: 'none' } }, spec: pod('x', 'true').spec };
    const spec = {
      replicas: 0,
      selector: { matchLabels: { app: 'none' } },
      template: {
        ...template,
        spec: { ...template.spec, restartPolicy: 'Always', containers: template.spec?.containers ?? [] },
      },
    };
    await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: 'none' }, spec } });
    const scale = await apps.readNamespacedDeploymentScale({ name: 'none', namespace });
    expect([scale.spec?.replicas, scale.status?.selector]).toEqual([0, 'app=none']);
  });

  it('watches, and keeps an informer', async () => {
    const seen: string[] = [];
    const request = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { labelSelector: 'w=1' },
      (type: string, object: { metadata: { name: string } }) => void seen.push(`${type} ${object.metadata.name}`),
      () => undefined,
    );
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      core().listNamespacedConfigMap({ namespace }),
    );
    const informed: string[] = [];
    informer.on('add', (object) => void informed.push(`add ${object.metadata?.name}`));
    informer.on('delete', (object) => void informed.push(`delete ${object.metadata?.name}`));
    await informer.start();
    await core().createNamespacedConfigMap({ namespace, body: { metadata: { name: 'seen', labels: { w: '1' } } } });
    await core().deleteNamespacedConfigMap({ name: 'seen', namespace });
    await expect.poll(() => seen).toEqual(['ADDED seen', 'DELETED seen']);
    await expect.poll(() => informed).toEqual(expect.arrayContaining(['add seen', 'delete seen']));
    await informer.stop();
    request.abort();
  });

  it('executes, with streams and exit codes', async () => {
    const [out, err, input] = [kept(), kept(), new PassThrough()];
    const status = await new Promise<V1Status>((resolve, reject) => {
      const command = ['sh', '-c', 'read line; echo got $line; echo no >&2; exit 3'];
      new Exec(config).exec(namespace, 'web', 'main', command, out, err, input, false, resolve).catch(reject);
      input.write('this\n');
    });
    expect([out.text(), err.text()]).toEqual(['got this\n', 'no\n']);
    expect(status).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode' });
    expect(status.details?.causes).toContainEqual({ reason: 'ExitCode', message: '3' });
  });

  it('attaches, and reads logs', async () => {
    await core().createNamespacedPod({ namespace, body: pod('reader', 'while read line; do echo got $line; done') });
    await running('reader');
    const [out, input] = [kept(), new PassThrough()];
    const socket = await new Attach(config).attach(namespace, 'reader', 'main', out, null, input, false);
    input.write('one\n');
    await expect.poll(out.text, { timeout: 10_000 }).toContain('got one');
    socket.close();
    const log = kept();
    await new Log(config).log(namespace, 'web', 'main', log, { tailLines: 1 });
    await expect.poll(log.text).toBe('started\n');
  });

  it('forwards a port', async () => {
    const [out, err, input] = [kept(), kept(), new PassThrough()];
    const socket = await new PortForward(config).portForward(namespace, 'web', [8080], out, err, input);
    input.write('GET / HTTP/1.0\r\nHost: web\r\n\r\n');
    await expect.poll(out.text, { timeout: 10_000 }).toContain('hello\n');
    if (typeof socket !== 'function') socket.close();
  });

  it('asks for metrics and gets them, or a clear refusal', async () => {
    const answer = await new Metrics(config).getNodeMetrics().then(
      (metrics) => metrics.kind,
      (error: { code?: number }) => error.code,
    );
    expect(['NodeMetricsList', 404, 503]).toContain(answer);
  });
});
