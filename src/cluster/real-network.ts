import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { innerAddress } from './advertise.ts';

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
