import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample, placedExample, placementFault } from './example.ts';
import { pendingClaim, pendingFor, workloadArguments } from './pending.ts';

/** The ports of the node that a pod takes. */
const hostPorts = (pod: PodFacts): ReadonlyMap<string, string> =>
  new Map(
    pod.containers.flatMap((it) =>
      (it.spec.ports ?? []).flatMap((port, i) =>
        port.hostPort
          ? [[`${port.protocol ?? 'TCP'}/${port.hostPort}`, `${it.path}.ports[${i}].hostPort`] as const]
          : [],
      ),
    ),
  );

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, /^node\(s\) didn't have free ports for the requested pod ports$/)) {
    const own = hostPorts(it.pod);
    const holders = snapshot.pods.filter(
      (other) => other.spec.nodeName && [...hostPorts(other).keys()].some((port) => own.has(port)),
    );
    const [port, path] = [...own].find(([key]) => holders.some((other) => hostPorts(other).has(key))) ??
      [...own][0] ?? ['', ''];
    const siblings = holders.filter(
      (other) => other.workload.kind === it.pod.workload.kind && other.workload.name === it.pod.workload.name,
    );
    yield pendingClaim(it, {
      says: `The pod wants port ${port.replace('/', ' ')} of the node itself, and every node has given it away${siblings.length > 0 ? ' to pods of the same workload: there are more replicas than nodes' : ''}.`,
      evidence: [
        fromSpec(it.pod.ref, `hostPort: ${port.split('/')[1] ?? ''}`, `spec.${path}`),
        ...holders
          .slice(0, 5)
          .map((other) => computed(other.ref, `${other.namespace}/${other.ref.name} has it on ${other.spec.nodeName}`)),
      ],
      field: fieldOf(it.pod, path),
      remedy: {
        says:
          siblings.length > 0
            ? 'Use a Service instead of hostPort, or run as many replicas as there are nodes (a DaemonSet); for updates, allow maxUnavailable: 1 and maxSurge: 0.'
            : 'Use a Service instead of hostPort, or another port.',
        commands:
          siblings.length > 0
            ? [`kubectl scale ${workloadArguments(it.pod)} --replicas=${siblings.length}`]
            : [`kubectl get pods -A -o wide`],
      },
    });
  }
}

const port = '    ports: [{containerPort: 80, hostPort: 8080}]';

export const hostPortConflict: Rule = {
  id: 'host-port-conflict',
  title: "The node's port is taken",
  phase: 'scheduling',
  codes: ['SCH-19'],
  symptoms: ['FailedScheduling', "node(s) didn't have free ports for the requested pod ports"],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'A `hostPort` (and every port of a pod with `hostNetwork`) exists once on each node. A second pod that wants it has to go elsewhere, and there is no elsewhere.',
  tell: 'Other pods with the same hostPort, one on each node; often the older replica during a rolling update.',
  fix: 'Leave `hostPort` out and use a Service (NodePort, LoadBalancer); or a DaemonSet.',
  sick: [
    {
      when: 'another pod has the port',
      yaml:
        nodeExample('n1') +
        placedExample('proxy', 'n1', 'cpu: 1m', { ports: '[{containerPort: 80, hostPort: 8080}]' }) +
        pendingExample(noneOf(1, "1 node(s) didn't have free ports for the requested pod ports"), { container: port }),
      says: 'port TCP 8080',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault('', '        ports: [{containerPort: 80, hostPort: 18080}]', 9),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
