import { notSupported, required, showFieldError } from '../../api/field-error.ts';
import { nodes, pods } from '../../api/generated/resources.ts';
import type { V1Binding, V1Pod } from '../../api/generated/types.ts';
import type { ResourceRequest, ResourceResult } from '../../api/handler.ts';
import type { Live } from '../../api/resource.ts';
import { badRequest, conflict, statusError } from '../../api/status.ts';
import type { SpanSink } from '../../api/trace.ts';
import { rfc3339 } from '../../base/clock.ts';
import { asLoose, type Loose } from '../../kinds/draft.ts';
import type { Draft } from '../../kinds/kind.ts';
import type { AdmissionPlugin, ServerContext, SpecialHandler } from '../contracts.ts';
import { admitSubresource } from './admit.ts';
import { bodyOf, success } from './answer.ts';

/** Labels of the node that its pods get too (plugin/pkg/admission/podtopologylabels). */
const topologyLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

function checkBinding(binding: Loose<V1Binding>): void {
  const errors = [];
  const kind = binding.target?.kind ?? '';
  if (kind !== '' && kind !== 'Node') errors.push(notSupported('target.kind', kind, ['Node', '<empty>']));
  if (!binding.target?.name) errors.push(required('target.name'));
  const shown = errors.map(showFieldError);
  if (shown.length > 0) throw statusError(500, '', shown.length === 1 ? (shown[0] ?? '') : `[${shown.join(', ')}]`);
}

/** Why the pod cannot be bound; undefined where it can. */
function obstacle(pod: Live<V1Pod>): string | undefined {
  const { name } = pod.metadata;
  if (pod.metadata.deletionTimestamp !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`;
  if (pod.spec?.nodeName) return `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`;
  if ((pod.spec?.schedulingGates ?? []).length > 0) return `pod ${name} has non-empty .spec.schedulingGates`;
  return undefined;
}

function checkPreconditions(binding: Loose<V1Binding>, live: Live<V1Pod>): void {
  const { uid, resourceVersion } = binding.metadata ?? {};
  const { name, namespace } = live.metadata;
  const refuse = (field: string, wanted: string, found: string): never => {
    throw conflict(
      { group: '', resource: 'pods' },
      name,
      `StorageError: invalid object, Code: 4, Key: /registry/pods/${namespace}/${name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${field} in precondition: ${wanted}, ${field} in object meta: ${found}`,
    );
  };
  if (uid && uid !== live.metadata.uid) refuse('UID', uid, live.metadata.uid);
  if (resourceVersion && resourceVersion !== live.metadata.resourceVersion) {
    refuse('ResourceVersion', resourceVersion, live.metadata.resourceVersion);
  }
}

/** The pod, bound. */
function bound(draft: Draft, binding: Loose<V1Binding>, labels: Readonly<Record<string, string>>, now: string): Draft {
  const pod = asLoose<V1Pod>(draft);
  const annotations = { ...pod.metadata?.annotations, ...binding.metadata?.annotations };
  const merged = { ...pod.metadata?.labels, ...labels, ...binding.metadata?.labels };
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled');
  const known = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  const lastTransitionTime = known?.status === 'True' ? (known.lastTransitionTime ?? now) : now;
  pod.metadata = {
    ...pod.metadata,
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(Object.keys(merged).length > 0 && { labels: merged }),
  };
  pod.spec = { ...pod.spec, nodeName: binding.target?.name ?? '' };
  const { nominatedNodeName: _, ...status } = pod.status ?? {};
  pod.status = {
    ...status,
    conditions: [...others, { type: 'PodScheduled', status: 'True', lastProbeTime: null as never, lastTransitionTime }],
  };
  return draft;
}

/** `pods/binding` and `bindings`: gives an unassigned pod its node (pkg/registry/core/pod/storage/storage.go). */
export function bindingHandler(options: {
  readonly spans: SpanSink;
  readonly admission: () => readonly AdmissionPlugin[];
}): SpecialHandler {
  return async (request: ResourceRequest, context: ServerContext): Promise<ResourceResult> => {
    const { clock, reader } = context;
    const start = clock.now();
    const begun = clock.monotonic();
    const binding = bodyOf<V1Binding>(request, 'Binding');
    const name = request.name ?? binding.metadata?.name ?? '';
    if (name !== binding.metadata?.name) throw badRequest('name in URL does not match name in Binding object');
    checkBinding(binding);
    if (request.body) await admitSubresource(options.admission(), context, request, pods, request.body);
    const node = reader.get(nodes, undefined, binding.target?.name ?? '');
    const labels = Object.fromEntries(
      topologyLabels.flatMap((key) => {
        const value = node?.metadata.labels?.[key];
        return value === undefined ? [] : [[key, value]];
      }),
    );
    const live = await context.mutate(
      pods,
      request.namespace,
      name,
      (draft, pod) => {
        checkPreconditions(binding, pod);
        const problem = obstacle(pod);
        if (problem !== undefined) throw conflict({ group: '', resource: 'pods/binding' }, name, problem);
        return bound(draft, binding, labels, rfc3339(clock.now()));
      },
      { dryRun: request.options.dryRun === true, user: request.user, untracked: true },
    );
    options.spans.record({
      step: 'binding',
      what: `bind to ${binding.target?.name ?? ''}`,
      component: 'kube-apiserver',
      subject: {
        resource: 'pods',
        name,
        uid: live.metadata.uid,
        ...(request.namespace !== undefined && { namespace: request.namespace }),
      },
      start,
      end: start + clock.monotonic() - begun,
      revision: Number(live.metadata.resourceVersion),
      writer: request.user.name,
      ...(request.reads && { reads: request.reads }),
    });
    return success;
  };
}
