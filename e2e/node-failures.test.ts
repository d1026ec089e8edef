import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import { kubectls, startTestCluster, type TestCluster } from './harness.ts';
import { busyboxConfig, busyboxFiles, imagesMissing } from './images.ts';
import { type Registry, registryMissing, startRegistry } from './registry.ts';

const detection = await detectContainerd(process.env);
const missing = detection.usable
  ? imagesMissing || registryMissing || (kubectls().length === 0 ? 'kubectl is not installed' : '')
  : detection.why;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

interface Expected {
  readonly phase?: string;
  /** Of the pod's status. */
  readonly reason?: string;
  readonly message?: RegExp | string;
  /** Of the container, now or before. */
  readonly waiting?: readonly [reason: string, message: RegExp];
  readonly ended?: readonly [exitCode: number, reason: string, message?: RegExp];
  readonly init?: readonly [exitCode: number, reason: string];
  readonly events?: readonly (readonly [type: string, reason: string, message: RegExp])[];
}
interface Row {
  readonly container: string;
  readonly spec?: string;
  readonly image?: string;
  readonly expected: Expected;
}

const never = '  restartPolicy: Never\n';
const volume = (source: string): string => `  volumes: [{ name: v, ${source} }]\n`;
const mounted = 'volumeMounts: [{ name: v, mountPath: /v }]';
const limited = 'resources: { limits: { memory: 16Mi } }';
const eat = 'command: [tail, /dev/zero]';
const serve = 'command: [sh, -c, "exec httpd -f -p 8080"]';
const exit = (code: number): Row => ({
  container: `command: [sh, -c, "exit ${code}"]`,
  spec: never,
  expected: { phase: 'Failed', ended: [code, 'Error'] },
});
const failingPull = (image: string, why: RegExp): Expected => ({
  phase: 'Pending',
  waiting: ['ImagePullBackOff', new RegExp(`^Back-off pulling image ".*": ErrImagePull: ${why.source}`)],
  events: [
    ['Normal', 'Pulling', new RegExp(`^Pulling image "${image}"$`)],
    ['Warning', 'Failed', new RegExp(`^Failed to pull image "${image}": ${why.source}`)],
    ['Warning', 'Failed', /^Error: ErrImagePull$/],
    ['Normal', 'BackOff', new RegExp(`^Back-off pulling image "${image}"$`)],
    ['Warning', 'Failed', /^Error: ImagePullBackOff$/],
  ],
});
const configError = (message: RegExp): Expected => ({
  phase: 'Pending',
  waiting: ['CreateContainerConfigError', message],
  events: [['Warning', 'Failed', new RegExp(`^Error: ${message.source.replace('^', '')}`)]],
});
const mountError = (message: RegExp): Expected => ({
  phase: 'Pending',
  waiting: ['ContainerCreating', /^$/],
  events: [['Warning', 'FailedMount', new RegExp(`^MountVolume.SetUp failed for volume "v" : ${message.source}$`)]],
});
const startError = (message: RegExp): Expected => ({
  ended: [128, 'StartError', message],
  events: [
    ['Warning', 'Failed', new RegExp(`^Error: .*${message.source}`)],
    ['Warning', 'BackOff', /^Back-off restarting failed container main in pod /],
  ],
});
const liveness = (probe: string, message: RegExp): Row => ({
  container: `${serve}, livenessProbe: { ${probe}, periodSeconds: 1, failureThreshold: 2 }`,
  expected: {
    ended: [137, 'Error'],
    events: [
      ['Warning', 'Unhealthy', new RegExp(`^Liveness probe failed: ${message.source}`)],
      ['Normal', 'Killing', /^Container main failed liveness probe, will be restarted$/],
    ],
  },
});

