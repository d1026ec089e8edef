import { execFileSync } from 'node:child_process';
import type { Random } from '../src/base/random.ts';
import { etcdStore } from '../src/store/etcd/etcd-store.ts';
import { prefixRange, type Store } from '../src/store/store.ts';
import { type EtcdCluster, startEtcd } from './etcd-process.ts';
import { isLinearizable, type RegisterOperation } from './linearizability.ts';

export interface FaultReport {
  readonly faultsMade: number;
  readonly operations: number;
  readonly unanswered: number;
  /** Registers whose histories no register could have; gaps and repeats of watches. */
  readonly wrong: readonly string[];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'ignore' });

/** A network namespace for each member, on a bridge whose ports can be cut. */
interface Wires {
  wrap(member: number, command: readonly string[]): readonly string[];
  address(member: number): string;
  cut(member: number): void;
  mend(member: number): void;
  remove(): void;
}

/** Undefined where namespaces cannot be made here. */
function layWires(members: number): Wires | undefined {
  const id = (process.pid % 4096).toString(36);
  const bridge = `ce${id}`;
  const net = `10.231.${process.pid % 250}`;
  const name = (member: number): string => `ce${id}m${member}`;
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch {
      // What is not there need not be removed.
    }
  };
  const wires: Wires = {
    wrap: (member, command) => ['ip', 'netns', 'exec', name(member), ...command],
    address: (member) => `${net}.${10 + member}`,
    cut: (member) => ip('link', 'set', `${name(member)}h`, 'down'),
    mend: (member) => ip('link', 'set', `${name(member)}h`, 'up'),
    remove() {
      for (let member = 0; member < members; member++) {
        attempt(() => ip('link', 'del', `${name(member)}h`));
        attempt(() => ip('netns', 'del', name(member)));
      }
      attempt(() => ip('link', 'del', bridge));
    },
  };
  try {
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('addr', 'add', `${net}.1/24`, 'dev', bridge);
    ip('link', 'set', bridge, 'up');
    for (let member = 0; member < members; member++) {
      const ns = name(member);
      ip('netns', 'add', ns);
      ip('link', 'add', `${ns}h`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
      ip('link', 'set', `${ns}h`, 'master', bridge, 'up');
      for (const args of [
        ['addr', 'add', `${wires.address(member)}/24`, 'dev', 'eth0'],
        ['link', 'set', 'eth0', 'up'],
        ['link', 'set', 'lo', 'up'],
      ])
        ip('-n', ns, ...args);
    }
    return wires;
  } catch {
    wires.remove();
    return undefined;
  }
}

async function client(
  store: Store,
  id: number,
  random: Random,
  running: () => boolean,
  histories: Map<string, RegisterOperation[]>,
): Promise<void> {
  for (let n = 0; running(); n++) {
    // Registers live for a second or two, so that their histories stay short.
    const key = `/registry/faults/${Math.floor(performance.now() / 1500)}-${Math.floor(random.next() * 4)}`;
    const history = histories.get(key) ?? [];
    histories.set(key, history);
    if (history.length > 150) {
      await pause(10);
      continue;
    }
    let start = performance.now();
    try {
      const { entry } = await store.get(key);
      const from = entry && Buffer.from(entry.value).toString();
      history.push({ start, end: performance.now(), action: { type: 'read', value: from } });
      const to = random.next() < 0.15 && entry ? undefined : `${id}.${n}`;
      start = performance.now();
      const place = history.length;
      const compares = [{ key, modRevision: entry?.modRevision ?? 0 }];
      history.push({ start, end: Number.POSITIVE_INFINITY, action: { type: 'swap', from, to, done: undefined } });
      const { succeeded } = await store.commit({
        compares,
        operations: [to === undefined ? { type: 'delete', key } : { type: 'put', key, value: Buffer.from(to) }],
      });
      history[place] = { start, end: performance.now(), action: { type: 'swap', from, to, done: succeeded } };
    } catch {
      // The answer to a read, or to a swap that stays in the history as unanswered, never came.
      await pause(50);
    }
    await pause(random.next() * 15);
  }
}

