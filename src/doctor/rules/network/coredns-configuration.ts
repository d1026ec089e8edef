import { fromEnd, fromLog, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

const loop = /plugin\/loop: Loop \(.*\) detected for zone "([^"]+)"/;
const parse = /(\/etc\/coredns\/Corefile:(\d+)) - Error during parsing: (.*)$/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    if (pod.pod.metadata?.labels?.['k8s-app'] !== 'kube-dns') continue;
    for (const container of pod.containers) {
      const looping = logLine(snapshot, pod, container.name, loop);
      const broken = logLine(snapshot, pod, container.name, parse);
      const found = looping ?? broken;
      if (!found) continue;
      yield {
        subject: pod.ref,
        container: container.name,
        says: looping
          ? 'CoreDNS ends itself, since it forwards questions to itself: its upstream (from the resolv.conf of the node) is a local address.'
          : `CoreDNS cannot read its Corefile, line ${broken?.match[2]}: ${broken?.match[3]}.`,
        evidence: [
          fromLog(pod, container.name, found.log, found.line),
          ...(container.lastEnd ? [fromEnd(pod, container)] : []),
        ],
        cause: 'coredns',
        field: { object: { kind: 'ConfigMap', namespace: 'kube-system', name: 'coredns' }, path: 'data.Corefile' },
        remedy: {
          says: looping
            ? "Name a real upstream: `forward . 8.8.8.8` in the Corefile, or let the kubelet's resolvConf point to /run/systemd/resolve/resolv.conf."
            : 'Correct that line of the ConfigMap coredns.',
          commands: [
            'kubectl edit configmap coredns -n kube-system',
            'kubectl rollout restart deployment/coredns -n kube-system',
          ],
          verify: 'kubectl get pods -n kube-system -l k8s-app=kube-dns',
        },
      };
    }
  }
}

const pod = (log: string): string => `
kind: Pod
metadata: {name: coredns-1, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {nodeName: n1, containers: [{name: coredns, image: registry.k8s.io/coredns/coredns:v1.11.1}]}
status:
  phase: Running
  conditions: [{type: Ready, status: "False"}]
  containerStatuses: [{name: coredns, image: coredns, ready: false, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error, finishedAt: "2026-01-01T11:59:00Z"}}}]
---
kind: Log
namespace: kube-system
pod: coredns-1
container: coredns
text: ${JSON.stringify(log)}
`;

export const corednsConfiguration: Rule = {
  id: 'coredns-configuration',
  title: 'CoreDNS cannot work with its configuration',
  phase: 'network',
  codes: ['NET-08', 'NET-09'],
  symptoms: ['CrashLoopBackOff', 'plugin/loop: Loop', 'Error during parsing'],
  severity: 'error',
  lint: 'never',
  rank: 94,
  meaning:
    'CoreDNS crashes for a reason of its own: the Corefile has a mistake, or its upstream is itself (a resolv.conf of the node that says 127.0.0.53).',
  tell: 'The log of CoreDNS: `plugin/loop: Loop (…) detected`, or `Corefile:N - Error during parsing: …`.',
  fix: 'A real upstream; a correct Corefile.',
  sick: [
    {
      when: 'it forwards to itself',
      yaml: pod(
        '[FATAL] plugin/loop: Loop (127.0.0.1:41537 -> :53) detected for zone ".", see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO 1."',
      ),
      says: 'forwards questions to itself',
    },
    {
      when: 'the Corefile is broken',
      yaml: pod("/etc/coredns/Corefile:5 - Error during parsing: Unknown directive 'forwrd'"),
      says: 'line 5',
    },
  ],
  healthy: [],
  check,
};
