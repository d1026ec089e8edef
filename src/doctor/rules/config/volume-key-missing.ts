import type { Rule } from '../../rule.ts';
import { deploymentManifest, healthyPod, waitingPod } from '../example-pods.ts';
import { missingKeys } from './missing.ts';

const spec = 'volumes: [{name: config, configMap: {name: app-config, items: [{key: app.yml, path: app.yaml}]}}]';
const container = 'volumeMounts: [{name: config, mountPath: /etc/app}]';
const map = (key: string): string =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-config}\ndata: {${key}: "a: b"}\n`;
const pod = waitingPod('ContainerCreating', '', { spec, container });
const event = `---
kind: Event
on: Pod/web
reason: FailedMount
message: 'MountVolume.SetUp failed for volume "config" : configmap references non-existent config key: app.yml'
`;

export const volumeKeyMissing: Rule = {
  id: 'volume-key-missing',
  title: 'A volume asks for a key that is not there',
  phase: 'config',
  codes: ['CFG-07'],
  symptoms: [
    'ContainerCreating',
    'FailedMount',
    'references non-existent config key',
    'references non-existent secret key',
  ],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'Under `items`, a ConfigMap or Secret volume names the keys that become files. One of them is not in the object, so the whole volume cannot be set up.',
  tell: 'Compare `items[].key` with the keys of the object; the event `FailedMount` says the same while it lasts.',
  fix: 'Correct the key under `items`, add it to the object, or leave `items` out to get all keys.',
  sick: [
    { when: 'the key is written otherwise', yaml: pod + event + map('app.yaml'), says: 'did you mean app.yaml' },
    { when: 'the event has expired', yaml: pod + map('settings.json'), says: 'app.yml' },
  ],
  healthy: [{ when: 'the key is there', yaml: healthyPod({ spec, container }) + map('app.yml') }],
  fault: {
    manifest: deploymentManifest({ image: 'nginx:1.27', spec, container }) + map('app.yaml'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check: (snapshot) => missingKeys(snapshot, { via: ['volume'] }),
};
