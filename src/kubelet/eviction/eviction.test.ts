import { describe, expect, it } from 'vitest';
import type { V1Pod } from '../../api/generated/types.ts';
import { silentLogger } from '../../base/log.ts';
import { virtualClock } from '../../base/virtual-clock.ts';
import { forbiddenSysctl, sysctlName } from '../pods/sysctls.ts';
import { type Eviction, evictionManager } from './eviction-manager.ts';
import { localStorageExcess } from './local-storage.ts';
import type { PodUsage } from './pod-usage.ts';
import { rankVictims } from './rank.ts';
import { defaultThresholds, type Observation, type Signal } from './thresholds.ts';

const Mi = 2 ** 20;
const pod = (name: string, spec: Partial<NonNullable<V1Pod['spec']>> = {}): V1Pod => ({
  metadata: { name, namespace: 'ns', uid: name },
  spec: { containers: [{ name: 'app' }], ...spec },
});
const requesting = (name: string, memory: string, priority = 0): V1Pod =>
  pod(name, { priority, containers: [{ name: 'app', resources: { requests: { memory } } }] });
const using = (memory: number, more: Partial<PodUsage> = {}): PodUsage => ({
  containers: [{ name: 'app', memory, rootfs: 0, logs: 0 }],
  volumes: new Map(),
  volumeInodes: 0,
  rootfsInodes: 0,
  pids: 1,
  ...more,
});

describe('who is evicted first', () => {
  it('for memory: beyond the request, then low priority, then the most beyond it', () => {
    const ranked = rankVictims('memory', [
      { pod: requesting('within', '100Mi', -5), usage: using(50 * Mi) },
      { pod: requesting('important', '10Mi', 10), usage: using(900 * Mi) },
      { pod: requesting('little-beyond', '10Mi'), usage: using(20 * Mi) },
      { pod: requesting('far-beyond', '10Mi'), usage: using(200 * Mi) },
      { pod: pod('unknown'), usage: undefined },
    ]);
    expect(ranked.map((it) => it.pod.metadata?.name)).toEqual([
      'unknown',
      'far-beyond',
      'little-beyond',
      'important',
      'within',
    ]);
  });

  it('for processes: low priority, then the most processes', () => {
    const ranked = rankVictims('pids', [
      { pod: pod('few'), usage: using(0, { pids: 3 }) },
      { pod: pod('many'), usage: using(0, { pids: 300 }) },
      { pod: pod('low', { priority: -1 }), usage: using(0) },
    ]);
    expect(ranked.map((it) => it.pod.metadata?.name)).toEqual(['low', 'many', 'few']);
  });
});

describe('what a pod may keep on the node', () => {
  const limited = (limit: string): V1Pod =>
    pod('p', { containers: [{ name: 'app', resources: { limits: { 'ephemeral-storage': limit } } }] });
  const table: readonly (readonly [string, V1Pod, Partial<PodUsage>, string | undefined])[] = [
    [
      'an emptyDir within its limit',
      pod('p', { volumes: [{ name: 'v', emptyDir: { sizeLimit: '5Mi' } }] }),
      { volumes: new Map([['v', 5 * Mi]]) },
      undefined,
    ],
    [
      'an emptyDir beyond its limit',
      pod('p', { volumes: [{ name: 'v', emptyDir: { sizeLimit: '5Mi' } }] }),
      { volumes: new Map([['v', 5 * Mi + 1]]) },
      'Usage of EmptyDir volume "v" exceeds the limit "5Mi". ',
    ],
    [
      'all of a pod beyond the sum of limits',
      limited('5Mi'),
      { volumes: new Map([['v', 6 * Mi]]) },
      'Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. ',
    ],
    [
      'one container beyond its own limit',
      pod('p', {
        containers: [
          { name: 'app', resources: { limits: { 'ephemeral-storage': '1Mi' } } },
          { name: 'b', resources: { limits: { 'ephemeral-storage': '100Mi' } } },
        ],
      }),
      { containers: [{ name: 'app', memory: 0, rootfs: Mi, logs: 1 }] },
      'Container app exceeded its local ephemeral storage limit "1Mi". ',
    ],
    [
      'a pod without limits',
      pod('p'),
      { containers: [{ name: 'app', memory: 0, rootfs: 900 * Mi, logs: 0 }] },
      undefined,
    ],
  ];
  it.each(table)('%s', (_, it, usage, expected) => {
    expect(localStorageExcess(it, using(0, usage))).toBe(expected);
  });
});

