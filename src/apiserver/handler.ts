import type { ApiHandler, ResourceRequest, ResourceResult, UserInfo } from '../api/handler.ts';
import type { Live } from '../api/resource.ts';
import { noSuchPath, statusError } from '../api/status.ts';
import type { KindDefinition } from '../kinds/kind.ts';
import { attributesOf, authorize } from './authorize.ts';
import { accessDenied } from './authz/denied.ts';
import { isLoopback } from './authz/loopback.ts';
import { type ComputedResource, readComputed } from './computed.ts';
import type { AccessAttributes, Authorizer, ServerContext, SpecialHandler } from './contracts.ts';
import { type Core, type Operation, operationOf, toVersion } from './core.ts';
import { create } from './verbs/create.ts';
import { deleteCollection, deleteOne } from './verbs/delete.ts';
import { get } from './verbs/get.ts';
import { list } from './verbs/list.ts';
import { patch } from './verbs/patch.ts';
import { scale } from './verbs/scale.ts';
import { update } from './verbs/update.ts';
import { watch } from './verbs/watch.ts';

export interface HandlerParts {
  readonly core: Core;
  readonly context: () => ServerContext;
  readonly authorizer: () => Authorizer;
  /** By `resource.group/subresource`, `resource/subresource` or the same without a subresource. */
  readonly special: Readonly<Record<string, SpecialHandler>>;
  readonly computed: readonly ComputedResource[];
}

const verbs: Readonly<Record<ResourceRequest['verb'], (op: Operation) => Promise<ResourceResult>>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: deleteOne,
  deletecollection: deleteCollection,
};

/** 405, as upstream answers a verb that a resource does not have. */
export const methodNotAllowed = () =>
  statusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

/** The server's core: finds the kind, authorizes, and lets the verb or a special handler answer. */
export function apiHandler(parts: HandlerParts): ApiHandler {
  const { core, special } = parts;
  const specialFor = (request: ResourceRequest): SpecialHandler | undefined => {
    const { resource, group, subresource } = request;
    const tail = subresource === undefined ? '' : `/${subresource}`;
    return special[`${resource}.${group}${tail}`] ?? special[`${resource}${tail}`];
  };
  return async (request) => {
    const kind = core.kinds.find(request.group, request.version, request.resource);
    if (!kind) throw noSuchPath();
    if (!isLoopback(request.user)) {
      const wait = authorize(parts.authorizer(), attributesOf(request));
      if (wait) await wait;
    }
    const handler = specialFor(request);
    if (handler && handles(handler, request)) return handler(request, parts.context());
    checkVerb(kind, request);
    const computed = parts.computed.find((it) => it.kind === kind);
    if (computed) return readComputed(computed, request, parts.context());
    const storage = core.kinds.storageKind(kind).resource;
    const stored = core.storage.findStored(storage.group, storage.plural);
    if (!stored) throw noSuchPath();
    const op = operationOf(core, request, kind, stored);
    if (request.subresource === 'scale' && stored.kind.scale) return scale(op);
    return verbs[request.verb](op);
  };
}

/** The stored object that a plain get asks for. */
export type ObjectPeek = (
  kind: KindDefinition,
  path: {
    readonly namespace: string | undefined;
    readonly name: string | undefined;
    readonly subresource: string | undefined;
  },
  user: UserInfo,
) => Live | undefined;

/**
 * Answers a get from the cache at once: authorized, in the version asked for. Undefined where something has to be waited for, or where
 * there is nothing: the handler then finds out. Throws Forbidden.
 */
export function objectPeek(core: Core, authorizer: () => Authorizer): ObjectPeek {
  return (kind, { namespace, name, subresource }, user) => {
    const { resource } = kind;
    if (name === undefined || subresource !== undefined || core.storage.shared || !resource.verbs.includes('get'))
      return;
    const { group, version, plural } = resource;
    const attributes = {
      user,
      verb: 'get',
      group,
      version,
      resource: plural,
      namespace: namespace ?? (plural === 'namespaces' && group === '' ? name : undefined),
      name,
    } as AccessAttributes;
    const decision = authorizer().authorize(attributes);
    if (decision instanceof Promise) return;
    if (!decision.allowed) throw accessDenied(attributes, decision);
    const storage = core.kinds.storageKind(kind).resource;
    const stored = core.storage.findStored(storage.group, storage.plural);
    if (!stored || stored.loading) return;
    const object = stored.cache.objects.get(resource.namespaced ? (namespace ?? '') : '', name);
    return object && toVersion(kind, stored, object);
  };
}

/** Special handlers answer creations; reads of a subresource they share with a stored one stay generic. */
const handles = (_handler: SpecialHandler, request: ResourceRequest): boolean =>
  request.verb === 'create' || request.subresource !== undefined || !['get', 'list', 'watch'].includes(request.verb);

function checkVerb(kind: KindDefinition, request: ResourceRequest): void {
  const { resource } = kind;
  if (request.subresource === undefined) {
    if (!resource.verbs.includes(request.verb)) throw methodNotAllowed();
    return;
  }
  const known = resource.subresources?.find((it) => it.name === request.subresource);
  if (!known) throw noSuchPath();
  if (!known.verbs.includes(request.verb)) throw methodNotAllowed();
}
