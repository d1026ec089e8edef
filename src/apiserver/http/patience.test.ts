import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../base/virtual-clock.ts';
import { inFlight } from './limits.ts';
import { drained, type Outgoing } from './respond.ts';

const response = () => new EventEmitter() as unknown as Outgoing & EventEmitter;

describe('clients who do not read', () => {
  it('are given up after 30 seconds', async () => {
    const clock = virtualClock();
    const waiting = drained(response(), clock);
    await clock.advance(30_000);
    expect(await waiting).toBe(false);
  });

  it('go on when they have read, and leave no listener behind', async () => {
    const clock = virtualClock();
    const it = response();
    const waiting = drained(it, clock);
    await clock.advance(29_000);
    it.emit('drain');
    expect(await waiting).toBe(true);
    expect([it.listenerCount('drain'), it.listenerCount('close')]).toEqual([0, 0]);
  });
});

describe('requests that take too long', () => {
  const limits = { reading: 1, mutating: 1, timeoutMs: 60_000 };

  it('are ended, those in time are not', async () => {
    const clock = virtualClock();
    const requests = inFlight(clock, limits);
    const ended: string[] = [];
    const enter = (name: string) => {
      const ticket = {
        mutating: true,
        counted: false,
        startedAt: clock.monotonic(),
        onTimeout: () => void ended.push(name),
      };
      requests.enter(ticket);
      return ticket;
    };
    enter('slow');
    await clock.advance(30_000);
    enter('young');
    const done = enter('done');
    requests.leave(done);
    await clock.advance(40_000);
    expect(ended).toEqual(['slow']);
    await clock.advance(60_000);
    expect(ended).toEqual(['slow', 'young']);
  });

  it('are refused beyond the limit of their sort, and let in again after', () => {
    const requests = inFlight(virtualClock(), limits);
    const ticket = (mutating: boolean) => ({ mutating, counted: false, startedAt: 0, onTimeout: () => undefined });
    const [write, read] = [ticket(true), ticket(false)];
    expect([requests.admit(write), requests.admit(read), requests.admit(ticket(true))]).toEqual([true, true, false]);
    requests.leave(write);
    expect(requests.admit(ticket(true))).toBe(true);
  });
});
