import type { V1PersistentVolumeClaim, V1Pod, V1Service } from '../../../api/generated/types.ts';
import { addQuantity, compareQuantity, parseQuantity, type Quantity, quantityOf } from '../../../api/quantity.ts';
import type { Resource } from '../../../api/resource.ts';
import type { Loose } from '../../../kinds/draft.ts';
import { asLoose } from '../../../kinds/draft.ts';
import type { AdmissionRequest } from '../../contracts.ts';
import { podAmounts, type ResourceAmounts } from '../resource-list.ts';

/** How quotas measure one kind of object (pkg/quota/v1/evaluator). */
export interface Evaluator {
  /** True for requests that may change what is used. */
  handles(request: AdmissionRequest): boolean;
  usage(object: object): ResourceAmounts;
  /** True for the names in a quota that this kind counts towards. */
  counts(name: string): boolean;
  /** Names that a quota makes obligatory and the object lacks: the sentence that says so. */
  missing?(names: readonly string[], object: object): string | undefined;
}

const one = quantityOf(1);
const countName = (resource: Pick<Resource, 'group' | 'plural'>): string =>
  resource.group === '' ? `count/${resource.plural}` : `count/${resource.plural}.${resource.group}`;

const podNames = new Set([
  'count/pods',
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
]);
const obligatory = ['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory'];

/** True for names with a domain of their own: extended resources. */
const isExtended = (name: string): boolean => {
  const slash = name.indexOf('/');
  return slash > 0 && !`.${name.slice(0, slash)}`.endsWith('.kubernetes.io');
};

function computeUsage(requests: ReadonlyMap<string, Quantity>, limits: ReadonlyMap<string, Quantity>): ResourceAmounts {
  const used: ResourceAmounts = new Map([['pods', one]]);
  for (const [name, amount] of requests) {
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')) {
      used.set(name, amount);
      used.set(`requests.${name}`, amount);
    } else if (isExtended(name)) used.set(`requests.${name}`, amount);
  }
  for (const name of ['cpu', 'memory', 'ephemeral-storage']) {
    const amount = limits.get(name);
    if (amount) used.set(`limits.${name}`, amount);
  }
  return used;
}

const podEvaluator: Evaluator = {
  handles(request) {
    if (request.subresource === 'resize') return request.operation === 'UPDATE';
    if (request.subresource !== undefined) return false;
    if (request.operation === 'CREATE') return true;
    const terminating = (object: unknown): boolean =>
      ((object as Loose<V1Pod> | undefined)?.spec?.activeDeadlineSeconds ?? -1) >= 0;
    return request.operation === 'UPDATE' && terminating(request.object) !== terminating(request.old);
  },
  usage(object) {
    const pod = asLoose<V1Pod>(object as V1Pod);
    const counted: ResourceAmounts = new Map([['count/pods', one]]);
    if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return counted;
    const requests = podAmounts(pod, 'requests');
    const limits = podAmounts(pod, 'limits');
    for (const [name, text] of Object.entries(pod.spec?.overhead ?? {})) {
      const more = parseQuantity(text ?? '0');
      for (const [list, present] of [
        [requests, true],
        [limits, limits.has(name)],
      ] as const) {
        const known = list.get(name);
        if (present) list.set(name, known ? addQuantity(known, more) : more);
      }
    }
    for (const [name, amount] of computeUsage(requests, limits)) counted.set(name, amount);
    return counted;
  },
  counts: (name) =>
    podNames.has(name) ||
    name.startsWith('hugepages-') ||
    name.startsWith('requests.hugepages-') ||
    (name.startsWith('requests.') && isExtended(name.slice('requests.'.length))),
  missing(names, object) {
    const pod = asLoose<V1Pod>(object as V1Pod);
    if (Object.keys(pod.spec?.resources?.requests ?? pod.spec?.resources?.limits ?? {}).length > 0) return undefined;
    const wanted = obligatory.filter((name) => names.includes(name));
    const lacking = new Map<string, Set<string>>();
    for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
      const parsed = (list: Loose<Record<string, string>> | undefined): Map<string, Quantity> =>
        new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text ?? '0')]));
      const own = computeUsage(parsed(container.resources?.requests), parsed(container.resources?.limits));
      for (const name of wanted) {
        if (!own.has(name)) lacking.set(name, (lacking.get(name) ?? new Set()).add(container.name ?? ''));
      }
    }
    if (lacking.size === 0) return undefined;
    const parts = [...lacking].sort(([a], [b]) => (a < b ? -1 : 1));
    return `must specify ${parts.map(([name, containers]) => `${name} for: ${[...containers].sort().join(',')}`).join('; ')}`;
  },
};

