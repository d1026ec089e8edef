import { namespaces } from '../../api/generated/resources.ts';
import type { V1LabelSelector, V1NamedRuleWithOperations, V1ObjectMeta } from '../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import type { AdmissionRequest, ServerContext } from '../contracts.ts';

type Labels = Readonly<Record<string, string>>;

/** The object's kind guards the guards: no webhook or policy may see these, so that a broken one can be mended. */
const exempt = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
]);

export const isExempt = (request: AdmissionRequest): boolean =>
  request.resource.group === 'admissionregistration.k8s.io' && exempt.has(request.resource.plural);

const has = (list: readonly string[] | undefined, value: string): boolean =>
  (list ?? []).some((item) => item === '*' || item === value);

function resourceMatches(list: readonly string[] | undefined, resource: string, subresource: string): boolean {
  return (list ?? []).some((item) => {
    const slash = item.indexOf('/');
    const name = slash < 0 ? item : item.slice(0, slash);
    const sub = slash < 0 ? '' : item.slice(slash + 1);
    return (name === '*' || name === resource) && (sub === '*' || sub === subresource);
  });
}

/** True where a rule names the request (k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules). */
export function ruleMatches(
  rule: V1NamedRuleWithOperations,
  request: AdmissionRequest,
  versions: readonly string[],
): boolean {
  const { resource, namespace } = request;
  const scope = rule.scope ?? '*';
  // A Namespace is cluster-scoped although requests for it carry its name as their namespace.
  const namespaced = resource.namespaced && namespace !== undefined;
  return (
    has(rule.operations, request.operation) &&
    has(rule.apiGroups, resource.group) &&
    versions.some((version) => has(rule.apiVersions, version)) &&
    resourceMatches(rule.resources, resource.plural, request.subresource ?? '') &&
    (scope === '*' || (scope === 'Namespaced') === namespaced) &&
    ((rule.resourceNames ?? []).length === 0 || (rule.resourceNames ?? []).includes(request.name))
  );
}

/** The versions by which the request's resource may be named: its own, or all that are served where equivalents count. */
export function versionsOf(context: ServerContext, request: AdmissionRequest, matchPolicy: string | undefined) {
  const { group, plural, version } = request.resource;
  if (matchPolicy === 'Exact') return [version];
  const served = context.kinds
    .list()
    .filter(({ resource }) => resource.group === group && resource.plural === plural)
    .map(({ resource }) => resource.version);
  return served.length > 0 ? served : [version];
}

const metaOf = (object: unknown): V1ObjectMeta | undefined =>
  (object as { readonly metadata?: V1ObjectMeta } | undefined)?.metadata;

const isEmpty = (selector: V1LabelSelector | undefined): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;

function selects(selector: V1LabelSelector | undefined, labels: Labels): boolean {
  const requirements = requirementsOf(selector);
  return requirements !== undefined && matchesLabels(requirements, labels);
}

export interface Selectors {
  readonly namespaceSelector?: V1LabelSelector;
  readonly objectSelector?: V1LabelSelector;
}

/** True where the namespace and the object are among those selected. Absent selectors select all. */
export function selectorsMatch(context: ServerContext, request: AdmissionRequest, selectors: Selectors): boolean {
  const { namespaceSelector, objectSelector } = selectors;
  if (!isEmpty(namespaceSelector)) {
    const isNamespace = request.resource.group === '' && request.resource.plural === 'namespaces';
    if (isNamespace) {
      const own = metaOf(request.object ?? request.old);
      if (!selects(namespaceSelector, own?.labels ?? {})) return false;
    } else if (request.namespace) {
      const namespace = context.reader.get(namespaces, undefined, request.namespace);
      if (!selects(namespaceSelector, namespace?.metadata.labels ?? {})) return false;
    }
  }
  if (isEmpty(objectSelector)) return true;
  return [request.object, request.old].some(
    (object) => object !== undefined && selects(objectSelector, metaOf(object)?.labels ?? {}),
  );
}
