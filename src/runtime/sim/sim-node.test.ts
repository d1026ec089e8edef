import { afterAll, beforeAll, describe } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { type ConformanceTarget, runtimeConformance } from '../conformance.ts';
import { builtinImages } from './images/catalogue.ts';
import { createSimNetwork } from './net/sim-network.ts';
import { builtinPrograms } from './programs/table.ts';
import { createSimNode } from './sim-node.ts';
import { createSimRegistry } from './sim-registry.ts';

describe('the simulated runtime', () => {
  const network = createSimNetwork({ clock: systemClock });
  const registry = createSimRegistry(builtinImages(), { builtin: builtinPrograms });
  const node = createSimNode({
    name: 'node-1',
    address: '172.18.0.2',
    clock: systemClock,
    random: systemRandom(),
    network,
    registry,
  });
  const target: ConformanceTarget = {
    node,
    image: 'docker.io/library/busybox:1.36',
    dir: '/var/test',
    podAddress: /^10\.244\.7\.\d+$/,
  };
  beforeAll(async () => {
    await node.runtime.updateRuntimeConfig('10.244.7.0/24');
    const annotations = {};
    await node.images.pullImage({ image: target.image }, undefined, { annotations } as never);
  });
  afterAll(() => node.close());
  runtimeConformance(() => target);
});
