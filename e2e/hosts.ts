import { spawnSync } from 'node:child_process';

/** A machine of its own as far as the network goes: a network namespace on a bridge that all hosts of a test share. */
export interface Host {
  readonly name: string;
  readonly ip: string;
  /** Runs what follows on that host. */
  readonly prefix: readonly string[];
  /** Cuts it off from the others, or joins it again. */
  link(state: 'up' | 'down'): void;
}

export interface Hosts {
  readonly hosts: readonly Host[];
  dispose(): void;
}

function sh(...args: readonly string[]): void {
  const [file = '', ...rest] = args;
  const { status, stderr } = spawnSync(file, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
}

/** Why hosts cannot be made here; '' when they can. */
export const hostsMissing =
  process.platform === 'linux' && spawnSync('unshare', ['-n', 'ip', 'link']).status === 0
    ? ''
    : 'network namespaces cannot be made';

/** Makes `count` hosts at 10.213.7.1 and on, joined by a bridge that is their way out too. */
export function makeHosts(count: number): Hosts {
  const tag = `ct${process.pid % 10_000}`;
  const bridge = `${tag}b`;
  sh('ip', 'link', 'add', bridge, 'type', 'bridge');
  sh('ip', 'addr', 'add', '10.213.7.254/24', 'dev', bridge);
  sh('ip', 'link', 'set', bridge, 'up');
  const hosts = Array.from({ length: count }, (_, index): Host => {
    const name = `${tag}n${index + 1}`;
    const ip = `10.213.7.${index + 1}`;
    const veth = `${tag}v${index + 1}`;
    const prefix = ['nsenter', `--net=/var/run/netns/${name}`];
    sh('ip', 'netns', 'add', name);
    sh('ip', 'link', 'add', veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    sh('ip', 'link', 'set', veth, 'master', bridge, 'up');
    sh(...prefix, 'ip', 'link', 'set', 'lo', 'up');
    sh(...prefix, 'ip', 'addr', 'add', `${ip}/24`, 'dev', 'eth0');
    sh(...prefix, 'ip', 'link', 'set', 'eth0', 'up');
    sh(...prefix, 'ip', 'route', 'add', 'default', 'via', '10.213.7.254');
    return { name, ip, prefix, link: (state) => sh('ip', 'link', 'set', veth, state) };
  });
  return {
    hosts,
    dispose() {
      for (const { name } of hosts) spawnSync('ip', ['netns', 'del', name]);
      spawnSync('ip', ['link', 'del', bridge]);
    },
  };
}
