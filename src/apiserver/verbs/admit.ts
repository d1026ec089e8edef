import { type Live, qualified } from '../../api/resource.ts';
import type { Draft, KindDefinition } from '../../kinds/kind.ts';
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest } from '../contracts.ts';
import type { Operation } from '../core.ts';

/** Builds what the plugins see of a write. */
export function admissionRequest(
  op: Operation,
  operation: AdmissionOperation,
  name: string,
  object: Draft | undefined,
  old: Live | undefined,
): AdmissionRequest {
  const { request, stored, strategy } = op;
  // Every field in place: all requests have one shape, and undefined stands for absent.
  return {
    operation,
    kind: stored.kind,
    resource: stored.kind.resource,
    subresource: request.subresource,
    namespace: op.namespace === '' ? undefined : op.namespace,
    name,
    object,
    old,
    user: request.user,
    dryRun: request.options.dryRun === true,
    options: request.options,
    warn: strategy.warn,
  } as AdmissionRequest;
}

/** The plugins that see requests for a kind, found once for each list of plugins. */
const concerned = new WeakMap<readonly AdmissionPlugin[], WeakMap<KindDefinition, readonly AdmissionPlugin[]>>();

function pluginsFor(op: Operation): readonly AdmissionPlugin[] {
  const all = op.core.admission();
  let byKind = concerned.get(all);
  if (!byKind) {
    byKind = new WeakMap();
    concerned.set(all, byKind);
  }
  const { kind } = op.stored;
  let plugins = byKind.get(kind);
  if (!plugins) {
    const name = qualified({ group: kind.resource.group, resource: kind.resource.plural });
    plugins = all.filter(({ resources }) => resources === undefined || resources.includes(name));
    byKind.set(kind, plugins);
  }
  return plugins;
}

/** Runs the mutating plugins in order. Returns something to wait for only where one of them takes time. */
export function admit(op: Operation, request: AdmissionRequest, from = 0): Promise<void> | undefined {
  if (!op.admitted) return undefined;
  const plugins = pluginsFor(op);
  for (let index = from; index < plugins.length; index++) {
    const wait = plugins[index]?.admit?.(request);
    if (wait) return wait.then(() => admit(op, request, index + 1));
  }
  return undefined;
}

/** Runs the validating plugins; undoes the reservations of those that ran when one refuses. */
export function validateAdmission(op: Operation, request: AdmissionRequest): Promise<void> | undefined {
  if (!op.admitted) return undefined;
  const plugins = pluginsFor(op);
  for (let index = 0; index < plugins.length; index++) {
    try {
      const wait = plugins[index]?.validate?.(request);
      if (wait) return validateFrom(op, request, index, wait);
    } catch (error) {
      return undo(op, request, index, error);
    }
  }
  return undefined;
}

/** Waits for the plugin at `index` and runs those after it. */
async function validateFrom(
  op: Operation,
  request: AdmissionRequest,
  index: number,
  first: Promise<void>,
): Promise<void> {
  const plugins = pluginsFor(op);
  let at = index;
  try {
    await first;
    for (at = index + 1; at < plugins.length; at++) {
      const wait = plugins[at]?.validate?.(request);
      if (wait) await wait;
    }
  } catch (error) {
    await undo(op, request, at, error);
  }
}

async function undo(op: Operation, request: AdmissionRequest, upTo: number, error: unknown): Promise<never> {
  await rollback(op, request, upTo);
  throw error;
}

/** Gives back what plugins reserved for a write that did not happen. `upTo`: only the first so many. */
export async function rollback(
  op: Operation,
  request: AdmissionRequest,
  upTo = Number.POSITIVE_INFINITY,
): Promise<void> {
  if (!op.admitted) return;
  for (const [index, plugin] of pluginsFor(op).entries()) {
    if (index >= upTo) return;
    try {
      await plugin.rollback?.(request);
    } catch (error) {
      op.core.log.error('an admission plugin failed to roll back', { plugin: plugin.name, error });
    }
  }
}
