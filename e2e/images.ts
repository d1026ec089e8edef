import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageArchive } from '../src/runtime/cri/pause-image.ts';
import type { TestCluster } from './harness.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));
const applets =
  'sh cat sleep echo nc wget ls nslookup ps httpd mkdir head tail tar stty dd true false sed grep rm env hostname id date'.split(
    ' ',
  );

/** Why test images cannot be made here; '' when they can. */
export const imagesMissing = busybox ? '' : 'busybox-static is not installed';

/** Loads an image of the machine's static busybox, under this name, into the cluster's node. */
export async function loadBusybox(cluster: TestCluster, name: string): Promise<void> {
  if (!busybox) throw new Error(imagesMissing);
  const program = readFileSync(busybox);
  const files = Object.fromEntries(applets.map((applet) => [`bin/${applet}`, program]));
  const archive = await imageArchive(name, files, { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] });
  const file = join(cluster.dataDir, 'busybox.tar');
  writeFileSync(file, archive);
  const { code, stderr } = await cluster.coracle('image', 'load', file, '--data-dir', cluster.dataDir);
  if (code !== 0) throw new Error(stderr);
}
