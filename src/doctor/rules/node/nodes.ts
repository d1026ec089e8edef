import { nodes } from '../../../api/generated/resources.ts';
import type { V1Node, V1NodeCondition } from '../../../api/generated/types.ts';
import { fromCondition } from '../../evidence.ts';
import type { Claim, Evidence } from '../../finding.ts';
import { keyOf, type Reference } from '../../reference.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

export interface NodeView {
  readonly node: V1Node;
  readonly name: string;
  readonly ref: Reference;
  readonly ready: V1NodeCondition | undefined;
}

export const nodeRef = (name: string): Reference => ({ kind: 'Node', name });

export function* nodesOf(snapshot: Snapshot): Iterable<NodeView> {
  if (snapshot.stage === 'manifests') return;
  for (const node of snapshot.all(nodes)) {
    const name = node.metadata?.name ?? '';
    yield { node, name, ref: nodeRef(name), ready: node.status?.conditions?.find((it) => it.type === 'Ready') };
  }
}

/** The pods of a node whose trouble the node explains: all that are not well there. */
export function sufferers(snapshot: Snapshot, node: string): readonly Reference[] {
  const troubled = new Set(snapshot.troubled.map((it) => keyOf(it.ref)));
  return snapshot
    .podsOn(node)
    .filter((it) => troubled.has(keyOf(it.ref)))
    .map((it) => it.ref);
}

/** A condition of a node as evidence. */
export const nodeCondition = (ref: Reference, condition: V1NodeCondition): Evidence =>
  fromCondition(
    ref,
    condition.type,
    `${condition.type}=${condition.status} (${condition.reason}): ${condition.message ?? ''}`,
  );

/** What claims about a node have in common: it explains its pods. */
export const nodeClaim = (
  snapshot: Snapshot,
  it: NodeView,
  rest: Pick<Claim, 'says' | 'evidence' | 'remedy'> & Partial<Claim>,
): Claim => ({
  subject: it.ref,
  explains: sufferers(snapshot, it.name),
  ...rest,
  remedy: { verify: `kubectl get node ${it.name}`, ...rest.remedy },
});

/** Evicted pods, with the kubelet's words. */
export function* evictedPods(
  snapshot: Snapshot,
  pattern: RegExp,
): Iterable<{ readonly pod: PodFacts; readonly match: RegExpExecArray; readonly message: string }> {
  for (const pod of snapshot.troubled) {
    const { phase, reason, message = '' } = pod.pod.status ?? {};
    const match = phase === 'Failed' && reason === 'Evicted' ? pattern.exec(message) : null;
    if (match) yield { pod, match, message };
  }
}

/** The YAML of a node that is ill. */
export const nodeExample = (
  ready: string,
  more: { readonly conditions?: string; readonly spec?: string; readonly name?: string; readonly info?: string } = {},
): string => `
---
kind: Node
metadata: {name: ${more.name ?? 'n1'}}
spec: {${more.spec ?? ''}}
status:
  allocatable: {cpu: "4", memory: 8Gi, pods: "110"}
  capacity: {cpu: "4", memory: 8Gi, pods: "110"}
  nodeInfo: {architecture: amd64, operatingSystem: linux, kubeletVersion: v1.33.0${more.info ?? ''}}
  conditions:
  - {type: Ready, ${ready}, lastHeartbeatTime: "2026-01-01T11:50:00Z"}
${more.conditions ?? ''}
`;

export const evictedExample = (message: string, spec = ''): string => `
---
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
${spec}
  containers: [{name: app, image: nginx:1.27}]
status: {phase: Failed, reason: Evicted, message: ${JSON.stringify(message)}}
`;
