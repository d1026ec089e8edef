import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { deploymentManifest, healthyPod, waitingPod } from '../example-pods.ts';
import { missingKeys, missingObjects } from './missing.ts';

const spec = 'volumes: [{name: all, projected: {sources: [{configMap: {name: app-config}}, {secret: {name: tls}}]}}]';
const container = 'volumeMounts: [{name: all, mountPath: /etc/app}]';
const map = '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-config}\ndata: {a: b}\n';
const secret = '---\napiVersion: v1\nkind: Secret\nmetadata: {name: tls}\nstringData: {a: b}\n';
const pod = waitingPod('ContainerCreating', '', { spec, container });

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const kind of ['ConfigMap', 'Secret'] as const)
    yield* missingObjects(snapshot, { kind, via: ['projected'], elsewhere: false });
  yield* missingKeys(snapshot, { via: ['projected'] });
}

export const projectedSourceMissing: Rule = {
  id: 'projected-source-missing',
  title: 'A source of a projected volume is missing',
  phase: 'config',
  codes: ['CFG-08'],
  symptoms: ['ContainerCreating', 'FailedMount'],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'A projected volume puts several ConfigMaps and Secrets into one directory; one of them, or one of their keys, is not there, so the pod waits at `ContainerCreating`.',
  tell: 'Compare each entry under `projected.sources` with what the namespace holds.',
  fix: 'Create what is missing, correct the name, or mark that source `optional: true`.',
  sick: [{ when: 'its Secret is not there', yaml: pod + map, says: 'Secret default/tls' }],
  healthy: [{ when: 'all sources are there', yaml: healthyPod({ spec, container }) + map + secret }],
  fault: {
    manifest: deploymentManifest({ image: 'nginx:1.27', spec, container }) + map,
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
