import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import { kubectls, startTestCluster, type TestCluster } from './harness.ts';
import { imagesMissing, loadBusybox } from './images.ts';

const detection = await detectContainerd(process.env);
const missing = detection.usable
  ? imagesMissing || (kubectls().length === 0 ? 'kubectl is not installed' : '')
  : detection.why;
const image = 'coracle.local/busybox:1';
/** An image with an entrypoint. */
const greeter = 'coracle.local/greeter:1';

interface Row {
  /** Of the container. */
  readonly run: string;
  readonly container?: string;
  readonly spec?: string;
  /** What it has to have said in the end. */
  readonly says: RegExp;
}

const volume = (...sources: readonly string[]): string =>
  `  volumes: [${sources.map((source, i) => `{ name: ${'vwxzu'[i]}, ${source} }`).join(', ')}]\n`;
const mount = (...paths: readonly string[]): string =>
  `volumeMounts: [${paths.map((path, i) => `{ name: ${'vwxzu'[i]}, mountPath: ${path} }`).join(', ')}]`;

const rows = (dir: string): Readonly<Record<string, Row>> => ({
  'emptyDir in memory': {
    run: 'stat -f -c %T /v; df -k /v | tail -1; id -u',
    container: mount('/v'),
    spec: volume('emptyDir: { medium: Memory, sizeLimit: 8Mi }'),
    says: /^tmpfs\ntmpfs +8192 /,
  },
  'environment from config maps and secrets, with prefixes': {
    run: "tr '\\0' '\\n' < /proc/1/environ | sort",
    container:
      'envFrom: [{ prefix: "1-p.", configMapRef: { name: cm } }, { secretRef: { name: sec } }], env: [{ name: A, valueFrom: { configMapKeyRef: { name: cm, key: a } } }, { name: S, valueFrom: { secretKeyRef: { name: sec, key: user } } }, { name: BOTH, value: "$(A)-$(S)" }]',
    says: /^1-p\.a=alpha\n1-p\.b=beta\nA=alpha\nBOTH=alpha-bob\n[\s\S]*^S=bob\n[\s\S]*^user=bob\n/m,
  },
  'variables in a command': {
    run: "echo '$(WORD)' '$$(WORD)' '$(NONE)'",
    container: 'env: [{ name: WORD, value: hello }]',
    says: /^hello \$\(WORD\) \$\(NONE\)\n$/,
  },
  'the downward API in the environment': {
    run: 'echo $NAME $SPACE $ID; echo $IP $HOST $HOSTS; echo $CPU $MEM $LIMIT; echo $ALL_MEM; echo $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT',
    container: `resources: { requests: { cpu: 250m, memory: 32Mi }, limits: { cpu: 500m } }, env: [${[
      'NAME metadata.name',
      'SPACE metadata.namespace',
      'ID metadata.uid',
      'IP status.podIP',
      'HOST status.hostIP',
      'HOSTS status.hostIPs',
    ]
      .map((it) => it.split(' '))
      .map(([name, path]) => `{ name: ${name}, valueFrom: { fieldRef: { fieldPath: ${path} } } }`)
      .join(', ')}, ${['CPU requests.cpu', 'MEM requests.memory', 'LIMIT limits.cpu', 'ALL_MEM limits.memory']
      .map((it) => it.split(' '))
      .map(([name, path]) => `{ name: ${name}, valueFrom: { resourceFieldRef: { resource: ${path} } } }`)
      .join(', ')}]`,
    says: /^the-downward-api-in-the-environment default [0-9a-f-]{36}\n10\.\S+ \S+ \S+\n1 33554432 1\n\d{9,}\n10\.96\.0\.1:443\n$/,
  },
  'subPath of every written volume': {
    run: 'cat /s; echo; cat /p; echo; cat /l',
    container:
      'volumeMounts: [{ name: v, mountPath: /s, subPath: user }, { name: w, mountPath: /p, subPath: deep/a }, { name: x, mountPath: /l, subPath: labels }]',
    spec: volume(
      'secret: { secretName: sec }',
      'projected: { sources: [{ configMap: { name: cm, items: [{ key: a, path: deep/a }] } }] }',
      'downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }] }',
    ),
    says: /^bob\nalpha\napp="row"\n?$/,
  },
  'one object in several volumes': {
    run: 'cat /v/a /w/a /x/user /z/user',
    container: mount('/v', '/w', '/x', '/z'),
    spec: volume(
      'configMap: { name: cm }',
      'configMap: { name: cm }',
      'secret: { secretName: sec }',
      'secret: { secretName: sec }',
    ),
    says: /^alphaalphabobbob$/,
  },
  'hosts of the node': {
    run: 'head -1 /etc/hosts',
    spec: '  hostNetwork: true\n',
    says: /^# Kubernetes-managed hosts file \(host network\)\.\n$/,
  },
  'a runtime class with an overhead': {
    run: 'echo in the class',
    spec: '  runtimeClassName: plain\n',
    says: /^in the class\n$/,
  },
  'emptyDir for everybody': {
    run: 'stat -c %a /v; echo x > /v/f && cat /v/f',
    container: `${mount('/v')}, securityContext: { runAsUser: 1000 }`,
    spec: volume('emptyDir: {}'),
    says: /^777\nx\n$/,
  },
  'config map and secret with modes, items and a group': {
    run: 'stat -L -c "%a %u %g" /v/a /w/x/b /x/user; ls /w; wc -c < /v/bin; cat /x/user; echo; id',
    container: mount('/v', '/w', '/x'),
    spec: `  securityContext: { fsGroup: 1234, runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000] }\n${volume(
      'configMap: { name: cm }',
      'configMap: { name: cm, defaultMode: 256, items: [{ key: b, path: x/b, mode: 365 }] }',
      'secret: { secretName: sec, defaultMode: 256 }',
    )}`,
    says: /^644 0 1234\n555 0 1234\n440 0 1234\nx\n3\nbob\nuid=1000 gid=3000 groups=1234,3000,4000\n$/,
  },
  'projected: labels, resources, keys, a token': {
    run: 'cat /v/labels; echo; cat /v/cm/a; echo; cat /v/name; echo; cat /v/cpu; echo; cat /v/user; echo; cut -d. -f2 /v/tok | wc -l',
    container: `resources: { limits: { cpu: 500m, memory: 32Mi } }, ${mount('/v')}`,
    spec: volume(
      'projected: { sources: [{ downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }, { path: name, fieldRef: { fieldPath: metadata.name } }, { path: cpu, resourceFieldRef: { containerName: main, resource: limits.cpu, divisor: 1m } }] } }, { configMap: { name: cm, items: [{ key: a, path: cm/a }] } }, { secret: { name: sec } }, { serviceAccountToken: { path: tok, audience: vault, expirationSeconds: 600 } }] }',
    ),
    says: /^app="row"\nalpha\nprojected-\S+\n500\nbob\n/,
  },
  'subPath and subPathExpr': {
    run: 'cat /etc/app.conf; echo; echo x > /e/y; ls /all; ls /all/at-*; ls -d /d',
    container:
      'env: [{ name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }], volumeMounts: [{ name: v, mountPath: /etc/app.conf, subPath: a }, { name: w, mountPath: /d, subPath: dir/deep }, { name: w, mountPath: /e, subPathExpr: "at-$(POD)" }, { name: w, mountPath: /all }]',
    spec: volume('configMap: { name: cm }', 'emptyDir: {}'),
    says: /^alpha\nat-subpath-\S+\ndir\ny\n\/d\n$/,
  },
  'read-only mounts': {
    run: 'echo x > /v/x; echo y > /w/y; touch /z && echo root',
    container: 'volumeMounts: [{ name: v, mountPath: /v, readOnly: true }, { name: w, mountPath: /w }]',
    spec: volume('emptyDir: {}', 'configMap: { name: cm }'),
    says: /can't create \/v\/x: Read-only file system\n.*can't create \/w\/y: Read-only file system\nroot\n$/,
  },
  'hostPath types': {
    run: 'ls -d /v; test -f /w && echo file; test -S /x && echo socket; test -c /y && echo char',
    container: mount('/v', '/w', '/x', '/y'),
    spec: volume(
      `hostPath: { path: ${dir}/made, type: DirectoryOrCreate }`,
      `hostPath: { path: ${dir}/made.txt, type: FileOrCreate }`,
      `hostPath: { path: ${dir}/node/containerd/containerd.sock, type: Socket }`,
      'hostPath: { path: /dev/null, type: CharDevice }',
    ),
    says: /^\/v\nfile\nsocket\nchar\n$/,
  },
  'mount propagation both ways': {
    run: 'mkdir /v/m; mount -t tmpfs t /v/m; echo inside > /v/m/f; until test -e /v/seen; do sleep 0.1; done; umount /v/m; cat /v/seen',
    container:
      'securityContext: { privileged: true }, volumeMounts: [{ name: v, mountPath: /v, mountPropagation: Bidirectional }]',
    spec: `  initContainers: [{ name: watcher, restartPolicy: Always, image: "${image}", command: [sh, -c, "until test -e /v/m/f; do sleep 0.1; done; cp /v/m/f /tmp/f; cat /tmp/f > /v/seen; sleep 99"], volumeMounts: [{ name: v, mountPath: /v, mountPropagation: HostToContainer }] }]\n${volume(
      `hostPath: { path: ${dir}/shared }`,
    )}`,
    says: /^inside\n$/,
  },
  'a claim of the default class': {
    run: 'echo kept > /v/f; cat /v/f',
    container: mount('/v'),
    spec: volume('persistentVolumeClaim: { claimName: claim }'),
    says: /^kept\n$/,
  },
  'a generic ephemeral volume': {
    run: 'echo mine > /v/f; cat /v/f',
    container: mount('/v'),
    spec: volume(
      'ephemeral: { volumeClaimTemplate: { spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 10Mi } } } } }',
    ),
    says: /^mine\n$/,
  },
  'a local volume': {
    run: 'cat /v/here',
    container: mount('/v'),
    spec: volume('persistentVolumeClaim: { claimName: local }'),
    says: /^local data\n$/,
  },
  'an image as a volume': {
    run: 'ls /v/bin/busybox; echo x > /v/x',
    container: mount('/v'),
    spec: volume(`image: { reference: "${image}", pullPolicy: IfNotPresent }`),
    says: /^\/v\/bin\/busybox\n.*Read-only file system\n$/,
  },
  'capabilities, no new privileges, seccomp': {
    run: 'grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status',
    container:
      'securityContext: { capabilities: { drop: [ALL], add: [NET_ADMIN] }, allowPrivilegeEscalation: false, seccompProfile: { type: RuntimeDefault } }',
    says: /^CapEff:\t0000000000001000\nNoNewPrivs:\t1\nSeccomp:\t2\n$/,
  },
  privileged: {
    run: 'grep CapEff /proc/self/status; test $(ls /dev | wc -l) -gt 20 && echo devices',
    container: 'securityContext: { privileged: true }',
    says: /^CapEff:\t0000[0-9a-f]*f{6}\ndevices\n$/,
  },
  'masked /proc': {
    run: 'echo 1 > /proc/sys/kernel/panic || echo readonly',
    says: /^.*Read-only file system\nreadonly\n$/,
  },
  'sysctls that are safe': {
    run: 'cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start',
    spec: '  securityContext: { sysctls: [{ name: kernel.shm_rmid_forced, value: "1" }, { name: net.ipv4.ip_unprivileged_port_start, value: "1000" }] }\n',
    says: /^1\n1000\n$/,
  },
  'the network of the node': {
    run: 'hostname; grep -c cni0 /proc/net/dev',
    spec: '  hostNetwork: true\n',
    says: /\n1\n$/,
  },
  'the processes of the node': {
    run: 'test -e /proc/1/ns && cat /proc/1/comm',
    spec: '  hostPID: true\n',
    says: /^(?!pause)/,
  },
  'one process namespace for the pod': {
    run: 'cat /proc/1/comm',
    spec: '  shareProcessNamespace: true\n',
    says: /^pause\n$/,
  },
  'hosts, host name and resolver': {
    run: 'grep -E "h1|foo" /etc/hosts; hostname; cat /etc/resolv.conf',
    spec: '  hostname: h1\n  subdomain: sub\n  hostAliases: [{ ip: 1.2.3.4, hostnames: [foo.local, bar] }]\n  dnsConfig: { options: [{ name: ndots, value: "2" }], searches: [x.y] }\n',
    says: /^10\S+\th1\.sub\.default\.svc\.cluster\.local\th1\n1\.2\.3\.4\tfoo\.local\tbar\nh1\nsearch default\.svc\.cluster\.local svc\.cluster\.local cluster\.local x\.y\nnameserver 10\.96\.0\.10\noptions ndots:2\n$/,
  },
  'the full name as host name': {
    run: 'hostname',
    spec: '  hostname: h1\n  subdomain: sub\n  setHostnameAsFQDN: true\n',
    says: /^h1\.sub\.default\.svc\.cluster\.local\n$/,
  },
  'requests and limits': {
    run: 'if test -e /sys/fs/cgroup/cgroup.controllers; then cat /sys/fs/cgroup/memory.max; cut -d" " -f1 /sys/fs/cgroup/cpu.max; else cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us; fi; grep -o "/kubepods/burstable/pod" /proc/1/cgroup | head -1',
    container: 'resources: { requests: { cpu: 250m, memory: 32Mi }, limits: { cpu: 500m, memory: 64Mi } }',
    says: /^67108864\n50000\n\/kubepods\/burstable\/pod\n$/,
  },
  'init containers and a sidecar, in order': {
    run: 'cat /v/log',
    container: mount('/v'),
    spec: `  initContainers: [{ name: first, image: "${image}", command: [sh, -c, "echo first > /v/log"], ${mount('/v')} }, { name: side, restartPolicy: Always, image: "${image}", command: [sh, -c, "echo side >> /v/log; sleep 99"], startupProbe: { exec: { command: [grep, side, /v/log] }, periodSeconds: 1 }, ${mount('/v')} }, { name: second, image: "${image}", command: [sh, -c, "echo second >> /v/log"], ${mount('/v')} }]\n${volume('emptyDir: {}')}`,
    says: /^first\nside\nsecond\n$/,
  },
});

