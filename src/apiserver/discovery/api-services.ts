import { apiservices } from '../../api/generated/resources.ts';
import type { V1APIService } from '../../api/generated/types.ts';
import { hasReason } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import { loopbackUser } from '../authz/loopback.ts';
import type { ServerContext } from '../contracts.ts';
import { isCustom } from '../storage/keys.ts';
import { groupKinds } from './groups.ts';

const automanaged = 'kube-aggregator.kubernetes.io/automanaged';

/** One APIService for each group and version served here, by name (kube-aggregator's autoregister). */
function wanted(context: ServerContext): ReadonlyMap<string, V1APIService> {
  const found = new Map<string, V1APIService>();
  for (const group of groupKinds(context.kinds.list())) {
    for (const [index, { version, kinds }] of group.versions.entries()) {
      const custom = kinds.every((kind) => isCustom(kind.resource));
      const name = `${version}.${group.name}`;
      found.set(name, {
        metadata: { name, labels: { [automanaged]: custom ? 'true' : 'onstart' } },
        spec: {
          ...(group.name !== '' && { group: group.name }),
          version,
          groupPriorityMinimum: group.name === '' ? 18_000 : custom ? 1000 : 17_000,
          versionPriority: custom ? 100 : Math.max(1, 15 - index),
        },
      });
    }
  }
  return found;
}

const available = (now: number): object => ({
  conditions: [
    {
      type: 'Available',
      status: 'True',
      lastTransitionTime: rfc3339(now),
      reason: 'Local',
      message: 'Local APIServices are always available',
    },
  ],
});

/** Keeps the APIService objects of what is served here; those that others made are left alone. Returns what stops it. */
export function publishApiServices(context: ServerContext): () => void {
  const { reader, log, clock } = context;
  const base = {
    group: apiservices.group,
    version: apiservices.version,
    resource: apiservices.plural,
    user: loopbackUser,
  };
  let running = false;
  let again = false;
  let stopped = false;

  const add = async (name: string, object: V1APIService): Promise<void> => {
    await context.dispatch({ ...base, verb: 'create', options: {}, body: object });
    await context.mutate(apiservices, undefined, name, (draft) => ({ ...draft, status: available(clock.now()) }));
  };
  const sync = async (): Promise<void> => {
    const services = wanted(context);
    for (const [name, object] of services) {
      if (stopped) return;
      if (reader.get(apiservices, undefined, name)) continue;
      await add(name, object).catch((error: unknown) => {
        if (!hasReason(error, 'AlreadyExists')) throw error;
      });
    }
    for (const { metadata } of [...reader.list(apiservices)]) {
      if (stopped || metadata.labels?.[automanaged] !== 'true' || services.has(metadata.name)) continue;
      await context.dispatch({ ...base, verb: 'delete', name: metadata.name, options: {} });
    }
  };
  const run = (): void => {
    again = true;
    if (running) return;
    running = true;
    void (async () => {
      while (again && !stopped) {
        again = false;
        await sync();
      }
    })()
      .catch((error: unknown) => !stopped && log.warn('cannot publish APIServices', { error }))
      .finally(() => {
        running = false;
      });
  };
  run();
  const unsubscribe = context.kinds.onChange(run);
  return () => {
    stopped = true;
    unsubscribe();
  };
}
