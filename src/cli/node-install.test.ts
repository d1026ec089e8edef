import { describe, expect, it } from 'vitest';
import { isDebian, missingPackages } from './node-install.ts';

describe('what a node is missing', () => {
  it('names the packages of absent programs only', () => {
    const there = new Set(['/usr/bin/containerd', '/usr/sbin/runc', '/usr/lib/cni/bridge', '/usr/sbin/nft', '/bin/ip']);
    expect(missingPackages('/usr/bin:/bin', (file) => there.has(file))).toEqual(['iptables', 'conntrack']);
  });

  it.each([
    ['ID=debian\n', true],
    ['ID=ubuntu\nID_LIKE=debian\n', true],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
    ['ID=fedora\n', false],
    ['', false],
  ])('%j is Debian: %s', (text, expected) => {
    expect(isDebian(text)).toBe(expected);
  });
});
