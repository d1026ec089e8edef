import { endpointslices, services } from '../../api/generated/resources.ts';
import { type Clock, every, type Timer } from '../../base/clock.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import type { InformerSet } from '../../client/informer.ts';
import type { Run } from '../system-run.ts';
import { staleFlows } from './conntrack.ts';
import type { ProxyNode, ServicePort } from './endpoints.ts';
import { followServices } from './follow-services.ts';
import { diffTransaction, fullTransaction, purgeTransaction, tableName } from './nftables.ts';
import { type Ruleset, rulesetOf } from './ruleset.ts';
import { serviceMap } from './service-map.ts';

export interface Proxy {
  /** Resolves when the rules show everything known when it was called. */
  synced(): Promise<void>;
  /** Takes the rules away. */
  purge(): Promise<void>;
}

/** Changes are gathered this long (milliseconds) before they go to the kernel. */
const gather = 20;
/** How often the table is looked after: somebody may have removed it. */
const look = 30_000;
const families = ['ip', 'ip6'] as const;

/**
 * Programs Services into nftables on this node until the lifetime ends. Rules stay when it ends, so that connections survive a
 * restart; `purge` removes them. A failed transaction is followed by a full one, with back-off.
 */
export function startProxy(options: {
  readonly informers: InformerSet;
  readonly node: ProxyNode;
  readonly clusterCidr?: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly run: Run;
}): Proxy {
  const { informers, node, clock, log, lifetime, run } = options;
  const map = serviceMap();
  const applied = new Map<'ip' | 'ip6', Ruleset>();
  const stale = new Map<'ip' | 'ip6', { chains: readonly string[]; sets: readonly string[] }>();
  let known: ReadonlyMap<string, ServicePort> = new Map();
  let timer: Timer | undefined;
  let chain: Promise<void> = Promise.resolve();
  let failures = 0;
  let ready = false;
  let stopped = false;
  let version = -1;

  const apply = async (family: 'ip' | 'ip6', ports: ReadonlyMap<string, ServicePort>): Promise<void> => {
    const next = rulesetOf(ports.values(), family, {
      node,
      ...(options.clusterCidr &&
        options.clusterCidr.includes(':') === (family === 'ip6') && { clusterCidr: options.clusterCidr }),
    });
    const last = applied.get(family);
    if (!last) {
      await run('nft', ['-f', '-'], fullTransaction(next));
      stale.delete(family);
    } else {
      const change = diffTransaction(last, next, stale.get(family) ?? { chains: [], sets: [] });
      if (change.script !== '') await run('nft', ['-f', '-'], change.script);
      stale.set(family, { chains: change.staleChains, sets: change.staleSets });
    }
    applied.set(family, next);
  };
  const sync = async (): Promise<void> => {
    if (!ready || stopped) return;
    const seen = map.version;
    const changed = map.takeChanged();
    const ports = new Map(map.ports());
    try {
      for (const family of families) await apply(family, ports);
      failures = 0;
      version = seen;
    } catch (error) {
      // What the kernel holds is not known any more: start over.
      applied.clear();
      const wait = Math.min(30_000, 500 * 2 ** failures++);
      log.error('the service rules could not be written', { error, wait });
      schedule(wait);
      return;
    }
    for (const args of staleFlows(known, ports, changed)) {
      // conntrack fails when no entry matches, which is the usual case.
      await run('conntrack', args).catch((error: unknown) => log.debug('no flow was forgotten', { error }));
    }
    known = ports;
  };
  const enqueue = (): Promise<void> => {
    chain = chain.then(sync);
    return chain;
  };
  const schedule = (wait = gather): void => {
    if (timer || stopped) return;
    timer = clock.after(
      wait,
      () => {
        timer = undefined;
        void enqueue();
      },
      { background: true },
    );
  };
  const stop = followServices(informers, map, schedule);
  const watch = every(
    clock,
    look,
    async () => {
      if (!ready || applied.size === 0) return;
      const tables = await run('nft', ['list', 'tables']);
      if (families.every((family) => tables.includes(`table ${family} ${tableName}\n`))) return;
      log.warn('the service rules were removed by somebody; restoring them');
      applied.clear();
      await enqueue();
    },
    (error) => log.warn('the service rules could not be looked after', { error }),
  );
  lifetime.defer(() => {
    stopped = true;
    stop();
    watch.cancel();
    timer?.cancel();
    return chain;
  });
  const begun = Promise.all([
    informers.informer(services).whenSynced(),
    informers.informer(endpointslices).whenSynced(),
  ]).then(() => {
    ready = true;
    return enqueue();
  });
  begun.catch((error: unknown) => {
    if (!lifetime.signal.aborted) log.error('the service proxy could not start', { error });
  });
  return {
    async synced() {
      await begun;
      if (version !== map.version) await enqueue();
    },
    async purge() {
      stopped = true;
      await chain;
      for (const family of families) await run('nft', ['-f', '-'], purgeTransaction(family));
      applied.clear();
    },
  };
}
