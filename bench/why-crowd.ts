import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allResources } from '../src/api/generated/resources.ts';
import type { KubeObject } from '../src/api/resource.ts';
import type { Rule } from '../src/doctor/rule.ts';
import { allRules } from '../src/doctor/rules/index.ts';
import { exampleObjects } from '../src/doctor/snapshot/from-yaml.ts';
import { startFakeApi } from './fake-api.ts';

const program = fileURLToPath(new URL('../../bin/coracle.js', import.meta.url));

export interface CrowdResult {
  readonly pods: number;
  readonly failing: number;
  readonly causes: number;
  readonly seconds: number;
  /** Highest resident memory of the process, bytes. */
  readonly memory: number;
  readonly requests: number;
  readonly bytes: number;
  /** Failing pods whose finding is of the right rule. */
  readonly right: number;
  readonly wrong: readonly string[];
}

/** Rules whose first example needs nothing outside its namespace, one of each after the other through the phases. */
function chosen(count: number): readonly Rule[] {
  const local = allRules.filter((rule) => {
    const [first] = rule.sick;
    if (first.stage === 'manifests' || first.also || rule.severity !== 'error' || rule.id === 'no-nodes') return false;
    const { objects } = exampleObjects(first.yaml);
    const kinds = objects.map((it) => it.kind ?? '');
    const near = kinds.every((kind) => allResources.find((r) => r.kind === kind)?.namespaced);
    return (
      near &&
      kinds.filter((kind) => kind === 'Pod').length === 1 &&
      objects.every((it) => it.metadata?.namespace === 'default')
    );
  });
  const phases = [...new Set(local.map((it) => it.phase))];
  const picked: Rule[] = [];
  for (let round = 0; picked.length < count && round < local.length; round++)
    for (const phase of phases) {
      const rule = local.filter((it) => it.phase === phase)[round];
      if (rule && picked.length < count) picked.push(rule);
    }
  return picked;
}

const now = '2026-01-01T12:00:00Z';

