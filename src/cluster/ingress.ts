import type { Duplex } from 'node:stream';
import type { InformerSet } from '../client/informer.ts';
import { createRecorder } from '../client/recorder.ts';
import { startIngress } from '../network/ingress/start-ingress.ts';
import { createLeaf } from '../pki/certificate.ts';
import type { ClusterContext, ControlPlane } from './control-plane.ts';
import { ensureControllerRoles } from './controller-roles.ts';
import { controllerUser, loopback } from './identities.ts';

const access = [
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['update'] },
  { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
];

/** Serves Ingresses from this process, wherever its pods run. */
export async function startClusterIngress(
  context: ClusterContext,
  plane: ControlPlane,
  informers: InformerSet,
  dial: (host: string, port: number) => Promise<Duplex>,
): Promise<void> {
  const { options, clock, random, lifetime } = context;
  if (!options.ingressHttp && !options.ingressHttps) return;
  const log = context.log.with({ component: 'ingress' });
  const name = 'ingress-controller';
  await ensureControllerRoles(plane.clients(loopback, 'kube-apiserver'), [{ name, access }]);
  const client = plane.clients(controllerUser(name), name);
  await startIngress({
    informers,
    client,
    events: createRecorder({ client, component: name, clock, random, log, signal: lifetime.signal }),
    ...(options.ingressHttp && { http: options.ingressHttp }),
    ...(options.ingressHttps && { https: options.ingressHttps }),
    shownAddress: (address) => (/^(0\.0\.0\.0|::)$/.test(address) ? plane.advertised : address),
    dial,
    fallback: createLeaf(
      { subject: { commonName: 'no certificate for this host' }, usages: ['server auth'] },
      plane.pki.authority,
      clock.now(),
      random,
    ),
    clock,
    random,
    log,
    lifetime,
  });
}
