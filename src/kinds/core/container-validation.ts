import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notFoundField,
  notSupported,
  required,
  tooMany,
} from '../../api/field-error.ts';
import type { V1Container, V1ContainerPort, V1EphemeralContainer, V1PodSpec } from '../../api/generated/types.ts';
import { dns1123Label, portName, portNumber } from '../../api/names.ts';
import { invalids, oneOf, onlyFields } from '../checks.ts';
import type { Loose } from '../draft.ts';
import { validateEnv, validateEnvFrom } from './env-validation.ts';
import { type VolumesByName, validateDevices, validateMounts } from './mount-validation.ts';
import { isSidecar } from './pod-resources.ts';
import { validateLifecycle, validateProbe } from './probe-validation.ts';
import { validateResources } from './resources-validation.ts';
import { validateSecurityContext } from './security-validation.ts';

type Container = Loose<V1Container>;

const protocols = ['SCTP', 'TCP', 'UDP'];
export const pullPolicies = ['Always', 'IfNotPresent', 'Never'];

function validatePorts(ports: readonly Loose<V1ContainerPort>[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const at = `${path}[${i}]`;
    const { name = '', containerPort = 0, hostPort = 0, protocol } = port;
    if (name !== '') {
      const reasons = portName(name);
      if (reasons.length > 0) errors.push(...invalids(`${at}.name`, name, reasons));
      else if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      else names.add(name);
    }
    if (containerPort === 0) errors.push(required(`${at}.containerPort`));
    else errors.push(...invalids(`${at}.containerPort`, containerPort, portNumber(containerPort)));
    if (hostPort !== 0) errors.push(...invalids(`${at}.hostPort`, hostPort, portNumber(hostPort)));
    errors.push(...oneOf(`${at}.protocol`, protocol, protocols));
  });
  return errors;
}

function validateResizePolicy(container: Container, path: string, podRestart: string | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  container.resizePolicy?.forEach(({ resourceName = '', restartPolicy = '' }, i) => {
    if (seen.has(resourceName)) errors.push(duplicate(`${path}[${i}]`, resourceName));
    seen.add(resourceName);
    errors.push(...oneOf(path, resourceName, ['cpu', 'memory']));
    errors.push(...oneOf(path, restartPolicy, ['NotRequired', 'RestartContainer']));
    if (podRestart === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
  });
  return errors;
}

function validateRestartRules(container: Container, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  if (restartPolicy === undefined) {
    if (rules.length === 0) return [];
    errors.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  } else if (!['Always', 'Never', 'OnFailure'].includes(restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, restartPolicy, ['Always', 'Never', 'OnFailure']));
  }
  if (rules.length > 20) errors.push(tooMany(`${path}.restartPolicyRules`, rules.length, 20));
  rules.forEach(({ action = '', exitCodes }, i) => {
    const at = `${path}.restartPolicyRules[${i}]`;
    const actions = ['Restart', 'RestartAllContainers'];
    if (!actions.includes(action)) errors.push(notSupported(`${at}.action`, action, actions));
    if (!exitCodes) {
      errors.push(required(`${at}.exitCodes`, 'must be specified'));
      return;
    }
    const { operator = '', values = [] } = exitCodes;
    if (operator !== 'In' && operator !== 'NotIn') {
      errors.push(notSupported(`${at}.exitCodes.operator`, operator, ['In', 'NotIn']));
    }
    if (values.length > 255) errors.push(tooMany(`${at}.exitCodes.values`, values.length, 255));
  });
  return errors;
}

/** What the containers of a pod are checked against. */
export interface PodSurroundings {
  readonly spec: Loose<V1PodSpec>;
  readonly volumes: VolumesByName;
  readonly claimNames: readonly string[];
}

function validateCommon(
  container: Container,
  path: string,
  { spec, volumes, claimNames }: PodSurroundings,
): FieldError[] {
  const { name = '', image = '', terminationMessagePolicy } = container;
  return [
    ...(name === '' ? [required(`${path}.name`)] : invalids(`${path}.name`, name, dns1123Label(name))),
    ...(image === '' ? [required(`${path}.image`)] : []),
    ...oneOf(`${path}.terminationMessagePolicy`, terminationMessagePolicy, ['File', 'FallbackToLogsOnError']),
    ...validatePorts(container.ports ?? [], `${path}.ports`),
    ...validateEnv(container.env ?? [], `${path}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`),
    ...validateMounts(container, volumes, `${path}.volumeMounts`),
    ...validateDevices(container, volumes, `${path}.volumeDevices`),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, pullPolicies),
    ...validateResources(container.resources, `${path}.resources`, claimNames),
    ...validateResizePolicy(container, `${path}.resizePolicy`, spec.restartPolicy),
    ...validateSecurityContext(container.securityContext, `${path}.securityContext`, spec.hostUsers !== false),
  ];
}

