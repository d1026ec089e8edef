import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageFile, imageArchive } from '../src/runtime/cri/pause-image.ts';
import type { TestCluster } from './harness.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));
const applets =
  'sh cat sleep echo nc wget ls nslookup ps httpd mkdir head tail tar stty dd true false sed grep rm env hostname id date timeout tty tail chmod ln mount umount stat touch kill ping wc sort cut test tr yes mkfifo sync df find awk sysctl dirname basename readlink'.split(
    ' ',
  );

/** Why test images cannot be made here; '' when they can. */
export const imagesMissing = busybox ? '' : 'busybox-static is not installed';

/** The files of an image of the machine's static busybox. */
export function busyboxFiles(): Readonly<Record<string, ImageFile>> {
  if (!busybox) throw new Error(imagesMissing);
  return {
    'bin/busybox': readFileSync(busybox),
    ...Object.fromEntries(applets.map((applet) => [`bin/${applet}`, { link: 'bin/busybox' }])),
    tmp: { directory: 0o1777 },
  };
}

/** What such an image runs with. */
export const busyboxConfig = { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] } as const;

/** Loads an image of the machine's static busybox, under this name, into the cluster's node. */
export async function loadBusybox(
  cluster: TestCluster,
  name: string,
  config: Parameters<typeof imageArchive>[2] = busyboxConfig,
): Promise<void> {
  const archive = await imageArchive(name, busyboxFiles(), config);
  const file = join(cluster.dataDir, 'busybox.tar');
  writeFileSync(file, archive);
  const { code, stderr } = await cluster.coracle('image', 'load', file, '--data-dir', cluster.dataDir);
  if (code !== 0) throw new Error(stderr);
}
