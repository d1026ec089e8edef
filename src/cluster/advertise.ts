import { networkInterfaces } from 'node:os';
import type { ClusterOptions } from './options.ts';

const wildcard = /^(0\.0\.0\.0|::)$/;
const loopback = /^(127\.|::1$|localhost$)/;
const inside = /^(lo|cni|coracle|docker|veth|br-|virbr|flannel|cali)/;

/**
 * An address of TEST-NET-3 (RFC 5737) that stands for "this server" inside the cluster when it listens on loopback: simulated pods are
 * led from it to the server, and a real node holds it on an interface that leads nowhere else.
 */
export const innerAddress = '203.0.113.1';

/** The address behind the `kubernetes` Service. Endpoints may not be loopback addresses. */
export function advertisedAddress(
  options: ClusterOptions,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): string {
  const { listenAddress } = options;
  if (loopback.test(listenAddress)) return innerAddress;
  if (!wildcard.test(listenAddress)) return listenAddress;
  for (const [name, addresses] of Object.entries(interfaces)) {
    const found = inside.test(name) ? undefined : addresses?.find((it) => it.family === 'IPv4' && !it.internal);
    if (found) return found.address;
  }
  return innerAddress;
}