function hostPortConflicts(containers: readonly Container[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  containers.forEach((container, i) => {
    container.ports?.forEach(({ hostPort = 0, protocol = '', hostIP = '' }, j) => {
      if (hostPort === 0) return;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (seen.has(key)) errors.push(duplicate(`${path}[${i}].ports[${j}].hostPort`, key));
      seen.add(key);
    });
  });
  return errors;
}

function validateProbes(container: Container, path: string, grace: number | undefined): FieldError[] {
  return [
    ...validateProbe(container.livenessProbe, 'liveness', `${path}.livenessProbe`, grace),
    ...validateProbe(container.readinessProbe, 'readiness', `${path}.readinessProbe`, grace),
    ...validateProbe(container.startupProbe, 'startup', `${path}.startupProbe`, grace),
  ];
}

/** `spec.containers` (validateContainers). */
export function validateContainers(around: PodSurroundings, path: string): FieldError[] {
  const { containers = [], terminationGracePeriodSeconds: grace, os } = around.spec;
  if (containers.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const at = `${path}[${i}]`;
    const { name = '' } = container;
    errors.push(...validateCommon(container, at, around));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    errors.push(
      ...validateLifecycle(container.lifecycle, `${at}.lifecycle`, grace, os?.name),
      ...validateProbes(container, at, grace),
      ...validateRestartRules(container, at),
    );
  });
  return [...errors, ...hostPortConflicts(containers, path)];
}

/** `spec.initContainers` (validateInitContainers). */
export function validateInitContainers(around: PodSurroundings, path: string): FieldError[] {
  const { containers = [], initContainers = [], terminationGracePeriodSeconds: grace, os } = around.spec;
  const errors: FieldError[] = [];
  const names = new Set(containers.map((it) => it.name ?? ''));
  initContainers.forEach((container, i) => {
    const at = `${path}[${i}]`;
    const { name = '' } = container;
    errors.push(...validateCommon(container, at, around), ...validateRestartRules(container, at));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    else if (name !== '') names.add(name);
    errors.push(...hostPortConflicts([container], path));
    if (isSidecar(container)) {
      errors.push(
        ...validateLifecycle(container.lifecycle, `${at}.lifecycle`, grace, os?.name),
        ...validateProbes(container, at, grace),
      );
      return;
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field]) {
        const detail = 'may not be set for init containers without restartPolicy=Always';
        errors.push(forbiddenField(`${at}.${field}`, detail));
      }
    }
    container.resizePolicy?.forEach(({ restartPolicy }, j) => {
      if (restartPolicy !== 'RestartContainer') return;
      const detail = "must not be set to 'RestartContainer' for non-sidecar initContainers";
      errors.push(invalid(`${at}.resizePolicy[${j}].restartPolicy`, restartPolicy, detail));
    });
  });
  return errors;
}

const ephemeralFields = [
  ...['name', 'image', 'command', 'args', 'workingDir', 'envFrom', 'env', 'volumeMounts', 'volumeDevices'],
  ...['terminationMessagePath', 'terminationMessagePolicy', 'imagePullPolicy', 'securityContext'],
  ...['stdin', 'stdinOnce', 'tty', 'targetContainerName'],
];

/** `spec.ephemeralContainers` (validateEphemeralContainers). */
export function validateEphemeralContainers(around: PodSurroundings, path: string): FieldError[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = around.spec;
  const errors: FieldError[] = [];
  const others = new Set([...containers, ...initContainers].map((it) => it.name ?? ''));
  const names = new Set(others);
  ephemeralContainers.forEach((container: Loose<V1EphemeralContainer>, i) => {
    const at = `${path}[${i}]`;
    const { name = '', targetContainerName = '' } = container;
    errors.push(...validateCommon(container as Container, at, around), ...paddedImage(container as Container, at));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (targetContainerName !== '' && !others.has(targetContainerName)) {
      errors.push(notFoundField(`${at}.targetContainerName`, targetContainerName));
    }
    errors.push(...onlyFields(container, ephemeralFields, at, 'cannot be set for an Ephemeral Container'));
    container.volumeMounts?.forEach((mount, j) => {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if (mount[field]) {
          const detail = 'cannot be set for an Ephemeral Container';
          errors.push(forbiddenField(`${at}.volumeMounts[${j}].${field}`, detail));
        }
      }
    });
  });
  return errors;
}

/** Pods alone, templates not: an image name must not be padded. */
export function paddedImage(container: Container, path: string): FieldError[] {
  const { image = '' } = container;
  return image.trim() === image
    ? []
    : [invalid(`${path}.image`, image, 'must not have leading or trailing whitespace')];
}
