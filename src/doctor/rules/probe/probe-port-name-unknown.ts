import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, editPodSpec, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { probeFault, probeKinds, probeOf } from './probes.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers)
      for (const kind of probeKinds) {
        const probe = probeOf(container, kind);
        const handler = probe?.httpGet ? 'httpGet' : 'tcpSocket';
        const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
        if (typeof port !== 'string' || /^\d+$/.test(port)) continue;
        const names = (container.spec.ports ?? []).map((it) => it.name).filter((it) => it !== undefined);
        if (names.includes(port)) continue;
        const near = nearestOne(port, names) ?? (names.length === 1 ? names[0] : undefined);
        const only = container.spec.ports?.length === 1 ? container.spec.ports[0]?.containerPort : undefined;
        const better = near ?? only;
        const change =
          better === undefined
            ? undefined
            : editPodSpec(
                snapshot,
                pod,
                [{ path: [`${kind}Probe`, handler, 'port'], value: better, was: port }],
                container.name,
              );
        yield {
          subject: pod.ref,
          container: container.name,
          says: `The ${kind} probe of container ${container.name} asks the port named ${port}, and the container has no port of that name${near ? ` (did you mean ${near}?)` : ''}.`,
          evidence: [
            fromSpec(
              pod.ref,
              `port: ${port}; names of ports: ${names.join(', ') || 'none'}`,
              `spec.${container.path}.${kind}Probe.${handler}.port`,
            ),
          ],
          field: containerField(pod, container, `${kind}Probe.${handler}.port`),
          remedy: {
            says: better === undefined ? 'Give the port its name, or ask by number.' : `Write ${better}.`,
            commands: [`kubectl get pod ${pod.ref.name} -n ${pod.namespace} -o jsonpath='{.spec.containers[*].ports}'`],
            ...(change && { actions: [change] }),
            verify: watchCommand(pod),
          },
        };
      }
}

export const probePortNameUnknown: Rule = {
  id: 'probe-port-name-unknown',
  title: 'The probe names a port that the container does not have',
  phase: 'probe',
  codes: ['PRB-10'],
  symptoms: ['Unhealthy', 'probe errored: port … not found'],
  severity: 'error',
  lint: 'manifest',
  rank: 93,
  meaning: 'A probe may name a port instead of a number; the name has to stand in `ports` of the same container.',
  tell: '`probe errored: port NAME not found`, or simply the manifest.',
  fix: 'Name the port, or write its number.',
  sick: [
    {
      when: 'the name is not declared',
      stage: 'manifests',
      yaml: probeFault('        livenessProbe: {httpGet: {path: /, port: htpp}}').replace(
        '[{containerPort: 80}]',
        '[{containerPort: 80, name: http}]',
      ),
      says: 'did you mean http',
    },
  ],
  healthy: [
    {
      when: 'it is',
      stage: 'manifests',
      yaml: probeFault('        livenessProbe: {httpGet: {path: /, port: http}}').replace(
        '[{containerPort: 80}]',
        '[{containerPort: 80, name: http}]',
      ),
    },
  ],
  fault: {
    manifest: probeFault('        readinessProbe: {httpGet: {path: /, port: htpp}, periodSeconds: 2}').replace(
      '[{containerPort: 80}]',
      '[{containerPort: 80, name: http}]',
    ),
    runtimes: ['sim', 'containerd'],
    fixable: true,
    patienceSeconds: 8,
  },
  check,
};
