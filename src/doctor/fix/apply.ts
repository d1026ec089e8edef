import { allResources } from '../../api/generated/resources.ts';
import { jsonPatch } from '../../api/json-patch.ts';
import type { KubeObject, Resource } from '../../api/resource.ts';
import { StatusError } from '../../api/status.ts';
import { defined, unreachable } from '../../base/assert.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Action } from '../finding.ts';
import { type Reference, show } from '../reference.ts';
import { yamlDiff } from './diff.ts';

/** An action, ready to be shown and carried out. */
export interface PlannedFix {
  readonly action: Action;
  /** `Change deployment shop/web`. */
  readonly says: string;
  readonly diff: string;
}

/** How long a deleted object may take to go away, milliseconds. */
const goneWithinMs = 60_000;

const resourceOf = (kind: string): Resource =>
  defined(
    allResources.find((it) => it.kind === kind),
    `no resource for kind ${kind}`,
  );

const at = (it: Reference): { namespace?: string } => (it.namespace ? { namespace: it.namespace } : {});

/** Reads what the action would change and shows the difference. Throws `StatusError` when the object cannot be read. */
export async function planFix(client: Client, action: Action): Promise<PlannedFix> {
  switch (action.kind) {
    case 'patch': {
      const live = await client.get(resourceOf(action.target.kind), action.target.name, at(action.target));
      const after = jsonPatch(live, action.operations);
      return {
        action,
        says: `${action.replace ? 'Delete and create anew' : 'Change'} ${show(action.target)}`,
        diff: yamlDiff(essence(live), essence(after as KubeObject)),
      };
    }
    case 'create':
      return {
        action,
        says: `Create ${show({ kind: action.object.kind ?? '', ...at({ kind: '', name: '', ...(action.object.metadata?.namespace && { namespace: action.object.metadata.namespace }) }), name: action.object.metadata?.name ?? '' })}`,
        diff: yamlDiff(undefined, action.object),
      };
    case 'delete':
      return { action, says: `Delete ${show(action.target)}`, diff: '' };
    default:
      return unreachable(action);
  }
}

/** What people look at: without status and bookkeeping. */
function essence(object: KubeObject): object {
  const { status: _status, metadata, ...rest } = object as KubeObject & { status?: unknown };
  const { name, namespace, labels, annotations } = metadata ?? {};
  return {
    ...rest,
    metadata: { name, ...(namespace && { namespace }), ...(labels && { labels }), ...(annotations && { annotations }) },
  };
}

/** Carries the action out. Throws `StatusError` when the server refuses. */
export async function applyFix(client: Client, clock: Clock, action: Action): Promise<void> {
  switch (action.kind) {
    case 'patch':
      if (action.replace) await replace(client, clock, action.target, action.operations);
      else
        await client.patch(resourceOf(action.target.kind), action.target.name, action.operations, {
          ...at(action.target),
          type: 'application/json-patch+json',
          fieldManager: 'coracle-why',
        });
      return;
    case 'create':
      await client.create(resourceOf(action.object.kind ?? ''), action.object, { fieldManager: 'coracle-why' });
      return;
    case 'delete':
      await client.delete(resourceOf(action.target.kind), action.target.name, at(action.target));
      return;
    default:
      unreachable(action);
  }
}

async function replace(
  client: Client,
  clock: Clock,
  target: Reference,
  operations: Extract<Action, { kind: 'patch' }>['operations'],
): Promise<void> {
  const resource = resourceOf(target.kind);
  const live = await client.get(resource, target.name, at(target));
  const fresh = asNew(jsonPatch(live, operations) as KubeObject);
  await client.delete(resource, target.name, {
    ...at(target),
    propagationPolicy: 'Background',
    preconditions: { uid: live.metadata.uid },
  });
  const end = clock.monotonic() + goneWithinMs;
  while (await exists(client, resource, target, live.metadata.uid)) {
    if (clock.monotonic() > end)
      throw new Error(`${show(target)} was deleted, but is still there after ${goneWithinMs / 1000} s`);
    await sleep(clock, 250);
  }
  await client.create(resource, fresh, { ...at(target), fieldManager: 'coracle-why' });
}

async function exists(client: Client, resource: Resource, target: Reference, uid: string): Promise<boolean> {
  try {
    return (await client.get(resource, target.name, at(target))).metadata.uid === uid;
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return false;
    throw error;
  }
}

/** The object as a user would create it: without what server, scheduler and controllers filled in. */
export function asNew(object: KubeObject): KubeObject {
  const {
    status: _status,
    metadata,
    ...rest
  } = object as KubeObject & { status?: unknown; spec?: Record<string, unknown> };
  const { name, namespace, labels, annotations, finalizers } = metadata ?? {};
  const spec = { ...rest.spec };
  const own = { ...labels };
  if (object.kind === 'Pod') delete spec['nodeName'];
  if (object.kind === 'Job') {
    // The selector and these labels are generated; they name the object that is gone.
    delete spec['selector'];
    for (const key of generated) delete own[key];
    const template = spec['template'] as { metadata?: { labels?: Record<string, string> } } | undefined;
    if (template?.metadata?.labels) {
      const kept = Object.entries(template.metadata.labels).filter(([key]) => !generated.includes(key));
      spec['template'] = { ...template, metadata: { ...template.metadata, labels: Object.fromEntries(kept) } };
    }
  }
  return {
    ...rest,
    metadata: {
      ...(name && { name }),
      ...(namespace && { namespace }),
      ...(Object.keys(own).length > 0 && { labels: own }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
    },
    ...(rest.spec && { spec }),
  } as KubeObject;
}

const generated = ['controller-uid', 'batch.kubernetes.io/controller-uid', 'job-name', 'batch.kubernetes.io/job-name'];
