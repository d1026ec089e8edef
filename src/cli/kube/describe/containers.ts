import type {
  V1Container,
  V1ContainerPort,
  V1ContainerState,
  V1ContainerStatus,
  V1EnvVar,
  V1Pod,
  V1Probe,
  V1ResourceRequirements,
} from '../../../api/generated/types.ts';
import { milliValueOf, wholeValueOf } from '../../../api/quantity.ts';
import { goList, moment, orNone, type Page, trueFalse } from './page.ts';

/** What the containers of a page belong to: a pod tells how they are and what its fields say, a template does not. */
export interface ContainerContext {
  readonly pod?: V1Pod;
  readonly statuses?: readonly V1ContainerStatus[] | undefined;
  /** Blanks before the title; the names of a template's containers stand one blank further in. */
  readonly indent?: string;
}

export function resources(page: Page, it: V1ResourceRequirements | undefined, level: number): void {
  for (const [title, amounts] of [
    ['Limits', it?.limits],
    ['Requests', it?.requests],
  ] as const) {
    const entries = Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length > 0) page.line(level, `${title}:`);
    for (const [name, amount] of entries) page.line(level + 1, `${name}:`, amount);
  }
}

/** A probe on one line. */
export function probeText(probe: V1Probe): string {
  const rhythm = `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 0}s period=${probe.periodSeconds ?? 0}s #success=${probe.successThreshold ?? 0} #failure=${probe.failureThreshold ?? 0}`;
  if (probe.exec) return `exec ${goList(probe.exec.command)} ${rhythm}`;
  if (probe.httpGet) {
    const { scheme, host = '', port, path = '' } = probe.httpGet;
    const at = host.includes(':') ? `[${host}]` : host;
    const rest = path === '' || path.startsWith('/') ? path : `/${path}`;
    return `http-get ${(scheme ?? '').toLowerCase()}://${at}:${port}${encodeURI(rest).replaceAll('?', '%3F')} ${rhythm}`;
  }
  if (probe.tcpSocket) return `tcp-socket ${probe.tcpSocket.host ?? ''}:${probe.tcpSocket.port} ${rhythm}`;
  if (probe.grpc) return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ''} ${rhythm}`;
  return `unknown ${rhythm}`;
}

function state(page: Page, title: string, it: V1ContainerState | undefined): void {
  if (it?.running) {
    page.line(2, `${title}:`, 'Running');
    page.line(3, 'Started:', moment(it.running.startedAt));
  } else if (it?.terminated) {
    const { reason, message, exitCode, signal, startedAt, finishedAt } = it.terminated;
    page.line(2, `${title}:`, 'Terminated');
    if (reason) page.line(3, 'Reason:', reason);
    if (message) page.line(3, 'Message:', message);
    page.line(3, 'Exit Code:', exitCode);
    if (signal) page.line(3, 'Signal:', signal);
    page.line(3, 'Started:', moment(startedAt));
    page.line(3, 'Finished:', moment(finishedAt));
  } else {
    page.line(2, `${title}:`, 'Waiting');
    if (it?.waiting?.reason) page.line(3, 'Reason:', it.waiting.reason);
  }
}

function ports(page: Page, all: readonly V1ContainerPort[] | undefined): void {
  for (const [title, number] of [
    ['Port', (port: V1ContainerPort) => port.containerPort],
    ['Host Port', (port: V1ContainerPort) => port.hostPort ?? 0],
  ] as const) {
    const shown = (all ?? []).map((port) => `${number(port)}/${port.protocol}`);
    page.line(2, `${title}${shown.length > 1 ? 's' : ''}:`, orNone(shown.join(', ')));
  }
}

/** What a reference to a field of the pod gives; only these two are known without the server's conversions. */
function fieldValue(pod: V1Pod | undefined, path: string): string {
  if (path === 'metadata.name') return pod?.metadata?.name ?? '';
  return path === 'metadata.namespace' ? (pod?.metadata?.namespace ?? '') : '';
}

function resourceValue(container: V1Container, { resource, divisor }: { resource: string; divisor?: string }): string {
  const [which = '', ...rest] = resource.split('.');
  const name = rest.join('.');
  const amounts = which === 'limits' ? container.resources?.limits : container.resources?.requests;
  const measure = name === 'cpu' ? milliValueOf : wholeValueOf;
  const unit = divisor && divisor !== '0' ? divisor : '1';
  const value = String(Math.ceil(measure(amounts?.[name]) / measure(unit)));
  return value === '0' && (resource === 'limits.cpu' || resource === 'limits.memory') ? 'node allocatable' : value;
}

function variable(page: Page, container: V1Container, { name, value = '', valueFrom }: V1EnvVar, pod?: V1Pod): void {
  if (!valueFrom) {
    value.split('\n').forEach((line, i) => {
      page.line(3, i === 0 ? `${name}:` : '', line);
    });
  } else if (valueFrom.fieldRef) {
    const { apiVersion = 'v1', fieldPath } = valueFrom.fieldRef;
    page.line(3, `${name}:`, `${fieldValue(pod, fieldPath)} (${apiVersion}:${fieldPath})`);
  } else if (valueFrom.resourceFieldRef) {
    const shown = resourceValue(container, valueFrom.resourceFieldRef);
    page.line(3, `${name}:`, `${shown} (${valueFrom.resourceFieldRef.resource})`);
  } else if (valueFrom.secretKeyRef) {
    const { key, name: secret = '', optional = false } = valueFrom.secretKeyRef;
    page.line(3, `${name}:`, `<set to the key '${key}' in secret '${secret}'>`, `Optional: ${optional}`);
  } else if (valueFrom.configMapKeyRef) {
    const { key, name: map = '', optional = false } = valueFrom.configMapKeyRef;
    page.line(3, `${name}:`, `<set to the key '${key}' of config map '${map}'>`, `Optional: ${optional}`);
  }
}

function environment(page: Page, container: V1Container, pod?: V1Pod): void {
  if (container.envFrom?.length) {
    page.line(2, 'Environment Variables from:');
    for (const { configMapRef, secretRef, prefix } of container.envFrom) {
      const from = `${configMapRef ? 'ConfigMap' : secretRef ? 'Secret' : ''}${prefix ? ` with prefix '${prefix}'` : ''}`;
      const source = configMapRef ?? secretRef;
      page.line(3, source?.name ?? '', from, `Optional: ${source?.optional === true}`);
    }
  }
  if (!container.env?.length) page.line(2, 'Environment:', '<none>');
  else page.line(2, 'Environment:');
  for (const one of container.env ?? []) variable(page, container, one, pod);
}

function mounts(page: Page, { volumeMounts = [], volumeDevices = [] }: V1Container): void {
  if (volumeMounts.length === 0) page.line(2, 'Mounts:', '<none>');
  else page.line(2, 'Mounts:');
  for (const mount of [...volumeMounts].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1))) {
    const part = mount.subPath ? `,path=${JSON.stringify(mount.subPath)}` : '';
    page.line(3, `${mount.mountPath} from ${mount.name} (${mount.readOnly ? 'ro' : 'rw'}${part})`);
  }
  if (volumeDevices.length === 0) return;
  if (volumeMounts.length === 0) page.line(2, 'Devices:', '<none>');
  else page.line(2, 'Devices:');
  for (const device of [...volumeDevices].sort((a, b) => (a.devicePath < b.devicePath ? -1 : 1))) {
    page.line(3, `${device.devicePath} from ${device.name}`);
  }
}

function words(page: Page, title: string, all: readonly string[] | undefined): void {
  if (!all?.length) return;
  page.line(2, `${title}:`);
  for (const line of all.flatMap((word) => word.split('\n'))) page.line(3, line);
}

function container(page: Page, it: V1Container, context: ContainerContext): void {
  const status = context.statuses?.find((one) => one.name === it.name);
  page.line(1, `${context.indent ? ' ' : ''}${it.name}:`);
  if (status) page.line(2, 'Container ID:', status.containerID ?? '');
  page.line(2, 'Image:', it.image ?? '');
  if (status) page.line(2, 'Image ID:', status.imageID);
  ports(page, it.ports);
  const seccomp = it.securityContext?.seccompProfile;
  if (seccomp) page.line(2, 'SeccompProfile:', seccomp.type);
  if (seccomp?.type === 'Localhost') page.line(3, 'LocalhostProfile:', seccomp.localhostProfile ?? '');
  words(page, 'Command', it.command);
  words(page, 'Args', it.args);
  if (status) {
    state(page, 'State', status.state);
    if (status.lastState?.terminated) state(page, 'Last State', status.lastState);
    page.line(2, 'Ready:', trueFalse(status.ready));
    page.line(2, 'Restart Count:', status.restartCount);
  }
  resources(page, it.resources, 2);
  if (it.livenessProbe) page.line(2, 'Liveness:', probeText(it.livenessProbe));
  if (it.readinessProbe) page.line(2, 'Readiness:', probeText(it.readinessProbe));
  if (it.startupProbe) page.line(2, 'Startup:', probeText(it.startupProbe));
  environment(page, it, context.pod);
  mounts(page, it);
}

/** The containers of a pod or of a template under their title. */
export function containers(
  page: Page,
  title: string,
  all: readonly V1Container[] | undefined,
  context: ContainerContext = {},
): void {
  page.line(0, `${context.indent ?? ''}${title}:${all?.length ? '' : ' <none>'}`);
  for (const one of all ?? []) container(page, one, context);
}
