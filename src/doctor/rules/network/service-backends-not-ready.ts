import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { backendExample, isReady, serviceExample, servicesOf } from './services.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'manifests') return;
  for (const view of servicesOf(snapshot)) {
    if (view.backends.length === 0 || view.backends.some(isReady) || view.service.spec?.publishNotReadyAddresses)
      continue;
    yield {
      subject: view.ref,
      says: `The Service ${view.ref.name} answers nobody: none of the ${view.backends.length} pod${view.backends.length === 1 ? '' : 's'} behind it is ready.`,
      evidence: view.backends
        .slice(0, 5)
        .map((it) => computed(it.ref, `${it.ref.name}: ${it.pod.status?.phase ?? 'Pending'}, not ready`)),
      because: view.backends.map((it) => it.ref),
      rank: 5,
      remedy: {
        says: 'Repair the pods; the Service follows by itself.',
        commands: [`kubectl get pods -n ${view.namespace} -o wide`],
        verify: `kubectl get endpointslices -n ${view.namespace} -l kubernetes.io/service-name=${view.ref.name}`,
      },
    };
  }
}

export const serviceBackendsNotReady: Rule = {
  id: 'service-backends-not-ready',
  title: 'No pod behind the Service is ready',
  phase: 'network',
  codes: ['NET-02'],
  symptoms: ['connection refused', 'no ready endpoints'],
  severity: 'error',
  lint: 'never',
  rank: 5,
  meaning: 'Pods that are not ready get no traffic. With none ready, connections to the Service are refused.',
  tell: 'The EndpointSlice lists addresses with `ready: false`.',
  fix: 'What keeps the pods from being ready is the cause.',
  sick: [
    {
      when: 'its only pod is not ready',
      yaml:
        backendExample('web-1', '{app: web}', { ready: false }) +
        serviceExample('web', 'selector: {app: web}, ports: [{port: 80}]'),
      says: 'none of the 1 pod',
    },
  ],
  healthy: [],
  check,
};