function healthyPod(i: number, nodes: number): KubeObject {
  const name = `web-${Math.floor(i / 5)}-${i % 5}`;
  const image = `registry.example.com/team/app-${i % 200}:1.${i % 7}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: `team-${i % 40}`,
      uid: `uid-${i}`,
      creationTimestamp: '2026-01-01T10:00:00Z',
      labels: { app: `web-${Math.floor(i / 5)}`, tier: 'front' },
      annotations: { note: 'x'.repeat(400) },
      managedFields: [
        {
          manager: 'kubelet',
          operation: 'Update',
          time: now,
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:status': { 'f:conditions': {} } },
        },
      ],
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'StatefulSet',
          name: `web-${Math.floor(i / 5)}`,
          uid: `s-${Math.floor(i / 5)}`,
          controller: true,
        },
      ],
    },
    spec: {
      nodeName: `node-${i % nodes}`,
      serviceAccountName: 'default',
      containers: [
        {
          name: 'app',
          image,
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          env: [{ name: 'PORT', value: '8080' }],
          ports: [{ containerPort: 8080 }],
        },
      ],
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }],
      podIP: `10.${i % 200}.${Math.floor(i / 200)}.7`,
      containerStatuses: [
        {
          name: 'app',
          image,
          imageID: `${image}@sha256:1`,
          ready: true,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: '2026-01-01T10:00:05Z' } },
        },
      ],
    },
  } as KubeObject;
}

const node = (i: number): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `node-${i}`,
      uid: `n-${i}`,
      creationTimestamp: '2025-12-01T00:00:00Z',
      labels: { 'kubernetes.io/hostname': `node-${i}`, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
    spec: {},
    status: {
      allocatable: { cpu: '16', memory: '64Gi', pods: '250', 'ephemeral-storage': '100Gi' },
      capacity: { cpu: '16', memory: '64Gi', pods: '250', 'ephemeral-storage': '100Gi' },
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        kubeletVersion: 'v1.33.0',
        containerRuntimeVersion: 'containerd://2.0.0',
      },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
          lastHeartbeatTime: now,
        },
      ],
    },
  }) as unknown as KubeObject;

/** A cluster of `pods` pods with `failing` of them sick in `causes` ways, looked at by the real command in its own process. */
export async function crowd(pods: number, failing: number, causes: number): Promise<CrowdResult> {
  const nodes = Math.ceil(pods / 100);
  const rules = chosen(causes);
  const objects = new Map<string, KubeObject[]>();
  const put = (it: KubeObject): void => {
    const resource = allResources.find((r) => r.kind === it.kind);
    const key = `${resource?.group}/${resource?.plural}`;
    const list = objects.get(key) ?? [];
    list.push(it);
    objects.set(key, list);
  };
  const logs = new Map<string, string>();
  const expected = new Map<string, string>();
  // Examples live at a fixed time: all is moved to the present, as the command reads the clock.
  const shift = Date.now() - Date.parse(now);
  const moved = (it: unknown): KubeObject =>
    JSON.parse(
      JSON.stringify(it).replaceAll(
        /"(20\d\d-\d\d-\d\dT[\d:.]+Z)"/g,
        (_, time: string) => `"${new Date(Date.parse(time) + shift).toISOString()}"`,
      ),
    ) as KubeObject;
  for (let i = 0; i < nodes; i++) put(moved(node(i)));
  for (let i = 0; i < pods - failing; i++) put(moved(healthyPod(i, nodes)));
  for (let i = 0; i < failing; i++) {
    const rule = rules[i % rules.length];
    if (!rule) continue;
    const namespace = `sick-${i}`;
    const example = exampleObjects(rule.sick[0].yaml);
    put(moved({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace, uid: `sa-${i}` } }));
    for (const it of example.objects) {
      const text = JSON.stringify({ ...it, metadata: { ...it.metadata, namespace, uid: `${it.metadata?.uid}-${i}` } })
        .replaceAll('"namespace":"default"', `"namespace":"${namespace}"`)
        // Objects of one name in other namespaces are a cause of their own.
        .replaceAll('app-config', `app-config-${rule.id}`)
        .replaceAll('"nodeName":"n1"', `"nodeName":"node-${i % nodes}"`);
      const object = moved(JSON.parse(text));
      put(object);
      if (object.kind === 'Pod') expected.set(`${namespace}/${object.metadata?.name}`, rule.id);
    }
    for (const { pod, container, text } of example.logs) logs.set(`${namespace}/${pod}/${container}`, text);
  }
  for (const namespace of new Set([...objects.values()].flat().map((it) => it.metadata?.namespace ?? ''))) {
    if (namespace)
      put(
        moved({
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: namespace, uid: namespace },
          status: { phase: 'Active' },
        }),
      );
  }
  const api = await startFakeApi({ objects, logs });
  try {
    return {
      pods,
      failing,
      causes: rules.length,
      ...(await measure(api.url, expected)),
      requests: api.requests(),
      bytes: api.bytes(),
    };
  } finally {
    await api.close();
  }
}

async function measure(
  url: string,
  expected: ReadonlyMap<string, string>,
): Promise<Pick<CrowdResult, 'seconds' | 'memory' | 'right' | 'wrong'>> {
  const dir = mkdtempSync(join(tmpdir(), 'coracle-why-'));
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      'current-context': 'x',
      clusters: [{ name: 'x', cluster: { server: url } }],
      users: [{ name: 'x', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    }),
  );
  const began = performance.now();
  const child = spawn(process.execPath, [program, 'why', '-A', '-o', 'json', '--kubeconfig', kubeconfig], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let memory = 0;
  const sample = setInterval(() => {
    try {
      const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1024);
    } catch {
      // It has just ended: the last sample counts.
      clearInterval(sample);
    }
  }, 25);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => child.once('close', resolve));
  const seconds = (performance.now() - began) / 1000;
  clearInterval(sample);
  rmSync(dir, { recursive: true, force: true });
  const report = JSON.parse(Buffer.concat(chunks).toString()) as {
    findings: readonly { rule: string; affected: readonly { kind: string; namespace?: string; name: string }[] }[];
  };
  const got = new Map<string, string>();
  for (const it of report.findings)
    for (const ref of it.affected)
      if (ref.kind === 'Pod' && !got.has(`${ref.namespace}/${ref.name}`))
        got.set(`${ref.namespace}/${ref.name}`, it.rule);
  const wrong = [...expected].filter(([pod, rule]) => got.get(pod) !== rule).map(([, rule]) => rule);
  return { seconds, memory, right: expected.size - wrong.length, wrong: [...new Set(wrong)] };
}
