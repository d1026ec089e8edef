import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { healthyPod, waitingPod } from '../example-pods.ts';
import { missingObjects } from './missing.ts';

const container = 'envFrom: [{configMapRef: {name: app-config}}]';
const map = (namespace: string): string =>
  `---\nkind: ConfigMap\nmetadata: {name: app-config, namespace: ${namespace}}\ndata: {a: b}\n`;
const pod = waitingPod('CreateContainerConfigError', 'configmap "app-config" not found', { container });

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const kind of ['ConfigMap', 'Secret'] as const)
    yield* missingObjects(snapshot, { kind, via: ['env', 'envFrom', 'volume', 'projected'], elsewhere: true });
}

export const configInOtherNamespace: Rule = {
  id: 'config-in-other-namespace',
  title: 'The ConfigMap or Secret is in another namespace',
  phase: 'config',
  codes: ['CFG-09'],
  symptoms: ['CreateContainerConfigError', 'FailedMount', 'not found'],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'An object of that kind and name exists, but in another namespace. A pod can use only ConfigMaps and Secrets of its own namespace.',
  tell: 'The same message as for an object that exists nowhere; `kubectl get configmap -A` shows where it is.',
  fix: 'Copy the object into the pod’s namespace, or move the pod.',
  sick: [{ when: 'it exists in another namespace', yaml: pod + map('shared'), says: 'it exists in namespace shared' }],
  healthy: [{ when: 'it is in both', yaml: healthyPod({ container }) + map('shared') + map('default') }],
  check,
};
