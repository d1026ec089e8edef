import { services } from '../../../api/generated/resources.ts';
import { fromEvent, fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import { eventTime, type Snapshot } from '../../snapshot/snapshot.ts';
import { serviceExample } from './services.ts';

const patienceMs = 3 * 60_000;

function* check(snapshot: Snapshot): Iterable<Claim> {
  if (snapshot.stage === 'manifests') return;
  for (const it of snapshot.all(services)) {
    if (it.spec?.type !== 'LoadBalancer' || (it.status?.loadBalancer?.ingress ?? []).length > 0) continue;
    if (snapshot.now - Date.parse(it.metadata?.creationTimestamp ?? '') < patienceMs) continue;
    const namespace = it.metadata?.namespace ?? 'default';
    const ref = { kind: 'Service', namespace, name: it.metadata?.name ?? '' };
    const event = snapshot
      .events(ref, it.metadata?.uid)
      .find((e) => e.reason === 'SyncLoadBalancerFailed' && eventTime(e) !== undefined);
    yield {
      subject: ref,
      says: event
        ? `The load balancer of Service ${ref.name} cannot be made: ${event.message?.replace(/^Error syncing load balancer: /, '')}.`
        : `The Service ${ref.name} waits for a load balancer, and nothing in this cluster makes any.`,
      evidence: [
        ...(event ? [fromEvent(event)] : []),
        fromStatus(ref, 'loadBalancer: {} (EXTERNAL-IP <pending>)', 'loadBalancer'),
      ],
      certainty: event ? 'certain' : 'likely',
      cause: event ? ref.name : 'no-load-balancers',
      remedy: {
        says: event
          ? 'Do as the error says.'
          : 'Install one (a cloud controller, MetalLB), or use NodePort or an Ingress.',
        commands: [
          `kubectl get service ${ref.name} -n ${namespace}`,
          "kubectl get pods -A | grep -i -E 'cloud-controller|metallb'",
        ],
      },
    };
  }
}

export const loadBalancerPending: Rule = {
  id: 'load-balancer-pending',
  title: 'The Service gets no load balancer',
  phase: 'network',
  codes: ['NET-23'],
  symptoms: ['<pending>', 'SyncLoadBalancerFailed'],
  severity: 'warning',
  lint: 'never',
  rank: 85,
  meaning:
    'Type LoadBalancer is a wish to a controller of the cloud, or to one that you install. None is there, or it fails.',
  tell: 'EXTERNAL-IP `<pending>`; the event `SyncLoadBalancerFailed` if somebody tried.',
  fix: 'A controller, or another way in.',
  sick: [
    {
      when: 'nobody makes one',
      yaml: serviceExample('web', 'type: LoadBalancer, ports: [{port: 80}]'),
      says: 'nothing in this cluster makes any',
    },
  ],
  healthy: [],
  check,
};
