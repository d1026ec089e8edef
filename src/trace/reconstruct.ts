import type { CoreV1Event, V1Pod } from '../api/generated/types.ts';
import type { Span, Step } from '../api/trace.ts';

/** Where the kubelet's and other components' events belong. */
const stepOfReason: Readonly<Record<string, Step>> = {
  FailedScheduling: 'scheduler',
  Preempted: 'scheduler',
  Scheduled: 'binding',
  Pulling: 'runtime',
  Pulled: 'runtime',
  Created: 'runtime',
  Started: 'runtime',
  Killing: 'runtime',
  BackOff: 'runtime',
  Failed: 'runtime',
  FailedCreatePodSandBox: 'network',
  FailedMount: 'kubelet',
  FailedAttachVolume: 'kubelet',
  SuccessfulAttachVolume: 'kubelet',
  Unhealthy: 'status',
  Evicted: 'kubelet',
  TaintManagerEviction: 'controllers',
};

/**
 * The steps of a pod's life as far as any cluster shows them, from timestamps, conditions, events and managedFields; each mark
 * says in `attributes.source` what it is read from. Times have the resolution of their source, mostly a second. Pure.
 */
export function reconstructTrace(pod: V1Pod, events: readonly CoreV1Event[]): readonly Span[] {
  const { metadata, spec, status } = pod;
  const subject = {
    resource: 'pods',
    name: metadata?.name ?? '',
    ...(metadata?.namespace && { namespace: metadata.namespace }),
    ...(metadata?.uid && { uid: metadata.uid }),
  };
  const out: Span[] = [];
  const mark = (
    step: Step,
    what: string,
    component: string,
    time: string | undefined,
    source: string,
    error?: string,
  ): void => {
    const at = Date.parse(time ?? '');
    if (Number.isNaN(at)) return;
    out.push({ step, what, component, subject, start: at, end: at, attributes: { source }, ...(error && { error }) });
  };
  const first = [...(metadata?.managedFields ?? [])]
    .filter((it) => it.time && !it.subresource)
    .sort((a, b) => Date.parse(a.time ?? '') - Date.parse(b.time ?? ''))[0];
  if (first) {
    const verb = first.operation === 'Apply' ? 'server-side apply' : 'create';
    mark('client', verb, first.manager ?? 'unknown', first.time, `managedFields[${first.manager}]`);
  }
  for (const owner of metadata?.ownerReferences ?? []) {
    if (!owner.controller) continue;
    mark(
      'controllers',
      `created for ${owner.kind} ${owner.name}`,
      first?.manager ?? 'kube-controller-manager',
      metadata?.creationTimestamp,
      'ownerReferences',
    );
  }
  mark('apiserver', 'accept the pod', 'kube-apiserver', metadata?.creationTimestamp, 'metadata.creationTimestamp');
  mark('store', 'stored', 'kube-apiserver', metadata?.creationTimestamp, 'metadata.creationTimestamp');
  const node = spec?.nodeName ?? '';
  const kubelet = `kubelet/${node || 'unknown'}`;
  mark('kubelet', 'the kubelet takes the pod', kubelet, status?.startTime, 'status.startTime');
  for (const condition of status?.conditions ?? []) {
    const source = `condition ${condition.type}`;
    const time = condition.lastTransitionTime;
    const bad =
      condition.status === 'True' ? undefined : [condition.reason, condition.message].filter(Boolean).join(': ');
    switch (condition.type) {
      case 'PodScheduled':
        mark(
          condition.status === 'True' ? 'binding' : 'scheduler',
          condition.status === 'True' ? `bound to ${node}` : 'not scheduled',
          'kube-scheduler',
          time,
          source,
          bad,
        );
        break;
      case 'PodReadyToStartContainers':
        if (condition.status === 'True')
          mark('network', `sandbox has ${status?.podIP ?? 'an address'}`, kubelet, time, source);
        break;
      case 'Initialized':
        if (condition.status === 'True') mark('runtime', 'init containers are done', kubelet, time, source);
        break;
      case 'Ready':
        mark('status', condition.status === 'True' ? 'Ready' : 'not Ready', kubelet, time, source, bad);
        break;
      default:
        break;
    }
  }
  for (const container of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const running = container.state?.running?.startedAt;
    const ended = container.state?.terminated ?? container.lastState?.terminated;
    const source = `containerStatuses[${container.name}]`;
    mark('runtime', `container ${container.name} runs`, kubelet, running, source);
    mark('runtime', `container ${container.name} started`, kubelet, ended?.startedAt, source);
    mark(
      'runtime',
      `container ${container.name} ended with ${ended?.exitCode}`,
      kubelet,
      ended?.finishedAt,
      source,
      ended && ended.exitCode !== 0 ? ended.reason : undefined,
    );
  }
  for (const event of events) {
    const ours = event.involvedObject.uid
      ? event.involvedObject.uid === metadata?.uid
      : event.involvedObject.name === metadata?.name;
    if (!ours) continue;
    const step = stepOfReason[event.reason ?? ''] ?? (event.type === 'Warning' ? 'kubelet' : undefined);
    if (!step) continue;
    const times = event.count && event.count > 1 ? ` (${event.count} times)` : '';
    mark(
      step,
      `${event.reason}${times}: ${event.message ?? ''}`,
      event.source?.component || event.reportingComponent || 'unknown',
      event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp,
      'event',
      event.type === 'Warning' ? (event.reason ?? 'Warning') : undefined,
    );
  }
  return out.sort((a, b) => a.start - b.start);
}
