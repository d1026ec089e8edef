import { pods } from '../../api/generated/resources.ts';
import type { V1Container, V1EphemeralContainer, V1Pod } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { badRequest, notFound } from '../../api/status.ts';
import type { ServerContext } from '../contracts.ts';

export function podOf(context: ServerContext, namespace: string | undefined, name: string): Live<V1Pod> {
  const pod = context.reader.get(pods, namespace, name);
  if (!pod) throw notFound({ group: '', resource: 'pods' }, name);
  return pod;
}

const containersOf = (pod: Live<V1Pod>): readonly (V1Container | V1EphemeralContainer)[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
  ...(pod.spec?.ephemeralContainers ?? []),
];

/** The container that is meant: the one named, or the only one (pkg/registry/core/pod/strategy.go, validateContainer). */
export function chooseContainer(pod: Live<V1Pod>, asked: string): string {
  const { name } = pod.metadata;
  const known = containersOf(pod).map((container) => container.name);
  if (asked !== '') {
    if (!known.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const [only, ...others] = pod.spec?.containers ?? [];
  if (!only) throw badRequest(`a container name must be specified for pod ${name}`);
  if (others.length > 0) {
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${known.join(' ')}]`);
  }
  return only.name;
}

/** True for `1`, `true` and a flag without a value, as Go's query decoding reads booleans. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== 'false' && value !== '0';
}

/** Splits `name`, `name:port` or `scheme:name:port`. Undefined where it is none (apimachinery's SplitSchemeNamePort). */
export function splitTarget(
  id: string,
): { readonly scheme: string; readonly name: string; readonly port: string } | undefined {
  const parts = id.split(':');
  const [first = '', second = '', third = ''] = parts;
  const target =
    parts.length === 1
      ? { scheme: '', name: first, port: '' }
      : parts.length === 2
        ? { scheme: '', name: first, port: second }
        : { scheme: first, name: second, port: third };
  if (parts.length > 3 || target.name === '') return undefined;
  if (parts.length === 3 && target.scheme !== '' && target.scheme !== 'http' && target.scheme !== 'https')
    return undefined;
  return target;
}
