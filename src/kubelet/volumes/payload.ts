import type {
  AuthenticationV1TokenRequest,
  V1ConfigMap,
  V1KeyToPath,
  V1Pod,
  V1ProjectedVolumeSource,
  V1Secret,
  V1Volume,
} from '../../api/generated/types.ts';
import { hasReason } from '../../api/status.ts';
import { type DownwardFacts, fieldValue, resourceValue } from '../pods/downward.ts';
import type { ReferencedObjects } from '../pods/env.ts';
import type { ProjectedFile } from './atomic-writer.ts';

export interface PayloadSources {
  readonly objects: ReferencedObjects;
  facts(): DownwardFacts;
  /** A bound token for the pod: rejects with the server's refusal. */
  token(pod: V1Pod, audience: string | undefined, expirationSeconds: number): Promise<AuthenticationV1TokenRequest>;
  /** PEM of a trust bundle by name, or of all of a signer that match. */
  trustBundle(
    source: NonNullable<NonNullable<V1ProjectedVolumeSource['sources']>[number]['clusterTrustBundle']>,
  ): Promise<string>;
}

type Files = Map<string, ProjectedFile>;

/** A ConfigMap's files. Throws `configmap references non-existent config key: k`. */
export function configMapPayload(
  map: V1ConfigMap,
  items: readonly V1KeyToPath[] | undefined,
  mode: number,
  optional: boolean,
): Files {
  const out: Files = new Map();
  const read = (key: string): Buffer | undefined => {
    const plain = map.data?.[key];
    if (plain !== undefined) return Buffer.from(plain);
    const binary = map.binaryData?.[key];
    return binary === undefined ? undefined : Buffer.from(binary, 'base64');
  };
  if (!items || items.length === 0) {
    for (const key of [...Object.keys(map.data ?? {}), ...Object.keys(map.binaryData ?? {})])
      out.set(key, { data: read(key) ?? Buffer.alloc(0), mode });
    return out;
  }
  for (const item of items) {
    const data = read(item.key);
    if (data) out.set(item.path, { data, mode: item.mode ?? mode });
    else if (!optional) throw new Error(`configmap references non-existent config key: ${item.key}`);
  }
  return out;
}

/** A Secret's files. Throws `references non-existent secret key: k`. */
export function secretPayload(
  secret: V1Secret,
  items: readonly V1KeyToPath[] | undefined,
  mode: number,
  optional: boolean,
): Files {
  const out: Files = new Map();
  if (!items || items.length === 0) {
    for (const [key, value] of Object.entries(secret.data ?? {}))
      out.set(key, { data: Buffer.from(value, 'base64'), mode });
    return out;
  }
  for (const item of items) {
    const value = secret.data?.[item.key];
    if (value !== undefined) out.set(item.path, { data: Buffer.from(value, 'base64'), mode: item.mode ?? mode });
    else if (!optional) throw new Error(`references non-existent secret key: ${item.key}`);
  }
  return out;
}

type DownwardItems = NonNullable<NonNullable<V1Volume['downwardAPI']>['items']>;

/** The pod's own fields as files. */
export function downwardPayload(items: DownwardItems, pod: V1Pod, mode: number, facts: DownwardFacts): Files {
  const out: Files = new Map();
  for (const item of items) {
    const value = item.fieldRef
      ? fieldValue(pod, item.fieldRef, facts)
      : item.resourceFieldRef
        ? resourceValue(pod, undefined, item.resourceFieldRef, facts)
        : '';
    out.set(item.path, { data: Buffer.from(value), mode: item.mode ?? mode });
  }
  return out;
}

