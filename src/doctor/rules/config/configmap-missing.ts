import type { Rule } from '../../rule.ts';
import { missingObjects } from './missing.ts';

const pod = `
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
  containers:
  - name: app
    image: nginx:1.27
    envFrom: [{configMapRef: {name: app-config}}]
status:
  phase: Pending
  containerStatuses:
  - name: app
    ready: false
    restartCount: 0
    state: {waiting: {reason: CreateContainerConfigError, message: 'configmap "app-config" not found'}}
`;

export const configmapMissing: Rule = {
  id: 'configmap-missing',
  title: 'A ConfigMap that the environment needs does not exist',
  phase: 'config',
  codes: ['CFG-01'],
  symptoms: ['CreateContainerConfigError', 'configmap "…" not found'],
  severity: 'error',
  lint: 'set',
  rank: 90,
  meaning:
    'The container takes environment variables from a ConfigMap (`envFrom` or `valueFrom.configMapKeyRef`) that is not in its namespace. The kubelet does not start the container and tries again until the ConfigMap is there.',
  tell: 'The status says `CreateContainerConfigError` with `configmap "NAME" not found`. A ConfigMap missing from a *volume* looks different: the pod stays at `ContainerCreating` and only an event tells.',
  fix: 'Create the ConfigMap, correct the name in the pod template, or mark the reference `optional: true`.',
  sick: [
    { when: 'the ConfigMap is not there', yaml: pod, says: 'app-config' },
    {
      when: 'one of nearly that name is there',
      yaml: `${pod}---\nkind: ConfigMap\nmetadata: {name: app-configuration}\ndata: {A: b}\n`,
      says: 'did you mean app-configuration',
    },
    {
      when: 'the manifests to be applied lack it',
      stage: 'manifests',
      yaml: `
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: nginx:1.27
        env: [{name: HOST, valueFrom: {configMapKeyRef: {name: app-config, key: host}}}]
`,
      says: 'app-config',
    },
  ],
  healthy: [
    {
      when: 'the ConfigMap has been made since; the kubelet will find it',
      yaml: `${pod}---\nkind: ConfigMap\nmetadata: {name: app-config}\ndata: {A: b}\n`,
    },
  ],
  fault: {
    manifest: `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: nginx:1.27
        envFrom: [{configMapRef: {name: greeting-config}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting-configuration}
data: {GREETING: hello}
`,
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check: (snapshot) => missingObjects(snapshot, { kind: 'ConfigMap', via: ['env', 'envFrom'], elsewhere: false }),
};
