import { join } from 'node:path';
import type { SpanSink } from '../api/trace.ts';
import { defaultAdmission } from '../apiserver/admission/default-admission.ts';
import { createAuthenticator } from '../apiserver/authn/authenticator.ts';
import { type ServiceAccountTokens, serviceAccountTokens } from '../apiserver/authn/service-account-tokens.ts';
import { createAuthorizer, type RbacAuthorizer } from '../apiserver/authz/authorizer.ts';
import { reconcileBootstrapPolicy } from '../apiserver/authz/bootstrap/reconcile.ts';
import { connectHandlers } from '../apiserver/connect/connect-handlers.ts';
import type {
  AdmissionPlugin,
  Authenticator,
  ClusterDialer,
  KubeletDialer,
  SpecialHandler,
} from '../apiserver/contracts.ts';
import { type ApiServer, createApiServer } from '../apiserver/create-api-server.ts';
import { followCustomResources } from '../apiserver/custom/custom-resources.ts';
import { createSecureListener } from '../apiserver/http/listener.ts';
import { resourceMetrics } from '../apiserver/metrics/resource-metrics.ts';
import { openApiSource } from '../apiserver/openapi/openapi-source.ts';
import { specialHandlers } from '../apiserver/special/special-handlers.ts';
import { defined } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Lifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { builtinKinds } from '../kinds/catalogue.ts';
import { type ClusterPki, ensureClusterPki } from '../pki/cluster-pki.ts';
import type { Store } from '../store/store.ts';
import { advertisedAddress } from './advertise.ts';
import { keepApiEndpoint } from './api-endpoints.ts';
import { apiServiceAddress, bootstrapObjects, ensureBootstrapObjects, publishBackend } from './bootstrap-objects.ts';
import { type ClientFactory, clientFactory, loopback } from './identities.ts';
import { rememberSettings } from './join/control-plane-bundle.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';
import { listen, stopListening, trackSockets } from './listen.ts';
import { openStore } from './open-store.ts';
import type { ClusterOptions } from './options.ts';

/** What every part of a cluster process shares. */
export interface ClusterContext {
  readonly options: ClusterOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly spans: SpanSink;
  readonly lifetime: Lifetime;
}

export interface ControlPlane {
  readonly store: Store;
  readonly server: ApiServer;
  readonly pki: ClusterPki;
  readonly clients: ClientFactory;
  readonly url: string;
  readonly port: number;
  /** Where pods reach the server, behind the `kubernetes` Service. */
  readonly advertised: string;
  /** Serves on another address of this machine too, same port. */
  listenAlso(address: string): Promise<void>;
}

/** Ways out of the API server, filled in once nodes and network exist. */
export interface Dialers {
  readonly kubelet: KubeletDialer;
  readonly cluster: ClusterDialer;
}

const hostnames = (domain: string): readonly string[] => [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  `kubernetes.default.svc.${domain}`,
];

