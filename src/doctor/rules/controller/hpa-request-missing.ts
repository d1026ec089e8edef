import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { autoscalers, condition, hpaExample } from './hpa-facts.ts';
import { deploymentExample, named } from './workloads.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const view of autoscalers(snapshot)) {
    const said = condition(view, 'ScalingActive', 'False', /FailedGetResourceMetric/);
    const utilization = (view.it.spec?.metrics ?? [])
      .filter((it) => it.type === 'Resource' && it.resource?.target.type === 'Utilization')
      .map((it) => it.resource?.name ?? '');
    const text = /missing request for (\S+) in container (\S+)/.exec(said?.it.message ?? '');
    const [pod] = snapshot.podsOf(view.target);
    for (const resource of utilization) {
      const bare = pod?.containers.find(
        (it) =>
          it.role !== 'init' && !it.spec.resources?.requests?.[resource] && !it.spec.resources?.limits?.[resource],
      );
      if (!bare && !text) continue;
      if (snapshot.stage === 'live' && !text) continue;
      const container = text?.[2] ?? bare?.name ?? '';
      yield {
        subject: view.ref,
        says: `The autoscaler ${view.ref.name} measures ${resource} in percent of the request, and container ${container} of ${view.target.kind} ${view.target.name} requests none.`,
        evidence: [
          ...(said ? [said.evidence] : []),
          ...(pod && bare
            ? [
                fromSpec(
                  pod.ref,
                  `container ${bare.name} has no request for ${resource}`,
                  `spec.${bare.path}.resources.requests`,
                ),
              ]
            : []),
        ],
        remedy: {
          says: `Give every container (sidecars too) a request for ${resource}.`,
          commands: [
            `kubectl set resources ${named(view.target)} -c ${container} --requests=${resource}=${resource === 'cpu' ? '100m' : '128Mi'}`,
          ],
          verify: `kubectl get hpa ${view.ref.name} -n ${view.namespace}`,
        },
      };
    }
  }
}

export const hpaRequestMissing: Rule = {
  id: 'hpa-request-missing',
  title: 'The autoscaler needs a request that the container lacks',
  phase: 'controller',
  codes: ['CTL-07'],
  symptoms: ['FailedGetResourceMetric', 'missing request for cpu', '<unknown>/50%'],
  severity: 'error',
  lint: 'set',
  rank: 92,
  meaning:
    'A target of type Utilization is a share of what the pods request. One container without a request, and nothing can be computed.',
  tell: '`failed to get cpu utilization: missing request for cpu in container NAME of Pod …`.',
  fix: 'Set `resources.requests` on every container.',
  sick: [
    {
      when: 'the controller says so',
      yaml:
        hpaExample(
          '{type: ScalingActive, status: "False", reason: FailedGetResourceMetric, message: "the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu in container app of Pod web-1"}',
        ) + deploymentExample(),
      says: 'container app of Deployment web requests none',
    },
    {
      when: 'the manifests lack it',
      stage: 'manifests',
      yaml: hpaExample('') + deploymentExample(),
      says: 'requests none',
    },
  ],
  healthy: [],
  check,
};
