import { controllerrevisions, daemonsets, nodes, pods } from '../../api/generated/resources.ts';
import { matchesLabels, requirementsOf } from '../../api/label-selector.ts';
import { type Backoff, exponentialBackoff } from '../../base/backoff.ts';
import { keyOf } from '../../client/informer.ts';
import { type Controller, type ControllerContext, type Outcome, watched } from '../../controller/controller.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from '../support/access.ts';
import {
  createRevision,
  isRevisionOf,
  listRevisions,
  type Revision,
  renumber,
  truncateRevisions,
} from '../support/history.ts';
import { claim, controllerKey, controllerOf } from '../support/owners.ts';
import { allOrFirstError, createPod, deletePod, isNamespaceTerminating, slowStart } from '../support/pod-control.ts';
import { writeStatus } from '../support/status.ts';
import {
  type DaemonSet,
  daemonPod,
  daemonTemplate,
  hashLabel,
  isRolling,
  minReadyOf,
  type Pod,
  shouldRun,
} from './facts.ts';
import { daemonStatus, type Finished, placement, podsByNode, rollingUpdate } from './plan.ts';

/** Pods created or deleted in one reconcile at most. */
const burst = 250;

/** Keeps a pod on every fitting node. Upstream: pkg/controller/daemon. */
export function daemonSetController(): Controller {
  let backoff: Backoff | undefined;
  return {
    name: 'daemon-set-controller',
    eventSource: 'daemonset-controller',
    watches: [
      watched({ resource: daemonsets, keys: (ds) => [keyOf(ds)] }),
      watched({
        resource: pods,
        keys(pod, { old }, context) {
          const keys = [...controllerKey(pod, daemonsets), ...(old ? controllerKey(old, daemonsets) : [])];
          if (controllerOf(pod)) return keys;
          for (const ds of context.informers.informer(daemonsets).byIndex('namespace', pod.metadata.namespace ?? '')) {
            if (matchesLabels(requirementsOf(ds.spec?.selector), pod.metadata.labels)) keys.push(keyOf(ds));
          }
          return keys;
        },
      }),
      watched({ resource: controllerrevisions, keys: (it) => controllerKey(it, daemonsets) }),
      watched({
        resource: nodes,
        keys(node, { old, gone }, context) {
          const matters =
            !old ||
            gone ||
            !semanticEqual(old.metadata.labels, node.metadata.labels) ||
            !semanticEqual(old.spec?.taints, node.spec?.taints);
          if (!matters) return [];
          // Only the sets that think otherwise of the node now.
          return context.informers
            .informer(daemonsets)
            .list()
            .filter((ds) => {
              const now = shouldRun(ds, node);
              if (!old || gone) return now.start || now.stay;
              const before = shouldRun(ds, old);
              return now.start !== before.start || now.stay !== before.stay;
            })
            .map(keyOf);
        },
      }),
    ],
    access: [
      rule('apps', 'daemonsets', read),
      rule('apps', 'daemonsets/status daemonsets/finalizers', 'update'),
      rule('', 'nodes', 'list watch'),
      rule('', 'pods', `${read} create delete patch`),
      rule('', 'pods/binding', 'create'),
      rule('apps', 'controllerrevisions', `${read} create delete update patch`),
      ...mayRecord,
    ],
    reconcile(key, context) {
      backoff ??= exponentialBackoff(context.clock, { initial: 1_000, max: 15 * 60_000 });
      return reconcile(key, context, backoff);
    },
  };
}

