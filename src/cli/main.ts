import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { StatusError } from '../api/status.ts';
import { KubeconfigError } from '../client/kubeconfig.ts';
import { UsageError } from '../cluster/options.ts';
import { downCommand } from './down.ts';
import { imageCommand } from './image-load.ts';
import { applyCommand } from './kube/apply.ts';
import { deleteCommand } from './kube/delete.ts';
import { describeCommand } from './kube/describe.ts';
import { KubectlError, serverError } from './kube/errors.ts';
import { eventsCommand } from './kube/events.ts';
import { attachCommand, execCommand } from './kube/exec.ts';
import { getCommand } from './kube/get.ts';
import { logsCommand } from './kube/logs.ts';
import { portForwardCommand } from './kube/port-forward.ts';
import { nodeInstallCommand } from './node-install.ts';
import { complain, processStreams, type Streams } from './output.ts';
import { statusCommand } from './status.ts';
import { traceCommand } from './trace.ts';
import { upCommand } from './up.ts';
import { whyCommand } from './why.ts';

/** One command line command: adds itself to the program and leaves its exit code through `exit`. */
export type CommandBuilder = (program: Command, streams: Streams, exit: (code: number) => void) => void;

/** In the order of the help. */
const commands: readonly CommandBuilder[] = [
  upCommand,
  downCommand,
  statusCommand,
  getCommand,
  describeCommand,
  logsCommand,
  execCommand,
  attachCommand,
  portForwardCommand,
  eventsCommand,
  applyCommand,
  deleteCommand,
  whyCommand,
  traceCommand,
  imageCommand,
  nodeInstallCommand,
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
    .exitOverride();
  for (const add of commands) {
    add(program, streams, (value) => {
      code = value;
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    return report(error, streams);
  }
  return code;
}

function report(error: unknown, streams: Streams): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
  if (error instanceof KubectlError) {
    complain(streams, `error: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof StatusError) complain(streams, serverError(error));
  else if (error instanceof UsageError || error instanceof KubeconfigError)
    complain(streams, `coracle: ${error.message}`);
  else complain(streams, `coracle: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}
