import { apiservices } from '../../../api/generated/resources.ts';
import { fromCondition } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { autoscalers, condition, hpaExample } from './hpa-facts.ts';
import { deploymentExample } from './workloads.ts';

const text = /unable to fetch metrics from|the server could not find the requested resource|no metrics returned from/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const view of autoscalers(snapshot)) {
    const said = condition(view, 'ScalingActive', 'False', /FailedGet(?:Resource|External|Pods|Object)Metric/);
    if (!said || !text.test(said.it.message ?? '')) continue;
    const service = snapshot.get(apiservices, 'v1beta1.metrics.k8s.io');
    const available = service?.status?.conditions?.find((it) => it.type === 'Available');
    yield {
      subject: view.ref,
      says: `The autoscaler ${view.ref.name} gets no metrics: ${service ? `the metrics API is there but ${available?.status === 'True' ? 'has none of these pods' : 'not available'}` : 'the cluster has no metrics API (metrics-server)'}.`,
      evidence: [
        said.evidence,
        ...(available
          ? [
              fromCondition(
                { kind: 'APIService', name: 'v1beta1.metrics.k8s.io' },
                'Available',
                `${available.reason}: ${available.message ?? ''}`,
              ),
            ]
          : []),
      ],
      cause: 'metrics-api',
      remedy: {
        says: service ? 'Repair metrics-server.' : 'Install metrics-server.',
        commands: [
          'kubectl get apiservice v1beta1.metrics.k8s.io',
          'kubectl get pods -n kube-system -l k8s-app=metrics-server',
          'kubectl top nodes',
        ],
        verify: 'kubectl top pods',
      },
    };
  }
}

export const hpaNoMetrics: Rule = {
  id: 'hpa-no-metrics',
  title: 'The autoscaler gets no metrics',
  phase: 'controller',
  codes: ['CTL-08'],
  symptoms: ['FailedGetResourceMetric', 'unable to fetch metrics from resource metrics API'],
  severity: 'error',
  lint: 'never',
  rank: 91,
  meaning:
    'CPU and memory come from metrics-server. It is not installed, not available, or has not measured these pods yet.',
  tell: '`unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API`.',
  fix: 'Install or repair metrics-server.',
  sick: [
    {
      when: 'there is no metrics API',
      yaml:
        hpaExample(
          '{type: ScalingActive, status: "False", reason: FailedGetResourceMetric, message: "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"}',
        ) + deploymentExample(),
      says: 'no metrics API',
    },
  ],
  healthy: [],
  check,
};
