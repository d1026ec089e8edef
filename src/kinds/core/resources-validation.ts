import { duplicate, type FieldError, forbiddenField, invalid, required } from '../../api/field-error.ts';
import type { V1PodSpec, V1ResourceRequirements } from '../../api/generated/types.ts';
import { compareQuantity, tryParseQuantity } from '../../api/quantity.ts';
import type { Loose } from '../draft.ts';
import { containersTotal, isPodLevelResource } from './pod-resources.ts';
import {
  isHugePages,
  isOvercommitAllowed,
  validateAmount,
  validateContainerResourceName,
  validateResourceName,
} from './resource-names.ts';

type NameCheck = (name: string, path: string) => FieldError[];

const podLevelName: NameCheck = (name, path) => {
  const errors = validateResourceName(name, path);
  if (errors.length > 0 || isPodLevelResource(name)) return errors;
  return [
    {
      type: 'FieldValueNotSupported',
      field: path,
      badValue: name,
      detail: 'supported values: "cpu", "hugepages-", "memory"',
    },
  ];
};

function hugePageReason(name: string, amount: string | undefined): string | undefined {
  const quantity = tryParseQuantity(amount);
  const page = tryParseQuantity(name.slice('hugepages-'.length));
  if (!quantity || !page || page.nano <= 0n) return `${amount} is not positive integer multiple of ${name}`;
  return quantity.nano >= 0n && quantity.nano % page.nano === 0n
    ? undefined
    : `${quantity.text} is not positive integer multiple of ${name}`;
}

/** Requests and limits of a container (ValidateContainerResourceRequirements). */
export function validateResources(
  resources: Loose<V1ResourceRequirements> | undefined,
  path: string,
  claimNames: readonly string[],
  nameCheck: NameCheck = validateContainerResourceName,
): FieldError[] {
  if (!resources) return [];
  const errors: FieldError[] = [];
  const { limits = {}, requests = {}, claims = [] } = resources;
  let compute = false;
  let huge = false;
  const common = (name: string, amount: string | undefined, at: string): void => {
    errors.push(...nameCheck(name, at), ...validateAmount(name, amount, at));
    if (isHugePages(name)) huge = true;
    if (name === 'cpu' || name === 'memory') compute = true;
  };
  const checkPages = (name: string, amount: string | undefined, at: string): void => {
    const reason = isHugePages(name) ? hugePageReason(name, amount) : undefined;
    if (reason) errors.push(invalid(at, amount, reason));
  };
  for (const name of Object.keys(limits)) {
    const at = `${path}.limits[${name}]`;
    common(name, limits[name], at);
    checkPages(name, limits[name], at);
  }
  for (const name of Object.keys(requests)) {
    const at = `${path}.requests[${name}]`;
    common(name, requests[name], at);
    const request = tryParseQuantity(requests[name]);
    const limit = tryParseQuantity(limits[name]);
    if (request && limit) {
      const order = compareQuantity(request, limit);
      if (order !== 0 && !isOvercommitAllowed(name)) {
        errors.push(invalid(`${path}.requests`, request.text, `must be equal to ${name} limit of ${limit.text}`));
      } else if (order > 0) {
        errors.push(
          invalid(`${path}.requests`, request.text, `must be less than or equal to ${name} limit of ${limit.text}`),
        );
      }
    } else if (!limit && !isOvercommitAllowed(name)) {
      errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
    }
    checkPages(name, requests[name], at);
  }
  if (huge && !compute) errors.push(forbiddenField(path, 'HugePages require cpu or memory'));
  errors.push(...validateClaims(claims, claimNames, `${path}.claims`));
  return errors;
}

function validateClaims(
  claims: readonly { name?: string; request?: string }[],
  known: readonly string[],
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  claims.forEach(({ name = '', request = '' }, i) => {
    const at = `${path}[${i}]`;
    if (name === '') errors.push(required(at));
    else {
      const key = request === '' ? name : `${name}/${request}`;
      if (seen.has(name) || seen.has(key)) errors.push(duplicate(at, seen.has(name) ? name : key));
      else if (request === '' && [...seen].some((it) => it.startsWith(`${name}/`))) errors.push(duplicate(at, name));
      seen.add(key);
    }
    if (!known.includes(name)) {
      const list = known.length === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`;
      errors.push({
        type: 'FieldValueNotFound',
        field: at,
        badValue: name,
        detail: `must be one of the names in pod.spec.resourceClaims${list}`,
      });
    }
  });
  return errors;
}

/** What a pod states for all its containers together must cover what they state one by one. */
export function validatePodLevelResources(spec: Loose<V1PodSpec>, path: string): FieldError[] {
  const { resources } = spec;
  if (!resources) return [];
  const at = `${path}.resources`;
  if (spec.os?.name === 'windows') return [forbiddenField(at, 'may not be set for a windows pod')];
  const errors: FieldError[] = [];
  if (resources.claims) {
    errors.push(forbiddenField(`${at}.claims`, 'claims may not be set for Resources at pod-level'));
  }
  errors.push(...validateResources(resources, at, [], podLevelName));
  const compare = (which: 'requests' | 'limits', only: (name: string) => boolean): void => {
    const totals = containersTotal({ spec } as never, which);
    for (const name in totals) {
      const own = tryParseQuantity(resources[which]?.[name]);
      const total = totals[name];
      if (own && total && only(name) && total.nano > own.nano) {
        const detail = `must be greater than or equal to aggregate container ${which} of ${total.text}`;
        errors.push(invalid(`${at}.${which}[${name}]`, own.text, detail));
      }
    }
  };
  compare('requests', () => true);
  compare('limits', isHugePages);
  spec.containers?.forEach((container, i) => {
    for (const name in container.resources?.limits) {
      const limit = tryParseQuantity(container.resources.limits[name]);
      const own = tryParseQuantity(resources.limits?.[name]);
      if (limit && own && limit.nano > own.nano) {
        const detail = `must be less than or equal to pod limits of ${own.text}`;
        errors.push(invalid(`${at}.containers[${i}][${name}].limits`, limit.text, detail));
      }
    }
  });
  return errors;
}
