import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../cluster/options.ts';
import type { CommandBuilder } from './main.ts';
import { type Streams, say } from './output.ts';

/** What a real node needs on Debian: each program and the package that brings it. */
const wanted: readonly { readonly program: string; readonly places?: readonly string[]; readonly package: string }[] = [
  { program: 'containerd', package: 'containerd' },
  { program: 'runc', package: 'runc' },
  { program: 'bridge', places: ['/usr/lib/cni', '/opt/cni/bin'], package: 'containernetworking-plugins' },
  { program: 'nft', package: 'nftables' },
  { program: 'iptables', package: 'iptables' },
  { program: 'conntrack', package: 'conntrack' },
  { program: 'ip', package: 'iproute2' },
];

/** The packages still missing, given a way to tell whether a file exists. */
export function missingPackages(path: string, exists: (file: string) => boolean): readonly string[] {
  const dirs = [...path.split(delimiter), '/usr/sbin', '/sbin'];
  return wanted
    .filter(({ program, places }) => !(places ?? dirs).some((dir) => exists(join(dir, program))))
    .map((one) => one.package);
}

/** True for Debian and what descends from it, by os-release(5). */
export function isDebian(osRelease: string): boolean {
  return /^(?:ID|ID_LIKE)=.*\bdebian\b/m.test(osRelease);
}

const runInherited = (file: string, args: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, [...args], {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });

async function agrees(streams: Streams): Promise<boolean> {
  const lines = createInterface({ input: streams.stdin, output: streams.stdout });
  const answer = await lines.question('Go on? [y/N] ');
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** `coracle node install`: installs containerd, runc, CNI plugins and nftables with apt, after asking. */
export const nodeInstallCommand: CommandBuilder = (program, streams, exit) => {
  const node = program.command('node').description('prepare this machine as a node');
  node
    .command('install')
    .description('install containerd, runc, CNI plugins and nftables (Debian)')
    .option('-y, --yes', 'do not ask')
    .action(async (options: { yes?: boolean }) => {
      const missing = missingPackages(streams.env['PATH'] ?? '', existsSync);
      if (missing.length === 0) {
        say(streams, 'everything a node needs is installed');
        return;
      }
      const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
      if (!isDebian(release)) {
        throw new UsageError(`this is not a Debian machine; install by your own means: ${missing.join(', ')}`);
      }
      if (process.getuid?.() !== 0)
        throw new UsageError('installing packages needs root; try sudo coracle node install');
      say(streams, `This installs with apt-get: ${missing.join(' ')}`);
      if (!options.yes && !(await agrees(streams))) {
        say(streams, 'nothing was installed');
        exit(1);
        return;
      }
      for (const args of [
        ['update', '-qq'],
        ['install', '-y', '--no-install-recommends', ...missing],
      ]) {
        const code = await runInherited('apt-get', args);
        if (code !== 0) throw new UsageError(`apt-get ${args[0]} ended with exit code ${code}`);
      }
      say(streams, 'installed; coracle up now takes containerd by itself');
    });
};
