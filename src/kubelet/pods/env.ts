import type {
  V1ConfigMap,
  V1Container,
  V1EnvVarSource,
  V1Pod,
  V1Secret,
  V1Service,
} from '../../api/generated/types.ts';
import { hasReason } from '../../api/status.ts';
import { type DownwardFacts, fieldValue, resourceValue } from './downward.ts';
import { expand } from './expansion.ts';

/** Objects that pods name, as of now. Reject with `configmap "x" not found` as a NotFound StatusError when absent. */
export interface ReferencedObjects {
  configMap(namespace: string, name: string): Promise<V1ConfigMap>;
  secret(namespace: string, name: string): Promise<V1Secret>;
}

export interface EnvInput {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly objects: ReferencedObjects;
  readonly services: readonly V1Service[];
  readonly facts: DownwardFacts;
  /** A key of an env file in a mounted volume; undefined where the key is not in it. */
  readonly fileKey: (volume: string, path: string, key: string) => Promise<string | undefined>;
}

const envName = (name: string): string => name.replaceAll('-', '_').toUpperCase();
const hostPort = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** The variables of services in the pod's namespace, and always of `default/kubernetes`. Upstream: pkg/kubelet/envvars. */
export function serviceEnv(
  services: readonly V1Service[],
  namespace: string,
  enableLinks: boolean,
): ReadonlyMap<string, string> {
  const chosen = new Map<string, V1Service>();
  for (const service of services) {
    const ip = service.spec?.clusterIP;
    if (!ip || ip === 'None' || service.spec?.type === 'ExternalName') continue;
    const name = service.metadata?.name ?? '';
    if (service.metadata?.namespace === 'default' && name === 'kubernetes') {
      if (!chosen.has(name)) chosen.set(name, service);
    } else if (enableLinks && service.metadata?.namespace === namespace) chosen.set(name, service);
  }
  const out = new Map<string, string>();
  for (const [name, service] of chosen) {
    const prefix = envName(name);
    const ip = service.spec?.clusterIP ?? '';
    const ports = service.spec?.ports ?? [];
    const first = ports[0];
    if (!first) continue;
    out.set(`${prefix}_SERVICE_HOST`, ip);
    out.set(`${prefix}_SERVICE_PORT`, `${first.port}`);
    for (const port of ports) if (port.name) out.set(`${prefix}_SERVICE_PORT_${envName(port.name)}`, `${port.port}`);
    ports.forEach((port, index) => {
      const protocol = port.protocol ?? 'TCP';
      const url = `${protocol.toLowerCase()}://${hostPort(ip, port.port)}`;
      const base = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
      if (index === 0) out.set(`${prefix}_PORT`, url);
      out.set(base, url);
      out.set(`${base}_PROTO`, protocol.toLowerCase());
      out.set(`${base}_PORT`, `${port.port}`);
      out.set(`${base}_ADDR`, ip);
    });
  }
  return out;
}

/** Secret data as text. */
export function decodeSecret(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8');
}

const absentButOptional = async <T>(optional: boolean | undefined, get: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await get();
  } catch (error) {
    if (optional === true && hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
};

async function sourceValue(input: EnvInput, source: V1EnvVarSource): Promise<string | undefined> {
  const { pod, container, facts, objects } = input;
  const namespace = pod.metadata?.namespace ?? '';
  if (source.fieldRef) return fieldValue(pod, source.fieldRef, facts);
  if (source.resourceFieldRef) return resourceValue(pod, container, source.resourceFieldRef, facts);
  if (source.configMapKeyRef) {
    const { name = '', key, optional } = source.configMapKeyRef;
    const map = await absentButOptional(optional, () => objects.configMap(namespace, name));
    if (!map) return undefined;
    const value = map.data?.[key];
    if (value === undefined && !optional) throw new Error(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (source.secretKeyRef) {
    const { name = '', key, optional } = source.secretKeyRef;
    const secret = await absentButOptional(optional, () => objects.secret(namespace, name));
    if (!secret) return undefined;
    const value = secret.data?.[key];
    if (value === undefined && !optional) throw new Error(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value === undefined ? undefined : decodeSecret(value);
  }
  if (source.fileKeyRef) {
    const { volumeName, path, key, optional } = source.fileKeyRef;
    const value = await input.fileKey(volumeName, path, key);
    if (value === undefined && !optional)
      throw new Error(`environment variable key "${key}" not found in file "${path}"`);
    return value;
  }
  return '';
}

/**
 * A container's environment: envFrom, then env with `$(VAR)` expanded, then the services' variables that nothing overrides.
 * Throws with upstream's text when something it names is missing. Upstream: makeEnvironmentVariables.
 */
export async function resolveEnv(
  input: EnvInput,
): Promise<readonly { readonly key: string; readonly value: string }[]> {
  const { pod, container, objects } = input;
  const namespace = pod.metadata?.namespace ?? '';
  const services = serviceEnv(input.services, namespace, pod.spec?.enableServiceLinks ?? true);
  const out = new Map<string, string>();
  for (const from of container.envFrom ?? []) {
    const prefix = from.prefix ?? '';
    if (from.configMapRef) {
      const { name = '', optional } = from.configMapRef;
      const map = await absentButOptional(optional, () => objects.configMap(namespace, name));
      for (const [key, value] of Object.entries(map?.data ?? {})) out.set(prefix + key, value);
    } else if (from.secretRef) {
      const { name = '', optional } = from.secretRef;
      const secret = await absentButOptional(optional, () => objects.secret(namespace, name));
      for (const [key, value] of Object.entries(secret?.data ?? {})) out.set(prefix + key, decodeSecret(value));
    }
  }
  for (const variable of container.env ?? []) {
    if (variable.value) {
      out.set(
        variable.name,
        expand(variable.value, (name) => out.get(name) ?? services.get(name)),
      );
    } else if (variable.valueFrom) {
      const value = await sourceValue(input, variable.valueFrom);
      if (value !== undefined) out.set(variable.name, value);
    } else out.set(variable.name, '');
  }
  for (const [name, value] of services) if (!out.has(name)) out.set(name, value);
  return [...out].map(([key, value]) => ({ key, value }));
}
