import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodes } from '../api/generated/resources.ts';
import type { V1Node } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Lifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import type { InformerSet } from '../client/informer.ts';
import { masqueradeTransaction } from '../network/node/masquerade.ts';
import { parseRoutes, podRoutes, routeChanges, routeProtocol } from '../network/node/routes.ts';
import { startPolicies } from '../network/policy/start-policies.ts';
import { type ProxyHost, startProxy } from '../network/proxy/start-proxy.ts';
import { systemRun } from '../network/system-run.ts';
import { keepConflist, prepareKernel } from './real-network.ts';

export interface NodeNetworkOptions {
  readonly nodeName: string;
  /** Sees services, slices, nodes, pods, namespaces and policies of the whole cluster. */
  readonly informers: InformerSet;
  /** Ranges of all pods, one a family. */
  readonly clusterCidrs: readonly string[];
  /** Where the runtime looks for network configurations. */
  readonly cniDirectory: string;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}

/** The file that says that the pod network of this machine is that of a node below `dir`. */
export const networkMark = (dir: string): string => join(dir, 'has-network');

const run = systemRun();
const rangesOf = ({ spec }: V1Node): readonly string[] =>
  spec?.podCIDRs?.length ? spec.podCIDRs : spec?.podCIDR ? [spec.podCIDR] : [];

/**
 * A real node's share of the pod network: the CNI configuration and masquerading once the node has its ranges, routes to the pods of other
 * nodes, Services, policies. Rules stay when the lifetime ends, so that connections survive a restart; purging takes them away.
 */
export async function startNodeNetwork(options: NodeNetworkOptions): Promise<void> {
  const { nodeName, informers, clusterCidrs, clock, lifetime } = options;
  const log = options.log.with({ component: 'network' });
  await writeFile(networkMark(options.dataDir), '');
  await prepareKernel(log);
  const all = informers.informer(nodes);
  const giveRanges = keepConflist({ directory: options.cniDirectory, dataDir: options.dataDir, log, lifetime });
  let masqueraded = '';
  let timer: Timer | undefined;
  let chain: Promise<void> = Promise.resolve();
  let stopped = false;
  let failed = '';

  const settle = async (): Promise<void> => {
    const own = all.get(nodeName);
    const ranges = own ? rangesOf(own) : [];
    if (ranges.length > 0) {
      await giveRanges(ranges);
      const wanted = masqueradeTransaction(ranges, clusterCidrs);
      if (wanted !== masqueraded) await run('nft', ['-f', '-'], wanted);
      masqueraded = wanted;
    }
    const present = await Promise.all(
      [['-4'], ['-6']].map((family) => run('ip', [...family, 'route', 'show', 'proto', routeProtocol])),
    );
    for (const args of routeChanges(present.flatMap(parseRoutes), podRoutes(all.list(), nodeName)))
      await run('ip', args);
  };
  const schedule = (wait = 50): void => {
    if (timer || stopped) return;
    timer = clock.after(
      wait,
      () => {
        timer = undefined;
        chain = chain.then(settle).then(
          () => {
            failed = '';
          },
          (error: unknown) => {
            const said = String(error);
            // A node on another network is no matter of trying again: it is said once.
            if (said !== failed) log.error('the pod network of this node is not complete', { error });
            failed = said;
            schedule(10_000);
          },
        );
      },
      { background: true },
    );
  };
  const seen = ({ spec, status }: Live<V1Node>): string => JSON.stringify([spec?.podCIDRs, status?.addresses]);
  const stop = all.subscribe({
    add: () => schedule(),
    update: (next, old) => seen(next) !== seen(old) && schedule(),
    remove: () => schedule(),
  });
  lifetime.defer(() => {
    stopped = true;
    stop();
    timer?.cancel();
    return chain;
  });

  await all.whenSynced();
  const host = (): ProxyHost => {
    const { metadata, status } = all.get(nodeName) ?? {};
    return {
      name: nodeName,
      zone: metadata?.labels?.['topology.kubernetes.io/zone'] ?? '',
      ips: (status?.addresses ?? []).filter((it) => it.type === 'InternalIP').map((it) => it.address),
    };
  };
  const proxy = startProxy({
    informers,
    host,
    clusterCidrs,
    clock,
    log: log.with({ component: 'kube-proxy' }),
    lifetime,
    run,
  });
  let told = JSON.stringify(host());
  const tell = (): void => {
    const now = JSON.stringify(host());
    if (now !== told) proxy.hostChanged();
    told = now;
  };
  lifetime.defer(all.subscribe({ add: tell, update: tell }));
  startPolicies({ informers, nodeName, clock, log: log.with({ component: 'network-policy' }), lifetime, run });
}
