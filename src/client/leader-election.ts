import { leases } from '../api/generated/resources.ts';
import type { V1Lease } from '../api/generated/types.ts';
import type { Live } from '../api/resource.ts';
import { hasReason } from '../api/status.ts';
import { type Clock, rfc3339Micro, sleep } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from './client.ts';
import type { EventRecorder } from './event-recorder.ts';

export interface LeaderElection {
  readonly client: Client;
  /** The Lease's namespace and name. */
  readonly namespace: string;
  readonly name: string;
  /** Unique among the candidates. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events?: EventRecorder;
  /** Milliseconds; client-go's defaults for components: 15 s, 10 s, 2 s. */
  readonly leaseDuration?: number;
  readonly renewDeadline?: number;
  readonly retryPeriod?: number;
}

/** client-go adds up to this share of the retry period, so that candidates do not collide. */
const jitter = 1.2;

/**
 * Waits for the Lease, then runs `lead` with a signal that ends when leadership is lost or `signal` aborts. Resolves when leadership is
 * over; the Lease is given back where `lead` ended by itself or by `signal`. After client-go's tools/leaderelection.
 */
export async function runWhenLeader(
  election: LeaderElection,
  signal: AbortSignal,
  lead: (leading: AbortSignal) => Promise<void>,
): Promise<void> {
  const { clock, random, log } = election;
  const retry = election.retryPeriod ?? 2_000;
  const deadline = election.renewDeadline ?? 10_000;
  const holder = createHolder(election);
  while (!(await holder.tryAcquireOrRenew(signal))) {
    if (await ended(sleep(clock, retry + random.next() * jitter * retry, signal))) return;
  }
  log.info('became leader', { lease: `${election.namespace}/${election.name}`, identity: election.identity });
  holder.announce('became leader');
  const leading = new AbortController();
  const stop = (): void => leading.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const renewing = (async () => {
    let renewed = clock.monotonic();
    while (!leading.signal.aborted) {
      if (await ended(sleep(clock, retry, leading.signal))) return;
      if (await holder.tryAcquireOrRenew(leading.signal)) renewed = clock.monotonic();
      else if (clock.monotonic() - renewed >= deadline) {
        log.warn('lost the leader lease', { lease: `${election.namespace}/${election.name}` });
        holder.announce('stopped leading');
        leading.abort(new Error('the leader lease was lost'));
        return;
      }
    }
  })();
  try {
    await lead(leading.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    const lost = leading.signal.aborted && !signal.aborted;
    leading.abort(new Error('the leader has ended'));
    await renewing;
    if (!lost) await holder.release();
  }
}

const ended = (wait: Promise<void>): Promise<boolean> =>
  wait.then(
    () => false,
    () => true,
  );

function createHolder(election: LeaderElection) {
  const { client, namespace, name, identity, clock, log } = election;
  const duration = election.leaseDuration ?? 15_000;
  // When the lease last changed as seen from here: clocks of different machines are never compared.
  let seen: { readonly version: string; readonly at: number } | undefined;
  let held: Live<V1Lease> | undefined;

  const observe = (lease: Live<V1Lease>): void => {
    held = lease;
    if (seen?.version !== lease.metadata.resourceVersion) {
      seen = { version: lease.metadata.resourceVersion, at: clock.monotonic() };
    }
  };
  const spec = (old: V1Lease['spec'], now: string): V1Lease['spec'] => ({
    ...old,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(duration / 1000),
    renewTime: now,
    ...(old?.holderIdentity === identity
      ? {}
      : {
          acquireTime: now,
          leaseTransitions: old?.holderIdentity ? (old.leaseTransitions ?? 0) + 1 : (old?.leaseTransitions ?? 0),
        }),
  });
  const attempt = async (signal: AbortSignal): Promise<boolean> => {
    const now = rfc3339Micro(clock.now());
    let lease: Live<V1Lease>;
    try {
      lease = await client.get(leases, name, { namespace, signal });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      observe(
        await client.create(
          leases,
          { metadata: { name, namespace }, spec: spec(undefined, now) ?? {} },
          { namespace, signal },
        ),
      );
      return true;
    }
    observe(lease);
    const other = lease.spec?.holderIdentity;
    const validFor = (lease.spec?.leaseDurationSeconds ?? duration / 1000) * 1000;
    if (other && other !== identity && seen && seen.at + validFor > clock.monotonic()) return false;
    observe(await client.update(leases, { ...lease, spec: spec(lease.spec, now) ?? {} }, { namespace, signal }));
    return true;
  };
  return {
    async tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
      try {
        return await attempt(signal);
      } catch (error) {
        if (!signal.aborted && !hasReason(error, 'Conflict') && !hasReason(error, 'AlreadyExists')) {
          log.warn('could not take or renew the leader lease', { error });
        }
        return false;
      }
    },
    async release(): Promise<void> {
      if (held?.spec?.holderIdentity !== identity) return;
      const now = rfc3339Micro(clock.now());
      try {
        await client.update(
          leases,
          {
            ...held,
            spec: { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now },
          },
          { namespace },
        );
      } catch (error) {
        log.debug('could not give the leader lease back', { error });
      }
    },
    announce(what: string): void {
      if (held) election.events?.event(held, 'Normal', 'LeaderElection', `${identity} ${what}`);
    },
  };
}
