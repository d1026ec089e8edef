import type { Process } from '../../kernel/process.ts';
import { type GoFlags, goFlags } from '../go.ts';
import { pause } from '../pause.ts';
import { connectTo, dnsFacts, inclusterclient, logsGenerator, mounttest } from './clients.ts';
import { netexec, netexecFlags } from './netexec.ts';
import { guestbook, liveness, porter, portForwardTester, serveHostname, testWebserver } from './servers.ts';

interface Command {
  readonly flags: Readonly<Record<string, string | number | boolean>>;
  readonly shorts?: Readonly<Record<string, string>>;
  readonly run: (p: Process, flags: GoFlags) => number | Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  connect: { flags: { timeout: '0s', protocol: 'tcp', 'udp-data': 'hostname' }, run: connectTo },
  'dns-server-list': { flags: {}, run: (p) => dnsFacts(p, 'dns-server-list') },
  'dns-suffix': { flags: {}, run: (p) => dnsFacts(p, 'dns-suffix') },
  'etc-hosts': { flags: {}, run: (p) => dnsFacts(p, 'etc-hosts') },
  guestbook: { flags: { 'http-port': 80, 'backend-port': 6379, replicaof: '' }, run: guestbook },
  inclusterclient: { flags: { 'poll-interval': 30 }, run: inclusterclient },
  liveness: { flags: {}, run: liveness },
  'logs-generator': {
    flags: { 'log-lines-total': 0, 'run-duration': '0s' },
    shorts: { t: 'log-lines-total', d: 'run-duration' },
    run: logsGenerator,
  },
  mounttest: {
    flags: {
      fs_type: '',
      file_mode: '',
      file_perm: '',
      file_owner: '',
      new_file_0644: '',
      new_file_0666: '',
      new_file_0660: '',
      new_file_0777: '',
      file_content: '',
      file_content_in_loop: '',
      retry_time: 180,
      break_on_expected_content: true,
    },
    run: mounttest,
  },
  netexec: { flags: netexecFlags, run: netexec },
  nonewprivs: {
    flags: {},
    async run(p) {
      await p.print(`Effective uid: ${p.credentials.uid}\n`);
      return 0;
    },
  },
  pause: {
    flags: {},
    async run(p) {
      await p.print('Paused\n');
      return pause(p);
    },
  },
  'port-forward-tester': { flags: {}, run: portForwardTester },
  porter: { flags: { 'json-response': false }, run: porter },
  'serve-hostname': { flags: { tcp: false, udp: false, http: true, close: false, port: 9376 }, run: serveHostname },
  'test-webserver': { flags: { port: 80 }, run: testWebserver },
};

/** Commands of the real agnhost that the simulation does not have. */
const absent = new Set(
  'audit-proxy crd-conversion-webhook fake-gitserver fake-registry-server grpc-health-checking h2c-server mtlsclient mtlsserver net nettest no-snat-test no-snat-test-proxy openid-metadata podcertificatesigner resource-consumer-controller sample-device-plugin tcp-reset webhook external-metrics fake-metrics-server'.split(
    ' ',
  ),
);

/** agnhost, the e2e tests' program of many faces (test/images/agnhost). */
export async function agnhost(p: Process): Promise<number> {
  const [, name, ...args] = p.argv;
  if (name === 'entrypoint-tester') {
    await p.print(`[${p.argv.join(' ')}]\n`);
    return 0;
  }
  if (name === '--version') {
    await p.print('agnhost version 2.59\n');
    return 0;
  }
  if (name === undefined || name === 'help' || name === '--help') {
    await p.print(
      `Usage:\n  app [command]\n\nAvailable Commands:\n${['entrypoint-tester', ...Object.keys(commands)]
        .sort()
        .map((one) => `  ${one}\n`)
        .join('')}`,
    );
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    await p.complain(
      absent.has(name)
        ? `Error: the simulated agnhost does not have the command "${name}"; run it on a node with containerd\n`
        : `Error: unknown command ${JSON.stringify(name)} for "app"\nRun 'app --help' for usage.\n`,
    );
    return 1;
  }
  const flags = goFlags(args, command.flags, command.shorts);
  if ('problem' in flags) {
    await p.complain(`Error: ${flags.problem}\nUsage:\n  app ${name} [flags]\n`);
    return 1;
  }
  return command.run(p, flags);
}
