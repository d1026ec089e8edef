/** A pod whose container waits or has ended with a message of the runtime. */
export function startExample(more: {
  readonly reason: string;
  readonly message: string;
  readonly container?: string;
  readonly spec?: string;
  readonly exitCode?: number;
  readonly ended?: boolean;
}): string {
  const { reason, message, container = '', spec = '', exitCode = 128, ended = false } = more;
  const terminated = `{exitCode: ${exitCode}, reason: ${reason}, message: ${JSON.stringify(message)}, startedAt: "1970-01-01T00:00:00Z", finishedAt: "2026-01-01T11:59:30Z"}`;
  const state = ended
    ? `state: {waiting: {reason: CrashLoopBackOff, message: "back-off 40s restarting failed container=app pod=web_default(1)"}}
    lastState: {terminated: ${terminated}}`
    : `state: {waiting: {reason: ${reason}, message: ${JSON.stringify(message)}}}`;
  return `
---
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
${spec}
  containers:
  - name: app
    image: nginx:1.27
${container}
status:
  phase: ${ended ? 'Running' : 'Pending'}
  containerStatuses:
  - name: app
    image: nginx:1.27
    imageID: sha256:1
    ready: false
    restartCount: ${ended ? 3 : 0}
    ${state}
`;
}

/** runc's words around the reason. */
export const runc = (reason: string): string =>
  `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${reason}: unknown`;

/** A pod that waits for its sandbox or its volumes, with the event that tells of it. */
export const creatingExample = (reason: string, message: string, spec = ''): string => `
---
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
${spec}
  containers: [{name: app, image: nginx:1.27}]
status:
  phase: Pending
  containerStatuses:
  - {name: app, image: nginx:1.27, ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}
---
kind: Event
on: Pod/web
reason: ${reason}
message: ${JSON.stringify(message)}
`;

/** A pod that the kubelet refused. */
export const refusedExample = (reason: string, message: string, spec = ''): string => `
---
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
${spec}
  containers: [{name: app, image: nginx:1.27}]
status: {phase: Failed, reason: ${reason}, message: ${JSON.stringify(message)}}
`;

/** A Deployment for faults: further lines of the pod spec and of the container. */
export const startFault = (container: string, spec = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
${spec}
      containers:
      - name: app
        image: busybox:1.36
${container}
`;
