import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { innerAddress } from './advertise.ts';
import { dnsServiceAddress } from './bootstrap-objects.ts';
import type { ClusterOptions } from './options.ts';

const run = promisify(execFile);
/** A bridge without ports (every container host has these) that holds the addresses at which pods reach this process. */
const holder = 'coracle0';

/** The network of a node's pods, for the CNI plugins: a bridge, addresses from the node's range, masquerade to the outside, host ports. */
export function conflist(podCidr: string, dataDir: string): string {
  return JSON.stringify(
    {
      cniVersion: '1.0.0',
      name: 'coracle',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          ipMasq: true,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: `${dataDir}/ipam`,
            ranges: [[{ subnet: podCidr }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  );
}

/**
 * Gives this machine the addresses of cluster DNS and of the API server as pods know them, on an interface of their own, so that pods reach both
 * without address translation. Idempotent.
 */
export async function holdClusterAddresses(options: ClusterOptions): Promise<void> {
  await run('ip', ['link', 'add', holder, 'type', 'bridge']).catch((error: Error) => {
    if (!error.message.includes('File exists')) throw error;
  });
  for (const address of [innerAddress, dnsServiceAddress(options.serviceCidr)]) {
    await run('ip', ['addr', 'replace', `${address}/32`, 'dev', holder]);
  }
  await run('ip', ['link', 'set', holder, 'up']);
}

/** Takes the addresses away again. */
export async function releaseClusterAddresses(): Promise<void> {
  await run('ip', ['link', 'del', holder]);
}