const objects = (node: string, dir: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: cm }
data: { a: alpha, b: beta }
binaryData: { bin: AAEC }
---
apiVersion: v1
kind: Secret
metadata: { name: sec }
stringData: { user: bob }
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: { name: plain }
handler: runc
overhead: { podFixed: { cpu: 10m, memory: 8Mi } }
---
apiVersion: v1
kind: Pod
metadata: { name: healthy }
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: "${image}"
    command: [sh, -c, "mkdir /www; echo ok > /www/healthz; echo > /tmp/health; exec httpd -f -p 8080 -h /www"]
    startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, timeoutSeconds: 20 }
    livenessProbe: { httpGet: { path: /healthz, port: 8080 }, periodSeconds: 1, timeoutSeconds: 20 }
    readinessProbe: { exec: { command: [cat, /tmp/health] }, periodSeconds: 1, timeoutSeconds: 20, initialDelaySeconds: 3 }
---
apiVersion: v1
kind: Pod
metadata: { name: optional }
spec:
  terminationGracePeriodSeconds: 1
  containers: [{ name: main, image: "${image}", command: [sleep, "9999"], volumeMounts: [{ name: v, mountPath: /v }, { name: w, mountPath: /w }, { name: x, mountPath: /x }] }]
  volumes:
  - { name: v, configMap: { name: later, optional: true } }
  - { name: w, secret: { secretName: later, optional: true } }
  - { name: x, projected: { sources: [{ configMap: { name: later, optional: true } }, { secret: { name: later, optional: true } }] } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: claim }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: local }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  storageClassName: by-hand
  persistentVolumeReclaimPolicy: Retain
  local: { path: ${dir}/local }
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [${node}] }] }] } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: local }
spec: { storageClassName: by-hand, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: sts }
spec:
  serviceName: sts
  replicas: 2
  selector: { matchLabels: { app: sts } }
  template:
    metadata: { labels: { app: sts } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: main, image: "${image}", command: [sh, -c, "echo $HOSTNAME >> /data/who; cat /data/who; sleep 9999"], volumeMounts: [{ name: data, mountPath: /data }] }]
  volumeClaimTemplates: [{ metadata: { name: data }, spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 100Mi } } } }]
