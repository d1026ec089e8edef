import { defineConfig } from 'vitest/config';

/** Files that make this very machine a node: bridges, nftables and mounts are machine-wide, so they run one after the other. */
const realNodes = [
  'e2e/containerd.test.ts',
  'e2e/network-policy.test.ts',
  'e2e/network-services.test.ts',
  'e2e/node-failures.test.ts',
  'e2e/node-pods.test.ts',
  'e2e/node-recovery.test.ts',
  'src/runtime/cri/containerd-node.test.ts',
];

// On a busy machine of a CI a real container can miss a deadline; a second failure counts.
const retry = process.env['CI'] ? 1 : 0;
const common = { testTimeout: 60_000, hookTimeout: 180_000, pool: 'forks', retry } as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'all',
          include: ['src/**/*.test.ts', 'testing/**/*.test.ts', 'e2e/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['node_modules/**', ...realNodes],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'nodes',
          include: realNodes,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
