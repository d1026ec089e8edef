import { describe, expect, it } from 'vitest';
import type { V1Service } from '../api/generated/types.ts';
import { firstFreeAddress, grant, inPool } from './load-balancer.ts';

const pool = '192.0.2.0/29';
const service = (spec: Partial<NonNullable<V1Service['spec']>> = {}, ip?: string): V1Service => ({
  metadata: { name: 's', namespace: 'default' },
  spec: { type: 'LoadBalancer', ...spec },
  status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
});

describe('the pool of load-balancer addresses', () => {
  it('spares network and broadcast addresses, and ends', () => {
    expect(firstFreeAddress(pool, new Set())).toBe('192.0.2.1');
    const all = [1, 2, 3, 4, 5, 6].map((it) => `192.0.2.${it}`);
    expect(firstFreeAddress(pool, new Set(all.slice(0, 5)))).toBe('192.0.2.6');
    expect(firstFreeAddress(pool, new Set(all))).toBeUndefined();
    expect([
      inPool(pool, '192.0.2.0'),
      inPool(pool, '192.0.2.7'),
      inPool(pool, '192.0.2.3'),
      inPool(pool, 'x'),
    ]).toEqual([false, false, true, false]);
    expect(firstFreeAddress('192.0.2.9/32', new Set())).toBe('192.0.2.9');
  });
  it('gives what a Service has or asks for, and says why not', () => {
    const taken = new Set(['192.0.2.1']);
    expect(grant(service(), pool, taken)).toEqual({ ip: '192.0.2.2' });
    expect(grant(service({}, '192.0.2.5'), pool, taken)).toEqual({ ip: '192.0.2.5' });
    expect(grant(service({ loadBalancerIP: '192.0.2.4' }, '192.0.2.5'), pool, taken)).toEqual({ ip: '192.0.2.4' });
    expect(grant(service({ loadBalancerIP: '192.0.2.1' }), pool, taken)).toEqual({
      refused: 'the address 192.0.2.1 belongs to another Service',
    });
    expect(grant(service({ loadBalancerIP: '10.0.0.1' }), pool, taken)).toEqual({
      refused: 'the address 10.0.0.1 is not in the pool 192.0.2.0/29',
    });
    expect(grant(service({}, '8.8.8.8'), pool, new Set())).toEqual({ ip: '192.0.2.1' });
  });
});
