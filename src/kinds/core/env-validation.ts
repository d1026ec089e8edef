import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import type {
  V1EnvFromSource,
  V1EnvVar,
  V1ObjectFieldSelector,
  V1ResourceFieldSelector,
} from '../../api/generated/types.ts';
import {
  configMapKey,
  dns1123Label,
  dns1123Subdomain,
  nameIsDns1123Subdomain,
  qualifiedName,
  relaxedEnvVarName,
} from '../../api/names.ts';
import { tryParseQuantity } from '../../api/quantity.ts';
import { invalids, noBacksteps } from '../checks.ts';
import type { Loose } from '../draft.ts';

/** Fields of the pod that an environment variable may take its value from. */
export const envFieldPaths: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** Fields that a file of a downward API volume may show. */
export const volumeFieldPaths: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const convertible = new Set([
  ...envFieldPaths,
  ...volumeFieldPaths,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
]);
const containerResourcePaths = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** `metadata.labels['app']` split into its path and subscript. */
export function splitSubscript(fieldPath: string): { readonly path: string; readonly subscript: string } | undefined {
  const match = /^([^[\]]+)\['(.*)'\]$/.exec(fieldPath);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { path: match[1], subscript: match[2] };
}

/** A reference to a field of the pod itself (validateObjectFieldSelector). */
export function validateFieldRef(
  ref: Loose<V1ObjectFieldSelector>,
  allowed: readonly string[],
  path: string,
): FieldError[] {
  const { apiVersion = '', fieldPath = '' } = ref;
  if (apiVersion === '') return [required(`${path}.apiVersion`)];
  if (fieldPath === '') return [required(`${path}.fieldPath`)];
  const convert = (reason: string): FieldError[] => [
    invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${reason}`),
  ];
  if (apiVersion !== 'v1') return convert(`unsupported pod version: ${apiVersion}`);
  const split = splitSubscript(fieldPath);
  if (split) {
    switch (split.path) {
      case 'metadata.annotations':
        return invalids(path, split.subscript, qualifiedName(split.subscript.toLowerCase()));
      case 'metadata.labels':
        return invalids(path, split.subscript, qualifiedName(split.subscript));
      default:
        return convert(`field label does not support subscript: ${fieldPath}`);
    }
  }
  if (!convertible.has(fieldPath)) return convert(`field label not supported: ${fieldPath}`);
  return allowed.includes(fieldPath) ? [] : [notSupported(`${path}.fieldPath`, fieldPath, allowed)];
}

const divisors = new Set(['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']);

/** A reference to a container's requests or limits. `inVolume` where the container must be named. */
export function validateResourceFieldRef(
  ref: Loose<V1ResourceFieldSelector>,
  path: string,
  inVolume: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  const { resource = '', containerName = '', divisor } = ref;
  const isPages = resource.startsWith('requests.hugepages-') || resource.startsWith('limits.hugepages-');
  if (inVolume && containerName === '') errors.push(required(`${path}.containerName`));
  else if (resource === '') errors.push(required(`${path}.resource`));
  else if (!containerResourcePaths.includes(resource) && !isPages) {
    errors.push(notSupported(`${path}.resource`, resource, containerResourcePaths));
  }
  const quantity = tryParseQuantity(divisor);
  if (!quantity || quantity.nano === 0n) return errors;
  const kind = resource.slice(resource.indexOf('.') + 1);
  if (kind === 'cpu') {
    if (quantity.text !== '1' && quantity.text !== '1m') {
      errors.push(
        invalid(`${path}.divisor`, resource, "only divisor's values 1m and 1 are supported with the cpu resource"),
      );
    }
  } else if (!divisors.has(quantity.text)) {
    const names: Readonly<Record<string, string>> = {
      memory: 'memory',
      'ephemeral-storage': 'local ephemeral storage',
    };
    const name = isPages ? 'hugepages' : names[kind];
    if (name) {
      const detail = `only divisor's values ${[...divisors].join(', ')} are supported with the ${name} resource`;
      errors.push(invalid(`${path}.divisor`, resource, detail));
    }
  }
  return errors;
}

function validateKeyRef(ref: { name?: string; key?: string }, path: string): FieldError[] {
  const { name = '', key = '' } = ref;
  return [
    ...invalids(`${path}.name`, name, dns1123Subdomain(name)),
    ...(key === '' ? [required(`${path}.key`)] : invalids(`${path}.key`, key, configMapKey(key))),
  ];
}

/** Environment variables (ValidateEnv). */
export function validateEnv(env: readonly Loose<V1EnvVar>[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  env.forEach((entry, i) => {
    const at = `${path}[${i}]`;
    const { name = '', value = '', valueFrom } = entry;
    if (name === '') errors.push(required(`${at}.name`));
    else errors.push(...invalids(`${at}.name`, name, relaxedEnvVarName(name)));
    if (!valueFrom) return;
    const from = `${at}.valueFrom`;
    const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
    if (fieldRef) errors.push(...validateFieldRef(fieldRef, envFieldPaths, `${from}.fieldRef`));
    if (resourceFieldRef) {
      errors.push(...validateResourceFieldRef(resourceFieldRef, `${from}.resourceFieldRef`, false));
    }
    if (configMapKeyRef) errors.push(...validateKeyRef(configMapKeyRef, `${from}.configMapKeyRef`));
    if (secretKeyRef) errors.push(...validateKeyRef(secretKeyRef, `${from}.secretKeyRef`));
    if (fileKeyRef) {
      const { key = '', volumeName = '', path: file = '' } = fileKeyRef;
      const ref = `${from}.fileKeyRef`;
      errors.push(
        ...(key === '' ? [required(`${ref}.key`)] : invalids(`${ref}.key`, key, relaxedEnvVarName(key))),
        ...(volumeName === ''
          ? [required(`${ref}.volumeName`)]
          : invalids(`${ref}.volumeName`, volumeName, dns1123Label(volumeName))),
        ...(file === '' ? [required(`${ref}.path`)] : noBacksteps(`${ref}.path`, file)),
      );
    }
    const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
    if (sources === 0) {
      errors.push(
        invalid(
          from,
          '',
          'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
        ),
      );
    } else if (value !== '') errors.push(invalid(from, '', 'may not be specified when `value` is not empty'));
    else if (sources > 1) errors.push(invalid(from, '', 'may not have more than one field specified at a time'));
  });
  return errors;
}

/** Whole ConfigMaps and Secrets taken into the environment (ValidateEnvFrom). */
export function validateEnvFrom(list: readonly Loose<V1EnvFromSource>[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  list.forEach((source, i) => {
    const at = `${path}[${i}]`;
    const { prefix = '', configMapRef, secretRef } = source;
    if (prefix !== '') errors.push(...invalids(`${at}.prefix`, prefix, relaxedEnvVarName(prefix)));
    const named = (ref: { name?: string } | undefined, field: string): void => {
      if (!ref) return;
      if (!ref.name) errors.push(required(`${at}.${field}.name`));
      else errors.push(...invalids(`${at}.${field}.name`, ref.name, nameIsDns1123Subdomain(ref.name, true)));
    };
    named(configMapRef, 'configMapRef');
    named(secretRef, 'secretRef');
    if (!configMapRef && !secretRef) {
      errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef && secretRef) {
      errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
    }
  });
  return errors;
}
