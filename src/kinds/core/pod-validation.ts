import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../api/field-error.ts';
import type { V1Pod, V1PodSpec, V1PodTemplateSpec, V1Toleration } from '../../api/generated/types.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  dns1123SubdomainWithUnderscore,
  inclusiveRangeReason,
  labelValue,
  qualifiedName,
} from '../../api/names.ts';
import { invalids, ipReasons, oneOf } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { validateLabelName, validateLabels } from '../labels.ts';
import { validateAnnotations } from '../object-meta.ts';
import { validateAffinity, validateSpread } from './affinity-validation.ts';
import {
  paddedImage,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './container-validation.ts';
import { validateAmount, validateResourceName } from './resource-names.ts';
import { validatePodLevelResources } from './resources-validation.ts';
import { validateHostUsers, validatePodSecurityContext } from './security-validation.ts';
import { validateVolumes } from './volume-validation.ts';

type Spec = Loose<V1PodSpec>;

export const taintEffects: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const maxInt32 = 2 ** 31 - 1;

export function validateTolerations(list: readonly Loose<V1Toleration>[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  list.forEach(({ key = '', operator = '', value = '', effect = '', tolerationSeconds }, i) => {
    const at = `${path}[${i}]`;
    if (key !== '') errors.push(...validateLabelName(key, `${at}.key`));
    else if (operator !== 'Exists') {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(`${at}.operator`, operator, detail));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push(invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    const reasons = labelValue(value);
    switch (operator) {
      case '':
      case 'Equal':
        if (reasons.length > 0) errors.push(invalid(`${at}.operator`, value, reasons.join(';')));
        break;
      case 'Exists':
        if (value !== '') {
          errors.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
        }
        break;
      case 'Lt':
      case 'Gt':
        errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists', 'Lt', 'Gt']));
        break;
      default:
        errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    }
    if (effect !== '' && !taintEffects.includes(effect)) {
      errors.push(notSupported(`${at}.effect`, effect, taintEffects));
    }
  });
  return errors;
}

function validateDns(spec: Spec, path: string): FieldError[] {
  const { dnsConfig: config, dnsPolicy } = spec;
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (dnsPolicy === 'None') {
    if (!config) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if (nameservers.length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      return [required(`${path}.nameservers`, detail)];
    }
  }
  const errors: FieldError[] = [];
  if (nameservers.length > 3) {
    errors.push(invalid(`${path}.nameservers`, nameservers, 'must not have more than 3 nameservers'));
  }
  nameservers.forEach((it, i) => {
    errors.push(...invalids(`${path}.nameservers[${i}]`, it, ipReasons(it)));
  });
  if (searches.length > 32) {
    errors.push(invalid(`${path}.searches`, searches, 'must not have more than 32 search paths'));
  }
  if (searches.join(' ').length > 2048) {
    const detail = 'must not have more than 2048 characters (including spaces) in the search list';
    errors.push(invalid(`${path}.searches`, searches, detail));
  }
  searches.forEach((it, i) => {
    if (it === '.') return;
    const name = it.replace(/\.$/, '');
    errors.push(...invalids(`${path}.searches[${i}]`, name, dns1123SubdomainWithUnderscore(name)));
  });
  options.forEach(({ name }, i) => {
    if (!name) errors.push(required(`${path}.options[${i}]`, 'must not be empty'));
  });
  return errors;
}

function validateHostPorts(spec: Spec, path: string, isPod: boolean): FieldError[] {
  if (!spec.hostNetwork) return [];
  return (spec.containers ?? []).flatMap((container, i) =>
    (container.ports ?? []).flatMap(({ hostPort = 0, containerPort = 0 }, j) =>
      (isPod || hostPort !== 0) && hostPort !== containerPort
        ? [
            invalid(
              `${path}.containers[${i}].ports[${j}].hostPort`,
              hostPort,
              'must match `containerPort` when `hostNetwork` is true',
            ),
          ]
        : [],
    ),
  );
}

function validateHostname(spec: Spec, path: string): FieldError[] {
  const { hostname, subdomain, hostnameOverride } = spec;
  const errors: FieldError[] = [];
  if (hostnameOverride !== undefined) {
    const at = `${path}.hostnameOverride`;
    if (spec.setHostnameAsFQDN) {
      errors.push(forbiddenField(at, 'may not be specified when setHostnameAsFQDN is true'));
    }
    if (spec.hostNetwork) errors.push(forbiddenField(at, 'may not be specified when hostNetwork is true'));
    if (hostnameOverride.length > 64) errors.push(tooLong(at, 64));
    errors.push(...invalids(at, hostnameOverride, dns1123Subdomain(hostnameOverride)));
  }
  if (hostname) errors.push(...invalids(`${path}.hostname`, hostname, dns1123Label(hostname)));
  if (subdomain) errors.push(...invalids(`${path}.subdomain`, subdomain, dns1123Label(subdomain)));
  return errors;
}

function validateNames(spec: Spec, path: string): FieldError[] {
  const fields = ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName'] as const;
  return fields.flatMap((field) => {
    const name = spec[field];
    return name ? invalids(`${path}.${field}`, name, dns1123Subdomain(name)) : [];
  });
}

function validateScheduling(spec: Spec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  spec.readinessGates?.forEach(({ conditionType = '' }, i) => {
    const at = `${path}.readinessGates[${i}].conditionType`;
    errors.push(...invalids(at, conditionType, qualifiedName(conditionType)));
  });
  const seen = new Set<string>();
  spec.schedulingGates?.forEach(({ name = '' }, i) => {
    const at = `${path}.schedulingGates[${i}]`;
    errors.push(...invalids(at, name, qualifiedName(name)));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
  });
  return [
    ...errors,
    ...validateSpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    ...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
  ];
}

const inWindows = ['hostPID', 'hostIPC'] as const;

function validateOs(spec: Spec, path: string): FieldError[] {
  if (!spec.os) return [];
  const { name = '' } = spec.os;
  if (name === '') return [required(`${path}.os.name`, 'cannot be empty')];
  if (name !== 'linux' && name !== 'windows') return [notSupported(`${path}.os.name`, name, ['linux', 'windows'])];
  if (name === 'linux') {
    return spec.securityContext?.windowsOptions
      ? [forbiddenField(`${path}.securityContext.windowsOptions`, 'windows options cannot be set for a linux pod')]
      : [];
  }
  const errors = inWindows
    .filter((field) => spec[field])
    .map((field) => forbiddenField(`${path}.${field}`, 'cannot be set for a windows pod'));
  const fields = [
    ...['appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'fsGroup', 'fsGroupChangePolicy', 'sysctls'],
    ...['runAsUser', 'runAsGroup', 'supplementalGroups', 'supplementalGroupsPolicy'],
  ];
  const context = (spec.securityContext ?? {}) as Record<string, unknown>;
  for (const field of fields) {
    if (context[field] !== undefined) {
      errors.push(forbiddenField(`${path}.securityContext.${field}`, 'cannot be set for a windows pod'));
    }
  }
  return errors;
}

/** A pod spec, in pods and in templates (ValidatePodSpec). `podName` is '' for templates. */
export function validatePodSpec(
  spec: Spec,
  path: string,
  options: { readonly podName: string; readonly isPod: boolean },
) {
  const errors: FieldError[] = [];
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(`${path}.terminationGracePeriodSeconds`));
  const { errors: volumeErrors, byName } = validateVolumes(spec.volumes ?? [], options.podName, `${path}.volumes`);
  const claims = spec.resourceClaims ?? [];
  claims.forEach(({ name = '', resourceClaimName, resourceClaimTemplateName }, i) => {
    const at = `${path}.resourceClaims[${i}]`;
    if (name === '') errors.push(required(`${at}.name`));
    else if (claims.findIndex((it) => it.name === name) < i) errors.push(duplicate(`${at}.name`, name));
    else errors.push(...invalids(`${at}.name`, name, dns1123Label(name)));
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(invalid(at, claims[i], detail));
    } else if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(invalid(at, claims[i], detail));
    }
  });
  const around = { spec, volumes: byName, claimNames: claims.map((it) => it.name ?? '') };
  errors.push(
    ...volumeErrors,
    ...validateContainers(around, `${path}.containers`),
    ...validateInitContainers(around, `${path}.initContainers`),
    ...validateEphemeralContainers(around, `${path}.ephemeralContainers`),
    ...validatePodLevelResources(spec, path),
    ...validateHostPorts(spec, path, options.isPod),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...validateScheduling(spec, path),
    ...validateHostUsers(spec, path),
    ...validateNames(spec, path),
    ...validateHostname(spec, path),
  );
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > maxInt32)) {
    errors.push(invalid(`${path}.activeDeadlineSeconds`, deadline, inclusiveRangeReason(1, maxInt32)));
  }
  spec.hostAliases?.forEach(({ ip = '', hostnames = [] }, i) => {
    const at = `${path}.hostAliases[${i}]`;
    errors.push(...invalids(`${at}.ip`, ip, ipReasons(ip)));
    hostnames.forEach((it, j) => {
      errors.push(...invalids(`${at}.hostnames[${j}]`, it, dns1123Subdomain(it)));
    });
  });
  if (spec.preemptionPolicy !== undefined) {
    errors.push(...oneOf(`${path}.preemptionPolicy`, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']));
  }
  for (const name in spec.overhead) {
    const at = `${path}.overhead[${name}]`;
    errors.push(...validateResourceName(name, at), ...validateAmount(name, spec.overhead[name], at));
  }
  return [...errors, ...validateOs(spec, path)];
}

/** A pod template: labels, annotations and spec (ValidatePodTemplateSpec). */
export function validatePodTemplate(template: Loose<V1PodTemplateSpec>, path: string): FieldError[] {
  const spec = template.spec ?? {};
  return [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...validatePodAnnotations(template.metadata?.annotations, spec, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`, { podName: '', isPod: false }),
    ...((spec.ephemeralContainers?.length ?? 0) > 0
      ? [forbiddenField(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')]
      : []),
  ];
}

export const mirrorAnnotation = 'kubernetes.io/config.mirror';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';

/** Annotations with a meaning for pods (ValidatePodSpecificAnnotations). */
export function validatePodAnnotations(
  annotations: Readonly<Record<string, string | undefined>> | undefined,
  spec: Spec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const mirror = annotations?.[mirrorAnnotation];
  if (mirror !== undefined && !spec.nodeName) {
    const detail = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(invalid(`${path}[${mirrorAnnotation}]`, mirror, detail));
  }
  const cost = annotations?.[deletionCost];
  if (cost !== undefined && !(/^(0|-?[1-9]\d*)$/.test(cost) && Math.abs(Number(cost)) <= maxInt32)) {
    errors.push(invalid(`${path}[${deletionCost}]`, cost, 'must be a 32bit integer'));
  }
  return errors;
}

/** Everything of a pod but its metadata's general rules (validatePodMetadataAndSpec). */
export function validatePod(pod: Loose<V1Pod>): FieldError[] {
  const spec = pod.spec ?? {};
  const errors = [
    ...validatePodAnnotations(pod.metadata?.annotations, spec, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec', { podName: pod.metadata?.name ?? '', isPod: true }),
  ];
  if (!spec.serviceAccountName) {
    spec.volumes?.forEach((volume, i) => {
      volume.projected?.sources?.forEach((source, j) => {
        if (!source.serviceAccountToken) return;
        const at = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`;
        errors.push(forbiddenField(at, 'must not be specified when serviceAccountName is not set'));
      });
    });
  }
  spec.containers?.forEach((it, i) => {
    errors.push(...paddedImage(it, `spec.containers[${i}]`));
  });
  spec.initContainers?.forEach((it, i) => {
    errors.push(...paddedImage(it, `spec.initContainers[${i}]`));
  });
  return errors;
}

/** What is forbidden when a pod is made (ValidatePodCreate). */
export function validatePodCreate(pod: Loose<V1Pod>): FieldError[] {
  const errors = validatePod(pod);
  if ((pod.spec?.ephemeralContainers?.length ?? 0) > 0) {
    errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (pod.spec?.nodeName && (pod.spec.schedulingGates?.length ?? 0) > 0) {
    errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}
