/** The end of what kube-scheduler says when preemption cannot help. */
const tail = (nodes: number): string =>
  `preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`;

/** kube-scheduler's sentence about so many nodes. */
export const noneOf = (nodes: number, ...reasons: readonly string[]): string =>
  `0/${nodes} nodes are available: ${reasons.join(', ')}. ${tail(nodes)}`;

/** A pod that waits for a node. `spec` are further lines of its spec, `container` further fields of its container. */
export function pendingExample(
  message: string,
  more: { readonly spec?: string; readonly container?: string; readonly name?: string; readonly labels?: string } = {},
): string {
  const { spec = '', container = '', name = 'web', labels = '{app: web}' } = more;
  return `
---
kind: Pod
metadata: {name: ${name}, labels: ${labels}}
spec:
${spec}
  containers:
  - name: app
    image: nginx:1.27
${container}
status:
  phase: Pending
  conditions:
  - {type: PodScheduled, status: "False", reason: Unschedulable, message: ${JSON.stringify(message)}}
`;
}

/** A node, ready unless told otherwise. */
export function nodeExample(
  name: string,
  more: {
    readonly labels?: string;
    readonly taints?: string;
    readonly allocatable?: string;
    readonly unschedulable?: boolean;
  } = {},
): string {
  const {
    labels = '',
    taints = '[]',
    allocatable = 'cpu: "4", memory: 8Gi, pods: "110", ephemeral-storage: 50Gi',
  } = more;
  return `
---
kind: Node
metadata: {name: ${name}, labels: {kubernetes.io/hostname: ${name}, kubernetes.io/os: linux, kubernetes.io/arch: amd64${labels && `, ${labels}`}}}
spec: {taints: ${taints}${more.unschedulable ? ', unschedulable: true' : ''}}
status:
  allocatable: {${allocatable}}
  conditions: [{type: Ready, status: "True", reason: KubeletReady, lastHeartbeatTime: "2026-01-01T11:59:50Z"}]
`;
}

/** A pod that runs on a node and asks for resources there. */
export const placedExample = (
  name: string,
  node: string,
  requests: string,
  more: { readonly spec?: string; readonly labels?: string; readonly ports?: string } = {},
): string => `
---
kind: Pod
metadata: {name: ${name}, labels: ${more.labels ?? '{app: other}'}}
spec:
  nodeName: ${node}
${more.spec ?? ''}
  containers: [{name: app, image: nginx:1.27, resources: {requests: {${requests}}}${more.ports ? `, ports: ${more.ports}` : ''}}]
status:
  phase: Running
  conditions: [{type: Ready, status: "True"}]
  containerStatuses:
  - {name: app, image: nginx:1.27, ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:50:05Z"}}}
`;

/** A Deployment for faults, with further lines of the pod spec and of the container. */
export const placementFault = (spec: string, container = '', replicas = 1): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
${spec}
      containers:
      - name: app
        image: nginx:1.27
${container}
`;
