import { networkpolicies } from '../../../api/generated/resources.ts';
import type { V1NetworkPolicy } from '../../../api/generated/types.ts';
import { matchesLabels, requirementsOf } from '../../../api/label-selector.ts';
import { fromLog, fromSpec, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { backendExample, serviceFault } from './services.ts';

const isEgress = ({ spec }: V1NetworkPolicy): boolean =>
  spec?.policyTypes?.includes('Egress') ?? spec?.egress !== undefined;

/** Whether some rule of the policy lets port 53 out, to anywhere. */
const allowsDns = ({ spec }: V1NetworkPolicy): boolean =>
  (spec?.egress ?? []).some(
    (rule) =>
      !rule.ports ||
      rule.ports.length === 0 ||
      rule.ports.some(
        (port) =>
          port.port === undefined ||
          port.port === 53 ||
          port.port === 'dns' ||
          (typeof port.port === 'number' && port.endPort !== undefined && port.port <= 53 && port.endPort >= 53),
      ),
  );

/** Egress policies that select a pod, when none of them lets it ask for names. */
export function blockingDns(snapshot: Snapshot, pod: PodFacts): readonly V1NetworkPolicy[] {
  const selecting = snapshot
    .in(networkpolicies, pod.namespace)
    .filter(
      (it) => isEgress(it) && matchesLabels(requirementsOf(it.spec?.podSelector ?? {}), pod.pod.metadata?.labels),
    );
  return selecting.some(allowsDns) ? [] : selecting;
}

const unanswered =
  /lookup \S+(?: on \S+)?: .*i\/o timeout|Temporary failure in name resolution|EAI_AGAIN|connection timed out; no servers could be reached|bad address|Could not resolve host|getaddrinfo|server misbehaving/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  const seen = new Set<string>();
  for (const pod of snapshot.troubled) {
    const [policy] = blockingDns(snapshot, pod);
    if (!policy || pod.spec.hostNetwork) continue;
    const container = pod.containers.find((it) => logLine(snapshot, pod, it.name, unanswered));
    const line = container && logLine(snapshot, pod, container.name, unanswered);
    if (!pod.planned && !line) continue;
    const name = policy.metadata?.name ?? '';
    const ref = { kind: 'NetworkPolicy', namespace: pod.namespace, name };
    if (pod.planned && seen.has(name)) continue;
    seen.add(name);
    yield {
      subject: pod.ref,
      ...(container && { container: container.name }),
      says: `The NetworkPolicy ${name} lets the pod ask no name server: it limits what goes out of the pod and does not allow port 53.`,
      evidence: [
        ...(container && line ? [fromLog(pod, container.name, line.log, line.line)] : []),
        fromSpec(
          ref,
          `policyTypes: Egress; ${(policy.spec?.egress ?? []).length} egress rules, none for port 53`,
          'spec.egress',
        ),
      ],
      certainty: pod.planned ? 'certain' : 'likely',
      ...(pod.planned && { severity: 'warning' as const }),
      cause: `policy/${pod.namespace}/${name}`,
      field: { object: ref, path: 'spec.egress' },
      remedy: {
        says: 'Allow UDP and TCP 53 to cluster DNS.',
        commands: [`kubectl get networkpolicy ${name} -n ${pod.namespace} -o yaml`],
        actions: [
          {
            kind: 'create',
            object: {
              apiVersion: 'networking.k8s.io/v1',
              kind: 'NetworkPolicy',
              metadata: { name: 'allow-dns', namespace: pod.namespace },
              spec: {
                podSelector: {},
                policyTypes: ['Egress'],
                egress: [
                  {
                    to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
                    ports: [
                      { protocol: 'UDP', port: 53 },
                      { protocol: 'TCP', port: 53 },
                    ],
                  },
                ],
              },
            } as never,
          },
        ],
        verify: `kubectl exec ${pod.ref.name} -n ${pod.namespace} -- nslookup kubernetes.default`,
      },
    };
  }
}

const policy =
  '---\nkind: NetworkPolicy\nmetadata: {name: default-deny}\nspec: {podSelector: {}, policyTypes: [Egress]}\n';

export const egressPolicyBlocksDns: Rule = {
  id: 'egress-policy-blocks-dns',
  title: 'A NetworkPolicy keeps the pod from asking for names',
  phase: 'network',
  codes: ['NET-11'],
  symptoms: ['i/o timeout', 'Temporary failure in name resolution', 'EAI_AGAIN'],
  severity: 'error',
  lint: 'set',
  rank: 92,
  meaning:
    'An egress policy that denies by default forbids look-ups too, unless port 53 (UDP and TCP) is allowed. Programs then fail as if DNS were down, in this namespace only.',
  tell: 'A policy with `policyTypes: [Egress]` selects the pod, and no policy that does allows port 53. (Some networks do not enforce policies at all.)',
  fix: 'A policy that allows DNS to kube-system.',
  sick: [
    {
      when: 'egress is denied and look-ups time out',
      yaml: `${backendExample('web-1', '{app: web}', { ready: false })}${policy}---\nkind: Log\npod: web-1\ncontainer: app\nprevious: false\ntext: "dial tcp: lookup db on 10.96.0.10:53: read udp 10.244.0.7:4711->10.96.0.10:53: i/o timeout"\n`,
      says: 'default-deny',
    },
    {
      when: 'the manifests deny it',
      stage: 'manifests',
      yaml: `kind: Deployment\nmetadata: {name: web}\nspec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: nginx:1.27}]}}}\n${policy}`,
      says: 'does not allow port 53',
    },
  ],
  healthy: [
    {
      when: 'another policy allows it',
      yaml: `${backendExample('web-1', '{app: web}')}${policy}---\nkind: NetworkPolicy\nmetadata: {name: dns}\nspec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}]}\n`,
    },
  ],
  fault: {
    manifest: `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: default-deny}\nspec: {podSelector: {}, policyTypes: [Egress]}\n---${serviceFault('selector: {app: web}, ports: [{port: 80}]').replace('containers: [{name: app, image: "nginx:1.27"', 'containers: [{name: app, image: "busybox:1.36", command: [sh, -c, "wget -T 2 -qO- http://web; exit 1"]')}`,
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 30,
  },
  check,
};
