import { duplicate, type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type { V1AppArmorProfile, V1PodSpec, V1SeccompProfile, V1SecurityContext } from '../../api/generated/types.ts';
import { unixId } from '../../api/names.ts';
import { descendingPath, invalids, optionalOneOf } from '../checks.ts';
import type { Loose } from '../draft.ts';

const ids = (path: string, value: number | undefined): FieldError[] =>
  value === undefined ? [] : invalids(path, value, unixId(value));

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function validateSeccomp(profile: Loose<V1SeccompProfile> | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const errors: FieldError[] = [];
  const { type = '', localhostProfile } = profile;
  if (type === '') errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'));
  else if (!profileTypes.includes(type)) errors.push(notSupported(`${path}.type`, type, profileTypes));
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined) {
      errors.push(invalid(`${path}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost'));
    }
  } else if (localhostProfile === undefined) {
    errors.push(required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost'));
  } else errors.push(...descendingPath(`${path}.localhostProfile`, localhostProfile));
  return errors;
}

function validateAppArmor(profile: Loose<V1AppArmorProfile> | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const { type = '', localhostProfile } = profile;
  const at = `${path}.localhostProfile`;
  switch (type) {
    case 'Localhost':
      if (localhostProfile === undefined) {
        return [required(at, 'must be set when AppArmor type is Localhost')];
      }
      if (localhostProfile.trim() !== localhostProfile) {
        return [invalid(at, localhostProfile, 'must not be padded with whitespace')];
      }
      return localhostProfile === '' ? [required(at, 'must be set when AppArmor type is Localhost')] : [];
    case 'RuntimeDefault':
    case 'Unconfined':
      return localhostProfile === undefined
        ? []
        : [invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost')];
    case '':
      return [required(`${path}.type`, 'type is required when appArmorProfile is set')];
    default:
      return [notSupported(`${path}.type`, type, profileTypes)];
  }
}

/** A container's security context (ValidateSecurityContext). */
export function validateSecurityContext(
  context: Loose<V1SecurityContext> | undefined,
  path: string,
  hostUsers: boolean,
): FieldError[] {
  if (!context) return [];
  const errors = [...ids(`${path}.runAsUser`, context.runAsUser), ...ids(`${path}.runAsGroup`, context.runAsGroup)];
  const { procMount } = context;
  if (procMount !== undefined) {
    errors.push(...optionalOneOf(`${path}.procMount`, procMount, ['Default', 'Unmasked']));
    if (hostUsers && procMount === 'Unmasked') {
      errors.push(invalid(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
    }
  }
  errors.push(...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
      errors.push(invalid(path, context, detail));
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(invalid(path, context, detail));
    }
  }
  errors.push(...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`));
  return errors;
}

const sysctlPattern = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9]$/;
const sysctlText = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*([a-z0-9]([-_a-z0-9]*[a-z0-9])?)$';
const ipcSysctl = /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/;

/** A pod's security context (validatePodSpecSecurityContext). */
export function validatePodSecurityContext(spec: Loose<V1PodSpec>, path: string): FieldError[] {
  const context = spec.securityContext;
  if (!context) return [];
  const errors = [
    ...ids(`${path}.fsGroup`, context.fsGroup),
    ...ids(`${path}.runAsUser`, context.runAsUser),
    ...ids(`${path}.runAsGroup`, context.runAsGroup),
    ...(context.supplementalGroups ?? []).flatMap((id, i) => ids(`${path}.supplementalGroups[${i}]`, id)),
  ];
  if (spec.shareProcessNamespace && spec.hostPID) {
    const at = `${path}.shareProcessNamespace`;
    errors.push(invalid(at, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  }
  const seen = new Set<string>();
  context.sysctls?.forEach(({ name = '' }, i) => {
    const at = `${path}.sysctls[${i}].name`;
    if (name === '') errors.push(required(at));
    else if (name.length > 253 || !sysctlPattern.test(name)) {
      errors.push(invalid(at, name, `must have at most 253 characters and match regex ${sysctlText}`));
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork && dotted.startsWith('net.')) {
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC && ipcSysctl.test(dotted)) {
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
  });
  const { fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } = context;
  errors.push(
    ...optionalOneOf(`${path}.fsGroupChangePolicy`, fsGroupChangePolicy, ['Always', 'OnRootMismatch']),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
    ...optionalOneOf(`${path}.supplementalGroupsPolicy`, supplementalGroupsPolicy, ['Merge', 'Strict']),
    ...optionalOneOf(`${path}.seLinuxChangePolicy`, seLinuxChangePolicy, ['MountOption', 'Recursive']),
  );
  return errors;
}

/** What a pod with its own user namespace may not use (validateHostUsers). */
export function validateHostUsers(spec: Loose<V1PodSpec>, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const errors: FieldError[] = [];
  const detail = 'when `hostUsers` is false';
  if (spec.hostNetwork) errors.push(forbiddenField(`${path}.hostNetwork`, detail));
  // Upstream spells these two with a capital.
  if (spec.hostPID) errors.push(forbiddenField(`${path}.HostPID`, detail));
  if (spec.hostIPC) errors.push(forbiddenField(`${path}.HostIPC`, detail));
  return errors;
}
