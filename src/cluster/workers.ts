import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inScope } from '../apiserver/admission/resource-quota/scopes.ts';
import { evaluatorFor } from '../apiserver/admission/resource-quota/usage.ts';
import type { Lifetime } from '../base/lifetime.ts';
import type { InformerSet } from '../client/informer.ts';
import { createInformers } from '../client/informers.ts';
import { createRecorder } from '../client/recorder.ts';
import { runControllers } from '../controller/engine.ts';
import { allControllers } from '../controllers/all.ts';
import { startScheduler } from '../scheduler/scheduler.ts';
import type { ClusterContext, ControlPlane } from './control-plane.ts';
import { ensureControllerRoles } from './controller-roles.ts';
import { runElected } from './elected.ts';
import { controllerManagerUser, controllerUser, loopback, schedulerUser } from './identities.ts';

/** The copies of all objects that everything in this process shares: the server's own frozen objects, so they cost next to nothing. */
export function sharedInformers(context: ClusterContext, plane: ControlPlane): InformerSet {
  const { clock, log, lifetime } = context;
  return createInformers({
    client: plane.clients(loopback, 'kube-controller-manager'),
    clock,
    log,
    signal: lifetime.signal,
  });
}

type Start = (lifetime: Lifetime) => Promise<void>;

/** Starts the scheduler within a lifetime. Resolves when it has begun. */
const schedulerOf =
  ({ clock, random, log, spans }: ClusterContext, plane: ControlPlane, informers: InformerSet): Start =>
  async (lifetime) => {
    const client = plane.clients(schedulerUser, 'kube-scheduler');
    const scheduler = startScheduler({
      client,
      informers,
      events: createRecorder({ client, component: 'default-scheduler', clock, random, log, signal: lifetime.signal }),
      clock,
      random,
      log: log.with({ component: 'scheduler' }),
      spans,
      lifetime,
    });
    await scheduler.started;
  };

/** Starts scheduler and controllers in this process: at once and for good, or, where others share the store, whenever they are elected. */
export async function startWorkers(
  context: ClusterContext,
  plane: ControlPlane,
  informers: InformerSet,
): Promise<void> {
  const { options, clock, random, log, spans, lifetime } = context;
  const startTheScheduler = schedulerOf(context, plane, informers);
  const all = allControllers({
    clusterCidr: options.clusterCidr,
    authority: plane.pki.authority.certificate,
    served: () => plane.server.context.kinds.list().map((kind) => kind.resource),
    signingAuthority: plane.pki.authority,
    loadBalancerPool: options.loadBalancerPool,
    ...(options.nodeMonitorGraceMs !== undefined && { nodeMonitorGraceMs: options.nodeMonitorGraceMs }),
    // Quotas are counted as admission counts them.
    quotaMeasure: {
      counts: (resource, name) => evaluatorFor(resource).counts(name),
      usage: (resource, object) => evaluatorFor(resource).usage(object),
      inScope,
    },
    volumeDirectory: join(options.dataDir, 'volumes'),
    removeVolumeData: (path) => rm(path, { recursive: true, force: true }),
  });
  await ensureControllerRoles(plane.clients(loopback, 'kube-apiserver'), all);
  const startTheControllers: Start = async (term) => {
    const controllers = runControllers(
      all,
      { clientFor: (name) => plane.clients(controllerUser(name), name), informers, clock, random, log, spans },
      term,
    );
    await controllers.started;
  };
  if (options.store === 'etcd') {
    runElected(context, plane.clients(schedulerUser, 'kube-scheduler'), 'kube-scheduler', startTheScheduler);
    const manager = plane.clients(controllerManagerUser, 'kube-controller-manager');
    runElected(context, manager, 'kube-controller-manager', startTheControllers);
    return;
  }
  await Promise.all([startTheScheduler(lifetime), startTheControllers(lifetime)]);
}