/** Starts store and API server, listens, and puts in place what every cluster has. Ends with the context's lifetime. */
export async function startControlPlane(context: ClusterContext, dialers: Dialers): Promise<ControlPlane> {
  const { options, clock, log, lifetime } = context;
  const advertised = advertisedAddress(options);
  const ips = new Set(['127.0.0.1', '::1', advertised, apiServiceAddress(options.serviceCidr)]);
  if (!/^(0\.0\.0\.0|::)$/.test(options.listenAddress)) ips.add(options.listenAddress);
  const pki = await ensureClusterPki({
    dir: join(options.dataDir, 'pki'),
    clock,
    hostnames: hostnames(options.clusterDomain),
    ips: [...ips],
  });
  const store = await openStore(options, clock);
  lifetime.defer(() => store.close());

  const server = await createServer(context, store, pki, dialers);
  lifetime.defer(() => server.close());
  const listenAt = async (listenAddress: string, listenPort: number): Promise<number> => {
    const listener = createSecureListener({
      key: pki.serving.key,
      cert: pki.serving.certificate,
      clientCa: pki.authority.certificate,
      front: server.http,
    });
    const sockets = trackSockets(listener);
    const port = await listen(listener, { listenAddress, listenPort });
    lifetime.defer(() => stopListening(listener, sockets));
    return port;
  };
  const port = await listenAt(options.listenAddress, options.listenPort);

  const host = options.listenAddress === '0.0.0.0' ? '127.0.0.1' : options.listenAddress;
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const clients = clientFactory(server.handler);
  const own = clients(loopback, 'kube-apiserver');
  await reconcileBootstrapPolicy(server.context);
  await ensureBootstrapObjects(own, bootstrapObjects({ ...options, listenPort: port }, pki.authority.certificate));
  if (options.store === 'etcd') {
    rememberSettings(options);
    await keepApiEndpoint(context, store, own, { address: advertised, port });
  } else {
    await publishBackend(own, {
      namespace: 'default',
      name: 'kubernetes',
      address: advertised,
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    });
  }

  const access = {
    name: 'coracle',
    server: url,
    authority: pki.authority.certificate,
    certificate: pki.admin.certificate,
    key: pki.admin.key,
  };
  writeKubeconfig(join(options.dataDir, 'kubeconfig'), access, false);
  if (options.kubeconfig) writeKubeconfig(options.kubeconfig, access, true);
  log.debug('control plane is up', { url });
  return {
    store,
    server,
    pki,
    clients,
    url,
    port,
    advertised,
    listenAlso: async (address) => void (await listenAt(address, port)),
  };
}

/** The API server with everything plugged into it. */
async function createServer(
  context: ClusterContext,
  store: Store,
  pki: ClusterPki,
  dialers: Dialers,
): Promise<ApiServer> {
  const { clock, random, log, spans, options } = context;
  // Made on the way up, in the order in which the server asks for them.
  let tokens: ServiceAccountTokens | undefined;
  let authenticator: Authenticator | undefined;
  let authorizer: RbacAuthorizer | undefined;
  let plugins: readonly AdmissionPlugin[] = [];
  const issuer = (): ServiceAccountTokens => defined(tokens, 'the issuer of tokens is made');
  const special: Record<string, SpecialHandler> = {};
  const server: ApiServer = await createApiServer({
    store,
    kinds: builtinKinds(),
    clock,
    random,
    log,
    spans,
    special,
    connect: connectHandlers({ kubelets: dialers.kubelet, cluster: dialers.cluster, admission: () => plugins }),
    sharedStore: options.store === 'etcd',
    ...(options.keepHistory !== undefined && { compactAfter: options.keepHistory }),
    computed: resourceMetrics({ kubelets: dialers.kubelet, clock, log }),
    customResources: followCustomResources,
    publishApiServices: true,
    http: {
      openApi: openApiSource(() => server.context.kinds),
      documents: {
        '/.well-known/openid-configuration': () => ({
          body: issuer().openIdConfiguration(`${issuer().issuer}/openid/v1/jwks`),
          contentType: 'application/json',
        }),
        '/openid/v1/jwks': () => ({ body: issuer().keySet(), contentType: 'application/jwk-set+json' }),
      },
    },
    makeAuthorizer: ({ reader }) => {
      authorizer = createAuthorizer(reader);
      return authorizer;
    },
    admission: (server) => {
      plugins = defaultAdmission(server, {
        ...(authorizer && { authorizer }),
        cluster: dialers.cluster,
        services: { serviceCidrs: [options.serviceCidr] },
      });
      return plugins;
    },
    makeAuthenticator: ({ reader }) => {
      tokens = serviceAccountTokens({ signingKey: pki.serviceAccountKey, clock, random, reader });
      authenticator = createAuthenticator({ clock, reader, tokens });
      const handlers = specialHandlers({
        tokens,
        authenticator: () => defined(authenticator, 'the authenticator is made'),
        spans,
        admission: () => plugins,
      });
      Object.assign(special, handlers);
      return authenticator;
    },
  });
  return server;
}