const orAbsent = async <T>(optional: boolean | undefined, get: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await get();
  } catch (error) {
    if (optional && hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
};

/** When a payload holds a token: when to fetch a new one, epoch milliseconds. */
export interface PayloadResult {
  readonly files: Files;
  readonly refreshAt?: number;
}

/** When a token should be replaced: at 80 % of its life, or after a day. Upstream: pkg/kubelet/token requiresRefresh. */
export function tokenRefreshAt(request: AuthenticationV1TokenRequest, now: number): number {
  const expires = Date.parse(request.status?.expirationTimestamp ?? '');
  if (Number.isNaN(expires)) return now + 86_400_000;
  const seconds = request.spec?.expirationSeconds ?? 3600;
  const issued = expires - seconds * 1000;
  return Math.min(issued + seconds * 800, now + 86_400_000);
}

async function projectedPayload(
  sources: PayloadSources,
  pod: V1Pod,
  source: V1ProjectedVolumeSource,
  now: number,
): Promise<PayloadResult> {
  const mode = source.defaultMode ?? 0o644;
  const namespace = pod.metadata?.namespace ?? '';
  const files: Files = new Map();
  const errors: string[] = [];
  let refreshAt: number | undefined;
  const add = (more: Files): void => {
    for (const [path, file] of more) files.set(path, file);
  };
  for (const item of source.sources ?? []) {
    try {
      if (item.secret) {
        const { name = '', items, optional } = item.secret;
        const secret = await orAbsent(optional, () => sources.objects.secret(namespace, name));
        if (secret) add(secretPayload(secret, items, mode, optional === true));
      } else if (item.configMap) {
        const { name = '', items, optional } = item.configMap;
        const map = await orAbsent(optional, () => sources.objects.configMap(namespace, name));
        if (map) add(configMapPayload(map, items, mode, optional === true));
      } else if (item.downwardAPI) {
        add(downwardPayload(item.downwardAPI.items ?? [], pod, mode, sources.facts()));
      } else if (item.serviceAccountToken) {
        const { audience, expirationSeconds, path } = item.serviceAccountToken;
        const uid = commonUser(pod);
        const tight = uid !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
        const request = await sources.token(pod, audience, expirationSeconds ?? 3600);
        files.set(path, {
          data: Buffer.from(request.status?.token ?? ''),
          mode: tight ? 0o600 : mode,
          ...(uid !== undefined && { uid }),
        });
        const at = tokenRefreshAt(request, now);
        refreshAt = Math.min(refreshAt ?? at, at);
      } else if (item.clusterTrustBundle) {
        const bundle = item.clusterTrustBundle;
        const pem = await orAbsent(bundle.optional, () => sources.trustBundle(bundle));
        files.set(bundle.path, { data: Buffer.from(pem ?? ''), mode });
      }
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  return { files, ...(refreshAt !== undefined && { refreshAt }) };
}

/** The one user that all containers run as, if they do: tokens then belong to it. Upstream: util.FsUserFrom. */
export function commonUser(pod: V1Pod): number | undefined {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(
    (it) => it.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser,
  );
  return all.every((it) => it === all[0]) ? all[0] : undefined;
}

/** The files of a configMap, secret, downwardAPI or projected volume; undefined for other kinds. */
export async function volumePayload(
  sources: PayloadSources,
  pod: V1Pod,
  volume: V1Volume,
  now: number,
): Promise<PayloadResult | undefined> {
  const namespace = pod.metadata?.namespace ?? '';
  if (volume.configMap) {
    const { name = '', items, optional, defaultMode } = volume.configMap;
    const map = await orAbsent(optional, () => sources.objects.configMap(namespace, name));
    return { files: map ? configMapPayload(map, items, defaultMode ?? 0o644, optional === true) : new Map() };
  }
  if (volume.secret) {
    const { secretName = '', items, optional, defaultMode } = volume.secret;
    const secret = await orAbsent(optional, () => sources.objects.secret(namespace, secretName));
    return { files: secret ? secretPayload(secret, items, defaultMode ?? 0o644, optional === true) : new Map() };
  }
  if (volume.downwardAPI)
    return {
      files: downwardPayload(
        volume.downwardAPI.items ?? [],
        pod,
        volume.downwardAPI.defaultMode ?? 0o644,
        sources.facts(),
      ),
    };
  if (volume.projected) return projectedPayload(sources, pod, volume.projected, now);
  return undefined;
}
