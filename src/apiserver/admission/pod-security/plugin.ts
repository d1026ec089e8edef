import { namespaces, pods } from '../../../api/generated/resources.ts';
import type { V1CronJob, V1Deployment, V1Namespace, V1Pod, V1PodTemplate } from '../../../api/generated/types.ts';
import { invalidObject } from '../../../api/status.ts';
import { asLoose } from '../../../kinds/draft.ts';
import { semanticEqual } from '../../../kinds/semantic-equal.ts';
import { quote } from '../../authz/quote.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../../contracts.ts';
import { draftOf, isFor, refuse } from '../request.ts';
import type { CheckedPod } from './checks.ts';
import { describe, evaluate, labelErrors, policyOf, showPolicy } from './levels.ts';

const workloads = new Set([
  'replicationcontrollers.',
  'podtemplates.',
  'replicasets.apps',
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
  'cronjobs.batch',
]);
/** At most this many pods of a namespace are looked at when its level is raised. */
const maxPods = 3000;

/** The pod that a workload will make, where the request is for a workload. */
function templateOf(request: AdmissionRequest): CheckedPod | undefined {
  const key = `${request.resource.plural}.${request.resource.group}`;
  if (!workloads.has(key) || request.subresource) return undefined;
  if (key === 'podtemplates.') return draftOf<V1PodTemplate>(request).template;
  if (key === 'cronjobs.batch') return draftOf<V1CronJob>(request).spec?.jobTemplate?.spec?.template;
  return draftOf<V1Deployment>(request).spec?.template;
}

/** True where an update changes what the checks look at: images and metadata of containers may change freely. */
function significant(request: AdmissionRequest): boolean {
  if (request.operation !== 'UPDATE' || !request.old) return true;
  const next = draftOf<V1Pod>(request);
  const old = asLoose<V1Pod>(request.old);
  if (request.subresource === 'ephemeralcontainers') return true;
  return !semanticEqual(next.spec, old.spec) || !semanticEqual(next.metadata?.annotations, old.metadata?.annotations);
}

/** Pod Security Standards by namespace label (k8s.io/pod-security-admission). */
export function podSecurity(context: ServerContext): AdmissionPlugin {
  const labelsOf = (request: AdmissionRequest) =>
    context.reader.get(namespaces, undefined, request.namespace ?? '')?.metadata.labels;

  const warn = (request: AdmissionRequest, pod: CheckedPod): void => {
    const policy = policyOf(labelsOf(request), 'warn');
    const found = evaluate(policy.level, pod);
    if (found.length > 0) request.warn(`would violate PodSecurity ${quote(showPolicy(policy))}: ${describe(found)}`);
  };
  const namespace = (request: AdmissionRequest): void => {
    const next = draftOf<V1Namespace>(request);
    const old = request.old && asLoose<V1Namespace>(request.old);
    const errors = labelErrors(next.metadata?.labels);
    if (errors.length > 0 && (!old || !semanticEqual(old.metadata?.labels, next.metadata?.labels))) {
      throw invalidObject('', 'Namespace', request.name, errors);
    }
    if (!old) return;
    const policy = policyOf(next.metadata?.labels, 'enforce');
    const before = policyOf(old.metadata?.labels, 'enforce');
    const raised = policy.level !== before.level || policy.version !== before.version;
    if (!raised || policy.level === 'privileged' || (before.level === 'restricted' && policy.level === 'baseline'))
      return;
    const byProblem = new Map<string, string[]>();
    for (const pod of context.reader.list(pods, request.name).slice(0, maxPods)) {
      const found = evaluate(policy.level, asLoose<V1Pod>(pod));
      if (found.length === 0) continue;
      const problem = found.map(({ reason }) => reason).join(', ');
      byProblem.set(problem, [...(byProblem.get(problem) ?? []), pod.metadata.name]);
    }
    if (byProblem.size === 0) return;
    request.warn(
      `existing pods in namespace ${quote(request.name)} violate the new PodSecurity enforce level ${quote(showPolicy(policy))}`,
    );
    const lines = [...byProblem].map(([problem, names]) => {
      const [first = '', ...others] = names.sort();
      const more = others.length === 0 ? '' : ` (and ${others.length} other ${others.length === 1 ? 'pod' : 'pods'})`;
      return `${first}${more}: ${problem}`;
    });
    for (const line of lines.sort()) request.warn(line);
  };

  return {
    name: 'PodSecurity',
    validate(request) {
      if (!request.object || (request.operation !== 'CREATE' && request.operation !== 'UPDATE')) return;
      if (isFor(request, '', 'namespaces')) {
        namespace(request);
        return;
      }
      if (isFor(request, '', 'pods') || isFor(request, '', 'pods', 'ephemeralcontainers')) {
        if (!significant(request)) return;
        const pod = draftOf<V1Pod>(request);
        const policy = policyOf(labelsOf(request), 'enforce');
        const found = evaluate(policy.level, pod);
        if (found.length > 0) {
          throw refuse(request, `violates PodSecurity ${quote(showPolicy(policy))}: ${describe(found)}`);
        }
        warn(request, pod);
        return;
      }
      const template = templateOf(request);
      if (template) warn(request, template);
    },
  };
}
