import { endpointslices, services } from '../../api/generated/resources.ts';
import { type Clock, every, type Timer } from '../../base/clock.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import type { InformerSet } from '../../client/informer.ts';
import type { Run } from '../system-run.ts';
import { staleFlows } from './conntrack.ts';
import type { ProxyNode, ServicePort } from './endpoints.ts';
import { followServices } from './follow-services.ts';
import { type Family, fragmentOf } from './fragment.ts';
import { healthChecks, localEndpoints, serveHealthChecks } from './health-check.ts';
import {
  aliveCheck,
  changeTransaction,
  fullTransaction,
  purgeTransaction,
  type Stale,
  type TableOptions,
} from './nftables.ts';
import { type RuleTable, ruleTable } from './rule-table.ts';
import { serviceMap } from './service-map.ts';

export interface Proxy {
  /** Resolves when the rules show everything known when it was called. */
  synced(): Promise<void>;
  /** The node's zone or addresses have changed. */
  hostChanged(): void;
  /** Takes the rules away. */
  purge(): Promise<void>;
}

/** Changes are gathered this long (milliseconds) before they go to the kernel. */
const gather = 20;
/** How often the table is looked after: somebody may have removed it. */
const look = 10_000;
const families = ['ip', 'ip6'] as const;
const familyOf = { IPv4: 'ip', IPv6: 'ip6' } as const;
const none: Stale = { chains: [], sets: [] };

/** The node that packets enter at. */
export interface ProxyHost extends ProxyNode {
  /** Where node ports answer. */
  readonly ips: readonly string[];
}

interface Side {
  readonly family: Family;
  readonly table: RuleTable;
  /** False: what the kernel holds is not known, and the whole table is to be written. */
  known: boolean;
  stale: Stale;
}

/**
 * Programs Services into nftables on this node until the lifetime ends. Rules stay when it ends, so that connections survive a
 * restart; `purge` removes them. A failed transaction is followed by a full one, with back-off.
 */
export function startProxy(options: {
  readonly informers: InformerSet;
  /** Asked at the start and whenever `hostChanged` was called. */
  readonly host: () => ProxyHost;
  /** Ranges of all pods, one a family. */
  readonly clusterCidrs: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly run: Run;
}): Proxy {
  const { informers, clock, log, lifetime, run } = options;
  const map = serviceMap();
  const sides: readonly Side[] = families.map((family) => ({
    family,
    table: ruleTable(family),
    known: false,
    stale: none,
  }));
  let host = options.host();
  let hostStale = false;
  /** Ports as the kernel has them, and those that changed since. */
  const known = new Map<string, ServicePort>();
  const changed = new Set<string>();
  let timer: Timer | undefined;
  let chain: Promise<void> = Promise.resolve();
  let failures = 0;
  let ready = false;
  let stopped = false;
  let version = -1;

  const serveChecks = serveHealthChecks({
    addresses: () => host.ips,
    count: (check) => localEndpoints(map.ports().values(), check, host.name),
    log,
    lifetime,
  });
  const cidrOf = (family: Family): string | undefined =>
    options.clusterCidrs.find((it) => it.includes(':') === (family === 'ip6'));
  const tableOptions = (family: Family): TableOptions => {
    const clusterCidr = cidrOf(family);
    return { nodeIps: host.ips, ...(clusterCidr !== undefined && { clusterCidr }) };
  };
  const fragment = (port: ServicePort, family: Family) => {
    const clusterCidr = cidrOf(family);
    return fragmentOf(port, { node: host, ...(clusterCidr !== undefined && { clusterCidr }) });
  };
  /** Takes what changed of the ports into the tables. */
  const absorb = (changed: Iterable<string>, ports: ReadonlyMap<string, ServicePort>): void => {
    for (const key of changed) {
      const port = ports.get(key);
      const family = port ? familyOf[port.family] : undefined;
      for (const side of sides) {
        side.table.set(key, port && side.family === family ? fragment(port, side.family) : undefined);
      }
    }
  };
  const write = async (side: Side): Promise<void> => {
    const change = side.table.take();
    const options = tableOptions(side.family);
    if (!side.known) {
      await run('nft', ['-f', '-'], fullTransaction(side.table, options));
      side.stale = none;
    } else {
      const { script, stale } = changeTransaction(side.table, change, options, side.stale);
      if (script !== '') await run('nft', ['-f', '-'], script);
      side.stale = stale;
    }
    side.known = true;
  };
  const sync = async (): Promise<void> => {
    if (!ready || stopped) return;
    const seen = map.version;
    const fresh = map.takeChanged();
    for (const key of fresh) changed.add(key);
    const ports = map.ports();
    if (hostStale) {
      hostStale = false;
      host = options.host();
      for (const side of sides) side.known = false;
      absorb(ports.keys(), ports);
    }
    absorb(fresh, ports);
    try {
      for (const side of sides) await write(side);
      failures = 0;
      version = seen;
    } catch (error) {
      // What the kernel holds is not known any more: start over.
      for (const side of sides) side.known = false;
      const wait = Math.min(30_000, 500 * 2 ** failures++);
      log.error('the service rules could not be written', { error, wait });
      schedule(wait);
      return;
    }
    serveChecks(healthChecks(informers.informer(services).list()));
    for (const args of staleFlows(known, ports, changed)) {
      // conntrack fails when no entry matches, which is the usual case.
      await run('conntrack', args).catch((error: unknown) => log.debug('no flow was forgotten', { error }));
    }
    for (const key of changed) {
      const port = ports.get(key);
      if (port) known.set(key, port);
      else known.delete(key);
    }
    changed.clear();
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
      if (!ready || sides.some((it) => !it.known)) return;
      const check = sides.map(({ family }) => aliveCheck(family)).join('');
      try {
        await run('nft', ['--check', '-f', '-'], check);
      } catch (error) {
        if (!String(error).includes('No such file or directory')) throw error;
        log.warn('the service rules were removed by somebody; restoring them');
        for (const side of sides) side.known = false;
        await enqueue();
      }
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
    hostChanged() {
      hostStale = true;
      schedule();
    },
    async purge() {
      stopped = true;
      await chain;
      for (const { family } of sides) await run('nft', ['-f', '-'], purgeTransaction(family));
    },
  };
}
