import type { ApiHandler, ResourceRequest, UserInfo } from '../src/api/handler.ts';
import type { KubeObject, Live, ObjectList, Resource } from '../src/api/resource.ts';
import type { SpanSink } from '../src/api/trace.ts';
import type {
  AdmissionPlugin,
  Authorizer,
  ConnectHandler,
  ServerContext,
  SpecialHandler,
} from '../src/apiserver/contracts.ts';
import { type ApiServer, type ApiServerOptions, createApiServer } from '../src/apiserver/create-api-server.ts';
import { type Clock, systemClock } from '../src/base/clock.ts';
import { type Logger, silentLogger } from '../src/base/log.ts';
import { type Random, seededRandom } from '../src/base/random.ts';
import { builtinKinds } from '../src/kinds/catalogue.ts';
import type { KindDefinition } from '../src/kinds/kind.ts';
import { memoryStore } from '../src/store/memory/memory-store.ts';
import type { Store } from '../src/store/store.ts';

export interface TestServerOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: seeded, so that uids and generated names repeat. */
  readonly random?: Random;
  readonly log?: Logger;
  readonly spans?: SpanSink;
  /** Default: a fresh memory store. */
  readonly store?: Store;
  /** Default: all built-in kinds. */
  readonly kinds?: readonly KindDefinition[];
  /** Default: everything is allowed. */
  readonly makeAuthorizer?: ApiServerOptions['makeAuthorizer'];
  readonly makeAuthenticator?: ApiServerOptions['makeAuthenticator'];
  readonly admission?: (context: ServerContext) => readonly AdmissionPlugin[];
  readonly special?: Readonly<Record<string, SpecialHandler>>;
  readonly connect?: Readonly<Record<string, ConnectHandler>>;
  readonly customResources?: ApiServerOptions['customResources'];
  /** Namespaces to make at the start. Default: default and kube-system. */
  readonly namespaces?: readonly string[];
}

export interface TestServer extends ApiServer {
  readonly handler: ApiHandler;
  readonly store: Store;
  readonly user: UserInfo;
  /** Fills in what most requests share: the admin user, empty options, the resource's group, version and plural. */
  request(
    resource: Resource,
    request: Partial<ResourceRequest> & Pick<ResourceRequest, 'verb'>,
  ): ReturnType<ApiHandler>;
  create<T extends KubeObject>(resource: Resource<T>, object: T, request?: Partial<ResourceRequest>): Promise<Live<T>>;
  get<T extends KubeObject>(resource: Resource<T>, namespace: string | undefined, name: string): Promise<Live<T>>;
  list<T extends KubeObject>(resource: Resource<T>, namespace?: string): Promise<ObjectList<T>>;
  update<T extends KubeObject>(resource: Resource<T>, object: T, request?: Partial<ResourceRequest>): Promise<Live<T>>;
  delete(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    options?: ResourceRequest['options'],
  ): Promise<void>;
}

export const admin: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

export const allowAll: Authorizer = {
  authorize: () => ({ allowed: true, reason: '' }),
  rulesFor: () => ({
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  }),
};

/** A whole API server in this process over a memory store, open to everybody. Close it at the end of the test. */
export async function createTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const clock = options.clock ?? systemClock;
  const store = options.store ?? memoryStore(clock);
  const server = await createApiServer({
    store,
    kinds: options.kinds ?? builtinKinds(),
    clock,
    random: options.random ?? seededRandom(1),
    log: options.log ?? silentLogger,
    ...(options.spans && { spans: options.spans }),
    makeAuthorizer: options.makeAuthorizer ?? (() => allowAll),
    makeAuthenticator:
      options.makeAuthenticator ??
      (() => ({
        authenticate: async () => admin,
        reviewToken: async () => ({ authenticated: true, user: admin }),
      })),
    ...(options.admission && { admission: options.admission }),
    ...(options.special && { special: options.special }),
    ...(options.connect && { connect: options.connect }),
    ...(options.customResources && { customResources: options.customResources }),
  });
  const request: TestServer['request'] = ({ group, version, plural }, parts) =>
    server.handler({ group, version, resource: plural, options: {}, user: admin, ...parts });
  const objectOf = async <T extends KubeObject>(answer: ReturnType<ApiHandler>): Promise<Live<T>> => {
    const result = await answer;
    if (result.type !== 'object') throw new Error(`expected an object, got ${result.type}`);
    return result.object as Live<T>;
  };
  const scope = (namespace: string | undefined) => (namespace === undefined ? {} : { namespace });
  const testServer: TestServer = {
    ...server,
    store,
    user: admin,
    request,
    create: (resource, object, parts) =>
      objectOf(request(resource, { verb: 'create', ...scope(object.metadata?.namespace), body: object, ...parts })),
    get: (resource, namespace, name) => objectOf(request(resource, { verb: 'get', ...scope(namespace), name })),
    async list(resource, namespace) {
      const result = await request(resource, { verb: 'list', ...scope(namespace) });
      if (result.type !== 'list') throw new Error(`expected a list, got ${result.type}`);
      return result.list as never;
    },
    update: (resource, object, parts) =>
      objectOf(
        request(resource, {
          verb: 'update',
          ...scope(object.metadata?.namespace),
          name: object.metadata?.name ?? '',
          body: object,
          ...parts,
        }),
      ),
    async delete(resource, namespace, name, deletion = {}) {
      await request(resource, { verb: 'delete', ...scope(namespace), name, options: deletion });
    },
    async close() {
      await server.close();
      await store.close();
    },
  };
  const namespaces = builtinKinds().find((kind) => kind.resource.plural === 'namespaces')?.resource;
  if (namespaces && (options.kinds === undefined || options.kinds.some((kind) => kind.resource === namespaces))) {
    for (const name of options.namespaces ?? ['default', 'kube-system']) {
      await testServer.create(namespaces, { metadata: { name } }).catch((error: unknown) => {
        if (!(error instanceof Error && error.message.includes('already exists'))) throw error;
      });
    }
  }
  return testServer;
}
