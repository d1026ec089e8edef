import type { ResourceRequest, ResourceResult } from '../api/handler.ts';
import { apiVersionOf, type Live } from '../api/resource.ts';
import { notFound } from '../api/status.ts';
import type { KindDefinition } from '../kinds/kind.ts';
import type { ServerContext } from './contracts.ts';
import { selectionOf } from './verbs/selection.ts';

/** A resource that no store holds: its objects are made when they are asked for (metrics). It can be read, not watched. */
export interface ComputedResource {
  readonly kind: KindDefinition;
  /** How upstream names the objects in its NotFound answers: `podmetrics`. */
  readonly called: string;
  /** All objects, or those of one namespace. Each begins with `kind` and `apiVersion`, in this order. */
  list(namespace: string | undefined, context: ServerContext): Promise<readonly Live[]>;
}

/** Answers get and list of a computed resource. Throws NotFound, and BadRequest for bad selectors. */
export async function readComputed(
  computed: ComputedResource,
  request: ResourceRequest,
  context: ServerContext,
): Promise<ResourceResult> {
  const { kind } = computed;
  const { resource } = kind;
  const namespace = resource.namespaced ? request.namespace : undefined;
  const all = await computed.list(namespace, context);
  if (request.verb === 'get') {
    const object = all.find((it) => it.metadata.name === request.name);
    if (object) return { type: 'object', object, created: false };
    const name = namespace === undefined ? (request.name ?? '') : `${namespace}/${request.name}`;
    throw notFound({ group: resource.group, resource: computed.called }, name);
  }
  const selection = selectionOf(kind, request.options);
  const items = all.filter(
    (it) =>
      (selection.name === undefined || it.metadata.name === selection.name) &&
      (selection.namespace === undefined || it.metadata.namespace === selection.namespace) &&
      (selection.matches?.(it) ?? true),
  );
  return {
    type: 'list',
    list: { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata: {}, items },
  };
}
