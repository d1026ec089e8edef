import { duplicate, type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type {
  V1Affinity,
  V1LabelSelector,
  V1NodeSelector,
  V1NodeSelectorTerm,
  V1PodAffinity,
  V1PodAffinityTerm,
  V1TopologySpreadConstraint,
} from '../../api/generated/types.ts';
import { dns1123Label, dns1123Subdomain, labelValue } from '../../api/names.ts';
import { invalids, optionalOneOf, positive } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { validateLabelName, validateLabelSelector } from '../labels.ts';

function validateNodeTerm(term: Loose<V1NodeSelectorTerm>, path: string, anyValue: boolean): FieldError[] {
  const errors: FieldError[] = [];
  term.matchExpressions?.forEach(({ key = '', operator = '', values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    switch (operator) {
      case 'In':
      case 'NotIn':
        if (values.length === 0) {
          errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0) {
          const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
          errors.push(forbiddenField(`${at}.values`, detail));
        }
        break;
      case 'Gt':
      case 'Lt':
        if (values.length !== 1) {
          errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
        }
        break;
      default:
        errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    errors.push(...validateLabelName(key, `${at}.key`));
    if (!anyValue)
      values.forEach((it, j) => {
        errors.push(...invalids(`${at}.values[${j}]`, it, labelValue(it)));
      });
  });
  term.matchFields?.forEach(({ key = '', operator = '', values = [] }, i) => {
    const at = `${path}.matchFields[${i}]`;
    if (operator !== 'In' && operator !== 'NotIn') {
      errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    } else if (values.length !== 1) {
      const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.push(required(`${at}.values`, detail));
    }
    if (key !== 'metadata.name') errors.push(invalid(`${at}.key`, key, 'not a valid field selector key'));
    else
      values.forEach((it, j) => {
        errors.push(...invalids(`${at}.values[${j}]`, it, dns1123Subdomain(it)));
      });
  });
  return errors;
}

/** A node selector with its terms (ValidateNodeSelector). */
export function validateNodeSelector(selector: Loose<V1NodeSelector>, path: string): FieldError[] {
  const { nodeSelectorTerms: terms = [] } = selector;
  const at = `${path}.nodeSelectorTerms`;
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')];
  return terms.flatMap((term, i) => validateNodeTerm(term, `${at}[${i}]`, false));
}

const weight = (value: number | undefined, path: string): FieldError[] =>
  (value ?? 0) < 1 || (value ?? 0) > 100 ? [invalid(path, value ?? 0, 'must be in the range 1-100')] : [];

function validateLabelKeys(
  selector: Loose<V1LabelSelector> | undefined,
  matching: readonly string[],
  mismatching: readonly string[],
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, keys] of [
    ['matchLabelKeys', matching],
    ['mismatchLabelKeys', mismatching],
  ] as const) {
    if (keys.length === 0) continue;
    const at = `${path}.${field}`;
    if (!selector) errors.push(forbiddenField(at, 'must not be specified when labelSelector is not set'));
    else
      keys.forEach((key, i) => {
        errors.push(...validateLabelName(key, `${at}[${i}]`));
      });
  }
  // A key may stand once in the selector: there it is what this field was turned into.
  const known = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key = '' } of selector?.matchExpressions ?? []) {
    const i = matching.indexOf(key);
    if (i >= 0 && known.has(key)) {
      errors.push(invalid(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    }
    known.add(key);
  }
  matching.forEach((key, i) => {
    if (mismatching.includes(key)) {
      const detail = 'exists in both matchLabelKeys and mismatchLabelKeys';
      errors.push(invalid(`${path}.matchLabelKeys[${i}]`, key, detail));
    }
  });
  return errors;
}

function validatePodTerm(term: Loose<V1PodAffinityTerm>, path: string): FieldError[] {
  const { topologyKey = '', namespaces = [] } = term;
  return [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...namespaces.flatMap((it) => invalids(`${path}.namespace`, it, dns1123Label(it))),
    ...validateLabelKeys(term.labelSelector, term.matchLabelKeys ?? [], term.mismatchLabelKeys ?? [], path),
    ...(topologyKey === '' ? [required(`${path}.topologyKey`, 'can not be empty')] : []),
    ...validateLabelName(topologyKey, `${path}.topologyKey`),
  ];
}

const requiredTerms = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferredTerms = 'preferredDuringSchedulingIgnoredDuringExecution';

function validatePodAffinity(affinity: Loose<V1PodAffinity> | undefined, path: string): FieldError[] {
  if (!affinity) return [];
  return [
    ...(affinity[requiredTerms] ?? []).flatMap((it, i) => validatePodTerm(it, `${path}.${requiredTerms}[${i}]`)),
    ...(affinity[preferredTerms] ?? []).flatMap((it, i) => {
      const at = `${path}.${preferredTerms}[${i}]`;
      return [
        ...weight(it.weight, `${at}.weight`),
        ...validatePodTerm(it.podAffinityTerm ?? {}, `${at}.podAffinityTerm`),
      ];
    }),
  ];
}

/** Node, pod and anti-affinity (validateAffinity). */
export function validateAffinity(affinity: Loose<V1Affinity> | undefined, path: string): FieldError[] {
  if (!affinity) return [];
  const errors: FieldError[] = [];
  const { nodeAffinity } = affinity;
  if (nodeAffinity) {
    const at = `${path}.nodeAffinity`;
    const needed = nodeAffinity[requiredTerms];
    if (needed) errors.push(...validateNodeSelector(needed, `${at}.${requiredTerms}`));
    nodeAffinity[preferredTerms]?.forEach((it, i) => {
      const term = `${at}.${preferredTerms}[${i}]`;
      errors.push(...weight(it.weight, `${term}.weight`));
      errors.push(...validateNodeTerm(it.preference ?? {}, `${term}.preference`, true));
    });
  }
  return [
    ...errors,
    ...validatePodAffinity(affinity.podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

/** How pods are to be spread (validateTopologySpreadConstraints). */
export function validateSpread(list: readonly Loose<V1TopologySpreadConstraint>[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  list.forEach((it, i) => {
    const at = `${path}[${i}]`;
    const { topologyKey = '', whenUnsatisfiable: action = '', minDomains } = it;
    errors.push(...positive(`${at}.maxSkew`, it.maxSkew));
    if (topologyKey === '') errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    if (action !== 'DoNotSchedule' && action !== 'ScheduleAnyway') {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']));
    }
    if (list.slice(i + 1).some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === action)) {
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${action}}`));
    }
    if (minDomains !== undefined) {
      errors.push(...positive(`${at}.minDomains`, minDomains));
      if (action !== 'DoNotSchedule') {
        const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
        errors.push(invalid(`${at}.minDomains`, minDomains, detail));
      }
    }
    errors.push(
      ...optionalOneOf(`${at}.nodeAffinityPolicy`, it.nodeAffinityPolicy, ['Honor', 'Ignore']),
      ...optionalOneOf(`${at}.nodeTaintsPolicy`, it.nodeTaintsPolicy, ['Honor', 'Ignore']),
      ...validateLabelKeys(it.labelSelector, it.matchLabelKeys ?? [], [], at),
      ...validateLabelSelector(it.labelSelector, `${at}.labelSelector`),
    );
  });
  return errors;
}
