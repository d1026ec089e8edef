import type { Rule } from '../../rule.ts';
import { deploymentManifest, healthyPod, waitingPod } from '../example-pods.ts';
import { missingObjects } from './missing.ts';

const container = 'env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: database-secret, key: password}}}]';
const near = `---
kind: Secret
metadata: {name: database-secrets}
stringData: {password: x}
`;
const pod = waitingPod('CreateContainerConfigError', 'secret "database-secret" not found', { container });

export const secretMissing: Rule = {
  id: 'secret-missing',
  title: 'A Secret that the environment needs does not exist',
  phase: 'config',
  codes: ['CFG-02'],
  symptoms: ['CreateContainerConfigError', 'secret "…" not found'],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'The container takes environment variables from a Secret (`envFrom` or `valueFrom.secretKeyRef`) that is not in its namespace. The kubelet does not start the container and tries again until the Secret is there.',
  tell: 'The status says `CreateContainerConfigError` with `secret "NAME" not found`. Only names and keys of Secrets are ever looked at, never values.',
  fix: 'Create the Secret, correct the name in the pod template, or mark the reference `optional: true`.',
  sick: [
    { when: 'the Secret is not there', yaml: pod, says: 'database-secret' },
    { when: 'one of nearly that name is there', yaml: pod + near, says: 'did you mean database-secrets' },
    {
      when: 'Secrets may not be read, but the kubelet says it',
      yaml: `${pod}---\nkind: Unseen\nresource: secrets\n`,
      says: 'database-secret',
    },
  ],
  healthy: [
    { when: 'the Secret is there', yaml: `${healthyPod({ container })}${near.replace('secrets}', 'secret}')}` },
  ],
  fault: {
    manifest: deploymentManifest({ image: 'nginx:1.27', container }) + near.replace('kind', 'apiVersion: v1\nkind'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check: (snapshot) => missingObjects(snapshot, { kind: 'Secret', via: ['env', 'envFrom'], elsewhere: false }),
};
