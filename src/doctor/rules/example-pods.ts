/** Small pods in YAML for the examples of many rules; names are web, container app, node n1. */

/** Indents a block of YAML. */
const indent = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? line : ' '.repeat(by) + line))
    .join('\n');

interface Shape {
  /** Fields of the container besides name and image, as YAML at column 0. */
  readonly container?: string;
  /** Fields of the pod's spec, as YAML at column 0. */
  readonly spec?: string;
  readonly image?: string;
  readonly owner?: string;
  readonly name?: string;
}

function head({ container = '', spec = '', image = 'acme/shop:2', owner, name = 'web' }: Shape): string {
  return `
---
kind: Pod
${owner ? `owner: ${owner}\n` : ''}metadata: {name: ${name}}
spec:
  nodeName: n1
${indent(spec.trim(), 2)}
  containers:
  - name: app
    image: ${JSON.stringify(image)}
${indent(container.trim(), 4)}
`;
}

const status = (image: string, more: string): string =>
  `{name: app, image: ${JSON.stringify(image)}, imageID: "sha256:1", ${more}}`;

/** Its container waits for this reason. */
export function waitingPod(reason: string, message: string, shape: Shape = {}): string {
  const waiting = `{reason: ${reason}${message ? `, message: ${JSON.stringify(message)}` : ''}}`;
  return `${head(shape)}status:
  phase: Pending
  conditions: [{type: Ready, status: "False"}]
  containerStatuses:
  - ${status(shape.image ?? 'acme/shop:2', `ready: false, restartCount: 0, state: {waiting: ${waiting}}`)}
`;
}

export interface Crash extends Shape {
  readonly exit: number;
  /** `Error`, `OOMKilled`, `Completed`, … */
  readonly reason?: string;
  readonly message?: string;
  /** What its last run wrote; absent: no log could be read. */
  readonly log?: string;
  /** Seconds that its last run took; default 2. */
  readonly ran?: number;
  readonly restarts?: number;
}

/** Its container crashes again and again; this is its last end. */
export function crashingPod(crash: Crash): string {
  const { exit, reason = 'Error', message, log, ran = 2, restarts = 5, name = 'web' } = crash;
  const started = new Date(Date.parse('2026-01-01T11:59:00Z') - ran * 1000).toISOString();
  const ended = `{reason: ${reason}, exitCode: ${exit}, startedAt: "${started}", finishedAt: "2026-01-01T11:59:00Z"${message ? `, message: ${JSON.stringify(message)}` : ''}}`;
  return `${head(crash)}status:
  phase: Running
  conditions: [{type: Ready, status: "False"}]
  containerStatuses:
  - ${status(crash.image ?? 'acme/shop:2', `ready: false, restartCount: ${restarts}, state: {waiting: {reason: CrashLoopBackOff, message: "back-off 2m40s restarting failed container=app pod=web_default(uid)"}}, lastState: {terminated: ${ended}}`)}
${log === undefined ? '' : logDocument(log, name)}`;
}

const logDocument = (log: string, pod: string): string =>
  `---\nkind: Log\npod: ${pod}\ncontainer: app\nprevious: true\ntext: ${JSON.stringify(log)}\n`;

/** It runs and is ready. */
export function healthyPod(shape: Shape = {}): string {
  return `${head(shape)}status:
  phase: Running
  conditions: [{type: Ready, status: "True"}]
  containerStatuses:
  - ${status(shape.image ?? 'acme/shop:2', 'ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:50:05Z"}}')}
`;
}

/** A Deployment's manifest with one container, for faults and the manifest stage. Blocks as in `Shape`. */
export function deploymentManifest({ container = '', spec = '', image = 'busybox:1.36' }: Shape): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
${indent(spec.trim(), 6)}
      containers:
      - name: app
        image: ${JSON.stringify(image)}
${indent(container.trim(), 8)}
`;
}