---
apiVersion: v1
kind: Pod
metadata: { name: live, labels: { app: one } }
spec:
  terminationGracePeriodSeconds: 1
  readinessGates: [{ conditionType: example.com/open }]
  containers:
  - { name: main, image: "${image}", command: [sh, -c, "while :; do :; done"], resources: { requests: { cpu: 100m, memory: 32Mi }, limits: { cpu: 200m, memory: 64Mi } }, volumeMounts: [{ name: v, mountPath: /v }, { name: d, mountPath: /d }] }
  volumes: [{ name: v, configMap: { name: live } }, { name: d, downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }] } }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: live }
data: { a: before }
`;

// Every wait below is for a condition; the time only bounds it on a machine that does much else.
describe.skipIf(missing !== '')(
  `what pods can ask of a node${missing && ` (left out: ${missing})`}`,
  { timeout: 120_000 },
  () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'coracle-pods-'));
    const table = rows(dataDir);
    const nameOf = (title: string): string =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-')
        .replaceAll(/^-|-$/g, '');
    let cluster: TestCluster;
    let node = '';

    beforeAll(async () => {
      // A mount that is shared, as the root of most machines is, so that propagation has something to go through.
      for (const part of ['shared', 'local']) mkdirSync(join(dataDir, part), { recursive: true });
      writeFileSync(join(dataDir, 'local', 'here'), 'local data\n');
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(dataDir, 'shared')]);
      execFileSync('mount', ['--make-shared', join(dataDir, 'shared')]);
      cluster = await startTestCluster({ args: ['--runtime', 'containerd'], dataDir });
      await loadBusybox(cluster, image);
      await loadBusybox(cluster, greeter, {
        Entrypoint: ['/bin/echo', 'from'],
        Cmd: ['the image'],
        Env: ['PATH=/bin'],
      });
      await cluster.ok('wait', '--for=condition=Ready', 'node', '--all', '--timeout=100s');
      node = (await cluster.ok('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
      await cluster.apply(
        objects(node, dataDir) +
          Object.entries(table)
            .map(
              ([title, { run, container = '', spec = '' }]) => `---
