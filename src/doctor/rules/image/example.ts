/** The YAML of a pod that waits for its image; `message` is what the runtime said. */
export function pullExample(
  image: string,
  message: string,
  more: { readonly spec?: string; readonly reason?: string; readonly name?: string; readonly bare?: boolean } = {},
): string {
  const { reason = 'ImagePullBackOff', name = 'web', spec = '', bare } = more;
  const waiting = bare ? message : `Back-off pulling image "${image}": ErrImagePull: ${message}`;
  return `
kind: Pod
metadata: {name: ${name}}
spec:
  nodeName: n1
  containers:
  - {name: app, image: ${JSON.stringify(image)}}
${spec}
status:
  phase: Pending
  containerStatuses:
  - name: app
    image: ${JSON.stringify(image)}
    imageID: ""
    ready: false
    restartCount: 0
    state: {waiting: {reason: ${reason}, message: ${JSON.stringify(waiting)}}}
`;
}

/** containerd's words before the registry's own. */
export const resolving = (full: string, code: string, rest: string): string =>
  `rpc error: code = ${code} desc = failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${rest}`;

/** A Deployment's manifest with one container of that image, for faults. */
export const imageFault = (image: string, more = ''): string => `
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
        image: ${JSON.stringify(image)}
${more}`;

/** A healthy pod of that image: what makes a tag known to the cluster. */
export const runningPod = (name: string, image: string): string => `
---
kind: Pod
metadata: {name: ${name}}
spec: {nodeName: n1, containers: [{name: app, image: ${JSON.stringify(image)}}]}
status:
  phase: Running
  conditions: [{type: Ready, status: "True"}]
  containerStatuses:
  - {name: app, image: ${JSON.stringify(image)}, imageID: sha256:1, ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:50:05Z"}}}
`;
