import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Lifetime } from '../base/lifetime.ts';
import type { Logger } from '../base/log.ts';
import { innerAddress } from './advertise.ts';

const run = promisify(execFile);
/** A bridge without ports (every container host has these) that holds the addresses at which pods reach this process. */
const holder = 'coracle0';
/** The file of ours among the runtime's network configurations. */
const ownFile = '10-coracle.conflist';

/**
 * The network of a node's pods, for the CNI plugins: a bridge, addresses from the node's ranges (one a family), host ports. Masquerading is
 * not the plugins': they would do it between nodes too.
 */
export function conflist(podCidrs: readonly string[], dataDir: string): string {
  return JSON.stringify(
    {
      cniVersion: '1.0.0',
      name: 'coracle',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          ipMasq: false,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: `${dataDir}/ipam`,
            ranges: podCidrs.map((subnet) => [{ subnet }]),
            routes: podCidrs.map((cidr) => ({ dst: cidr.includes(':') ? '::/0' : '0.0.0.0/0' })),
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  );
}

/** Network configurations of the user's own: the runtime reads these names, and ours must not stand beside them. */
const foreign = (names: readonly string[]): readonly string[] =>
  names.filter((it) => it !== ownFile && /\.(conf|conflist|json)$/.test(it)).sort();

/**
 * Keeps our network configuration in the runtime's directory for as long as the user has put none there. Returns a function that is
 * called with the node's ranges whenever they become known.
 */
export function keepConflist(options: {
  readonly directory: string;
  readonly dataDir: string;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}): (podCidrs: readonly string[]) => Promise<void> {
  const { directory, dataDir, log, lifetime } = options;
  let ranges: readonly string[] = [];
  let written = '';
  let chain: Promise<void> = Promise.resolve();
  const settle = async (): Promise<void> => {
    const others = foreign(await readdir(directory));
    const text = others.length > 0 || ranges.length === 0 ? '' : conflist(ranges, dataDir);
    if (text === written) return;
    if (text === '') {
      await rm(join(directory, ownFile), { force: true });
      if (others.length > 0) log.warn('pods use the network configuration found here', { directory, file: others[0] });
    } else await writeFile(join(directory, ownFile), text, { mode: 0o600 });
    written = text;
  };
  const again = (): Promise<void> => {
    chain = chain
      .then(settle)
      .catch((error: unknown) => log.error('cannot write the network configuration', { error }));
    return chain;
  };
  const watcher = watch(directory, (_event, file) => {
    if (file !== ownFile) void again();
  });
  watcher.on('error', (error) => log.warn('network configurations cannot be followed', { directory, error }));
  lifetime.defer(() => watcher.close());
  return (podCidrs) => {
    ranges = podCidrs;
    return again();
  };
}

/** Gives this machine the address at which pods reach the API server and cluster DNS, on an interface of its own. Idempotent. */
export async function holdInnerAddress(): Promise<void> {
  await run('ip', ['link', 'add', holder, 'type', 'bridge']).catch((error: Error) => {
    if (!error.message.includes('File exists')) throw error;
  });
  await run('ip', ['addr', 'replace', `${innerAddress}/32`, 'dev', holder]);
  await run('ip', ['link', 'set', holder, 'up']);
}

/** Takes the address away again. */
export async function releaseInnerAddress(): Promise<void> {
  await run('ip', ['link', 'del', holder]);
}

/**
 * What the kernel must do for pods: forward packets, and show bridged ones to the rules (without it, a pod that reaches a neighbour
 * through a Service never hears back, and policies see nothing between neighbours).
 */
export async function prepareKernel(log: Logger): Promise<void> {
  const settings = [
    ['net/ipv4/ip_forward', true],
    ['net/ipv6/conf/all/forwarding', false],
    ['net/bridge/bridge-nf-call-iptables', true],
    ['net/bridge/bridge-nf-call-ip6tables', false],
  ] as const;
  for (const [name, needed] of settings) {
    await writeFile(`/proc/sys/${name}`, '1').catch((error: unknown) => {
      if (needed) log.warn('a setting of the kernel that the pod network needs cannot be made', { name, error });
      else log.debug('a setting of the kernel cannot be made', { name, error });
    });
  }
}
