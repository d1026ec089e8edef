import type { V1Container, V1Pod } from '../../../api/generated/types.ts';
import { podQosClass } from '../../../kinds/core/pod-resources.ts';
import { containers, resources } from './containers.ts';
import { controllerOf, type Describer, labelsAndAnnotations } from './describer.ts';
import { eventsAbout, writeEvents } from './events.ts';
import { moment, type Page, pairs, since } from './page.ts';
import { spreadConstraints, tolerations } from './pod-parts.ts';
import { volumes } from './volumes.ts';

function head(page: Page, { metadata: meta = {}, spec, status }: V1Pod, now: number): void {
  page.line(0, 'Name:', meta.name);
  page.line(0, 'Namespace:', meta.namespace);
  if (spec?.priority !== undefined) page.line(0, 'Priority:', spec.priority);
  if (spec?.priorityClassName) page.line(0, 'Priority Class Name:', spec.priorityClassName);
  if (spec?.runtimeClassName) page.line(0, 'Runtime Class Name:', spec.runtimeClassName);
  if (spec?.serviceAccountName) page.line(0, 'Service Account:', spec.serviceAccountName);
  page.line(0, 'Node:', spec?.nodeName ? `${spec.nodeName}/${status?.hostIP ?? ''}` : '<none>');
  if (status?.startTime) page.line(0, 'Start Time:', moment(status.startTime));
  labelsAndAnnotations(page, meta);
  if (meta.deletionTimestamp && status?.phase !== 'Failed' && status?.phase !== 'Succeeded') {
    page.line(0, 'Status:', `Terminating (lasts ${since(meta.deletionTimestamp, now)})`);
    page.line(0, 'Termination Grace Period:', `${meta.deletionGracePeriodSeconds}s`);
  } else page.line(0, 'Status:', status?.phase ?? '');
  if (status?.reason) page.line(0, 'Reason:', status.reason);
  if (status?.message) page.line(0, 'Message:', status.message);
  const seccomp = spec?.securityContext?.seccompProfile;
  if (seccomp) page.line(0, 'SeccompProfile:', seccomp.type);
  if (seccomp?.type === 'Localhost') page.line(0, 'LocalhostProfile:', seccomp.localhostProfile ?? '');
  page.line(0, 'IP:', status?.podIP ?? '');
  if (!status?.podIPs?.length) page.line(0, 'IPs:', '<none>');
  else page.line(0, 'IPs:');
  for (const { ip } of status?.podIPs ?? []) page.line(1, 'IP:', ip);
  const controller = controllerOf(meta);
  if (controller) page.line(0, 'Controlled By:', controller);
  if (status?.nominatedNodeName) page.line(0, 'NominatedNodeName:', status.nominatedNodeName);
}

function conditions(page: Page, { spec, status }: V1Pod): void {
  const statusOf = (type: string): string => status?.conditions?.find((one) => one.type === type)?.status ?? '<none>';
  if (spec?.readinessGates?.length) {
    page.line(0, 'Readiness Gates:');
    page.line(1, 'Type', 'Status');
    for (const { conditionType } of spec.readinessGates)
      page.line(1, `${conditionType} `, `${statusOf(conditionType)} `);
  }
  if (!status?.conditions?.length) return;
  page.line(0, 'Conditions:');
  page.line(1, 'Type', 'Status');
  for (const condition of status.conditions) page.line(1, `${condition.type} `, `${condition.status} `);
}

export const describePod: Describer<V1Pod> = async (page, pod, around) => {
  const { metadata: meta, spec, status } = pod;
  head(page, pod, around.now);
  if (spec?.resources) {
    page.line(0, 'Resources:');
    resources(page, spec.resources, 1);
  }
  if (spec?.initContainers?.length)
    containers(page, 'Init Containers', spec.initContainers, { pod, statuses: status?.initContainerStatuses });
  containers(page, 'Containers', spec?.containers, { pod, statuses: status?.containerStatuses });
  if (spec?.ephemeralContainers?.length) {
    const all = spec.ephemeralContainers as readonly V1Container[];
    containers(page, 'Ephemeral Containers', all, { pod, statuses: status?.ephemeralContainerStatuses });
  }
  conditions(page, pod);
  volumes(page, spec?.volumes);
  page.line(0, 'QoS Class:', status?.qosClass || podQosClass(pod));
  page.list('Node-Selectors', pairs(spec?.nodeSelector));
  tolerations(page, spec?.tolerations);
  spreadConstraints(page, spec?.topologySpreadConstraints);
  // A mirror pod's events are those of the static pod, whose identity its annotation holds.
  const uid = meta.annotations?.['kubernetes.io/config.mirror'] ?? meta.uid;
  writeEvents(page, await eventsAbout({ name: meta.name, namespace: meta.namespace, uid }, around), around.now);
};
