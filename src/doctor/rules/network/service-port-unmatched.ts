import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { edit } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import {
  backendExample,
  containerPorts,
  serviceExample,
  serviceFault,
  servicesOf,
  showPort,
  targetOf,
} from './services.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const view of servicesOf(snapshot)) {
    const [pod] = view.backends;
    const open = pod ? containerPorts(pod) : [];
    if (!pod || open.length === 0) continue;
    for (const [i, port] of (view.service.spec?.ports ?? []).entries()) {
      const target = targetOf(port);
      const named = typeof target === 'string' && !/^\d+$/.test(target);
      if (open.some((it) => (named ? it.name === target : it.port === Number(target)))) continue;
      const names = open.map((it) => it.name).filter((it) => it !== undefined);
      const near = named ? nearestOne(target, names) : undefined;
      const better = near ?? (open.length === 1 ? (named && open[0]?.name ? open[0].name : open[0]?.port) : undefined);
      const change =
        better === undefined
          ? undefined
          : edit(view.ref, view.service, [{ path: ['spec', 'ports', i, 'targetPort'], value: better }]);
      yield {
        subject: view.ref,
        says: named
          ? `The Service ${view.ref.name} sends ${showPort(port)} to the port named ${target}, and its pods have no port of that name${near ? ` (did you mean ${near}?)` : ''}.`
          : `The Service ${view.ref.name} sends ${showPort(port)} to ${target}, but its pods listen on ${open.map((it) => it.port).join(', ')}.`,
        evidence: [
          fromSpec(view.ref, `targetPort: ${target}`, `spec.ports[${i}].targetPort`),
          computed(
            pod.ref,
            `ports of ${pod.ref.name}: ${open.map((it) => `${it.port}${it.name ? ` (${it.name})` : ''}`).join(', ')}`,
          ),
        ],
        certainty: named ? 'certain' : 'likely',
        // A container may listen on ports that it does not declare.
        severity: named ? 'error' : 'warning',
        cause: `${view.namespace}/${view.ref.name}/${port.port}`,
        field: { object: view.ref, path: `spec.ports[${i}].targetPort` },
        remedy: {
          says:
            better === undefined ? 'Name the port in the pod, or correct targetPort.' : `Set targetPort: ${better}.`,
          commands: [`kubectl get service ${view.ref.name} -n ${view.namespace} -o yaml`],
          ...(change && { actions: [change] }),
          verify: `kubectl get endpointslices -n ${view.namespace} -l kubernetes.io/service-name=${view.ref.name}`,
        },
      };
    }
  }
}

export const servicePortUnmatched: Rule = {
  id: 'service-port-unmatched',
  title: 'The Service sends to a port that its pods do not have',
  phase: 'network',
  codes: ['NET-03', 'NET-04'],
  symptoms: ['connection refused'],
  severity: 'error',
  lint: 'set',
  rank: 88,
  meaning:
    '`port` is where clients connect, `targetPort` where the pod listens. The latter is a number or name that the pod does not have.',
  tell: 'Endpoints exist, and connections are refused; or the EndpointSlice has no port (a name that no container declares).',
  fix: 'Set `targetPort` to what the program listens on.',
  sick: [
    {
      when: 'the number is wrong',
      yaml:
        backendExample('web-1', '{app: web}', { ports: '[{containerPort: 80}]' }) +
        serviceExample('web', 'selector: {app: web}, ports: [{port: 80, targetPort: 8080}]'),
      says: 'listen on 80',
    },
    {
      when: 'the name is misspelt',
      yaml:
        backendExample('web-1', '{app: web}', { ports: '[{containerPort: 80, name: http}]' }) +
        serviceExample('web', 'selector: {app: web}, ports: [{port: 80, targetPort: htpp}]'),
      says: 'did you mean http',
    },
  ],
  healthy: [
    {
      when: 'the pods declare no ports at all',
      yaml:
        backendExample('web-1', '{app: web}') +
        serviceExample('web', 'selector: {app: web}, ports: [{port: 80, targetPort: 8080}]'),
    },
  ],
  fault: {
    manifest: serviceFault('selector: {app: web}, ports: [{port: 80, targetPort: htpp}]'),
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