describe('the eviction manager', () => {
  const setup = (pods: readonly V1Pod[], usage: ReadonlyMap<string, PodUsage>) => {
    const clock = virtualClock();
    const left = new Map<Signal, Observation>([['memory.available', { available: 500 * Mi, capacity: 1000 * Mi }]]);
    const evicted: [string, Eviction][] = [];
    const said: string[] = [];
    const manager = evictionManager({
      clock,
      log: silentLogger,
      thresholds: defaultThresholds,
      transitionMs: 300_000,
      softGrace: 0,
      observe: async () => left,
      pods: () => pods.map((it) => ({ pod: it, evict: (how) => void evicted.push([it.metadata?.name ?? '', how]) })),
      measure: async () => usage,
      reclaim: async () => void said.push('reclaimed'),
      nodeEvent: (reason, message) => void said.push(`${reason}: ${message}`),
    });
    return { clock, left, evicted, said, manager };
  };

  it('evicts one pod a time under memory pressure, and keeps the condition for five minutes', async () => {
    const it = setup(
      [requesting('small', '10Mi'), requesting('big', '10Mi'), requesting('critical', '1Mi', 2_000_000_000)],
      new Map([
        ['small', using(20 * Mi)],
        ['big', using(200 * Mi)],
        ['critical', using(700 * Mi)],
      ]),
    );
    expect(await it.manager.synchronize()).toBe(false);
    expect(it.evicted).toEqual([]);
    it.left.set('memory.available', { available: 50 * Mi, capacity: 1000 * Mi });
    expect(await it.manager.synchronize()).toBe(true);
    expect(it.manager.pressures()).toEqual(['MemoryPressure']);
    expect(it.said).toEqual(['EvictionThresholdMet: Attempting to reclaim memory']);
    expect(it.evicted).toEqual([
      [
        'big',
        {
          reason: 'Evicted',
          grace: 1,
          disruption: true,
          message:
            'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container app was using 200Mi, request is 10Mi, has larger consumption of memory. ',
        },
      ],
    ]);
    expect(it.manager.refuses(pod('best-effort'))).toBe('The node had condition: [MemoryPressure]. ');
    expect(it.manager.refuses(requesting('burstable', '1Mi'))).toBeUndefined();
    it.left.set('memory.available', { available: 500 * Mi, capacity: 1000 * Mi });
    await it.clock.advance(299_000);
    await it.manager.synchronize();
    expect(it.manager.pressures()).toEqual(['MemoryPressure']);
    await it.clock.advance(1_000);
    expect(await it.manager.synchronize()).toBe(true);
    expect(it.manager.pressures()).toEqual([]);
  });

  it('frees images before it evicts for disk', async () => {
    const it = setup([pod('p')], new Map());
    it.left.set('nodefs.available', { available: 5, capacity: 100 });
    await it.manager.synchronize();
    expect(it.said).toEqual(['EvictionThresholdMet: Attempting to reclaim ephemeral-storage', 'reclaimed']);
    expect(it.evicted.map(([name]) => name)).toEqual(['p']);
    expect(it.manager.refuses(requesting('any', '1Mi'))).toBe('The node had condition: [DiskPressure]. ');
  });
});

describe('sysctls', () => {
  const table: readonly (readonly [string, Partial<NonNullable<V1Pod['spec']>>, string | undefined])[] = [
    ['kernel.shm_rmid_forced', {}, undefined],
    ['net/ipv4/tcp_syncookies', {}, undefined],
    [
      'kernel.shm_rmid_forced',
      { hostIPC: true },
      'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
    ],
    [
      'net.ipv4.tcp_rmem',
      { hostNetwork: true },
      'forbidden sysctl: "net.ipv4.tcp_rmem" not allowed with host net enabled',
    ],
    ['net.core.somaxconn', {}, 'forbidden sysctl: "net.core.somaxconn" not allowlisted'],
  ];
  it.each(table)('%s with %o', (name, spec, expected) => {
    expect(forbiddenSysctl(pod('p', { ...spec, securityContext: { sysctls: [{ name, value: '1' }] } }))).toBe(expected);
  });
  it('has one name for both ways to write it', () => {
    expect(sysctlName('net/ipv4/conf/eno2.100/rp_filter')).toBe('net.ipv4.conf.eno2/100.rp_filter');
  });
});
