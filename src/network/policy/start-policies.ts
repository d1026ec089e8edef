import { endpointslices, namespaces, networkpolicies, pods } from '../../api/generated/resources.ts';
import { type Clock, every, type Timer } from '../../base/clock.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import type { InformerSet } from '../../client/informer.ts';
import type { Run } from '../system-run.ts';
import {
  fullPolicyTransaction,
  type PolicyTransaction,
  policyAliveCheck,
  policyDiff,
  policyPurge,
} from './nftables.ts';
import { builtInDns, onPodNetwork } from './pods-on-network.ts';
import { type PolicyRuleset, policyRuleset } from './ruleset.ts';

export interface Policies {
  /** Resolves when the rules show everything known when it was called. */
  synced(): Promise<void>;
  /** Takes the rules away. */
  purge(): Promise<void>;
}

/** Changes are gathered this long (milliseconds) before they go to the kernel. */
const gather = 20;
/** How often the table is looked after: somebody may have removed it. */
const look = 10_000;
const none: PolicyTransaction['stale'] = { chains: [], sets: [] };

/**
 * Enforces NetworkPolicies for the pods of this node with nftables until the lifetime ends. Rules stay when it ends: a restart opens
 * nothing. A failed transaction is followed by a full one, with back-off.
 */
export function startPolicies(options: {
  readonly informers: InformerSet;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly run: Run;
}): Policies {
  const { informers, nodeName, clock, log, lifetime, run } = options;
  const watched = {
    pods: informers.informer(pods),
    policies: informers.informer(networkpolicies),
    namespaces: informers.informer(namespaces),
    slices: informers.informer(endpointslices),
  };
  let applied: PolicyRuleset | undefined;
  let stale = none;
  let timer: Timer | undefined;
  let chain: Promise<void> = Promise.resolve();
  let failures = 0;
  let ready = false;
  let stopped = false;

  const current = (): PolicyRuleset => {
    const policies = watched.policies.list();
    // Without policies nothing is isolated, whatever pods there are.
    const known = policies.length === 0 ? [] : watched.pods.list().filter(onPodNetwork);
    const dns = builtInDns(
      watched.slices
        .byIndex('namespace', 'kube-system')
        .filter((it) => it.metadata.labels?.['kubernetes.io/service-name'] === 'kube-dns'),
    );
    return policyRuleset({
      nodeName,
      policies,
      pods: [...known, ...dns],
      namespaceLabels: (name) => watched.namespaces.get(name)?.metadata.labels ?? {},
    });
  };
  const sync = async (): Promise<void> => {
    if (!ready || stopped) return;
    try {
      const next = current();
      if (!applied) {
        await run('nft', ['-f', '-'], fullPolicyTransaction(next));
        stale = none;
      } else {
        const change = policyDiff(applied, next, stale);
        if (change.script !== '') await run('nft', ['-f', '-'], change.script);
        stale = change.stale;
      }
      applied = next;
      failures = 0;
    } catch (error) {
      // What the kernel holds is not known any more: start over.
      applied = undefined;
      const wait = Math.min(30_000, 500 * 2 ** failures++);
      log.error('the network policies could not be written', { error, wait });
      schedule(wait);
    }
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
  const stops = [
    watched.policies.subscribe({ add: () => schedule(), update: () => schedule(), remove: () => schedule() }),
    watched.namespaces.subscribe({
      update: (next, old) => next.metadata.labels !== old.metadata.labels && schedule(),
    }),
    watched.slices.subscribe({
      add: (it) => it.metadata.namespace === 'kube-system' && schedule(),
      update: (it) => it.metadata.namespace === 'kube-system' && schedule(),
    }),
    watched.pods.subscribe({
      add: () => watched.policies.list().length > 0 && schedule(),
      update(next, old) {
        if (watched.policies.list().length === 0) return;
        const seen = onPodNetwork(next) !== onPodNetwork(old) || next.status?.podIP !== old.status?.podIP;
        if (seen || next.metadata.labels !== old.metadata.labels) schedule();
      },
      remove: () => watched.policies.list().length > 0 && schedule(),
    }),
  ];
  const watch = every(
    clock,
    look,
    async () => {
      if (!ready || !applied) return;
      try {
        await run('nft', ['--check', '-f', '-'], policyAliveCheck);
      } catch (error) {
        if (!String(error).includes('No such file or directory')) throw error;
        log.warn('the network policy rules were removed by somebody; restoring them');
        applied = undefined;
        await enqueue();
      }
    },
    (error) => log.warn('the network policy rules could not be looked after', { error }),
  );
  lifetime.defer(() => {
    stopped = true;
    for (const stop of stops) stop();
    watch.cancel();
    timer?.cancel();
    return chain;
  });
  const begun = Promise.all(Object.values(watched).map((it) => it.whenSynced())).then(() => {
    ready = true;
    return enqueue();
  });
  begun.catch((error: unknown) => {
    if (!lifetime.signal.aborted) log.error('the network policies could not be followed', { error });
  });
  return {
    async synced() {
      await begun;
      await enqueue();
    },
    async purge() {
      stopped = true;
      await chain;
      await run('nft', ['-f', '-'], policyPurge);
    },
  };
}
