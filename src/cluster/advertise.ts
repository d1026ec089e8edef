import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ClusterOptions } from './options.ts';

const wildcard = /^(0\.0\.0\.0|::)$/;
const loopback = /^(127\.|::1$)/;
const inside = /^(lo|cni|coracle|docker|veth|br-|virbr|flannel|cali)/;

/** An address of TEST-NET-1 (RFC 5737), for machines that have no address but loopback: simulated pods are led from it to the server. */
const nowhere = '192.0.2.1';

/**
 * The address that the `kubernetes` Service leads to. Endpoints may not be loopback addresses, so a server that listens there
 * advertises the machine's first other address.
 */
export function advertisedAddress(options: ClusterOptions, interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string {
  const { listenAddress } = options;
  if (isIP(listenAddress) && !wildcard.test(listenAddress) && !loopback.test(listenAddress)) return listenAddress;
  for (const [name, addresses] of Object.entries(interfaces)) {
    const found = inside.test(name) ? undefined : addresses?.find((it) => it.family === 'IPv4' && !it.internal);
    if (found) return found.address;
  }
  return nowhere;
}
