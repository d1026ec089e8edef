import type { Live } from '../../api/resource.ts';
import type { Draft } from '../../kinds/kind.ts';
import type { AdmissionOperation, AdmissionRequest } from '../contracts.ts';
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
  return {
    operation,
    kind: stored.kind,
    resource: stored.kind.resource,
    ...(request.subresource !== undefined && { subresource: request.subresource }),
    ...(op.namespace !== '' && { namespace: op.namespace }),
    name,
    object,
    old,
    user: request.user,
    dryRun: request.options.dryRun === true,
    options: request.options,
    warn: strategy.warn,
  };
}

/** Runs the mutating plugins in order. Waits only for those that take time. */
export async function admit(op: Operation, request: AdmissionRequest): Promise<void> {
  if (!op.admitted) return;
  for (const plugin of op.core.admission()) {
    const wait = plugin.admit?.(request);
    if (wait) await wait;
  }
}

/** Runs the validating plugins; undoes the reservations of those that ran when one refuses. */
export async function validateAdmission(op: Operation, request: AdmissionRequest): Promise<void> {
  if (!op.admitted) return;
  const plugins = op.core.admission();
  for (const [index, plugin] of plugins.entries()) {
    try {
      const wait = plugin.validate?.(request);
      if (wait) await wait;
    } catch (error) {
      await rollback(op, request, index);
      throw error;
    }
  }
}

/** Gives back what plugins reserved for a write that did not happen. `upTo`: only the first so many. */
export async function rollback(
  op: Operation,
  request: AdmissionRequest,
  upTo = Number.POSITIVE_INFINITY,
): Promise<void> {
  if (!op.admitted) return;
  for (const [index, plugin] of op.core.admission().entries()) {
    if (index >= upTo) return;
    try {
      await plugin.rollback?.(request);
    } catch (error) {
      op.core.log.error('an admission plugin failed to roll back', { plugin: plugin.name, error });
    }
  }
}
