import { deployments, endpointslices, services } from '../../../api/generated/resources.ts';
import { computed, fromLog, logLine } from '../../evidence.ts';
import type { Claim, Evidence } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { blockingDns } from './egress-policy-blocks-dns.ts';
import { isReady, readyEndpoints, serviceExample } from './services.ts';

const unanswered =
  /lookup \S+ on \S+: (?:read udp .*: )?(?:i\/o timeout|connection refused)|Temporary failure in name resolution|EAI_AGAIN|server misbehaving|connection timed out; no servers could be reached/;

/** Pods that say that nobody answers their questions about names. */
function complaints(snapshot: Snapshot): readonly Evidence[] {
  const found: Evidence[] = [];
  for (const pod of snapshot.troubled) {
    if (blockingDns(snapshot, pod).length > 0) continue;
    for (const container of pod.containers) {
      const line = logLine(snapshot, pod, container.name, unanswered);
      if (line) found.push(fromLog(pod, container.name, line.log, line.line));
      if (found.length >= 3) return found;
    }
  }
  return found;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'manifests') return;
  const service = snapshot.get(services, 'kube-dns', 'kube-system');
  const ref = { kind: 'Service', namespace: 'kube-system', name: 'kube-dns' };
  if (!service) {
    if (!snapshot.sees(services, 'kube-system')) return;
    const evidence = complaints(snapshot);
    if (evidence.length === 0) return;
    yield {
      subject: ref,
      says: 'The cluster has no DNS: there is no Service kube-dns in kube-system, and pods cannot find any name.',
      evidence,
      cause: 'cluster-dns',
      remedy: { says: 'Install CoreDNS.', commands: ['kubectl get all -n kube-system -l k8s-app=kube-dns'] },
    };
    return;
  }
  if (!snapshot.sees(endpointslices, 'kube-system') || readyEndpoints(snapshot, { ref, namespace: 'kube-system' }) > 0)
    return;
  const servers = snapshot.podsIn('kube-system').filter((it) => it.pod.metadata?.labels?.['k8s-app'] === 'kube-dns');
  const asleep = snapshot.get(deployments, 'coredns', 'kube-system')?.spec?.replicas === 0;
  yield {
    subject: ref,
    says: `Cluster DNS is down: ${asleep ? 'CoreDNS is scaled to zero' : servers.length === 0 ? 'no server is behind the Service kube-dns' : `none of its ${servers.length} servers is ready`}, so no pod can find any name.`,
    evidence: [
      computed(ref, 'the Service kube-dns has no ready endpoint'),
      ...servers
        .slice(0, 3)
        .map((it) =>
          computed(it.ref, `${it.ref.name}: ${it.pod.status?.phase}, ${isReady(it) ? 'ready' : 'not ready'}`),
        ),
      ...complaints(snapshot),
    ],
    because: servers.map((it) => it.ref),
    cause: 'cluster-dns',
    remedy: {
      says: asleep ? 'Scale it up.' : 'Repair CoreDNS; its own pods say what is wrong.',
      commands: asleep
        ? ['kubectl scale deployment/coredns -n kube-system --replicas=2']
        : [
            'kubectl get pods -n kube-system -l k8s-app=kube-dns',
            'kubectl logs -n kube-system -l k8s-app=kube-dns --tail=50',
          ],
      verify: 'kubectl get endpointslices -n kube-system -l kubernetes.io/service-name=kube-dns',
    },
  };
}

const dns = serviceExample('kube-dns', 'selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]')
  .replace('name: kube-dns}', 'name: kube-dns, namespace: kube-system}')
  .replace('selector: {k8s-app: kube-dns}, ', '');

export const clusterDnsDown: Rule = {
  id: 'cluster-dns-down',
  title: 'Cluster DNS is down',
  phase: 'network',
  codes: ['NET-07'],
  symptoms: ['i/o timeout', 'Temporary failure in name resolution', 'EAI_AGAIN', 'server misbehaving'],
  severity: 'error',
  lint: 'never',
  rank: 96,
  meaning:
    'Pods ask the Service kube-dns for every name, those of the outside too. With nothing ready behind it, every look-up times out, and nearly every program fails in a way of its own.',
  tell: 'The Service `kube-system/kube-dns` has no ready endpoint. Failing look-ups time out; they do not say *no such host*.',
  fix: 'Repair or scale up CoreDNS.',
  sick: [{ when: 'nothing is behind kube-dns', yaml: dns, says: 'no server is behind' }],
  healthy: [
    {
      when: 'it has a ready endpoint',
      yaml: `${dns}---\nkind: EndpointSlice\nmetadata: {name: kube-dns-1, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}\naddressType: IPv4\nports: [{port: 53, protocol: UDP}]\nendpoints: [{addresses: [10.244.0.2], conditions: {ready: true}}]\n`,
    },
  ],
  check,
};
