import type { RegistryFault } from './sim-registry.ts';

/** On a pod: what goes wrong with every pull of its images (see docs/simulated-runtime.md). */
export const registryAnnotation = 'sim.coracle.dev/registry';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** Reads `rate-limited`, `slow=30s`, …; undefined when there is nothing or nothing known, which breaks no pull. */
export function parseRegistryFault(text: string | undefined): RegistryFault | undefined {
  const slow = /^slow=(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text ?? '');
  if (slow) return { kind: 'slow', ms: Number(slow[1]) * (units[slow[2] ?? ''] ?? 0) };
  switch (text) {
    case 'unauthorized':
    case 'rate-limited':
    case 'unreachable':
    case 'no-such-host':
    case 'server-error':
    case 'wrong-architecture':
      return { kind: text };
    default:
      return undefined;
  }
}
