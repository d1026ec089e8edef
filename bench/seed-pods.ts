import { join } from 'node:path';
import { lmdbStore } from '../src/store/lmdb/lmdb-store.ts';

/** A pod of about 3 KB as the API server stores it: metadata without resourceVersion, defaults filled in. */
function storedPod(name: string, n: number): object {
  const uid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const time = '2026-01-01T00:00:00Z';
  const fields = { 'f:spec': { 'f:containers': { 'k:{"name":"main"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } };
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace: 'default',
      uid,
      generation: 1,
      creationTimestamp: time,
      labels: { app: 'bench', shard: String(n % 100) },
      annotations: { filler: 'x'.repeat(1800) },
      managedFields: [
        { manager: 'bench', operation: 'Update', apiVersion: 'v1', time, fieldsType: 'FieldsV1', fieldsV1: fields },
      ],
    },
    spec: {
      volumes: [{ name: 'token', projected: { sources: [{ downwardAPI: { items: [] } }], defaultMode: 420 } }],
      containers: [
        {
          name: 'main',
          image: 'registry.k8s.io/pause:3.9',
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      securityContext: {},
      schedulerName: 'nobody',
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: { phase: 'Pending', qosClass: 'Burstable' },
  };
}

/** Writes `count` pods into the store of a stopped cluster; gives the mean bytes of one. */
export async function seedPods(dataDir: string, count: number): Promise<number> {
  const store = await lmdbStore(join(dataDir, 'store'));
  let bytes = 0;
  const group = 500;
  for (let from = 0; from < count; from += group) {
    const operations = Array.from({ length: Math.min(group, count - from) }, (_, i) => {
      const name = `p-${from + i}`;
      const value = Buffer.from(JSON.stringify(storedPod(name, from + i)));
      bytes += value.length;
      return { type: 'put' as const, key: `/registry/pods/default/${name}`, value };
    });
    await store.commit({ compares: [], operations });
  }
  await store.close();
  return bytes / count;
}