function table(plain: string, accounts: string, closed: string): Readonly<Record<string, Row>> {
  const sleeper = 'command: [sleep, "9999"]';
  const quoted = (text: string): string => text.replaceAll('.', '\\.');
  return {
    'missing-tag': {
      container: sleeper,
      image: `${plain}/busybox:nope`,
      expected: failingPull(
        `${plain}/busybox:nope`,
        /rpc error: code = NotFound desc = failed to pull and unpack image .*: not found/,
      ),
    },
    'missing-repository': {
      container: sleeper,
      image: `${plain}/none:1`,
      expected: failingPull(`${plain}/none:1`, /rpc error: code = NotFound desc = .*: not found/),
    },
    'no-credentials': {
      container: sleeper,
      image: `${accounts}/busybox:1`,
      expected: failingPull(`${accounts}/busybox:1`, /rpc error: code = Unknown desc = .* 401 Unauthorized/),
    },
    'wrong-credentials': {
      container: sleeper,
      image: `${accounts}/busybox:1`,
      spec: '  imagePullSecrets: [{ name: wrong }]\n',
      expected: failingPull(`${accounts}/busybox:1`, /rpc error: code = Unknown desc = .* 401 Unauthorized/),
    },
    'absent-credentials': {
      container: sleeper,
      image: `${accounts}/busybox:1`,
      spec: '  imagePullSecrets: [{ name: absent }]\n',
      expected: {
        events: [
          [
            'Warning',
            'FailedToRetrieveImagePullSecret',
            /^Unable to retrieve some image pull secrets \(absent\); attempting to pull the image may not succeed\.$/,
          ],
        ],
      },
    },
    'right-credentials': {
      container: `${sleeper}, imagePullPolicy: Always`,
      image: `${accounts}/busybox:1`,
      spec: '  imagePullSecrets: [{ name: right }]\n',
      expected: {
        phase: 'Running',
        events: [
          [
            'Normal',
            'Pulled',
            /^Successfully pulled image ".*" in \d.* \(\d.* including waiting\)\. Image size: \d+ bytes\.$/,
          ],
        ],
      },
    },
    'registry-unreachable': {
      container: sleeper,
      image: `${closed}/busybox:1`,
      expected: failingPull(
        `${closed}/busybox:1`,
        new RegExp(`.*dial tcp ${quoted(closed)}: connect: connection refused`),
      ),
    },
    'policy-never': {
      container: 'imagePullPolicy: Never',
      image: `${plain}/none:1`,
      expected: {
        phase: 'Pending',
        waiting: ['ErrImageNeverPull', /^Container image ".*" is not present with pull policy of Never$/],
        events: [
          ['Warning', 'ErrImageNeverPull', /^Container image ".*" is not present with pull policy of Never$/],
          ['Warning', 'Failed', /^Error: ErrImageNeverPull$/],
        ],
      },
    },
    'invalid-name': {
      container: sleeper,
      image: 'UPPER/Bad:1',
      expected: {
        phase: 'Pending',
        waiting: ['InvalidImageName', /^Failed to apply default image tag "UPPER\/Bad:1": couldn't parse image name/],
        events: [
          ['Warning', 'InspectFailed', /must be lowercase$/],
          ['Warning', 'Failed', /^Error: InvalidImageName$/],
        ],
      },
    },
    'wrong-architecture': {
      container: 'imagePullPolicy: Always',
      image: `${plain}/arm:index`,
      expected: failingPull(
        `${plain}/arm:index`,
        /rpc error: code = NotFound desc = .*no match for platform in manifest/,
      ),
    },
    'no-command': {
      container: 'imagePullPolicy: Always',
      image: `${plain}/nocmd:1`,
      expected: {
        waiting: ['CreateContainerError', /failed to generate spec: no command specified$/],
        events: [['Warning', 'Failed', /^Error: .*no command specified$/]],
      },
    },
    'missing-configmap': {
      container: 'envFrom: [{ configMapRef: { name: absent } }]',
      expected: configError(/^configmap "absent" not found$/),
    },
    'missing-secret': {
      container: 'env: [{ name: A, valueFrom: { secretKeyRef: { name: absent, key: x } } }]',
      expected: configError(/^secret "absent" not found$/),
    },
    'missing-key': {
      container: 'env: [{ name: A, valueFrom: { configMapKeyRef: { name: there, key: x } } }]',
      expected: configError(/^couldn't find key x in ConfigMap default\/there$/),
    },
    'missing-secret-key': {
      container: 'env: [{ name: A, valueFrom: { secretKeyRef: { name: right, key: x } } }]',
      expected: configError(/^couldn't find key x in Secret default\/right$/),
    },
    'missing-configmap-volume': {
      container: mounted,
      spec: volume('configMap: { name: absent }'),
      expected: mountError(/configmap "absent" not found/),
    },
    'missing-secret-volume': {
      container: mounted,
      spec: volume('secret: { secretName: absent }'),
      expected: mountError(/secret "absent" not found/),
    },
    'missing-key-volume': {
      container: mounted,
      spec: volume('configMap: { name: there, items: [{ key: x, path: x }] }'),
      expected: mountError(/configmap references non-existent config key: x/),
    },
    'bad-subpath': {
      container: 'volumeMounts: [{ name: v, mountPath: /v, subPath: "a/b" }]',
      spec: volume('hostPath: { path: /etc/passwd }'),
      expected: configError(/^failed to prepare subPath for volumeMount "v" of container "main"$/),
    },
    'bad-hostpath': {
      container: mounted,
      spec: volume('hostPath: { path: /etc/passwd, type: Directory }'),
      expected: mountError(/hostPath type check failed: \/etc\/passwd is not a directory/),
    },
    'command-not-found': {
      container: 'command: [nope]',
      expected: startError(/exec: "nope": executable file not found in \$PATH: unknown$/),
    },
    'path-not-found': {
      container: 'command: [/bin/nope]',
      expected: startError(/exec: "\/bin\/nope": stat \/bin\/nope: no such file or directory: unknown$/),
    },
    'not-executable': {
      container: 'command: [/v/run.sh], volumeMounts: [{ name: v, mountPath: /v }]',
      spec: volume('configMap: { name: there, items: [{ key: a, path: run.sh }] }'),
      expected: startError(/exec: "\/v\/run.sh": permission denied: unknown$/),
    },
    'bad-working-directory': {
      container: `${sleeper}, workingDir: /bin/sh`,
      expected: startError(/mkdir \/bin\/sh: not a directory: unknown$/),
    },
    'directory-on-file': {
      container: 'command: [sleep, "9"], volumeMounts: [{ name: v, mountPath: /bin/sh }]',
      spec: volume('configMap: { name: there }'),
      expected: startError(/not a directory: unknown/),
    },
    'run-as-non-root': {
      container: `${sleeper}, securityContext: { runAsNonRoot: true }`,
      expected: configError(/^container has runAsNonRoot and image will run as root \(pod: ".*", container: main\)$/),
    },
    'run-as-named-user': {
      container: `${sleeper}, imagePullPolicy: Always, securityContext: { runAsNonRoot: true }`,
      image: `${plain}/named:1`,
      expected: configError(
        /^container has runAsNonRoot and image has non-numeric user \(app\), cannot verify user is non-root/,
      ),
    },
    'run-as-root-refused': {
      container: `${sleeper}, securityContext: { runAsNonRoot: true, runAsUser: 0 }`,
      expected: configError(/^container's runAsUser breaks non-root policy/),
    },
    'read-only-root': {
      container: 'command: [sh, -c, "echo x > /file"], securityContext: { readOnlyRootFilesystem: true }',
      spec: never,
      expected: { phase: 'Failed', ended: [1, 'Error'] },
    },
    'exit-1': exit(1),
    'exit-2': exit(2),
    'exit-126': exit(126),
    'exit-127': exit(127),
    'exit-134': exit(134),
    'exit-137': exit(137),
    'exit-139': exit(139),
    'exit-143': exit(143),
    'oom-main': {
      container: `${eat}, ${limited}`,
      spec: never,
      expected: { phase: 'Failed', ended: [137, 'OOMKilled'] },
    },
    'oom-child': {
      container: `command: [sh, -c, "tail /dev/zero; exit 7"], ${limited}`,
      spec: never,
      expected: { phase: 'Failed', ended: [7, 'OOMKilled'] },
    },
    'oom-init': {
      container: sleeper,
      spec: `${never}  initContainers: [{ name: init, image: "${plain}/busybox:1", ${eat}, ${limited} }]\n`,
      expected: { phase: 'Failed', init: [137, 'OOMKilled'], waiting: ['PodInitializing', /^$/] },
    },
    'liveness-exec': liveness('exec: { command: [cat, /nope] }', /cat: can't open '\/nope': No such file or directory/),
    'liveness-slow': liveness(
      'timeoutSeconds: 1, exec: { command: [sleep, "5"] }',
      /command timed out: "sleep 5" timed out after 1s/,
    ),
    'liveness-http': liveness('httpGet: { path: /nope, port: 8080 }', /HTTP probe failed with statuscode: 404$/),
    'liveness-refused': liveness(
      'httpGet: { path: /, port: 9 }',
      /Get "http:\/\/10\.\S+:9\/": dial tcp 10\.\S+:9: connect: connection refused$/,
    ),
    'liveness-tcp': liveness('tcpSocket: { port: 9 }', /dial tcp 10\.\S+:9: connect: connection refused$/),
    'liveness-grpc': liveness(
      'grpc: { port: 9 }',
      /timeout: failed to connect service "10\.\S+:9" within 1s: context deadline exceeded$/,
    ),
    'readiness-http': {
      container: `${serve}, readinessProbe: { httpGet: { path: /nope, port: 8080 }, periodSeconds: 1 }`,
      expected: {
        phase: 'Running',
        events: [['Warning', 'Unhealthy', /^Readiness probe failed: HTTP probe failed with statuscode: 404$/]],
      },
    },
    'startup-exec': {
      container: `${sleeper}, startupProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 2 }`,
      expected: {
        ended: [137, 'Error'],
        events: [
          ['Warning', 'Unhealthy', /^Startup probe failed: $/],
          ['Normal', 'Killing', /^Container main failed startup probe, will be restarted$/],
        ],
      },
    },
    'post-start': {
      container: `${sleeper}, lifecycle: { postStart: { exec: { command: [sh, -c, "echo bad >&2; exit 3"] } } }`,
      expected: {
        ended: [137, 'Error'],
        events: [
          ['Warning', 'FailedPostStartHook', /^PostStartHook failed$/],
          ['Normal', 'Killing', /^FailedPostStartHook$/],
        ],
      },
    },
    deadline: {
      container: sleeper,
      spec: '  activeDeadlineSeconds: 2\n',
      expected: {
        phase: 'Failed',
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
        ended: [137, 'Error'],
        events: [['Normal', 'DeadlineExceeded', /^Pod was active on the node longer than the specified deadline$/]],
      },
    },
    'ephemeral-storage': {
      container:
        'command: [sh, -c, "dd if=/dev/zero of=/big bs=1M count=20; sleep 9999"], resources: { limits: { ephemeral-storage: 5Mi } }',
      expected: {
        phase: 'Failed',
        reason: 'Evicted',
        message: 'Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. ',
        events: [
          ['Warning', 'Evicted', /^Pod ephemeral local storage usage exceeds the total limit of containers 5Mi\. $/],
        ],
      },
    },
    'emptydir-limit': {
      container: `command: [sh, -c, "dd if=/dev/zero of=/v/big bs=1M count=20; sleep 9999"], ${mounted}`,
      spec: volume('emptyDir: { sizeLimit: 5Mi }'),
      expected: {
        phase: 'Failed',
        reason: 'Evicted',
        message: 'Usage of EmptyDir volume "v" exceeds the limit "5Mi". ',
        events: [['Warning', 'Evicted', /^Usage of EmptyDir volume "v" exceeds the limit "5Mi"\. $/]],
      },
    },
    'forbidden-sysctl': {
      container: sleeper,
      spec: '  securityContext: { sysctls: [{ name: net.core.somaxconn, value: "1024" }] }\n',
      expected: {
        phase: 'Failed',
        reason: 'SysctlForbidden',
        message: 'Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted',
        events: [['Warning', 'SysctlForbidden', /^forbidden sysctl: "net\.core\.somaxconn" not allowlisted$/]],
      },
    },
    'no-apparmor': {
      container: `${sleeper}, securityContext: { appArmorProfile: { type: Localhost, localhostProfile: x } }`,
      expected: {
        phase: 'Failed',
        reason: 'AppArmor',
        message: 'Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host',
      },
    },
    'no-seccomp-profile': {
      container: `${sleeper}, securityContext: { seccompProfile: { type: Localhost, localhostProfile: x.json } }`,
      expected: {
        waiting: [
          'CreateContainerError',
          /cannot load seccomp profile ".*\/kubelet\/seccomp\/x\.json": open .*: no such file/,
        ],
      },
    },
    'too-much-cpu': {
      container: `${sleeper}, resources: { requests: { cpu: 500 } }`,
      spec: '  nodeName: NODE\n',
      expected: {
        phase: 'Failed',
        reason: 'OutOfcpu',
        message:
          /^Pod was rejected: Node didn't have enough resource: cpu, requested: 500000, used: \d+, capacity: \d+$/,
      },
    },
    'wrong-node': {
      container: sleeper,
      spec: '  nodeName: NODE\n  nodeSelector: { zone: nowhere }\n',
      expected: {
        phase: 'Failed',
        reason: 'NodeAffinity',
        message: "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
      },
    },
    'missing-claim': {
      container: `${sleeper}, ${mounted}`,
      spec: `  nodeName: NODE\n${volume('persistentVolumeClaim: { claimName: absent }')}`,
      expected: {
        phase: 'Pending',
        waiting: ['ContainerCreating', /^$/],
        events: [
          [
            'Warning',
            'FailedMount',
            /^Unable to attach or mount volumes: unmounted volumes=\[v\], unattached volumes=\[\], failed to process volumes=\[v\]: error processing PVC default\/absent: failed to fetch PVC from API server: persistentvolumeclaims? "absent" not found$/,
          ],
        ],
      },
    },
  };
}

interface Ended {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}
interface State {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: Ended;
}
interface Container {
  readonly state?: State;
  readonly lastState?: State;
}
interface Seen {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly containerStatuses?: readonly Container[];
    readonly initContainerStatuses?: readonly Container[];
  };
}
interface SeenEvent {
  readonly involvedObject: { readonly name: string };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** What is not (yet) as expected; empty when all is. */
function differences(expected: Expected, pod: Seen | undefined, events: readonly SeenEvent[]): readonly string[] {
  if (!pod) return ['the pod is not there'];
  const out: string[] = [];
  const { status } = pod;
  const main = status.containerStatuses?.[0];
  const fits = (want: RegExp | string | undefined, text: string | undefined): boolean =>
    want === undefined || (typeof want === 'string' ? want === text : want.test(text ?? ''));
  if (expected.phase !== undefined && status.phase !== expected.phase) out.push(`phase ${status.phase}`);
  if (expected.reason !== undefined && status.reason !== expected.reason) out.push(`reason ${status.reason}`);
  if (!fits(expected.message, status.message)) out.push(`message ${status.message}`);
  if (expected.waiting) {
    const [reason, message] = expected.waiting;
    const { waiting } = main?.state ?? {};
    if (waiting?.reason !== reason || !message.test(waiting.message ?? ''))
      out.push(`state ${JSON.stringify(main?.state)}`);
  }
  const endedAs = (
    container: Container | undefined,
    [code, reason, message]: NonNullable<Expected['ended']>,
  ): boolean =>
    [container?.state?.terminated, container?.lastState?.terminated].some(
      (it) =>
        it?.exitCode === code && it.reason === reason && (message === undefined || message.test(it.message ?? '')),
    );
  if (expected.ended && !endedAs(main, expected.ended)) out.push(`ended ${JSON.stringify(main)}`);
  if (expected.init && !endedAs(status.initContainerStatuses?.[0], expected.init))
    out.push(`init ${JSON.stringify(status.initContainerStatuses)}`);
  const own = events.filter((it) => it.involvedObject.name === pod.metadata.name);
  for (const [type, reason, message] of expected.events ?? [])
    if (!own.some((it) => it.type === type && it.reason === reason && message.test(it.message)))
      out.push(
        `no event ${type} ${reason} ${message} in ${own.map((it) => `\n  ${it.reason}: ${it.message}`).join('')}`,
      );
  return out;
}

const dockerConfig = (name: string, host: string, password: string): string => `---
apiVersion: v1
kind: Secret
metadata: { name: ${name} }
type: kubernetes.io/dockerconfigjson
stringData: { ".dockerconfigjson": '${JSON.stringify({ auths: { [host]: { username: 'puller', password } } })}' }
`;

describe.skipIf(missing !== '')(`failures that a node makes${missing && ` (left out: ${missing})`}`, () => {
  let cluster: TestCluster;
  let node = '';
  const registries: Registry[] = [];
  const names = Object.keys(table('', '', ''));
  let rows: Readonly<Record<string, Row>> = {};
  let image = '';
  /** The node's own file system, small enough to be filled. */
  const dataDir = mkdtempSync(join(tmpdir(), 'coracle-fail-'));

  const podOf = (name: string, row: Row): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
${(row.spec ?? '').replaceAll('NODE', node)}  containers:
    - { name: main, image: "${row.image ?? image}", ${row.container} }
`;

  let seen: { pods: readonly Seen[]; events: readonly SeenEvent[]; at: number } = { pods: [], events: [], at: 0 };
  const look = async (): Promise<typeof seen> => {
    if (Date.now() - seen.at < 500) return seen;
    const items = async (what: string): Promise<unknown[]> =>
      (JSON.parse(await cluster.ok('get', what, '-o', 'json')) as { items: unknown[] }).items;
    seen = {
      pods: (await items('pods')) as readonly Seen[],
      events: (await items('events')) as readonly SeenEvent[],
      at: Date.now(),
    };
    return seen;
  };

  beforeAll(async () => {
    const [first, second] = await Promise.all([
      startRegistry({ port: await freePort() }),
      startRegistry({ port: await freePort(), account: true }),
    ]);
    registries.push(first, second);
    image = `${first.host}/busybox:1`;
    await first.push('busybox:1', busyboxFiles(), busyboxConfig);
    // Another image, since one that anybody could pull may be used by everybody.
    await second.push('busybox:1', { ...busyboxFiles(), private: Buffer.from('') }, busyboxConfig);
    await first.push('nocmd:1', { 'bin/true': Buffer.from('x') });
    await first.push('named:1', busyboxFiles(), { ...busyboxConfig, User: 'app' });
    await first.push('arm:1', { 'bin/true': Buffer.from('x') }, { Cmd: ['/bin/true'] }, 'arm64');
    await first.index('arm:index', 'arm:1', 'arm64');
    mkdirSync(join(dataDir, 'node', 'kubelet'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', join(dataDir, 'node', 'kubelet')]);
    cluster = await startTestCluster({ args: ['--runtime', 'containerd'], dataDir });
    await cluster.ok('wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s');
    node = (await cluster.ok('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
    rows = table(first.host, second.host, `127.0.0.1:${await freePort()}`);
    await cluster.apply(
      [
        dockerConfig('wrong', second.host, 'wrong'),
        dockerConfig('right', second.host, 'secret'),
        '---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: there }\ndata: { a: b }\n',
        ...Object.entries(rows).map(([name, row]) => podOf(name, row)),
      ].join(''),
    );
  }, 120_000);
  afterAll(async () => {
    for (const registry of registries) await registry.dispose();
    if (!cluster) return;
    await cluster.stop();
    const { code, stderr } = await cluster.coracle('down', '--purge', '--data-dir', dataDir);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  }, 120_000);

  it.each(names)('%s', { timeout: 90_000 }, async (name) => {
    const row = rows[name];
    if (!row) throw new Error(`no row ${name}`);
    const end = Date.now() + 80_000;
    for (;;) {
      const { pods, events } = await look();
      const left = differences(
        row.expected,
        pods.find((it) => it.metadata.name === name),
        events,
      );
      if (left.length === 0) return;
      if (Date.now() > end) expect(left).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  });

  it('a full disk: DiskPressure, a taint, and the pod that fills it is evicted', { timeout: 90_000 }, async () => {
    await cluster.apply(
      podOf('eater', {
        container: `command: [sh, -c, "dd if=/dev/zero of=/v/big bs=1M count=185; sleep 9999"], ${mounted}`,
        spec: volume('emptyDir: {}'),
        expected: {},
      }),
    );
    const text = await cluster.until(
      ['get', 'pod', 'eater', '-o', 'jsonpath={.status.phase} {.status.reason} {.status.message}'],
      (out) => out.startsWith('Failed'),
      60_000,
    );
    expect(text).toMatch(
      /^Failed Evicted The node was low on resource: ephemeral-storage\. Threshold quantity: \d+\S*, available: \d+\S*\. Container main was using \d+\S*, request is 0, has larger consumption of ephemeral-storage\. $/,
    );
    expect(
      await cluster.ok(
        'get',
        'pod',
        'eater',
        '-o',
        'jsonpath={.status.conditions[?(@.type=="DisruptionTarget")].reason}',
      ),
    ).toBe('TerminationByKubelet');
    const described = await cluster.until(['describe', 'node', node], (out) =>
      out.includes('node.kubernetes.io/disk-pressure:NoSchedule'),
    );
    expect(described).toMatch(/DiskPressure\s+True .*KubeletHasDiskPressure\s+kubelet has disk pressure/);
    expect(described).toMatch(/Warning\s+EvictionThresholdMet\s.*Attempting to reclaim ephemeral-storage/);
    await cluster.apply(
      podOf('late', { container: 'command: [sleep, "9"]', spec: '  nodeName: NODE\n', expected: {} }),
    );
    expect(
      await cluster.until(
        ['get', 'pod', 'late', '-o', 'jsonpath={.status.reason}: {.status.message}'],
        (out) => out.length > 3,
      ),
    ).toBe('Evicted: Pod was rejected: The node had condition: [DiskPressure]. ');
  });
});
