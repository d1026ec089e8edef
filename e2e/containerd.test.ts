import { afterAll, beforeAll, describe, expect } from 'vitest';
import { detectContainerd } from '../src/runtime/cri/detect-containerd.ts';
import { kubectls, startTestCluster, type TestCluster } from './harness.ts';
import { imagesMissing, loadBusybox } from './images.ts';
import { workloadTests } from './workloads.ts';

const detection = await detectContainerd(process.env);
const missing = detection.usable
  ? imagesMissing || (kubectls().length === 0 ? 'kubectl is not installed' : '')
  : detection.why;
const image = 'coracle.local/busybox:1';

describe.skipIf(missing !== '')(`a cluster with real containers${missing && ` (left out: ${missing})`}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ args: ['--runtime', 'containerd'] });
    await loadBusybox(cluster, image);
    await cluster.ok('wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s');
  }, 90_000);
  afterAll(async () => {
    if (!cluster) return;
    await cluster.stop();
    const { code, stderr } = await cluster.coracle('down', '--purge', '--data-dir', cluster.dataDir);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  }, 60_000);

  workloadTests(() => ({ cluster, image }));
});
