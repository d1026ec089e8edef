import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { runtimeConformance } from '../conformance.ts';
import { type ContainerdNode, containerdNode } from './containerd-node.ts';
import { detectContainerd } from './detect-containerd.ts';
import { imageArchive } from './pause-image.ts';

const detection = await detectContainerd(process.env);
const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
});
const applets = 'sh cat sleep echo nc hostname id stty tail true'.split(' ');
const missing = detection.usable ? (busybox ? '' : 'busybox-static is not installed') : detection.why;

describe.skipIf(missing !== '')(`containerd over CRI${missing && ` (left out: ${missing})`}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'coracle-cri-'));
  let node: ContainerdNode;
  beforeAll(async () => {
    if (!detection.usable || !busybox) return;
    node = await containerdNode({ dir: join(dir, 'cd'), parts: detection.parts, clock: systemClock });
    await node.writeNetworkConfig(
      '10-test.conflist',
      JSON.stringify({
        cniVersion: '1.0.0',
        name: 'coracle-test',
        plugins: [
          {
            type: 'bridge',
            bridge: 'cortest0',
            isGateway: true,
            ipam: {
              type: 'host-local',
              dataDir: join(dir, 'ipam'),
              ranges: [[{ subnet: '10.199.7.0/24' }]],
              routes: [{ dst: '0.0.0.0/0' }],
            },
          },
        ],
      }),
    );
    const program = readFileSync(busybox);
    const files = Object.fromEntries(applets.map((name) => [`bin/${name}`, program]));
    const archive = await imageArchive('coracle.local/busybox:1', files, { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] });
    await node.loadImage(archive);
    for (;;) {
      const { conditions } = await node.runtime.status();
      if (conditions.every((condition) => condition.status)) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  afterAll(async () => {
    if (!node) return;
    for (const { id } of await node.runtime.listPodSandbox()) {
      await node.runtime.stopPodSandbox(id);
      await node.runtime.removePodSandbox(id);
    }
    await node.close();
    process.kill(node.pid, 'SIGTERM');
    for (let i = 0; i < 100; i++) {
      try {
        process.kill(node.pid, 0);
      } catch {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await node.files.unmount(dir);
    try {
      execFileSync('ip', ['link', 'del', 'cortest0'], { stdio: 'ignore' });
    } catch {
      // The bridge is only there when a pod had a network.
    }
    rmSync(dir, { recursive: true, force: true });
  });

  it('says what it is', async () => {
    expect(await node.runtime.version()).toMatchObject({ runtimeName: 'containerd', runtimeApiVersion: 'v1' });
  });

  runtimeConformance(() => ({
    node,
    image: 'coracle.local/busybox:1',
    dir: join(dir, 'conformance'),
    podAddress: /^10\.199\.7\.\d+$/,
  }));
});
