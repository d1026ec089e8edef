import { type FieldError, invalid } from '../../api/field-error.ts';
import { qualifiedName } from '../../api/names.ts';
import { tryParseQuantity } from '../../api/quantity.ts';
import { invalids } from '../checks.ts';

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const otherStandard = new Set([
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
]);
const integerResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isQuotaHugePages = (name: string): boolean => name.startsWith('requests.hugepages-');
/** Resources of Kubernetes itself: no domain, or one of its own. */
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
export const isStandardContainerResource = (name: string): boolean => containerResources.has(name) || isHugePages(name);
const isStandardResource = (name: string): boolean =>
  containerResources.has(name) || otherStandard.has(name) || isHugePages(name) || isQuotaHugePages(name);
export const isStandardQuotaResource = (name: string): boolean => isStandardResource(name) && name !== 'storage';
/** Resources that devices and operators add: `nvidia.com/gpu`. They cannot be overcommitted. */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0;
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);
export const isIntegerResource = (name: string): boolean => integerResources.has(name) || isExtendedResource(name);

/** A resource name anywhere (validateResourceName). */
export function validateResourceName(name: string, path: string): FieldError[] {
  const errors = invalids(path, name, qualifiedName(name));
  if (errors.length > 0) return errors;
  if (!name.includes('/') && !isStandardResource(name)) {
    return [invalid(path, name, 'must be a standard resource type or fully qualified')];
  }
  return [];
}

/** A resource name in a container's requests or limits. */
export function validateContainerResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/')) {
    if (!isStandardContainerResource(name)) {
      errors.push(invalid(path, name, 'must be a standard resource for containers'));
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

/** A resource name in a quota's `hard`. */
export function validateQuotaResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/') && !isStandardQuotaResource(name)) {
    errors.push(invalid(path, name, 'must be a standard resource for quota'));
  }
  return errors;
}

/** An amount: not negative, and whole where the resource is counted. */
export function validateAmount(name: string, amount: string | undefined, path: string): FieldError[] {
  const quantity = tryParseQuantity(amount);
  if (!quantity) return [];
  const errors: FieldError[] = [];
  if (quantity.nano < 0n) errors.push(invalid(path, quantity.text, 'must be greater than or equal to 0'));
  if (isIntegerResource(name) && quantity.nano % 1_000_000_000n !== 0n) {
    errors.push(invalid(path, quantity.text, 'must be an integer'));
  }
  return errors;
}
