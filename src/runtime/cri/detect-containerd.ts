import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** What a private containerd would be made of. */
export interface ContainerdParts {
  readonly containerd: string;
  readonly ctr: string;
  readonly cniBinDir: string;
  readonly restrictOomScoreAdj: boolean;
}

export type Detection =
  | { readonly usable: true; readonly parts: ContainerdParts }
  /** `why` is a sentence for the user. */
  | { readonly usable: false; readonly why: string };

const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
const executable = async (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

async function find(name: string, dirs: readonly string[]): Promise<string | undefined> {
  for (const dir of dirs) if (await executable(join(dir, name))) return join(dir, name);
  return undefined;
}

/** Linux's CAP_SYS_RESOURCE (24) in the effective set of /proc/self/status. */
export function hasSysResource(status: string): boolean {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return (mask & (1n << 24n)) !== 0n;
}

/** Whether this process can run a containerd of its own here, and if not, why not. */
export async function detectContainerd(env: NodeJS.ProcessEnv): Promise<Detection> {
  const no = (why: string): Detection => ({ usable: false, why });
  if (process.platform !== 'linux') return no(`containerd needs Linux, this is ${process.platform}`);
  if (process.arch !== 'x64') return no(`a sandbox image can be made for x64 only, this is ${process.arch}`);
  if (process.getuid?.() !== 0) return no('containerd needs root');
  const dirs = [...(env['PATH'] ?? '').split(delimiter).filter(Boolean), ...sbin];
  const [containerd, ctr, runc, iptables] = await Promise.all(
    ['containerd', 'ctr', 'runc', 'iptables'].map((name) => find(name, dirs)),
  );
  if (!containerd || !ctr) return no('containerd is not installed (coracle node install)');
  if (!runc) return no('runc is not installed (coracle node install)');
  if (!iptables) return no('iptables, which the CNI plugins call, is not installed (coracle node install)');
  const cni = await find('bridge', ['/opt/cni/bin', '/usr/lib/cni']);
  if (!cni) return no('the CNI plugins are not installed (coracle node install)');
  const status = await readFile('/proc/self/status', 'utf8');
  return {
    usable: true,
    parts: {
      containerd,
      ctr,
      cniBinDir: cni.slice(0, -'/bridge'.length),
      restrictOomScoreAdj: !hasSysResource(status),
    },
  };
}
