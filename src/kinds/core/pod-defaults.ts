import type {
  V1Container,
  V1HTTPGetAction,
  V1LifecycleHandler,
  V1Pod,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Probe,
} from '../../api/generated/types.ts';
import type { Loose } from '../draft.ts';
import { containersTotal, isPodLevelResource } from './pod-resources.ts';
import { defaultVolume } from './volume-defaults.ts';

/** The tag that decides the pull policy: `latest` where neither tag nor digest is named, none for what is no image name. */
export function imageTag(image: string): string {
  const digest = image.indexOf('@');
  const name = digest < 0 ? image : image.slice(0, digest);
  const colon = name.lastIndexOf(':');
  const tag = colon > name.lastIndexOf('/') ? name.slice(colon + 1) : '';
  const repository = tag === '' ? name : name.slice(0, colon);
  if (!/^[a-zA-Z0-9][\w.:[\]/-]*$/.test(repository) || /[A-Z]/.test(repository.slice(repository.indexOf('/') + 1)))
    return '';
  return tag === '' && digest < 0 ? 'latest' : tag;
}

export const pullPolicyFor = (image: string): string => (imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent');

function defaultHttpGet(action: Loose<V1HTTPGetAction> | undefined): void {
  if (!action) return;
  action.path ||= '/';
  action.scheme ||= 'HTTP';
}

function defaultProbe(probe: Loose<V1Probe> | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.initialDelaySeconds === 0) delete probe.initialDelaySeconds;
  defaultHttpGet(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= '';
}

const defaultHandler = (handler: Loose<V1LifecycleHandler> | undefined): void => defaultHttpGet(handler?.httpGet);

/** Fields whose zero value means the same as their absence, and that upstream leaves out of what it stores. */
function dropZero(object: Record<string, unknown>, fields: readonly string[]): void {
  for (const field of fields) {
    const value = object[field];
    if (value === false || value === '' || value === 0) delete object[field];
  }
}

const zeroInContainer = ['stdin', 'stdinOnce', 'tty', 'workingDir'];
const zeroInSpec = ['hostNetwork', 'hostPID', 'hostIPC', 'nodeName', 'hostname', 'subdomain', 'priorityClassName'];

function defaultContainer(container: Loose<V1Container>, isInit: boolean): void {
  container.imagePullPolicy ||= pullPolicyFor(container.image ?? '');
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.resources ??= {};
  dropZero(container, zeroInContainer);
  for (const port of container.ports ?? []) {
    port.protocol ||= 'TCP';
    if (port.hostPort === 0) delete port.hostPort;
  }
  for (const entry of container.env ?? []) {
    const from = entry.valueFrom;
    if (from?.fieldRef) from.fieldRef.apiVersion ||= 'v1';
    if (from?.resourceFieldRef) from.resourceFieldRef.divisor ??= '0';
    if (from?.fileKeyRef) from.fileKeyRef.optional ??= false;
  }
  for (const mount of container.volumeMounts ?? []) dropZero(mount, ['readOnly', 'subPath']);
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
  if (isInit && container.restartPolicy === '') delete container.restartPolicy;
  roundUp(container.resources.limits);
  roundUp(container.resources.requests);
}

/** Resource amounts are kept to the thousandth: nothing finer survives. */
function roundUp(list: Record<string, string | undefined> | undefined): void {
  for (const name in list) {
    const text = list[name];
    if (text !== undefined && /[nu]$/.test(text)) {
      const scale = text.endsWith('n') ? 1e6 : 1e3;
      const milli = Math.ceil(Number(text.slice(0, -1)) / scale);
      if (Number.isFinite(milli)) list[name] = milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
    }
  }
}

/** Defaults of every pod spec, in pods and in templates alike (pkg/apis/core/v1 SetDefaults_PodSpec and below). */
export function defaultPodSpec(spec: Loose<V1PodSpec>): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  dropZero(spec, zeroInSpec);
  // The older name of the same field: each is filled in from the other.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const container of spec.initContainers ?? []) defaultContainer(container, true);
  for (const container of spec.containers ?? []) defaultContainer(container, false);
  for (const container of (spec.ephemeralContainers ?? []) as Loose<V1Container>[]) defaultContainer(container, false);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
}

/** Defaults of a pod template. An absent template stays absent: validation asks for it. */
export function defaultPodTemplate(template: Loose<V1PodTemplateSpec> | undefined): void {
  if (!template) return;
  template.spec ??= {};
  template.metadata ??= {};
  defaultPodSpec(template.spec);
}

/** Defaults of a pod: those of its spec, and those that stand in pods but never in templates. */
export function defaultPod(pod: Loose<V1Pod>): void {
  pod.spec ??= {};
  const { spec } = pod;
  defaultPodSpec(spec);
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const { resources } = container;
    if (!resources?.limits) continue;
    resources.requests ??= {};
    for (const name in resources.limits) resources.requests[name] ??= resources.limits[name];
  }
  defaultPodLevelRequests(pod);
  if (!spec.hostNetwork) return;
  // In the host's network every port is a port of the host.
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const port of container.ports ?? []) if (port.containerPort) port.hostPort ??= port.containerPort;
  }
}

function defaultPodLevelRequests(pod: Loose<V1Pod>): void {
  const resources = pod.spec?.resources;
  if (!resources) return;
  const has = (list: object | undefined): boolean => Object.keys(list ?? {}).length > 0;
  if (has(resources.limits) || has(resources.requests)) {
    const totals = containersTotal(pod, 'limits');
    for (const name in totals) {
      if (!name.startsWith('hugepages-') || resources.requests?.[name] !== undefined) continue;
      resources.limits ??= {};
      resources.limits[name] ??= totals[name]?.text;
    }
  }
  if (!has(resources.limits)) return;
  const requests: Record<string, string | undefined> = resources.requests ?? {};
  const totals = containersTotal(pod, 'requests');
  for (const name in totals) {
    if (name === 'cpu' || name === 'memory') requests[name] ??= totals[name]?.text;
  }
  for (const name in resources.limits) if (isPodLevelResource(name)) requests[name] ??= resources.limits[name];
  if (has(requests)) resources.requests = requests as Record<string, string>;
}
