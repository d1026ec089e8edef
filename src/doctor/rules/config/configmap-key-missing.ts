import type { Rule } from '../../rule.ts';
import { deploymentManifest, healthyPod, waitingPod } from '../example-pods.ts';
import { missingKeys } from './missing.ts';

const container = 'env: [{name: DB_HOST, valueFrom: {configMapKeyRef: {name: web-config, key: DB_HOST}}}]';
const map = (key: string): string => `---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-config}
data: {${key}: db, LOG_LEVEL: info}
`;
const pod = waitingPod('CreateContainerConfigError', "couldn't find key DB_HOST in ConfigMap default/web-config", {
  container,
});

export const configmapKeyMissing: Rule = {
  id: 'configmap-key-missing',
  title: 'The ConfigMap has no such key',
  phase: 'config',
  codes: ['CFG-03'],
  symptoms: ['CreateContainerConfigError', "couldn't find key … in ConfigMap …"],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'The ConfigMap is there, but not the key that an environment variable asks for. Keys are compared letter by letter, capitals included.',
  tell: "The status says `couldn't find key KEY in ConfigMap NAMESPACE/NAME`.",
  fix: 'Add the key, ask for the one that is there, or mark the reference `optional: true`.',
  sick: [
    { when: 'no key is alike', yaml: pod + map('PORT'), says: 'DB_HOST' },
    { when: 'the key is written otherwise', yaml: pod + map('db_host'), says: 'did you mean db_host' },
    {
      when: 'the manifests to be applied do not fit',
      stage: 'manifests',
      yaml: deploymentManifest({ container }) + map('db-host'),
      says: 'did you mean db-host',
    },
  ],
  healthy: [{ when: 'the key is there', yaml: healthyPod({ container }) + map('DB_HOST') }],
  fault: {
    manifest: deploymentManifest({ image: 'nginx:1.27', container }) + map('db_host'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check: (snapshot) => missingKeys(snapshot, { kind: 'ConfigMap', via: ['env'] }),
};
