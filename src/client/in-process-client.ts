import type { ApiHandler, RequestOptions, ResourceRequest, ResourceResult, UserInfo } from '../api/handler.ts';
import type { KubeObject, Live, ObjectList, Resource } from '../api/resource.ts';
import { assert } from '../base/assert.ts';
import { deepFreeze } from '../base/freeze.ts';
import type { Client, DeleteOptions, ListOptions, WriteOptions } from './client.ts';

type Common = Pick<WriteOptions, 'reads' | 'signal'>;

/**
 * A client that calls the API server's handler in the same process as `user`: authorization and admission are the real ones,
 * and answers are the stored, frozen objects themselves, never copied or encoded.
 */
export function inProcessClient(options: {
  readonly handler: ApiHandler;
  readonly user: UserInfo;
  /** Names the field manager: the part before the slash. */
  readonly userAgent: string;
}): Client {
  const { handler, user } = options;
  const userAgent = options.userAgent.split('/')[0] ?? options.userAgent;
  const ask = (
    resource: Resource,
    request: Omit<ResourceRequest, 'group' | 'version' | 'resource' | 'user'>,
    common: Common | undefined,
  ): Promise<ResourceResult> =>
    handler({
      ...request,
      group: resource.group,
      version: resource.version,
      resource: resource.plural,
      user,
      userAgent,
      ...(common?.reads && { reads: common.reads }),
      ...(common?.signal && { signal: common.signal }),
    });
  return {
    user,
    async get<T extends KubeObject>(
      resource: Resource<T>,
      name: string,
      read?: { namespace?: string; signal?: AbortSignal; subresource?: string },
    ) {
      return objectOf<T>(
        await ask(resource, { verb: 'get', ...scope(read?.namespace), name, ...sub(read), options: {} }, read),
      );
    },
    async list<T extends KubeObject>(resource: Resource<T>, list?: ListOptions) {
      const result = await ask(
        resource,
        { verb: 'list', ...scope(list?.namespace), options: readOptions(list ?? {}) },
        list,
      );
      assert(result.type === 'list', 'a list is answered with a list');
      return result.list as ObjectList<T>;
    },
    async watch(resource, watch) {
      const result = await ask(
        resource,
        { verb: 'watch', ...scope(watch.namespace), options: readOptions(watch) },
        watch,
      );
      assert(result.type === 'watch', 'a watch is answered with a stream');
      return result.stream as never;
    },
    async create<T extends KubeObject>(resource: Resource<T>, object: T, write?: WriteOptions) {
      const name = object.metadata?.name;
      return objectOf<T>(
        await ask(
          resource,
          {
            verb: 'create',
            ...scope(write?.namespace ?? object.metadata?.namespace),
            ...(name && { name }),
            ...sub(write),
            options: writeOptions(write),
            body: named(resource, object),
          },
          write,
        ),
      );
    },
    async createSubresource<B extends KubeObject, R extends KubeObject = B>(
      resource: Resource,
      name: string,
      subresource: string,
      body: B,
      write?: WriteOptions,
    ) {
      const result = await ask(
        resource,
        {
          verb: 'create',
          ...scope(write?.namespace ?? body.metadata?.namespace),
          name,
          subresource,
          options: writeOptions(write),
          body,
        },
        write,
      );
      return objectOf(result) as unknown as R;
    },
    async update<T extends KubeObject>(resource: Resource<T>, object: T, write?: WriteOptions) {
      const name = object.metadata?.name;
      assert(name, 'an update needs a name');
      return objectOf<T>(
        await ask(
          resource,
          {
            verb: 'update',
            ...scope(write?.namespace ?? object.metadata?.namespace),
            name,
            ...sub(write),
            options: writeOptions(write),
            body: write?.subresource ? object : named(resource, object),
          },
          write,
        ),
      );
    },
    async patch<T extends KubeObject>(resource: Resource<T>, name: string, patch: unknown, write: PatchWrite) {
      return objectOf<T>(
        await ask(
          resource,
          {
            verb: 'patch',
            ...scope(write.namespace),
            name,
            ...sub(write),
            options: { ...writeOptions(write), ...(write.force !== undefined && { force: write.force }) },
            patch: { type: write.type, body: patch },
          },
          write,
        ),
      );
    },
    async delete(resource, name, write) {
      await ask(
        resource,
        { verb: 'delete', ...scope(write?.namespace), name, ...sub(write), options: deleteOptions(write) },
        write,
      );
    },
    async deleteCollection(resource, write) {
      await ask(
        resource,
        {
          verb: 'deletecollection',
          ...scope(write.namespace),
          options: { ...readOptions(write), ...deleteOptions(write) },
        },
        write,
      );
    },
  };
}

type PatchWrite = WriteOptions & {
  readonly type: NonNullable<ResourceRequest['patch']>['type'];
  readonly force?: boolean;
};

const scope = (namespace: string | undefined): { namespace?: string } => (namespace ? { namespace } : {});
const sub = (options: { subresource?: string } | undefined): { subresource?: string } =>
  options?.subresource ? { subresource: options.subresource } : {};

/** The handler wants kind and version in the body, as a decoder would have found them. */
function named<T extends KubeObject>(resource: Resource<T>, object: T): T {
  if (object.apiVersion && object.kind) return object;
  const apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version;
  return { ...object, apiVersion, kind: resource.kind };
}

function objectOf<T extends KubeObject>(result: ResourceResult): Live<T> {
  assert(result.type === 'object' || result.type === 'answer', `expected an object, got ${result.type}`);
  return (result.type === 'answer' ? deepFreeze(result.object) : result.object) as Live<T>;
}

const readKeys = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'allowWatchBookmarks',
  'sendInitialEvents',
  'timeoutSeconds',
] as const;
const writeKeys = ['fieldManager', 'dryRun'] as const;
const deleteKeys = ['gracePeriodSeconds', 'propagationPolicy', 'preconditions', 'dryRun'] as const;

const pick = (from: object | undefined, keys: readonly string[]): RequestOptions => {
  const out: Record<string, unknown> = {};
  for (const key of keys) {
    const value = (from as Record<string, unknown> | undefined)?.[key];
    if (value !== undefined) out[key] = value;
  }
  return out;
};
const readOptions = (options: ListOptions): RequestOptions => pick(options, readKeys);
const writeOptions = (options: WriteOptions | undefined): RequestOptions => pick(options, writeKeys);
const deleteOptions = (options: DeleteOptions | undefined): RequestOptions => pick(options, deleteKeys);
