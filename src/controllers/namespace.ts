import { namespaces, pods } from '../api/generated/resources.ts';
import type { V1NamespaceCondition } from '../api/generated/types.ts';
import type { Resource } from '../api/resource.ts';
import { rfc3339 } from '../base/clock.ts';
import { type Controller, type ControllerContext, watched } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { read, rule } from './support/access.ts';
import { setInPlace } from './support/conditions.ts';

/** What is left of one resource in a namespace. */
interface Remaining {
  readonly resource: Resource;
  readonly count: number;
  readonly finalizers: ReadonlyMap<string, number>;
}

const finalizer = 'kubernetes';
/** Waits between looks at what finalizers still hold, milliseconds. */
const lookAgain = 1000;

/** Deletes what a resource has in the namespace and says what is left. Pods go with the longest grace that one of them has. */
async function clear(context: ControllerContext, resource: Resource, namespace: string): Promise<Remaining> {
  const before = await context.client.list(resource, { namespace });
  if (before.items.length === 0) return { resource, count: 0, finalizers: new Map() };
  if (resource.verbs.includes('deletecollection'))
    await context.client.deleteCollection(resource, { namespace, propagationPolicy: 'Background' });
  else
    for (const { metadata } of before.items)
      await context.client.delete(resource, metadata.name, { namespace, propagationPolicy: 'Background' });
  const { items } = await context.client.list(resource, { namespace });
  const finalizers = new Map<string, number>();
  for (const item of items)
    for (const name of item.metadata.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
  return { resource, count: items.length, finalizers };
}

/** The conditions of a namespace that is being deleted (pkg/controller/namespace/deletion/status_condition_utils.go). */
export function deletionConditions(
  remaining: readonly Remaining[],
  failures: readonly string[],
  now: string,
): readonly V1NamespaceCondition[] {
  const left = remaining.filter(({ count }) => count > 0);
  const counts = left.map(
    ({ resource, count }) =>
      // Upstream puts the dot there for the core group too.
      `${resource.plural}.${resource.group} has ${count} resource instances`,
  );
  const held = new Map<string, number>();
  for (const { finalizers } of left)
    for (const [name, count] of finalizers) held.set(name, (held.get(name) ?? 0) + count);
  const holders = [...held]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} in ${count} resource instances`);
  const condition = (
    type: string,
    failed: boolean,
    reason: string,
    message: string,
    fine: readonly [string, string],
  ): V1NamespaceCondition => ({
    type,
    status: failed ? 'True' : 'False',
    reason: failed ? reason : fine[0],
    message: failed ? message : fine[1],
    lastTransitionTime: now,
  });
  return [
    condition('NamespaceDeletionDiscoveryFailure', false, '', '', [
      'ResourcesDiscovered',
      'All resources successfully discovered',
    ]),
    condition('NamespaceDeletionGroupVersionParsingFailure', false, '', '', [
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ]),
    condition(
      'NamespaceDeletionContentFailure',
      failures.length > 0,
      'ContentDeletionFailed',
      `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ),
    condition(
      'NamespaceContentRemaining',
      counts.length > 0,
      'SomeResourcesRemain',
      `Some resources are remaining: ${counts.join(', ')}`,
      ['ContentRemoved', 'All content successfully removed'],
    ),
    condition(
      'NamespaceFinalizersRemaining',
      holders.length > 0,
      'SomeFinalizersRemain',
      `Some content in the namespace has finalizers remaining: ${holders.join(', ')}`,
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ),
  ];
}

/** Empties namespaces that are being deleted, then lets them go. `served` lists the namespaced resources of the moment, custom ones too. */
export function namespaceController(served: () => readonly Resource[]): Controller {
  return {
    name: 'namespace-controller',
    watches: [
      watched({
        resource: namespaces,
        keys: (namespace) => (namespace.metadata.deletionTimestamp ? [namespace.metadata.name] : []),
      }),
      watched({
        resource: pods,
        // The last pod that goes makes way for everything else.
        keys(pod, { gone }, context) {
          const { namespace = '' } = pod.metadata;
          if (!gone || !context.informers.informer(namespaces).get(namespace)?.metadata.deletionTimestamp) return [];
          return context.informers.informer(pods).byIndex('namespace', namespace).length === 0 ? [namespace] : [];
        },
      }),
    ],
    access: [
      rule('*', '*', 'get list delete deletecollection'),
      rule('', 'namespaces', `${read} delete`),
      rule('', 'namespaces/finalize namespaces/status', 'update'),
    ],
    async reconcile(key, context) {
      const namespace = context.informers.informer(namespaces).get(key);
      if (!namespace?.metadata.deletionTimestamp) return undefined;
      if (!namespace.spec?.finalizers?.includes(finalizer)) return undefined;
      const failures: string[] = [];
      const remaining: Remaining[] = [];
      const deletable = served().filter(
        ({ namespaced, verbs }) => namespaced && verbs.includes('list') && verbs.includes('delete'),
      );
      const isPods = (resource: Resource): boolean => resource.group === '' && resource.plural === 'pods';
      // Pods go first, since they may need what else is there until their end.
      for (const resource of [...deletable.filter(isPods), ...deletable.filter((it) => !isPods(it))]) {
        if (!isPods(resource) && remaining.some(({ count }) => count > 0) && remaining.length === 1) break;
        try {
          remaining.push(await clear(context, resource, key));
        } catch (error) {
          failures.push(error instanceof Error ? error.message : String(error));
        }
      }
      const done = failures.length === 0 && remaining.every(({ count }) => count === 0);
      if (done) {
        const finalizers = namespace.spec.finalizers.filter((name) => name !== finalizer);
        await context.client.update(
          namespaces,
          { ...namespace, spec: { ...namespace.spec, finalizers } },
          { subresource: 'finalize' },
        );
        return undefined;
      }
      let conditions = namespace.status?.conditions ?? [];
      for (const next of deletionConditions(remaining, failures, rfc3339(context.clock.now()))) {
        const old = conditions.find((it) => it.type === next.type);
        const same = old?.status === next.status && old.reason === next.reason && old.message === next.message;
        if (!same) conditions = setInPlace(conditions, next) as typeof conditions;
      }
      if (!semanticEqual(conditions, namespace.status?.conditions)) {
        await context.client.update(
          namespaces,
          { ...namespace, status: { ...namespace.status, phase: 'Terminating', conditions } },
          { subresource: 'status' },
        );
      }
      return { again: lookAgain };
    },
  };
}