async function reconcile(key: string, context: ControllerContext, backoff: Backoff): Promise<Outcome> {
  const ds = context.informers.informer(daemonsets).get(key);
  if (!ds) return undefined;
  const { selector } = ds.spec ?? {};
  if (Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0) {
    const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
    context.events.event(ds, 'Warning', 'SelectingAll', message);
    return undefined;
  }
  if (ds.metadata.deletionTimestamp) return undefined;
  const { current, old } = await revise(context, ds);
  const hash = current.metadata.labels?.[hashLabel] ?? '';
  const look = async () => ({
    ds,
    nodes: context.informers.informer(nodes).list(),
    pods: podsByNode(
      await claim({
        client: context.client,
        owner: ds,
        ownerResource: daemonsets,
        resource: pods,
        informer: context.informers.informer(pods),
        selector,
      }),
    ),
    hash,
    now: context.clock.now(),
  });
  const scene = await look();
  let failure: unknown;
  let again: number | undefined;
  try {
    const plan = placement(scene);
    const { ended, wait } = endFinished(context, ds, plan.finished, backoff);
    again = wait;
    await change(context, ds, hash, plan.create, [...plan.remove, ...ended]);
    const quiet = plan.create.length === 0 && plan.remove.length === 0 && ended.length === 0;
    if (quiet && isRolling(ds)) {
      const step = rollingUpdate(scene);
      await change(context, ds, hash, step.create, step.remove);
    }
    const live = new Set([...scene.pods.values()].flat().map((pod) => pod.metadata.labels?.[hashLabel]));
    const limit = ds.spec?.revisionHistoryLimit ?? 10;
    await truncateRevisions(context, old, (revision) => live.has(revision.metadata.labels?.[hashLabel]), limit);
  } catch (error) {
    failure = error;
  }
  const status = daemonStatus(scene);
  await writeStatus(context, daemonsets, ds, status);
  if (failure !== undefined) throw failure;
  if (minReadyOf(ds) > 0 && status.numberReady !== (status.numberAvailable ?? 0)) {
    again = Math.min(again ?? Number.POSITIVE_INFINITY, minReadyOf(ds) * 1000);
  }
  return again === undefined ? undefined : { again };
}

/** Pods that ended: told, and to be removed; a node whose pods keep failing gets its next one later and later. */
function endFinished(
  context: ControllerContext,
  ds: DaemonSet,
  finished: readonly Finished[],
  backoff: Backoff,
): { readonly ended: readonly Pod[]; readonly wait: number | undefined } {
  const ended: Pod[] = [];
  let wait: number | undefined;
  for (const { pod, node, phase } of finished) {
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (phase === 'Succeeded') {
      const message = `Found succeeded daemon pod ${name} on node ${node}, will try to delete it`;
      context.events.event(ds, 'Normal', 'SucceededDaemonPod', message);
      ended.push(pod);
      continue;
    }
    const key = `${ds.metadata.uid}/${ds.status?.observedGeneration ?? 0}/${node}`;
    if (backoff.waiting(key)) {
      wait = Math.min(wait ?? Number.POSITIVE_INFINITY, backoff.remaining(key));
      continue;
    }
    backoff.next(key);
    const message = `Found failed daemon pod ${name} on node ${node}, will try to kill it`;
    context.events.event(ds, 'Warning', 'FailedDaemonPod', message);
    ended.push(pod);
  }
  return { ended, wait };
}

async function change(
  context: ControllerContext,
  ds: DaemonSet,
  hash: string,
  create: readonly string[],
  remove: readonly Pod[],
): Promise<void> {
  const template = daemonTemplate(ds, hash);
  const targets = create.slice(0, burst);
  const { error } = await slowStart(targets.length, (i) =>
    createPod(context, ds, daemonsets, template, daemonPod(ds, template, targets[i] ?? '')),
  );
  await allOrFirstError(remove.slice(0, burst).map((pod) => deletePod(context, ds, pod)));
  if (error !== undefined && !isNamespaceTerminating(error)) throw error;
}

async function revise(
  context: ControllerContext,
  ds: DaemonSet,
): Promise<{ readonly current: Revision; readonly old: readonly Revision[] }> {
  const all = await listRevisions(context, daemonsets, ds, ds.spec?.selector);
  const matching = all.filter((revision) => isRevisionOf(revision, ds.spec?.template));
  const old = all.filter((revision) => !matching.includes(revision));
  const next = Math.max(0, ...old.map((revision) => revision.revision)) + 1;
  const newest = matching.at(-1);
  if (newest) {
    const current = newest.revision < next ? await renumber(context, newest, next) : newest;
    return { current, old };
  }
  const made = await createRevision(context, {
    resource: daemonsets,
    owner: ds,
    template: ds.spec?.template,
    revision: next,
    collisionCount: ds.status?.collisionCount ?? 0,
    label: hashLabel,
  });
  if (made.collisionCount !== (ds.status?.collisionCount ?? 0)) {
    const status = { ...daemonStatus({ ds, nodes: [], pods: new Map(), hash: '', now: 0 }), ...ds.status };
    await writeStatus(context, daemonsets, ds, { ...status, collisionCount: made.collisionCount });
  }
  return { current: made.revision, old };
}
