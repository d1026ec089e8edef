import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import type { TestCluster } from './harness.ts';
import { imagesMissing, loadBusybox } from './images.ts';

/** A way to run pods that tests can be run on. */
export interface TestRuntime {
  readonly name: 'sim' | 'containerd';
  /** For `coracle up`. */
  readonly args: readonly string[];
  /** An image with busybox, there once `prepare` is done. */
  readonly image: string;
  prepare(cluster: TestCluster): Promise<void>;
}

const simulated: TestRuntime = {
  name: 'sim',
  args: ['--runtime', 'sim', '--nodes', '2'],
  image: 'busybox:1.36',
  prepare: () => Promise.resolve(),
};

const real: TestRuntime = {
  name: 'containerd',
  args: ['--runtime', 'containerd'],
  image: 'coracle.local/busybox:1',
  prepare: (cluster) => loadBusybox(cluster, 'coracle.local/busybox:1'),
};

/**
 * Simulated containers everywhere; real ones too when CORACLE_E2E_CONTAINERD is set, since two containerd nodes at a time
 * on one machine get in each other's way and other tests run one.
 */
export async function testRuntimes(): Promise<readonly TestRuntime[]> {
  if (!process.env['CORACLE_E2E_CONTAINERD'] || imagesMissing) return [simulated];
  return (await detectContainerd(process.env)).usable ? [simulated, real] : [simulated];
}
