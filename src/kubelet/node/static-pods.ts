import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { pods } from '../../api/generated/resources.ts';
import type { V1Pod } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { hasReason } from '../../api/status.ts';
import { type Clock, every, type Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import type { NodeFiles } from '../../runtime/node-files.ts';

const checkEvery = 20_000;
/** After a change in the directory, until it is read, milliseconds. */
const settleMs = 100;
const hashKey = 'kubernetes.io/config.hash';
const sourceKey = 'kubernetes.io/config.source';
const seenKey = 'kubernetes.io/config.seen';
export const mirrorKey = 'kubernetes.io/config.mirror';

/** A pod of a manifest, named and marked as the kubelet's own. Upstream: pkg/kubelet/config/common.go applyDefaults. */
export function staticPod(manifest: V1Pod, file: string, nodeName: string, now: number): V1Pod {
  const hash = createHash('md5').update(`host:${nodeName}file:${file}`).update(JSON.stringify(manifest)).digest('hex');
  const uid = manifest.metadata?.uid ?? hash;
  return {
    ...manifest,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...manifest.metadata,
      name: `${manifest.metadata?.name}-${nodeName.toLowerCase()}`,
      namespace: manifest.metadata?.namespace ?? 'default',
      uid,
      annotations: {
        ...manifest.metadata?.annotations,
        [hashKey]: hash,
        [sourceKey]: 'file',
        [seenKey]: new Date(now).toISOString(),
      },
    },
    spec: {
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      terminationGracePeriodSeconds: 30,
      enableServiceLinks: true,
      ...manifest.spec,
      containers: manifest.spec?.containers ?? [],
      nodeName,
      tolerations: [...(manifest.spec?.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: { phase: 'Pending' },
  };
}

/** Reads a directory of manifests again and again; tells pods that came, changed (a new uid) and went. */
export function watchStaticPods(options: {
  readonly files: NodeFiles;
  readonly directory: string;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onPods: (pods: readonly V1Pod[]) => void;
}): { readonly first: Promise<void>; stop(): void } {
  const { files, directory, log } = options;
  const known = new Map<string, V1Pod>();
  const read = async (): Promise<void> => {
    if (!(await files.stat(directory))) return;
    const found = new Map<string, V1Pod>();
    for (const name of (await files.list(directory)).filter((it) => !it.startsWith('.')).sort()) {
      const path = posix.join(directory, name);
      try {
        for (const document of parseAllDocuments((await files.read(path)).toString('utf8'))) {
          const manifest = document.toJS() as V1Pod | null;
          if (manifest?.kind !== 'Pod') continue;
          const pod = staticPod(manifest, path, options.nodeName, options.clock.now());
          const uid = pod.metadata?.uid ?? '';
          const same = known.get(uid);
          found.set(
            uid,
            same?.metadata?.annotations?.[hashKey] === pod.metadata?.annotations?.[hashKey] && same ? same : pod,
          );
        }
      } catch (error) {
        log.warn('cannot read a static pod', { path, error });
      }
    }
    known.clear();
    for (const [uid, pod] of found) known.set(uid, pod);
    options.onPods([...found.values()]);
  };
  const guarded = (): Promise<void> =>
    read().catch((error: unknown) => log.warn('cannot read the static pods', { directory, error }));
  const timer: Timer = every(options.clock, checkEvery, guarded, (error) => log.warn('static pods', { error }));
  let settling: Timer | undefined;
  let unwatch: (() => void) | undefined;
  const first = guarded().then(async () => {
    if (!(await files.stat(directory))) return;
    unwatch = files.watch(directory, () => {
      // A file is written in several steps; they are read as one.
      settling?.cancel();
      settling = options.clock.after(settleMs, () => void guarded(), { background: true });
    });
  });
  return {
    first,
    stop() {
      timer.cancel();
      settling?.cancel();
      unwatch?.();
    },
  };
}

/** Makes the API server's copy of a static pod what it should be; a stale copy is deleted first. Upstream: pkg/kubelet/pod/mirror_client.go. */
export async function reconcileMirror(
  client: Client,
  pod: V1Pod,
  mirror: Live<V1Pod> | undefined,
  node: { readonly name: string; readonly uid: string },
): Promise<void> {
  const namespace = pod.metadata?.namespace ?? '';
  const hash = pod.metadata?.annotations?.[hashKey] ?? '';
  if (mirror && mirror.metadata.annotations?.[mirrorKey] === hash && !mirror.metadata.deletionTimestamp) return;
  if (mirror) await deleteMirror(client, mirror);
  const { uid: _uid, ...metadata } = pod.metadata ?? {};
  try {
    await client.create(
      pods,
      {
        ...pod,
        metadata: {
          ...metadata,
          annotations: { ...metadata.annotations, [mirrorKey]: hash },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid, controller: true }],
        },
      },
      { namespace },
    );
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

/** Deletes a mirror pod at once. */
export async function deleteMirror(client: Client, mirror: Live<V1Pod>): Promise<void> {
  try {
    await client.delete(pods, mirror.metadata.name, {
      namespace: mirror.metadata.namespace ?? '',
      gracePeriodSeconds: 0,
      preconditions: { uid: mirror.metadata.uid },
    });
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}