apiVersion: v1
kind: Pod
metadata: { name: ${nameOf(title)}, labels: { app: row } }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
${spec}  containers:
    - { name: main, image: "${image}", command: [sh, -c, ${JSON.stringify(`exec 2>&1; ${run}`)}]${container && `, ${container}`} }
`,
            )
            .join(''),
      );
    }, 120_000);
    afterAll(async () => {
      if (!cluster) return;
      await cluster.stop();
      execFileSync('umount', [join(dataDir, 'shared')]);
      const { code, stderr } = await cluster.coracle('down', '--purge', '--data-dir', dataDir);
      rmSync(dataDir, { recursive: true, force: true });
      expect(stderr).toBe('');
      expect(code).toBe(0);
    }, 120_000);

    it.each(Object.keys(table))('%s', { timeout: 120_000 }, async (title) => {
      const name = nameOf(title);
      await cluster.until(
        ['get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].state}'],
        (out) => out.includes('terminated'),
        110_000,
      );
      expect(await cluster.ok('logs', name, '-c', 'main')).toMatch(table[title]?.says ?? /^$/);
    });

    it('a StatefulSet keeps its data: the pod that comes back finds it', async () => {
      await cluster.ok('rollout', 'status', 'statefulset/sts', '--timeout=100s');
      await cluster.ok('delete', 'pod', 'sts-0');
      await cluster.until(['logs', 'sts-0'], (out) => out === 'sts-0\nsts-0\n');
    });

    it('a claim grows, and its data goes with it', async () => {
      await cluster.ok(
        'patch',
        'pvc',
        'claim',
        '--type=merge',
        '-p',
        '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}',
      );
      await cluster.until(['get', 'pvc', 'claim', '-o', 'jsonpath={.status.capacity.storage}'], (out) => out === '2Gi');
      expect(await cluster.ok('get', 'events', '--field-selector=involvedObject.name=claim')).toContain(
        'VolumeResizeSuccessful',
      );
      const path = await cluster.ok(
        'get',
        'pv',
        '-o',
        'jsonpath={.items[?(@.spec.claimRef.name=="claim")].spec.hostPath.path}',
      );
      expect(readFileSync(join(path, 'f'), 'utf8')).toBe('kept\n');
      await cluster.ok('delete', 'pod', nameOf('a claim of the default class'));
      await cluster.ok('delete', 'pvc', 'claim');
      await cluster.until(['get', 'pv', '-o', 'name'], () => !existsSync(path));
    });

    it('a change of config map and labels shows in a running pod', async () => {
      await cluster.until(['get', 'pod', 'live', '-o', 'jsonpath={.status.phase}'], (out) => out === 'Running');
      await cluster.ok('patch', 'configmap', 'live', '-p', '{"data":{"a":"after"}}');
      await cluster.ok('label', 'pod', 'live', 'app=two', '--overwrite');
      await cluster.until(['exec', 'live', '--', 'cat', '/v/a', '/d/labels'], (out) => out === 'afterapp="two"');
    });

    it('a readiness gate holds a pod back until somebody opens it', async () => {
      const ready = ['get', 'pod', 'live', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")]}'];
      expect(await cluster.ok(...ready)).toContain(
        'corresponding condition of pod readiness gate \\"example.com/open\\" does not exist.',
      );
      const patch = '{"status":{"conditions":[{"type":"example.com/open","status":"True"}]}}';
      await cluster.ok('patch', 'pod', 'live', '--subresource=status', '--type=strategic', '-p', patch);
      await cluster.until(ready, (out) => out.includes('"status":"True"'));
    });

    it('a resize in place: new limits, no restart', async () => {
      const patch =
        '{"spec":{"containers":[{"name":"main","resources":{"requests":{"cpu":"150m"},"limits":{"cpu":"300m","memory":"96Mi"}}}]}}';
      await cluster.ok('patch', 'pod', 'live', '--subresource=resize', '-p', patch);
      const limits =
        'jsonpath={.status.containerStatuses[0].resources.limits} {.status.containerStatuses[0].restartCount}';
      await cluster.until(['get', 'pod', 'live', '-o', limits], (out) => out === '{"cpu":"300m","memory":"96Mi"} 0');
      const file = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true';
      expect(await cluster.ok('exec', 'live', '--', 'sh', '-c', file)).toBe('100663296\n');
    });

    it('an ephemeral container sees the processes of its target', async () => {
      await cluster.ok('debug', 'live', `--image=${image}`, '--target=main', '--', 'ps');
      const name = await cluster.ok('get', 'pod', 'live', '-o', 'jsonpath={.spec.ephemeralContainers[0].name}');
      await cluster.until(['logs', 'live', '-c', name], (out) => out.includes('while :; do :; done'));
    });

    it('what an image runs, and what a pod runs instead', async () => {
      const table = [
        ['image-default', '', 'from the image\n'],
        ['image-args', 'args: [elsewhere]', 'from elsewhere\n'],
        ['image-command', 'command: [/bin/echo, only]', 'only\n'],
        ['image-both', 'command: [/bin/echo, a], args: [b]', 'a b\n'],
      ] as const;
      await cluster.apply(
        table
          .map(
            ([name, more]) => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec: { restartPolicy: Never, containers: [{ name: main, image: "${greeter}"${more && `, ${more}`} }] }
`,
          )
          .join(''),
      );
      for (const [name, , says] of table) await cluster.until(['logs', name], (out) => out === says);
    });

    it('termination messages by policy, path and user', async () => {
      const table = [
        ['message-file', 'echo -n file > /dev/termination-log; exit 1', '', 'file'],
        ['message-log', 'echo -n said; exit 1', 'terminationMessagePolicy: FallbackToLogsOnError', 'said'],
        ['message-none', 'echo -n said; exit 0', 'terminationMessagePolicy: FallbackToLogsOnError', ''],
        ['message-both', 'echo -n f > /dev/termination-log', 'terminationMessagePolicy: FallbackToLogsOnError', 'f'],
        [
          'message-path',
          'echo -n own > /tmp/own',
          'terminationMessagePath: /tmp/own, securityContext: { runAsUser: 1000 }',
          'own',
        ],
      ] as const;
      await cluster.apply(
        table
          .map(
            ([name, run, more]) => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec: { restartPolicy: Never, containers: [{ name: main, image: "${image}", command: [sh, -c, "${run}"]${more && `, ${more}`} }] }
`,
          )
          .join(''),
      );
      const path =
        'jsonpath={.status.containerStatuses[0].state.terminated.containerID}|{.status.containerStatuses[0].state.terminated.message}';
      for (const [name, , , message] of table)
        expect(
          (await cluster.until(['get', 'pod', name, '-o', path], (out) => out.startsWith('containerd://'))).split(
            '|',
          )[1],
          name,
        ).toBe(message);
    });

    it('hooks run after the start and before the end', async () => {
      await cluster.apply(`apiVersion: v1
kind: Pod
metadata: { name: hooks }
spec:
  terminationGracePeriodSeconds: 20
  containers:
  - { name: one, image: "${image}", command: [sleep, "9999"], volumeMounts: [{ name: v, mountPath: /v }], lifecycle: { postStart: { exec: { command: [sh, -c, "echo exec-start >> /v/log"] } }, preStop: { exec: { command: [sh, -c, "echo exec-stop >> /v/log"] } } } }
  volumes: [{ name: v, hostPath: { path: ${dataDir}/hooks, type: DirectoryOrCreate } }]
`);
      await cluster.until(['get', 'pod', 'hooks', '-o', 'jsonpath={.status.phase}'], (out) => out === 'Running');
      const log = (): string => readFileSync(join(dataDir, 'hooks', 'log'), 'utf8');
      expect(log()).toBe('exec-start\n');
      await cluster.ok('delete', 'pod', 'hooks');
      expect(log()).toBe('exec-start\nexec-stop\n');
    });

    it('what is optional may come later', async () => {
      await cluster.until(['get', 'pod', 'optional', '-o', 'jsonpath={.status.phase}'], (out) => out === 'Running');
      await cluster.ok('create', 'configmap', 'later', '--from-literal=a=came');
      await cluster.ok('create', 'secret', 'generic', 'later', '--from-literal=b=too');
      await cluster.until(
        ['exec', 'optional', '--', 'cat', '/v/a', '/w/b', '/x/a', '/x/b'],
        (out) => out === 'cametoocametoo',
      );
    });

    it('probes that succeed leave a container alone', async () => {
      const path =
        'jsonpath={.status.conditions[?(@.type=="Ready")].lastTransitionTime} {.status.containerStatuses[0].state.running.startedAt} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}';
      const out = await cluster.until(['get', 'pod', 'healthy', '-o', path], (it) => it.endsWith(' true'));
      const [ready = '', started = '', restarts] = out.split(' ');
      expect(Date.parse(ready) - Date.parse(started)).toBeGreaterThanOrEqual(3_000);
      expect(restarts).toBe('0');
    });

    it('a runtime class that is not there', async () => {
      const { code, stderr } = await cluster.kubectl(
        'run',
        'no-class',
        `--image=${image}`,
        '--overrides={"spec":{"runtimeClassName":"absent"}}',
      );
      expect(code).toBe(1);
      expect(stderr).toContain('pod rejected: RuntimeClass "absent" not found');
    });

    it('kubectl top and the metrics API', async () => {
      await cluster.until(['top', 'pod', 'live', '--containers'], (out) => /live +main +[1-9]\d*m +\d+Mi/.test(out));
      expect(await cluster.ok('top', 'node')).toMatch(/\d+m +\d+% +\d+Mi +\d+%/);
      const summary = JSON.parse(await cluster.ok('get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary`)) as {
        pods: { podRef: { name: string }; cpu: { usageNanoCores: number }; 'ephemeral-storage': object }[];
      };
      const live = summary.pods.find((pod) => pod.podRef.name === 'live');
      expect(live?.cpu.usageNanoCores).toBeGreaterThan(0);
      expect(live?.['ephemeral-storage']).toBeDefined();
      expect(await cluster.ok('get', '--raw', `/api/v1/nodes/${node}/proxy/metrics/cadvisor`)).toMatch(
        /^container_memory_working_set_bytes\{container="main",.*pod="live"\} [1-9]/m,
      );
    });

    it('a static pod runs and has a mirror', async () => {
      const manifest = `apiVersion: v1
kind: Pod
metadata: { name: static }
spec: { terminationGracePeriodSeconds: 1, containers: [{ name: main, image: "${image}", command: [sleep, "9999"] }] }
`;
      const file = join(dataDir, 'node', 'manifests', 'static.yaml');
      writeFileSync(file, manifest);
      const name = `static-${node}`;
      await cluster.until(
        ['get', 'pod', name, '-n', 'default', '-o', 'jsonpath={.status.phase}'],
        (out) => out === 'Running',
      );
      expect(
        await cluster.ok('get', 'pod', name, '-o', 'jsonpath={.metadata.annotations.kubernetes\\.io/config\\.source}'),
      ).toBe('file');
      rmSync(file);
      await cluster.until(['get', 'pods', '-o', 'name'], (out) => !out.includes(name));
    });

    it('the kubelet’s own HTTPS API lets in whom the API server allows', async () => {
      const [address, port] = (
        await cluster.ok(
          'get',
          'node',
          node,
          '-o',
          'jsonpath={.status.addresses[0].address} {.status.daemonEndpoints.kubeletEndpoint.Port}',
        )
      ).split(' ');
      const ca = Buffer.from(
        await cluster.ok('config', 'view', '--raw', '-o', 'jsonpath={.clusters[0].cluster.certificate-authority-data}'),
        'base64',
      );
      const ask = (path: string, token?: string): Promise<number | undefined> =>
        new Promise((resolve, reject) => {
          const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
          request({ host: address, port, path, ca, headers }, (response) => {
            response.resume();
            resolve(response.statusCode);
          })
            .on('error', reject)
            .end();
        });
      await cluster.ok('create', 'serviceaccount', 'reader');
      const token = (await cluster.ok('create', 'token', 'reader')).trim();
      expect(await ask('/metrics/resource')).toBe(401);
      expect(await ask('/metrics/resource', 'nonsense')).toBe(401);
      expect(await ask('/metrics/resource', token)).toBe(403);
      await cluster.ok('create', 'clusterrole', 'meter', '--verb=get', '--resource=nodes/metrics');
      await cluster.ok('create', 'clusterrolebinding', 'meter', '--clusterrole=meter', '--serviceaccount=default:late');
      await cluster.ok('create', 'serviceaccount', 'late');
      const allowed = (await cluster.ok('create', 'token', 'late')).trim();
      expect(await ask('/metrics/resource', allowed)).toBe(200);
      expect(await ask('/pods', allowed)).toBe(403);
    });

    it('leaves no volume of a deleted pod behind', async () => {
      await cluster.ok('delete', 'pods', '-l', 'app=row', '--timeout=100s');
      const kept = (await cluster.ok('get', 'pods', '-A', '-o', 'jsonpath={.items[*].metadata.uid}')).split(' ');
      await cluster.until(['version'], () =>
        readdirSync(join(dataDir, 'node', 'kubelet', 'pods')).every((uid) => kept.includes(uid)),
      );
    });
  },
);
