import type { Verb } from '../../api/handler.ts';

/** A path of a resource: `/api/v1/namespaces/x/pods/y/log`. */
export interface ResourceRoute {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** What follows the subresource, beginning with a slash: the path of a proxied request. */
  readonly rest: string;
  /** The old form of a watch: `/api/v1/watch/pods`. */
  readonly watch: boolean;
}

/** Of a namespace these are subresources; anything else below it is a resource in it. */
const namespaceSubresources = new Set(['status', 'finalize']);

const decode = (part: string): string => {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** Reads a path (without query); undefined where it names no resource (endpoints/request/requestinfo.go). */
export function parseRoute(path: string): ResourceRoute | undefined {
  const core = path.startsWith('/api/');
  if (!core && !path.startsWith('/apis/')) return undefined;
  const parts = path.split('/');
  const group = core ? '' : (parts[2] ?? '');
  const version = parts[core ? 2 : 3] ?? '';
  let at = core ? 3 : 4;
  if ((parts[at] ?? '') === '' || version === '') return undefined;
  const watch = parts[at] === 'watch';
  if (watch) at += 1;
  let namespace: string | undefined;
  if (parts[at] === 'namespaces' && parts[at + 2] && !namespaceSubresources.has(parts[at + 2] ?? '')) {
    namespace = decode(parts[at + 1] ?? '');
    at += 2;
  }
  const resource = parts[at];
  if (!resource) return undefined;
  const name = parts[at + 1] ? decode(parts[at + 1] ?? '') : undefined;
  const subresource = name !== undefined && parts[at + 2] ? parts[at + 2] : undefined;
  const tail = subresource === undefined ? [] : parts.slice(at + 3);
  return {
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    rest: tail.length === 0 ? '' : `/${tail.join('/')}`,
    watch,
  };
}

/** What a method does to a resource; undefined for methods the API does not have. */
export function verbOf(method: string, route: ResourceRoute, watch: boolean): Verb | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (route.watch) return 'watch';
      if (route.name !== undefined) return 'get';
      return watch ? 'watch' : 'list';
    case 'POST':
      return route.name !== undefined && route.subresource === undefined ? undefined : 'create';
    case 'PUT':
      return route.name === undefined ? undefined : 'update';
    case 'PATCH':
      return route.name === undefined ? undefined : 'patch';
    case 'DELETE':
      return route.name === undefined ? 'deletecollection' : 'delete';
    default:
      return undefined;
  }
}
