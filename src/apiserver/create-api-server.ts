import type { ApiHandler } from '../api/handler.ts';
import { noSpans, type SpanSink } from '../api/trace.ts';
import { defined } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { KindDefinition } from '../kinds/kind.ts';
import type { Store } from '../store/store.ts';
import type { ComputedResource } from './computed.ts';
import type {
  AdmissionPlugin,
  Authenticator,
  Authorizer,
  ConnectHandler,
  ServerContext,
  SpecialHandler,
} from './contracts.ts';
import type { Core } from './core.ts';
import { publishApiServices } from './discovery/api-services.ts';
import { apiHandler, objectPeek } from './handler.ts';
import { createHttpFront, type HttpFront, type HttpOptions } from './http/front.ts';
import { kindRegistry } from './kind-registry.ts';
import { serverContext } from './server-context.ts';
import { startCompactor } from './storage/compactor.ts';
import { createStorage, type Storage } from './storage/storage.ts';
import { startTimeline } from './storage/timeline.ts';

export interface ApiServerOptions {
  readonly store: Store;
  readonly kinds: readonly KindDefinition[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly spans?: SpanSink;
  readonly makeAuthenticator: (context: ServerContext) => Authenticator | Promise<Authenticator>;
  readonly makeAuthorizer: (context: ServerContext) => Authorizer | Promise<Authorizer>;
  readonly admission?: (context: ServerContext) => readonly AdmissionPlugin[] | Promise<readonly AdmissionPlugin[]>;
  /** By `pods/binding`, `subjectaccessreviews`, or with the group: `resource.group/subresource`. */
  readonly special?: Readonly<Record<string, SpecialHandler>>;
  readonly connect?: Readonly<Record<string, ConnectHandler>>;
  /** Resources whose objects are made when they are asked for; served beside `kinds`, never stored. */
  readonly computed?: readonly ComputedResource[];
  /** Serves custom resources: follows CustomResourceDefinitions and installs kinds. Returns what stops it. */
  readonly customResources?: (context: ServerContext) => (() => void) | Promise<() => void>;
  /** True to keep APIService objects for what is served. */
  readonly publishApiServices?: boolean;
  /** True where other servers write to the same store. */
  readonly sharedStore?: boolean;
  /** How long old revisions stay readable, milliseconds; 0 = for ever. Default 5 minutes, as upstream. */
  readonly compactAfter?: number;
  readonly http?: HttpOptions;
}

export interface ApiServer {
  /** Requests of in-process clients: authorized and admitted like any other. */
  readonly handler: ApiHandler;
  readonly context: ServerContext;
  readonly authenticator: Authenticator;
  readonly storage: Storage;
  /** Serves HTTP; needs a secure server around it, see `createSecureListener`. */
  readonly http: HttpFront;
  /** Ends watches and follows the store no more. The store itself stays open. */
  close(): Promise<void>;
}

/** Builds the server over its store, loads the caches and starts to follow the store. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, random, log } = options;
  const storage: Storage = createStorage({
    store,
    clock,
    log,
    kindOf: (apiVersion, plural) => kinds.inVersion(apiVersion, plural),
    ...(options.sharedStore && { shared: true }),
  });
  const serve = (definitions: readonly KindDefinition[]): void => {
    for (const kind of definitions) {
      const { resource } = kind;
      const isStored = resource.verbs.some((verb) => verb !== 'create');
      if (isStored && kinds.storageKind(kind) === kind) storage.add(kind);
    }
  };
  const computed = options.computed ?? [];
  const served = [...options.kinds, ...computed.map((it) => it.kind)];
  const kinds = kindRegistry(served, serve, (group, resource) => storage.remove({ group, resource }));
  let plugins: readonly AdmissionPlugin[] = [];
  let authorizer: Authorizer | undefined;
  const theAuthorizer = (): Authorizer => defined(authorizer, 'the authorizer is not made yet');
  const timeline = startTimeline(store, clock, log, () => storage.revision());
  const core: Core = {
    clock,
    random,
    log,
    spans: options.spans ?? noSpans,
    storage,
    timeline,
    kinds,
    admission: () => plugins,
  };
  const handler = apiHandler({
    core,
    context: () => context,
    authorizer: theAuthorizer,
    special: options.special ?? {},
    computed,
  });
  const context = serverContext(core, handler, theAuthorizer);
  serve(options.kinds);
  await storage.start();
  authorizer = await options.makeAuthorizer(context);
  plugins = (await options.admission?.(context)) ?? [];
  const authenticator = await options.makeAuthenticator(context);
  const stopCustom = await options.customResources?.(context);
  const stopPublishing = options.publishApiServices ? publishApiServices(context) : undefined;
  const stopCompactor = startCompactor(store, timeline, clock, log, options.compactAfter ?? 300_000);
  const http = createHttpFront({
    core,
    context,
    handler,
    peek: objectPeek(core, theAuthorizer),
    authenticator,
    authorizer: theAuthorizer,
    connect: options.connect ?? {},
    store,
    options: options.http ?? {},
  });
  return {
    handler,
    context,
    authenticator,
    storage,
    http,
    async close() {
      http.close();
      stopCompactor();
      timeline.stop();
      stopPublishing?.();
      stopCustom?.();
      await storage.close();
    },
  };
}
