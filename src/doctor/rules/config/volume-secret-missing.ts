import type { Rule } from '../../rule.ts';
import { deploymentManifest, healthyPod, waitingPod } from '../example-pods.ts';
import { missingObjects } from './missing.ts';

const spec = 'volumes: [{name: config-volume, secret: {secretName: app-config}}]';
const container = 'volumeMounts: [{name: config-volume, mountPath: /etc/app}]';
const event = `---
kind: Event
on: Pod/web
reason: FailedMount
message: 'MountVolume.SetUp failed for volume "config-volume" : secret "app-config" not found'
`;
const pod = waitingPod('ContainerCreating', '', { spec, container });
const map = (name: string): string =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: ${name}}\nstringData: {a: b}\n`;

export const volumeSecretMissing: Rule = {
  id: 'volume-secret-missing',
  title: 'A volume’s Secret does not exist',
  phase: 'config',
  codes: ['CFG-06', 'CFG-11'],
  symptoms: ['ContainerCreating', 'FailedMount', 'MountVolume.SetUp failed for volume … secret "…" not found'],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'The pod mounts a Secret that is not in its namespace. No container starts; the status stays at `ContainerCreating` without a reason, and only events tell (for an hour).',
  tell: 'Compare the names under `spec.volumes` with the Secrets of the namespace; the event `FailedMount` says the same while it lasts.',
  fix: 'Create the Secret, correct the name in the pod template, or mark the volume `optional: true`.',
  sick: [
    { when: 'the event is still there', yaml: pod + event, says: 'app-config' },
    { when: 'the event has expired', yaml: pod, says: 'app-config' },
    { when: 'one of nearly that name is there', yaml: pod + map('app-cofnig'), says: 'did you mean app-cofnig' },
  ],
  healthy: [{ when: 'the Secret is there', yaml: healthyPod({ spec, container }) + map('app-config') }],
  fault: {
    manifest: deploymentManifest({ image: 'nginx:1.27', spec, container }) + map('app-configs'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check: (snapshot) => missingObjects(snapshot, { kind: 'Secret', via: ['volume'], elsewhere: false }),
};
