import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { StatusError } from '../api/status.ts';
import { KubeconfigError } from '../client/kubeconfig.ts';
import { UsageError } from '../cluster/options.ts';
import { completionCommand } from './completion.ts';
import { diffCommand } from './diff.ts';
import { downCommand } from './down.ts';
import { faultCommand } from './fault.ts';
import { imageCommand } from './image-load.ts';
import { applyCommand } from './kube/apply.ts';
import { configCommand } from './kube/config.ts';
import { deleteCommand } from './kube/delete.ts';
import { describeCommand } from './kube/describe.ts';
import { KubectlError, serverError } from './kube/errors.ts';
import { eventsCommand } from './kube/events.ts';
import { attachCommand, execCommand } from './kube/exec.ts';
import { getCommand } from './kube/get.ts';
import { annotateCommand, labelCommand } from './kube/label.ts';
import { logsCommand } from './kube/logs.ts';
import { portForwardCommand } from './kube/port-forward.ts';
import { rolloutCommand } from './kube/rollout.ts';
import { scaleCommand } from './kube/scale.ts';
import { topCommand } from './kube/top.ts';
import { kubeletCommand } from './kubelet.ts';
import { nodeInstallCommand } from './node-install.ts';
import { complain, processStreams, type Streams } from './output.ts';
import { statusCommand } from './status.ts';
import { storeCommand } from './store.ts';
import { tokenCommand } from './token.ts';
import { traceCommand } from './trace.ts';
import { upCommand } from './up.ts';
import { whyCommand } from './why.ts';

/** One command line command: adds itself to the program and leaves its exit code through `exit`. */
export type CommandBuilder = (program: Command, streams: Streams, exit: (code: number) => void) => void;

/** In the order of the help. */
const groups: readonly (readonly [title: string, commands: readonly CommandBuilder[]])[] = [
  ['The cluster:', [upCommand, downCommand, statusCommand, storeCommand, imageCommand, nodeInstallCommand]],
  ['Several machines:', [kubeletCommand, tokenCommand]],
  ['Why and how:', [whyCommand, faultCommand, traceCommand, diffCommand]],
  [
    'Objects, as with kubectl:',
    [
      getCommand,
      describeCommand,
      eventsCommand,
      applyCommand,
      deleteCommand,
      labelCommand,
      annotateCommand,
      scaleCommand,
      rolloutCommand,
      topCommand,
    ],
  ],
  ['Pods, as with kubectl:', [logsCommand, execCommand, attachCommand, portForwardCommand]],
  ['Settings:', [configCommand, completionCommand]],
];

function version(): string {
  // Built files lie a directory deeper than their sources.
  const file = new URL(
    import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json',
    import.meta.url,
  );
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Runs `coracle` with these arguments and resolves with its exit code. Never throws. */
export async function main(args: readonly string[], streams: Streams = processStreams): Promise<number> {
  let code = 0;
  const program = new Command('coracle')
    .description('A complete Kubernetes in one process, which tells you why a pod fails.')
    .version(version(), '-v, --version')
    .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: (text) => streams.stderr.write(text) })
    .showHelpAfterError('(coracle --help lists the commands)')
    .exitOverride()
    .addHelpText(
      'after',
      `
coracle COMMAND --help says more. Exit codes: 0 done; 1 failed, refused or found something; 2 could not look
(why, lint); exec ends with the exit code of what it ran.`,
    );
  // Whoever reads may stop reading: `coracle get pods | head`.
  if (streams === processStreams) process.stdout.on('error', onGone);
  for (const [title, builders] of groups) {
    program.commandsGroup(title);
    for (const add of builders) {
      add(program, streams, (value) => {
        code = value;
      });
    }
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    return report(error, streams);
  }
  return code;
}

const onGone = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
};

function report(error: unknown, streams: Streams): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
  if (error instanceof KubectlError) {
    complain(streams, `error: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof StatusError) complain(streams, serverError(error));
  else if (error instanceof UsageError || error instanceof KubeconfigError)
    complain(streams, `coracle: ${error.message}`);
  else
    complain(
      streams,
      unreachable(error) ?? `coracle: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
  return 1;
}

/** What Node calls a connection; a failing `listen` or `open` is no matter of the server. */
const reaching: ReadonlySet<string> = new Set(['connect', 'getaddrinfo', 'read', 'write']);
/** Errors of TLS have no number. */
const tlsCode = /^(?:ERR_|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|HOSTNAME_)/;

/** A failure of the system as one line, of the server in kubectl's words; undefined for what is a defect of ours. */
function unreachable(error: unknown): string | undefined {
  const { code, message, address, port, hostname, errno, syscall } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
    readonly hostname?: string;
  };
  if (typeof code !== 'string' || (errno === undefined && !tlsCode.test(code))) return undefined;
  if (syscall !== undefined && !reaching.has(syscall)) return `coracle: ${message}`;
  if (code === 'ECONNREFUSED')
    return `The connection to the server ${address}:${port} was refused - did you specify the right host or port?`;
  if (code === 'ENOTFOUND') return `Unable to connect to the server: dial tcp: lookup ${hostname}: no such host`;
  return `Unable to connect to the server: ${message}`;
}
