import type { Rule } from '../../rule.ts';
import { deploymentManifest, healthyPod, waitingPod } from '../example-pods.ts';
import { missingObjects } from './missing.ts';

const spec = 'volumes: [{name: config-volume, configMap: {name: app-config}}]';
const container = 'volumeMounts: [{name: config-volume, mountPath: /etc/app}]';
const event = `---
kind: Event
on: Pod/web
reason: FailedMount
message: 'MountVolume.SetUp failed for volume "config-volume" : configmap "app-config" not found'
`;
const pod = waitingPod('ContainerCreating', '', { spec, container });
const map = (name: string): string => `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: b}\n`;

export const volumeConfigmapMissing: Rule = {
  id: 'volume-configmap-missing',
  title: 'A volume’s ConfigMap does not exist',
  phase: 'config',
  codes: ['CFG-05', 'CFG-11'],
  symptoms: ['ContainerCreating', 'FailedMount', 'MountVolume.SetUp failed for volume … configmap "…" not found'],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'The pod mounts a ConfigMap that is not in its namespace. No container starts; the status stays at `ContainerCreating` without a reason, and only events tell (for an hour).',
  tell: 'Compare the names under `spec.volumes` with the ConfigMaps of the namespace; the event `FailedMount` says the same while it lasts.',
  fix: 'Create the ConfigMap, correct the name in the pod template, or mark the volume `optional: true`.',
  sick: [
    { when: 'the event is still there', yaml: pod + event, says: 'app-config' },
    { when: 'the event has expired', yaml: pod, says: 'app-config' },
    { when: 'one of nearly that name is there', yaml: pod + map('app-cofnig'), says: 'did you mean app-cofnig' },
  ],
  healthy: [{ when: 'the ConfigMap is there', yaml: healthyPod({ spec, container }) + map('app-config') }],
  fault: {
    manifest:
      deploymentManifest({ image: 'nginx:1.27', spec: spec.replace('app-config', 'site-config'), container }) +
      map('site-configs'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check: (snapshot) => missingObjects(snapshot, { kind: 'ConfigMap', via: ['volume'], elsewhere: false }),
};
