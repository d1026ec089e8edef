import type { ResourceRequest } from '../../api/handler.ts';
import type { KubeObject, Resource } from '../../api/resource.ts';
import type { Draft } from '../../kinds/kind.ts';
import { isLoopback } from '../authz/loopback.ts';
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest, ServerContext } from '../contracts.ts';

/** Runs the plugins on a subresource that is created or connected to: first those that change it, then those that check. */
export async function admitSubresource(
  plugins: readonly AdmissionPlugin[],
  context: ServerContext,
  request: Pick<ResourceRequest, 'user' | 'name' | 'namespace' | 'subresource' | 'options' | 'warn'>,
  resource: Resource,
  object: KubeObject,
  operation: AdmissionOperation = 'CREATE',
): Promise<void> {
  if (plugins.length === 0 || isLoopback(request.user)) return;
  const kind = context.kinds.find(resource.group, resource.version, resource.plural);
  if (!kind) return;
  const admission: AdmissionRequest = {
    operation,
    kind,
    resource,
    name: request.name ?? object.metadata?.name ?? '',
    object: object as unknown as Draft,
    old: undefined,
    user: request.user,
    dryRun: request.options.dryRun === true,
    options: request.options,
    warn: request.warn ?? (() => undefined),
    ...(request.subresource !== undefined && { subresource: request.subresource }),
    ...(request.namespace !== undefined && { namespace: request.namespace }),
  };
  for (const plugin of plugins) await plugin.admit?.(admission);
  for (const plugin of plugins) await plugin.validate?.(admission);
}
