import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { ContainerFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import {
  fieldOfProbe,
  outcome,
  portOf,
  probeExample,
  probeFault,
  probeKinds,
  probeOf,
  probeRule,
  showProbe,
} from './probes.ts';

const refused = /connection refused|connect: no route to host|i\/o timeout|failed to connect/;

/** The port that was meant: the only one that the container declares, or the one its other probes ask. */
function meantPort(container: ContainerFacts, asked: number, own: string): number | undefined {
  const declared = (container.spec.ports ?? [])
    .filter((it) => (it.protocol ?? 'TCP') === 'TCP')
    .map((it) => it.containerPort);
  if (declared.includes(asked)) return undefined;
  if (declared.length === 1) return declared[0];
  for (const kind of probeKinds) {
    const sibling = kind === own ? undefined : probeOf(container, kind);
    const port = sibling && portOf(sibling, container);
    if (port !== undefined && port !== asked) return port;
  }
  return undefined;
}

const live = probeRule(
  {
    id: 'probe-port-wrong',
    title: 'The probe asks a port that nothing listens on',
    codes: ['PRB-01'],
    symptoms: ['Unhealthy', 'connect: connection refused', 'CrashLoopBackOff'],
    lint: 'manifest',
    rank: 88,
    meaning:
      'The kubelet reaches the pod, but nothing listens on the port of the probe. The container declares another port.',
    tell: '`connection refused` on a port that is not among `containerPort`s, or differs from the port of the other probe.',
    fix: 'Ask the port that the program listens on.',
    sick: [
      {
        when: 'the port is not the declared one',
        yaml: probeExample({
          probe: '{httpGet: {path: /, port: 8080}}',
          output: 'Get "http://10.244.0.5:8080/": dial tcp 10.244.0.5:8080: connect: connection refused',
          container: '    ports: [{containerPort: 80}]',
        }),
        says: 'port 8080',
      },
      {
        when: 'a manifest asks a port that is not declared',
        stage: 'manifests',
        yaml: probeFault('        readinessProbe: {httpGet: {path: /, port: 8081}}'),
        says: 'port 8081',
      },
    ],
    healthy: [
      {
        when: 'the port is the declared one',
        stage: 'manifests',
        yaml: probeFault('        readinessProbe: {httpGet: {path: /, port: 80}}'),
      },
    ],
    fault: {
      manifest: probeFault(
        '        livenessProbe: {httpGet: {path: /, port: 8081}, periodSeconds: 2, failureThreshold: 2}',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: true,
      patienceSeconds: 15,
    },
  },
  (it) => {
    const asked = portOf(it.probe, it.container);
    if (asked === undefined || !refused.test(it.output)) return undefined;
    const meant = meantPort(it.container, asked, it.kind);
    return meant === undefined ? undefined : reading(it.snapshot, it, asked, meant, outcome(it));
  },
);

function reading(
  snapshot: Snapshot,
  it: Parameters<typeof fieldOfProbe>[0],
  asked: number,
  meant: number,
  end: string,
) {
  const probe = probeOf(it.container, it.kind);
  const handler = probe?.httpGet ? 'httpGet' : probe?.tcpSocket ? 'tcpSocket' : 'grpc';
  const change = editPodSpec(
    snapshot,
    it.pod,
    [{ path: [`${it.kind}Probe`, handler, 'port'], value: meant }],
    it.container.name,
  );
  return {
    says: `The ${it.kind} probe of container ${it.container.name} asks port ${asked}, but the container listens on ${meant}${end}.`,
    evidence: [
      fromSpec(
        it.pod.ref,
        `${it.kind}Probe: ${probe ? showProbe(probe) : ''}`,
        `spec.${it.container.path}.${it.kind}Probe`,
      ),
      fromSpec(
        it.pod.ref,
        `ports: ${(it.container.spec.ports ?? []).map((port) => port.containerPort).join(', ') || 'none declared'}`,
        `spec.${it.container.path}.ports`,
      ),
    ],
    field: fieldOfProbe(it, `.${handler}.port`),
    remedy: {
      says: `Let the probe ask port ${meant}.`,
      commands: [`kubectl exec ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} -- netstat -tln`],
      ...(change && { actions: [change] }),
    },
  };
}

export const probePortWrong: Rule = {
  ...live,
  *check(snapshot): Iterable<Claim> {
    yield* live.check(snapshot);
    if (snapshot.stage === 'live') return;
    for (const pod of snapshot.pods)
      for (const container of pod.containers)
        for (const kind of probeKinds) {
          const probe = probeOf(container, kind);
          const asked = probe && portOf(probe, container);
          const declared = (container.spec.ports ?? []).map((it) => it.containerPort);
          if (asked === undefined || declared.length === 0 || declared.includes(asked)) continue;
          const meant = meantPort(container, asked, kind);
          if (meant === undefined) continue;
          yield {
            subject: pod.ref,
            container: container.name,
            certainty: 'likely',
            severity: 'warning',
            ...reading(snapshot, { pod, container, kind }, asked, meant, ''),
          };
        }
  },
};
