import { posix } from 'node:path';
import { persistentvolumeclaims, persistentvolumes, serviceaccounts } from '../../api/generated/resources.ts';
import type { AuthenticationV1TokenRequest, V1PersistentVolume, V1Pod, V1Volume } from '../../api/generated/types.ts';
import type { Resource } from '../../api/resource.ts';
import { exponentialBackoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import type { NodeFiles } from '../../runtime/node-files.ts';
import { errorMessage, goList } from '../go-format.ts';
import type { DownwardFacts } from '../pods/downward.ts';
import type { ReferencedObjects } from '../pods/env.ts';
import { allContainers } from '../pods/observed.ts';
import { type ResourceList, wholeUnits } from '../quantity.ts';
import { writeAtomically } from './atomic-writer.ts';
import { checkHostPath } from './host-path.ts';
import { volumePayload } from './payload.ts';

/** A volume that containers can mount. */
export interface MountedVolume {
  readonly name: string;
  /** In the node's files; '' for an image volume. */
  readonly path: string;
  readonly readOnly: boolean;
}

export type MountOutcome =
  | { readonly ok: true; readonly volumes: ReadonlyMap<string, MountedVolume>; readonly refreshAt: number | undefined }
  | { readonly ok: false; readonly error: string; readonly retryAt: number };

export interface VolumeManager {
  /** Brings the pod's volumes up, or up to date; each failure is an event. Never rejects. */
  mount(
    pod: V1Pod,
    facts: () => DownwardFacts,
    event: (reason: string, message: string) => void,
  ): Promise<MountOutcome>;
  /** Takes everything of a pod down; absent is fine. */
  unmount(uid: string): Promise<void>;
  podDirectory(uid: string): string;
  /** Where a volume of the pod's own lies. */
  volumePath(pod: V1Pod, volume: V1Volume): string;
}

interface Context {
  readonly files: NodeFiles;
  readonly client: Client;
  readonly objects: ReferencedObjects;
  readonly clock: Clock;
  readonly random: Random;
  readonly rootDir: string;
}

const trustBundles: Resource = {
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  plural: 'clustertrustbundles',
  singular: 'clustertrustbundle',
  kind: 'ClusterTrustBundle',
  namespaced: false,
  verbs: ['get', 'list'],
};

/** A claim that cannot be used (yet), told in the umbrella event rather than as a failed set-up. */
class ClaimError extends Error {
  override readonly name = 'ClaimError';
}

const pluginOf = (volume: V1Volume): string => {
  for (const [key, plugin] of [
    ['configMap', 'configmap'],
    ['secret', 'secret'],
    ['projected', 'projected'],
    ['downwardAPI', 'downward-api'],
    ['emptyDir', 'empty-dir'],
    ['hostPath', 'host-path'],
  ] as const)
    if (volume[key]) return plugin;
  return 'empty-dir';
};

/** How large a volume in memory may grow: its own limit, the pod's memory limit, the node, whichever is least (SizeMemoryBackedVolumes). */
export function memorySize(pod: V1Pod, sizeLimit: string | undefined, allocatable: ResourceList): number {
  const limits = (pod.spec?.containers ?? []).map((it) => wholeUnits(it.resources?.limits?.['memory']));
  const podLimit = limits.some((it) => it === 0) ? 0 : limits.reduce((sum, it) => sum + it, 0);
  const bounds = [wholeUnits(sizeLimit), podLimit, wholeUnits(allocatable['memory'])].filter((it) => it > 0);
  return bounds.length > 0 ? Math.min(...bounds) : 0;
}

/** Upstream: pkg/kubelet/volumemanager and pkg/volume/*. */
export function volumeManager(context: Context): VolumeManager {
  const { files, client, clock, random, rootDir } = context;
  const backoff = exponentialBackoff(clock, { initial: 500, max: 122_000 });
  const tokens = new Map<string, { request: AuthenticationV1TokenRequest; refreshAt: number }>();
  const podDirectory = (uid: string): string => posix.join(rootDir, 'pods', uid);
  const pathOf = (pod: V1Pod, volume: V1Volume): string =>
    posix.join(podDirectory(pod.metadata?.uid ?? ''), 'volumes', `kubernetes.io~${pluginOf(volume)}`, volume.name);

  const token = async (
    pod: V1Pod,
    audience: string | undefined,
    seconds: number,
  ): Promise<AuthenticationV1TokenRequest> => {
    const uid = pod.metadata?.uid ?? '';
    const key = `${uid}/${audience ?? ''}/${seconds}`;
    const cached = tokens.get(key);
    if (cached && cached.refreshAt > clock.now()) return cached.request;
    const name = pod.spec?.serviceAccountName || 'default';
    try {
      const request = await client.createSubresource<AuthenticationV1TokenRequest>(
        serviceaccounts,
        name,
        'token',
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          metadata: {},
          spec: {
            ...(audience !== undefined && audience !== '' && { audiences: [audience] }),
            expirationSeconds: seconds,
            boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata?.name ?? '', uid },
          },
        },
        { namespace: pod.metadata?.namespace ?? '' },
      );
      const expires = Date.parse(request.status?.expirationTimestamp ?? '');
      const lasts = Number.isNaN(expires) ? 86_400_000 : expires - clock.now();
      tokens.set(key, { request, refreshAt: clock.now() + Math.min(86_400_000, lasts * 0.8) });
      return request;
    } catch (error) {
      if (cached && Date.parse(cached.request.status?.expirationTimestamp ?? '') > clock.now()) return cached.request;
      throw new Error(`failed to fetch token: ${errorMessage(error)}`);
    }
  };

  const setGroup = async (directory: string, fsGroup: number): Promise<void> => {
    await files.chown(directory, 0, fsGroup);
    await files.chmod(directory, 0o2777);
  };

  const setUpEmptyDir = async (
    pod: V1Pod,
    volume: V1Volume,
    path: string,
    facts: () => DownwardFacts,
  ): Promise<void> => {
    const present = await files.stat(path);
    if (!present) {
      await files.mkdir(path, 0o777);
      await files.chmod(path, 0o777);
      if (volume.emptyDir?.medium === 'Memory')
        await files.mountMemory(path, memorySize(pod, volume.emptyDir.sizeLimit, facts().allocatable));
    }
    const group = pod.spec?.securityContext?.fsGroup;
    if (group !== undefined && present?.gid !== group) await setGroup(path, group);
  };

  const boundVolume = async (pod: V1Pod, claim: string, ephemeral: boolean): Promise<V1PersistentVolume> => {
    const namespace = pod.metadata?.namespace ?? '';
    const fail = (why: string): ClaimError => new ClaimError(`error processing PVC ${namespace}/${claim}: ${why}`);
    const pvc = await client.get(persistentvolumeclaims, claim, { namespace }).catch((error: unknown) => {
      throw fail(`failed to fetch PVC from API server: ${errorMessage(error)}`);
    });
    if (ephemeral && !pvc.metadata.ownerReferences?.some((it) => it.uid === pod.metadata?.uid))
      throw fail(
        `PVC ${namespace}/${claim} was not created for pod ${namespace}/${pod.metadata?.name} (pod is not owner)`,
      );
    if (pvc.metadata.deletionTimestamp) throw fail('PVC is being deleted');
    if (pvc.status?.phase !== 'Bound') throw fail('PVC is not bound');
    const name = pvc.spec?.volumeName;
    if (!name) throw fail('PVC has empty pvc.Spec.VolumeName');
    const pv = await client.get(persistentvolumes, name).catch((error: unknown) => {
      throw fail(`failed to fetch PV ${name} from API server: ${errorMessage(error)}`);
    });
    if (pv.spec?.claimRef?.uid !== pvc.metadata.uid)
      throw fail(
        pv.spec?.claimRef
          ? `found PV object ${name} but its pv.Spec.ClaimRef.UID ${pv.spec.claimRef.uid} does not point to claim.UID ${pvc.metadata.uid}`
          : `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
      );
    return pv;
  };

  const setUpPersistent = async (pod: V1Pod, claim: string, ephemeral: boolean): Promise<string> => {
    const pv = await boundVolume(pod, claim, ephemeral);
    if (pv.spec?.hostPath) {
      await checkHostPath(files, pv.spec.hostPath.path, pv.spec.hostPath.type);
      const created = !(await files.stat(pv.spec.hostPath.path));
      if (created) await files.mkdir(pv.spec.hostPath.path, 0o777);
      return pv.spec.hostPath.path;
    }
    if (pv.spec?.local) {
      const { path } = pv.spec.local;
      if (!(await files.stat(path))) throw new Error(`path ${JSON.stringify(path)} does not exist`);
      const group = pod.spec?.securityContext?.fsGroup;
      if (group !== undefined) await setGroup(path, group);
      return path;
    }
    throw new Error('no volume plugin matched');
  };

  /** The mounted volume and, with a token in it, when to come back. */
  const setUp = async (
    pod: V1Pod,
    volume: V1Volume,
    facts: () => DownwardFacts,
  ): Promise<MountedVolume & { readonly refreshAt?: number }> => {
    const { name } = volume;
    if (volume.image) return { name, path: '', readOnly: true };
    if (volume.hostPath) {
      await checkHostPath(files, volume.hostPath.path, volume.hostPath.type);
      return { name, path: volume.hostPath.path, readOnly: false };
    }
    if (volume.persistentVolumeClaim)
      return {
        name,
        path: await setUpPersistent(pod, volume.persistentVolumeClaim.claimName, false),
        readOnly: volume.persistentVolumeClaim.readOnly === true,
      };
    if (volume.ephemeral)
      return { name, path: await setUpPersistent(pod, `${pod.metadata?.name}-${name}`, true), readOnly: false };
    const path = pathOf(pod, volume);
    if (volume.emptyDir) {
      await setUpEmptyDir(pod, volume, path, facts);
      return { name, path, readOnly: false };
    }
    const payload = await volumePayload(
      {
        objects: context.objects,
        facts,
        token,
        trustBundle: async (source) => {
          type Bundle = {
            readonly metadata?: object;
            readonly spec?: { readonly trustBundle?: string; readonly signerName?: string };
          };
          if (source.name) return ((await client.get(trustBundles, source.name)) as Bundle).spec?.trustBundle ?? '';
          const list = await client.list(trustBundles, { fieldSelector: `spec.signerName=${source.signerName}` });
          return list.items.map((it) => (it as Bundle).spec?.trustBundle ?? '').join('');
        },
      },
      pod,
      volume,
      clock.now(),
    );
    if (!payload) throw new Error('no volume plugin matched');
    if (!(await files.stat(path))) {
      await files.mkdir(path, 0o777);
      await files.chmod(path, 0o777);
    }
    const group = pod.spec?.securityContext?.fsGroup;
    await writeAtomically(files, path, payload.files, {
      now: clock.now(),
      random,
      ...(group !== undefined && { fsGroup: group }),
    });
    return { name, path, readOnly: true, ...(payload.refreshAt !== undefined && { refreshAt: payload.refreshAt }) };
  };

  return {
    podDirectory,
    volumePath: pathOf,
    async mount(pod, facts, event) {
      const used = new Set(
        allContainers(pod).flatMap((it) => [
          ...(it.volumeMounts ?? []).map((mount) => mount.name),
          ...(it.volumeDevices ?? []).map((device) => device.name),
          ...(it.env ?? []).flatMap((env) => (env.valueFrom?.fileKeyRef ? [env.valueFrom.fileKeyRef.volumeName] : [])),
        ]),
      );
      const mounted = new Map<string, MountedVolume>();
      const failed: string[] = [];
      const unprocessed: string[] = [];
      const claimErrors: string[] = [];
      let retryAt = Number.POSITIVE_INFINITY;
      let refreshAt: number | undefined;
      for (const volume of pod.spec?.volumes ?? []) {
        if (!used.has(volume.name)) continue;
        const key = `${pod.metadata?.uid}/${volume.name}`;
        if (backoff.waiting(key)) {
          failed.push(volume.name);
          retryAt = Math.min(retryAt, clock.now() + backoff.remaining(key));
          continue;
        }
        try {
          const done = await setUp(pod, volume, facts);
          backoff.reset(key);
          mounted.set(volume.name, done);
          if (done.refreshAt !== undefined) refreshAt = Math.min(refreshAt ?? done.refreshAt, done.refreshAt);
        } catch (error) {
          failed.push(volume.name);
          if (error instanceof ClaimError) {
            unprocessed.push(volume.name);
            claimErrors.push(error.message);
            retryAt = Math.min(retryAt, clock.now() + 2_000);
            continue;
          }
          retryAt = Math.min(retryAt, clock.now() + backoff.next(key));
          event(
            'FailedMount',
            `MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${errorMessage(error)}`,
          );
        }
      }
      if (failed.length === 0) return { ok: true, volumes: mounted, refreshAt };
      const error = `unmounted volumes=${goList(failed)}, unattached volumes=[], failed to process volumes=${goList(unprocessed)}: ${
        claimErrors.length > 0 ? claimErrors.join('; ') : 'timed out waiting for the condition'
      }`;
      // A plain time-out is told by the volumes' own events; only claims that cannot be used make the umbrella event.
      if (claimErrors.length > 0) event('FailedMount', `Unable to attach or mount volumes: ${error}`);
      return { ok: false, error, retryAt };
    },
    async unmount(uid) {
      const directory = podDirectory(uid);
      for (const key of tokens.keys()) if (key.startsWith(`${uid}/`)) tokens.delete(key);
      if (!(await files.stat(directory))) return;
      await files.unmount(directory);
      await files.remove(directory);
    },
  };
}
