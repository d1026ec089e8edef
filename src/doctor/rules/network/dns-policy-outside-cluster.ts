import { services } from '../../../api/generated/resources.ts';
import { fromLog, fromSpec, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { unknownHost, unknownHostPattern } from '../run/host-not-found.ts';
import { backendExample, serviceExample } from './services.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    const { hostNetwork, dnsPolicy = 'ClusterFirst' } = pod.spec;
    const outside = dnsPolicy === 'Default' || (hostNetwork && dnsPolicy === 'ClusterFirst');
    if (!outside) continue;
    for (const container of pod.containers) {
      const line = logLine(snapshot, pod, container.name, unknownHostPattern);
      const host = line && unknownHost(line.match);
      const [name = '', namespace = pod.namespace] = host?.split('.') ?? [];
      if (!line || !host || !snapshot.get(services, name, namespace)) continue;
      const wanted = hostNetwork ? 'ClusterFirstWithHostNet' : 'ClusterFirst';
      const change = editPodSpec(snapshot, pod, [{ path: ['dnsPolicy'], value: wanted }]);
      yield {
        subject: pod.ref,
        container: container.name,
        says: `The pod does not ask cluster DNS (${hostNetwork ? 'hostNetwork with dnsPolicy ClusterFirst' : 'dnsPolicy: Default'} takes the name servers of the node), so it cannot find the Service ${host}, which exists.`,
        evidence: [
          fromLog(pod, container.name, line.log, line.line),
          fromSpec(pod.ref, `dnsPolicy: ${dnsPolicy}${hostNetwork ? ', hostNetwork: true' : ''}`, 'spec.dnsPolicy'),
        ],
        field: fieldOf(pod, 'dnsPolicy'),
        remedy: {
          says: `Set dnsPolicy: ${wanted}.`,
          commands: ['kubectl explain pod.spec.dnsPolicy'],
          ...(change && { actions: [change] }),
          verify: watchCommand(pod),
        },
      };
    }
  }
}

export const dnsPolicyOutsideCluster: Rule = {
  id: 'dns-policy-outside-cluster',
  title: 'The pod does not ask cluster DNS',
  phase: 'network',
  codes: ['NET-14'],
  symptoms: ['no such host', 'getaddrinfo ENOTFOUND'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'With `dnsPolicy: Default`, and on the host network unless told otherwise, a pod uses the name servers of its node, which know nothing of Services.',
  tell: 'Names of Services are not found in this pod only; its `dnsPolicy` or `hostNetwork` says why.',
  fix: '`ClusterFirst`, or `ClusterFirstWithHostNet` on the host network.',
  sick: [
    {
      when: 'the policy is Default and a Service is not found',
      yaml: `${backendExample('web-1', '{app: web}', { ready: false, spec: '  dnsPolicy: Default' })}${serviceExample('db', 'ports: [{port: 5432}]')}---\nkind: Log\npod: web-1\ncontainer: app\nprevious: false\ntext: "dial tcp: lookup db on 192.168.1.1:53: no such host"\n`,
      says: 'cannot find the Service db',
    },
  ],
  healthy: [],
  check,
};
