import { limitranges } from '../../api/generated/resources.ts';
import type {
  V1Container,
  V1LimitRange,
  V1LimitRangeItem,
  V1PersistentVolumeClaim,
  V1Pod,
} from '../../api/generated/types.ts';
import { compareQuantity, parseQuantity, type Quantity, quantityNumber } from '../../api/quantity.ts';
import type { Live } from '../../api/resource.ts';
import type { Loose } from '../../kinds/draft.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../contracts.ts';
import { aggregate, draftOf, isFor, refuse } from './request.ts';
import { amountsOf, podAmounts, type ResourceAmounts } from './resource-list.ts';

const none: ResourceAmounts = new Map();

/** Each `[resource, bound]` of a list, in order of name. */
const bounds = (list: Readonly<Record<string, string>> | undefined): readonly (readonly [string, Quantity])[] =>
  Object.entries(list ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => [name, parseQuantity(text)] as const);

function minimum(type: string, name: string, bound: Quantity, requests: ResourceAmounts, limits: ResourceAmounts) {
  const opening = `minimum ${name} usage per ${type} is ${bound.text}`;
  const request = requests.get(name);
  const limit = limits.get(name);
  if (!request) return `${opening}.  No request is specified`;
  if (compareQuantity(request, bound) < 0) return `${opening}, but request is ${request.text}`;
  if (limit && compareQuantity(limit, bound) < 0) return `${opening}, but limit is ${limit.text}`;
  return undefined;
}

function maximum(type: string, name: string, bound: Quantity, requests: ResourceAmounts, limits: ResourceAmounts) {
  const opening = `maximum ${name} usage per ${type} is ${bound.text}`;
  const request = requests.get(name);
  const limit = limits.get(name);
  if (!limit) return `${opening}.  No limit is specified`;
  if (compareQuantity(limit, bound) > 0) return `${opening}, but limit is ${limit.text}`;
  if (request && compareQuantity(request, bound) > 0) return `${opening}, but request is ${request.text}`;
  return undefined;
}

function maximumRequest(type: string, name: string, bound: Quantity, requests: ResourceAmounts): string | undefined {
  const opening = `maximum ${name} usage per ${type} is ${bound.text}`;
  const request = requests.get(name);
  if (!request) return `${opening}.  No request is specified`;
  return compareQuantity(request, bound) > 0 ? `${opening}, but request is ${request.text}` : undefined;
}

function ratio(type: string, name: string, bound: Quantity, requests: ResourceAmounts, limits: ResourceAmounts) {
  const opening = `${name} max limit to request ratio per ${type} is ${bound.text}`;
  const request = requests.get(name);
  const limit = limits.get(name);
  if (!request || request.nano === 0n) return `${opening}, but no request is specified or request is 0`;
  if (!limit || limit.nano === 0n) return `${opening}, but no limit is specified or limit is 0`;
  const observed = quantityNumber(limit) / quantityNumber(request);
  return observed > quantityNumber(bound) ? `${opening}, but provided ratio is ${observed.toFixed(6)}` : undefined;
}

function checkAll(item: V1LimitRangeItem, requests: ResourceAmounts, limits: ResourceAmounts): readonly string[] {
  return [
    ...bounds(item.min).map(([name, bound]) => minimum(item.type, name, bound, requests, limits)),
    ...bounds(item.max).map(([name, bound]) => maximum(item.type, name, bound, requests, limits)),
    ...bounds(item.maxLimitRequestRatio).map(([name, bound]) => ratio(item.type, name, bound, requests, limits)),
  ].filter((message) => message !== undefined);
}

function podErrors(range: Live<V1LimitRange>, pod: Loose<V1Pod>): readonly string[] {
  const found: string[] = [];
  for (const item of range.spec?.limits ?? []) {
    if (item.type === 'Container') {
      for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
        found.push(...checkAll(item, amountsOf(container.resources?.requests), amountsOf(container.resources?.limits)));
      }
    } else if (item.type === 'Pod') {
      found.push(...checkAll(item, podAmounts(pod, 'requests'), podAmounts(pod, 'limits')));
    }
  }
  return found;
}

function claimErrors(range: Live<V1LimitRange>, claim: Loose<V1PersistentVolumeClaim>): readonly string[] {
  const requests = amountsOf(claim.spec?.resources?.requests);
  return (range.spec?.limits ?? [])
    .filter((item) => item.type === 'PersistentVolumeClaim')
    .flatMap((item) => [
      ...bounds(item.min).map(([name, bound]) => minimum(item.type, name, bound, requests, none)),
      ...bounds(item.max).map(([name, bound]) => maximumRequest(item.type, name, bound, requests)),
    ])
    .filter((message) => message !== undefined);
}

/** Fills in a container's missing amounts and tells which, as the annotation has it. */
function fill(container: Loose<V1Container>, label: string, range: Live<V1LimitRange>): readonly string[] {
  const items = (range.spec?.limits ?? []).filter((item) => item.type === 'Container');
  container.resources ??= {};
  const notes: string[] = [];
  const set = (kind: 'requests' | 'limits', word: string, defaults: Readonly<Record<string, string>>): void => {
    const target: Record<string, string | undefined> = { ...container.resources?.[kind] };
    const added = Object.keys(defaults).filter((name) => target[name] === undefined);
    if (added.length === 0 || !container.resources) return;
    for (const name of added) target[name] = defaults[name];
    container.resources[kind] = target;
    notes.push(`${added.sort().join(', ')} ${word} for ${label} ${container.name}`);
  };
  set('requests', 'request', Object.assign({}, ...items.map((item) => item.defaultRequest ?? {})));
  set('limits', 'limit', Object.assign({}, ...items.map((item) => item.default ?? {})));
  if (Object.keys(container.resources).length === 0) container.resources = {};
  return notes;
}

/** Defaults and bounds of LimitRanges for pods and claims (plugin/pkg/admission/limitranger). */
export function limitRanger(context: ServerContext): AdmissionPlugin {
  const ranges = (request: AdmissionRequest): readonly Live<V1LimitRange>[] => {
    const { operation } = request;
    if (request.resource.group !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return [];
    const concerned =
      (operation === 'UPDATE' && isFor(request, '', 'pods', 'resize')) ||
      (operation === 'CREATE' && isFor(request, '', 'pods')) ||
      isFor(request, '', 'persistentvolumeclaims');
    if (!concerned || request.old?.metadata.deletionTimestamp !== undefined) return [];
    return context.reader.list(limitranges, request.namespace);
  };
  return {
    name: 'LimitRanger',
    resources: ['pods', 'persistentvolumeclaims'],
    admit(request) {
      if (request.resource.plural !== 'pods') return;
      for (const range of ranges(request)) {
        const pod = draftOf<V1Pod>(request);
        const notes = [
          ...(pod.spec?.containers ?? []).flatMap((container) => fill(container, 'container', range)),
          ...(pod.spec?.initContainers ?? []).flatMap((container) => fill(container, 'init container', range)),
        ];
        if (notes.length === 0) continue;
        pod.metadata ??= {};
        pod.metadata.annotations = {
          ...pod.metadata.annotations,
          'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${notes.join('; ')}`,
        };
      }
    },
    validate(request) {
      for (const range of ranges(request)) {
        const errors =
          request.resource.plural === 'pods'
            ? podErrors(range, draftOf<V1Pod>(request))
            : claimErrors(range, draftOf<V1PersistentVolumeClaim>(request));
        if (errors.length > 0) throw refuse(request, aggregate(errors));
      }
    },
  };
}
