import { deployments, statefulsets } from '../../../api/generated/resources.ts';
import { matchesLabels, requirementsOfMap } from '../../../api/label-selector.ts';
import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { edit } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import {
  backendExample,
  type ServiceView,
  serviceExample,
  serviceFault,
  servicesOf,
  showSelector,
} from './services.ts';

/** The label that differs in the pods that come nearest: all others fit. */
function nearMiss(
  snapshot: Snapshot,
  view: ServiceView,
): { readonly key: string; readonly wants: string; readonly has: string; readonly pod: string } | undefined {
  const entries = Object.entries(view.selector);
  for (const pod of snapshot.podsIn(view.namespace)) {
    const labels = pod.pod.metadata?.labels ?? {};
    const wrong = entries.filter(([key, value]) => labels[key] !== value);
    const [key, wants] = wrong[0] ?? [];
    if (wrong.length !== 1 || key === undefined || wants === undefined) continue;
    const has = labels[key];
    if (has === undefined) continue;
    if (entries.length > 1 || nearestOne(wants, [has]) !== undefined) return { key, wants, has, pod: pod.ref.name };
  }
  return undefined;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const view of servicesOf(snapshot)) {
    if (view.backends.length > 0) continue;
    const wanted = requirementsOfMap(view.selector);
    const owners = [...snapshot.in(deployments, view.namespace), ...snapshot.in(statefulsets, view.namespace)].filter(
      (it) => matchesLabels(wanted, it.spec?.template?.metadata?.labels),
    );
    const asleep = owners.find((it) => it.spec?.replicas === 0);
    // Its pods are on their way, or cannot be made: the workload's own finding says why.
    if (owners.length > 0 && !asleep) continue;
    const miss = nearMiss(snapshot, view);
    const change = miss
      ? edit(view.ref, view.service, [{ path: ['spec', 'selector', miss.key], value: miss.has }])
      : undefined;
    yield {
      subject: view.ref,
      says: asleep
        ? `The Service ${view.ref.name} has nobody behind it, since ${asleep.kind ?? 'its workload'} ${asleep.metadata?.name} is scaled to zero.`
        : `The Service ${view.ref.name} selects ${showSelector(view.selector)}, and no pod has these labels${miss ? `: ${miss.pod} has ${miss.key}=${miss.has}` : ''}.`,
      evidence: [
        fromSpec(view.ref, `selector: ${showSelector(view.selector)}`, 'spec.selector'),
        computed(view.ref, 'it has no endpoints'),
      ],
      severity: asleep ? 'info' : miss ? 'error' : 'warning',
      field: { object: view.ref, path: 'spec.selector' },
      remedy: {
        says: asleep
          ? 'Scale it up.'
          : miss
            ? `Write ${miss.key}: ${miss.has}.`
            : 'Correct the selector, or deploy the pods.',
        commands: asleep
          ? [
              `kubectl scale ${(asleep.kind ?? 'deployment').toLowerCase()}/${asleep.metadata?.name} -n ${view.namespace} --replicas=1`,
            ]
          : [`kubectl get pods -n ${view.namespace} --show-labels`],
        ...(change && { actions: [change] }),
        verify: `kubectl get endpointslices -n ${view.namespace} -l kubernetes.io/service-name=${view.ref.name}`,
      },
    };
  }
}

export const serviceSelectsNothing: Rule = {
  id: 'service-selects-nothing',
  title: 'The Service selects no pod',
  phase: 'network',
  codes: ['NET-01', 'CTL-06'],
  symptoms: ['connection refused', 'no endpoints', '<none>'],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'A Service finds its pods by labels alone. Its selector asks for labels that no pod has, so it has no endpoints, and connections to it are refused or time out.',
  tell: '`kubectl get endpointslices` shows no address; compare the selector with `kubectl get pods --show-labels`.',
  fix: 'Correct the selector of the Service, or the labels of the pod template.',
  sick: [
    {
      when: 'the value of a label is misspelt',
      yaml: backendExample('web-1', '{app: web}') + serviceExample('web', 'selector: {app: wbe}, ports: [{port: 80}]'),
      says: 'web-1 has app=web',
    },
    {
      when: 'one of two labels differs',
      yaml:
        backendExample('web-1', '{app: web, version: v1}') +
        serviceExample('web', 'selector: {app: web, version: v2}, ports: [{port: 80}]'),
      says: 'version=v1',
    },
  ],
  healthy: [
    {
      when: 'a pod has the labels',
      yaml: backendExample('web-1', '{app: web}') + serviceExample('web', 'selector: {app: web}, ports: [{port: 80}]'),
    },
  ],
  fault: {
    manifest: serviceFault('selector: {app: wbe}, ports: [{port: 80}]'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
