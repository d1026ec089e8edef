import type { KubeObject, Live, Resource } from '../../api/resource.ts';
import type { ControllerContext } from '../../controller/controller.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';

/** Writes the status where it differs from what the object has; returns the object as it then is. */
export async function writeStatus<T extends KubeObject & { readonly status?: object }>(
  context: ControllerContext,
  resource: Resource<T>,
  object: Live<T>,
  status: T['status'],
): Promise<Live<T>> {
  if (semanticEqual(object.status, status)) return object;
  return context.client.update(resource, { ...object, status } as T, { subresource: 'status' });
}
