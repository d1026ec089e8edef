import type { Rule } from '../../rule.ts';
import { deploymentManifest, healthyPod, waitingPod } from '../example-pods.ts';
import { missingKeys } from './missing.ts';

const container = 'env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]';
const secret = (key: string): string => `---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {${key}: x, username: y}
`;
const pod = waitingPod('CreateContainerConfigError', "couldn't find key password in Secret default/db", { container });

export const secretKeyMissing: Rule = {
  id: 'secret-key-missing',
  title: 'The Secret has no such key',
  phase: 'config',
  codes: ['CFG-04'],
  symptoms: ['CreateContainerConfigError', "couldn't find key … in Secret …"],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'The Secret is there, but not the key that an environment variable asks for. Keys are compared letter by letter, capitals included.',
  tell: "The status says `couldn't find key KEY in Secret NAMESPACE/NAME`.",
  fix: 'Add the key, ask for the one that is there, or mark the reference `optional: true`.',
  sick: [
    { when: 'the key is written otherwise', yaml: pod + secret('PASSWORD'), says: 'did you mean PASSWORD' },
    {
      when: 'Secrets may not be read, but the kubelet says it',
      yaml: `${pod}---\nkind: Unseen\nresource: secrets\n`,
      says: 'password',
    },
  ],
  healthy: [{ when: 'the key is there', yaml: healthyPod({ container }) + secret('password') }],
  fault: {
    manifest: deploymentManifest({ image: 'nginx:1.27', container }) + secret('PASSWORD'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check: (snapshot) => missingKeys(snapshot, { kind: 'Secret', via: ['env'] }),
};