const serviceNames = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers']);
const serviceEvaluator: Evaluator = {
  handles: ({ operation, subresource }) =>
    subresource === undefined && (operation === 'CREATE' || operation === 'UPDATE'),
  usage(object) {
    const { spec } = asLoose<V1Service>(object as V1Service);
    const ports = spec?.ports ?? [];
    const balanced = spec?.type === 'LoadBalancer';
    const counted =
      balanced && spec.allocateLoadBalancerNodePorts === false
        ? ports.filter((port) => port.nodePort).length
        : ports.length;
    return new Map([
      ['count/services', one],
      ['services', one],
      ['services.loadbalancers', quantityOf(balanced ? 1 : 0)],
      ['services.nodeports', quantityOf(balanced || spec?.type === 'NodePort' ? counted : 0)],
    ]);
  },
  counts: (name) => serviceNames.has(name),
};

const byClass = '.storageclass.storage.k8s.io/';
const claimEvaluator: Evaluator = {
  handles: ({ operation, subresource }) =>
    subresource === undefined && (operation === 'CREATE' || operation === 'UPDATE'),
  usage(object) {
    const claim = asLoose<V1PersistentVolumeClaim>(object as V1PersistentVolumeClaim);
    const used: ResourceAmounts = new Map([
      ['persistentvolumeclaims', one],
      ['count/persistentvolumeclaims', one],
    ]);
    const storageClass =
      claim.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? '';
    if (storageClass) used.set(`${storageClass}${byClass}persistentvolumeclaims`, one);
    const text = claim.spec?.resources?.requests?.['storage'];
    if (text === undefined) return used;
    const allocated = parseQuantity(claim.status?.allocatedResources?.['storage'] ?? '0');
    const asked = parseQuantity(text);
    const amount = compareQuantity(allocated, asked) > 0 ? allocated : asked;
    used.set('requests.storage', amount);
    if (storageClass) used.set(`${storageClass}${byClass}requests.storage`, amount);
    return used;
  },
  counts: (name) =>
    name === 'count/persistentvolumeclaims' ||
    name === 'persistentvolumeclaims' ||
    name === 'requests.storage' ||
    name.endsWith(`${byClass}persistentvolumeclaims`) ||
    name.endsWith(`${byClass}requests.storage`),
};

const aliases = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets']);

/** The measure for a resource: pods, services and claims have their own, all others are counted. */
export function evaluatorFor(resource: Resource): Evaluator {
  if (resource.group === '') {
    if (resource.plural === 'pods') return podEvaluator;
    if (resource.plural === 'services') return serviceEvaluator;
    if (resource.plural === 'persistentvolumeclaims') return claimEvaluator;
  }
  const name = countName(resource);
  const alias = resource.group === '' && aliases.has(resource.plural) ? resource.plural : undefined;
  return {
    handles: ({ operation, subresource }) => operation === 'CREATE' && subresource === undefined,
    usage: () => new Map([[name, one], ...(alias === undefined ? [] : [[alias, one] as const])]),
    counts: (wanted) => wanted === name || wanted === alias,
  };
}