/** Follows everything by watch and tells of revisions that go back, and at the end of what it took for the present. */
function follow(store: Store, wrong: string[]) {
  const seen = new Map<string, string>();
  let last = 0;
  const watch = store.watch(prefixRange('/registry/faults/'), 0, {
    events(batch, revision) {
      if (revision <= last) wrong.push(`watch: revision ${revision} after ${last}`);
      last = revision;
      for (const { type, key, entry } of batch) {
        if (type === 'delete') seen.delete(key);
        else seen.set(key, Buffer.from(entry.value).toString());
      }
    },
    closed: (error) => wrong.push(`watch: ended with ${error.message}`),
  });
  return { seen, reached: () => last, stop: () => watch.cancel() };
}

/**
 * Clients work on three etcd members that are killed, frozen and (where network namespaces can be made) cut off in turn, and their
 * histories are checked against a register's. Takes a little longer than `seconds`.
 */
export async function etcdFaults(options: {
  readonly seconds: number;
  readonly random: Random;
  readonly tell?: (line: string) => void;
}): Promise<FaultReport> {
  const { seconds, random } = options;
  const wires = layWires(3);
  if (!wires) options.tell?.('no network namespaces here: members are killed and frozen, not cut off');
  let etcd: EtcdCluster | undefined;
  const stores: Store[] = [];
  const wrong: string[] = [];
  const histories = new Map<string, RegisterOperation[]>();
  let faultsMade = 0;
  try {
    etcd = await startEtcd({ members: 3, ...(wires && { wrap: wires.wrap, address: wires.address }) });
    const { endpoints } = etcd;
    for (let i = 0; i < 3; i++) {
      const turned = [...endpoints.slice(i), ...endpoints.slice(0, i)];
      stores.push(await etcdStore({ endpoints: turned }));
    }
    const followed = follow(stores[0] as Store, wrong);
    let running = true;
    const clients = Array.from({ length: 9 }, (_, id) =>
      client(stores[id % stores.length] as Store, id, random, () => running, histories),
    );
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      await pause(500 + random.next() * 1000);
      const member = Math.floor(random.next() * 3);
      const kind = Math.floor(random.next() * (wires ? 3 : 2));
      faultsMade += 1;
      const lasting = 500 + random.next() * 3000;
      if (kind === 0) {
        await etcd.signal(member, 'SIGKILL');
        await pause(lasting / 3);
        await etcd.start(member);
      } else if (kind === 1) {
        await etcd.signal(member, 'SIGSTOP');
        await pause(lasting);
        await etcd.signal(member, 'SIGCONT');
      } else {
        wires?.cut(member);
        await pause(lasting);
        wires?.mend(member);
      }
    }
    running = false;
    await Promise.all(clients);
    const present = await (stores[1] as Store).range(prefixRange('/registry/faults/'));
    const newest = Math.max(0, ...present.entries.map((entry) => entry.modRevision));
    for (let tries = 0; followed.reached() < newest && tries < 200; tries++) await pause(50);
    await pause(300);
    followed.stop();
    for (const { key, value } of present.entries) {
      const told = followed.seen.get(key);
      if (told !== Buffer.from(value).toString()) wrong.push(`watch: ${key} is ${Buffer.from(value)}, told ${told}`);
    }
  } finally {
    for (const store of stores) await store.close();
    await etcd?.stop();
    wires?.remove();
  }
  let operations = 0;
  let unanswered = 0;
  for (const [key, history] of histories) {
    operations += history.length;
    unanswered += history.filter(({ end }) => end === Number.POSITIVE_INFINITY).length;
    if (!isLinearizable(history)) wrong.push(`${key}: ${history.length} operations that no register allows`);
  }
  return { faultsMade, operations, unanswered, wrong };
}
