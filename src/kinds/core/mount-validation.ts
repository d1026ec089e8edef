import {
  type FieldError,
  forbiddenField,
  invalid,
  notFoundField,
  notSupported,
  required,
} from '../../api/field-error.ts';
import type { V1Container, V1Volume, V1VolumeMount } from '../../api/generated/types.ts';
import { descendingPath, noBacksteps } from '../checks.ts';
import type { Loose } from '../draft.ts';

/** The volumes of a pod that are valid, by name. */
export type VolumesByName = ReadonlyMap<string, Loose<V1Volume>>;

function validatePropagation(mount: Loose<V1VolumeMount>, container: Loose<V1Container>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { mountPropagation, recursiveReadOnly } = mount;
  if (mountPropagation !== undefined) {
    const at = `${path}.mountPropagation`;
    const valid = ['Bidirectional', 'HostToContainer', 'None'];
    if (!valid.includes(mountPropagation)) errors.push(notSupported(at, mountPropagation, valid));
    if (mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
      errors.push(forbiddenField(at, 'Bidirectional mount propagation is available only to privileged containers'));
    }
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return errors;
  const at = `${path}.recursiveReadOnly`;
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    return [...errors, notSupported(at, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible'])];
  }
  if (!mount.readOnly) errors.push(forbiddenField(at, 'may only be specified when readOnly is true'));
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    errors.push(forbiddenField(at, 'may only be specified when mountPropagation is None or not specified'));
  }
  return errors;
}

/** Where a container mounts volumes (ValidateVolumeMounts). */
export function validateMounts(container: Loose<V1Container>, volumes: VolumesByName, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  const devices = container.volumeDevices ?? [];
  container.volumeMounts?.forEach((mount, i) => {
    const at = `${path}[${i}]`;
    const { name = '', mountPath = '', subPath = '', subPathExpr = '' } = mount;
    if (name === '') errors.push(required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFoundField(`${at}.name`, name));
    if (mountPath === '') errors.push(required(`${at}.mountPath`));
    if (seen.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    seen.add(mountPath);
    if (devices.some((it) => it.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
    }
    if (devices.some((it) => it.devicePath === mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    }
    if (subPath !== '') errors.push(...descendingPath(`${path}.subPath`, subPath));
    if (subPathExpr !== '') {
      if (subPath !== '') {
        errors.push(invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      }
      errors.push(...descendingPath(`${path}.subPathExpr`, subPathExpr));
    }
    errors.push(...validatePropagation(mount, container, path));
  });
  return errors;
}

/** Block devices that a container uses (ValidateVolumeDevices). */
export function validateDevices(container: Loose<V1Container>, volumes: VolumesByName, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounts = container.volumeMounts ?? [];
  container.volumeDevices?.forEach(({ name = '', devicePath = '' }, i) => {
    const at = `${path}[${i}]`;
    const volume = volumes.get(name);
    if (name === '') errors.push(required(`${at}.name`));
    if (names.has(name)) errors.push(invalid(`${at}.name`, name, 'must be unique'));
    if (!volume) errors.push(notFoundField(`${at}.name`, name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(invalid(`${at}.name`, name, detail));
    }
    if (devicePath === '') errors.push(required(`${at}.devicePath`));
    if (paths.has(devicePath)) errors.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (noBacksteps('', devicePath).length > 0) {
      errors.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    if (mounts.some((it) => it.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    }
    if (mounts.some((it) => it.mountPath === devicePath)) {
      errors.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    }
    if (name !== '') names.add(name);
  });
  return errors;
}
