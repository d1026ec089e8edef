import { daemonsets, deployments, jobs, replicasets, statefulsets } from '../../../api/generated/resources.ts';
import type { KubeObject } from '../../../api/resource.ts';
import { fromCondition, fromEvent } from '../../evidence.ts';
import type { Claim, Evidence, Field, Remedy } from '../../finding.ts';
import { type Reference, referenceOf } from '../../reference.ts';
import type { Rule } from '../../rule.ts';
import { eventTime, type Snapshot } from '../../snapshot/snapshot.ts';

/** A controller that may not create its pods, with the API server's words. */
export interface Refused {
  readonly snapshot: Snapshot;
  /** What people edit: the Deployment rather than its ReplicaSet. */
  readonly workload: Reference;
  readonly namespace: string;
  readonly message: string;
  readonly evidence: Evidence;
}

/** A refusal older than this, with no condition that lasts, is history (milliseconds). */
const staleMs = 15 * 60_000;

/** Every workload whose pods are refused now: by condition `ReplicaFailure`, else by an event that no later success follows. */
export function* refusals(snapshot: Snapshot): Iterable<Refused> {
  if (snapshot.stage === 'manifests') return;
  const told = new Set<string>();
  for (const it of snapshot.all(deployments)) {
    const condition = it.status?.conditions?.find((c) => c.type === 'ReplicaFailure' && c.status === 'True');
    if (!condition?.message) continue;
    const workload = { ...referenceOf(it), kind: 'Deployment' };
    told.add(`${workload.namespace}/${workload.name}`);
    yield {
      snapshot,
      workload,
      namespace: workload.namespace ?? 'default',
      message: condition.message,
      evidence: fromCondition(workload, 'ReplicaFailure', condition.message),
    };
  }
  const others: readonly (readonly [string, readonly KubeObject[]])[] = [
    ['ReplicaSet', snapshot.all(replicasets)],
    ['StatefulSet', snapshot.all(statefulsets)],
    ['DaemonSet', snapshot.all(daemonsets)],
    ['Job', snapshot.all(jobs)],
  ];
  for (const [kind, items] of others)
    for (const it of items) {
      const ref = { ...referenceOf(it), kind };
      const events = snapshot.events(ref, it.metadata?.uid);
      const event = events.find((e) => e.reason === 'FailedCreate');
      const later = events.find((e) => e.reason === 'SuccessfulCreate');
      if (!event?.message || snapshot.now - (eventTime(event) ?? 0) > staleMs) continue;
      if (later && (eventTime(later) ?? 0) > (eventTime(event) ?? 0)) continue;
      const owner = it.metadata?.ownerReferences?.find((o) => o.controller);
      const workload = owner ? { kind: owner.kind, namespace: ref.namespace ?? 'default', name: owner.name } : ref;
      if (told.has(`${workload.namespace}/${workload.name}`)) continue;
      told.add(`${workload.namespace}/${workload.name}`);
      yield {
        snapshot,
        workload,
        namespace: ref.namespace ?? 'default',
        message: event.message,
        evidence: fromEvent(event),
      };
    }
}

export interface RefusalReading {
  readonly says: string;
  readonly remedy: Remedy;
  readonly evidence?: readonly Evidence[];
  readonly field?: Field;
  readonly cause?: string;
}

type Described = Omit<Rule, 'check' | 'severity' | 'phase' | 'rank' | 'lint' | 'healthy'> &
  Partial<Pick<Rule, 'healthy' | 'rank'>>;

/** A rule that recognises why pods are refused. */
export function refusalRule(
  described: Described,
  pattern: RegExp,
  read: (it: Refused, match: RegExpExecArray) => RefusalReading,
): Rule {
  return {
    severity: 'error',
    phase: 'admission',
    rank: 92,
    lint: 'never',
    healthy: [],
    ...described,
    *check(snapshot): Iterable<Claim> {
      for (const it of refusals(snapshot)) {
        const match = pattern.exec(it.message);
        if (!match) continue;
        const reading = read(it, match);
        yield { subject: it.workload, ...reading, evidence: [it.evidence, ...(reading.evidence ?? [])] };
      }
    },
  };
}

/** A Deployment whose pods are refused with this message. */
export const refusedExample = (message: string): string => `
kind: Deployment
metadata: {name: web}
spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: nginx:1.27}]}}}
status: {replicas: 0, conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: ${JSON.stringify(message)}}]}
`;

export const refusedFault = (before: string, pod = '', container = ''): string => `${before}---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
${pod}
      containers: [{name: app, image: "nginx:1.27"${container}}]
`;
