import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../../testing/controller-harness.ts';
import { configmaps, secrets } from '../api/generated/resources.ts';
import { noSpans, type Span } from '../api/trace.ts';
import { virtualClock } from '../base/virtual-clock.ts';
import { type Controller, watched } from './controller.ts';
import { track } from './tracked.ts';
import { createWorkQueue } from './work-queue.ts';

describe('the work queue', () => {
  it('holds a key once, and keeps it from being worked on twice at a time', async () => {
    const queue = createWorkQueue(virtualClock());
    for (const key of ['a', 'b', 'a']) queue.add(key);
    expect(queue.depth).toBe(2);
    expect(await queue.take()).toBe('a');
    queue.add('a');
    expect(await queue.take()).toBe('b');
    let third: string | undefined;
    void queue.take().then((key) => {
      third = key;
    });
    await Promise.resolve();
    expect(third).toBeUndefined();
    queue.done('a');
    await Promise.resolve();
    expect(third).toBe('a');
  });
  it('waits longer after each failure', async () => {
    const clock = virtualClock();
    const queue = createWorkQueue(clock);
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) {
      queue.addRateLimited('a');
      waits.push((clock.nextAt() ?? 0) - clock.now());
      await clock.advance(1_000_000);
      expect(await queue.take()).toBe('a');
      queue.done('a');
    }
    expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(waits.at(-1)).toBe(1_000_000);
    queue.forget('a');
    expect(queue.failures('a')).toBe(0);
  });
  it('keeps the earlier of two waits', async () => {
    const clock = virtualClock();
    const queue = createWorkQueue(clock);
    queue.addAfter('a', 1000);
    queue.addAfter('a', 10);
    queue.addAfter('a', 500);
    await clock.advance(10);
    expect(queue.depth).toBe(1);
    expect(clock.pending()).toBe(0);
  });
  it('lets its takers go when it stops', async () => {
    const queue = createWorkQueue(virtualClock());
    const waiting = queue.take();
    queue.stop();
    expect(await waiting).toBeUndefined();
  });
});

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.end();
  harness = undefined;
});
const namespace = 'default';

describe('the engine', () => {
  it('never shows a reconcile a copy older than what the one before wrote', async () => {
    const seen: number[] = [];
    const counter: Controller = {
      name: 'counter',
      watches: [watched({ resource: configmaps, keys: (it) => [it.metadata.name] })],
      access: [],
      async reconcile(key, context) {
        const map = context.informers.informer(configmaps).get(`${namespace}/${key}`);
        const count = Number(map?.data?.['count'] ?? 0);
        seen.push(count);
        if (!map || count >= 20) return undefined;
        await context.client.update(configmaps, { ...map, data: { count: String(count + 1) } });
        return { again: 0 };
      },
    };
    harness = await startHarness([counter]);
    await harness.client.create(configmaps, { metadata: { name: 'a', namespace }, data: { count: '0' } });
    await harness.until('twenty', () => seen.at(-1) === 20);
    expect([...new Set(seen)]).toEqual(Array.from({ length: 21 }, (_, i) => i));
    expect(harness.running.counters()[0]?.conflicts).toBe(0);
  });

  it('tries again what fails', async () => {
    let tries = 0;
    const flaky: Controller = {
      name: 'flaky',
      watches: [watched({ resource: configmaps, keys: () => ['key'] })],
      access: [],
      async reconcile() {
        if (++tries < 3) throw new Error('not yet');
        return undefined;
      },
    };
    harness = await startHarness([flaky]);
    await harness.client.create(configmaps, { metadata: { name: 'a', namespace } });
    await harness.until('three tries', () => tries === 3);
    expect(harness.running.counters()[0]).toMatchObject({ errors: 2 });
  });

  it('notes what a write was decided on', async () => {
    harness = await startHarness([]);
    const { client, informers } = harness;
    const spans: Span[] = [];
    const made = await client.create(configmaps, { metadata: { name: 'a', namespace } });
    await informers.informer(configmaps).whenSynced();
    await harness.until('the copy', () => informers.informer(configmaps).get(`${namespace}/a`));
    const tracked = track(
      { client, informers },
      { component: 'me', clock: virtualClock(), spans: { ...noSpans, record: (span) => void spans.push(span) } },
    );
    tracked.informers.informer(configmaps).get(`${namespace}/a`);
    await tracked.client.create(secrets, { metadata: { name: 's', namespace } });
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({
      step: 'controllers',
      what: 'create secret default/s',
      component: 'me',
      reads: [{ resource: 'configmaps', namespace, name: 'a', resourceVersion: made.metadata.resourceVersion }],
    });
    expect(tracked.writes[0]?.key).toBe('default/s');
  });
});
