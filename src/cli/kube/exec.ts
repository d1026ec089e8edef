import { pods } from '../../api/generated/resources.ts';
import type { V1Pod } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import { pathOf } from '../../client/https-client.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams } from '../output.ts';
import { type ConnectFlags, connect, withConnection } from './connect.ts';
import { KubectlError } from './errors.ts';
import { defaultContainer } from './logs.ts';
import { podOf } from './pod-of.ts';
import { runSession, type SessionStreams } from './session.ts';
import { isTerminal, takeTerminal } from './terminal.ts';

interface SessionFlags extends ConnectFlags {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly quiet?: boolean;
}

const hasEnded = (pod: V1Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** The named container, else the one kubectl takes. */
const containerOf = (pod: Live<V1Pod>, flags: SessionFlags, streams: Streams): string =>
  flags.container ?? defaultContainer(pod, flags.quiet ? undefined : streams);

interface Session {
  readonly pod: Live<V1Pod>;
  readonly subresource: 'exec' | 'attach';
  readonly container: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** Connects the user's streams, and the terminal where one is wanted and there, with a container. */
async function converse(
  connection: Awaited<ReturnType<typeof connect>>,
  it: Session,
  quiet: boolean,
  streams: Streams,
): Promise<number> {
  const raw = it.tty && it.stdin && isTerminal(streams);
  if (it.tty && it.stdin && !raw && !quiet)
    complain(streams, 'Unable to use a TTY - input is not a terminal or the right kind of file');
  const query = new URLSearchParams(it.command.map((word): [string, string] => ['command', word]));
  query.set('container', it.container);
  if (it.stdin) query.set('stdin', 'true');
  query.set('stdout', 'true');
  if (raw) query.set('tty', 'true');
  else query.set('stderr', 'true');
  const path = `${pathOf(pods, it.pod.metadata.namespace, it.pod.metadata.name, it.subresource)}?${query}`;
  const terminal = raw ? takeTerminal(streams) : undefined;
  const wires: SessionStreams = {
    ...(it.stdin && { stdin: streams.stdin }),
    stdout: streams.stdout,
    stderr: streams.stderr,
    ...(terminal && { terminal }),
  };
  try {
    return await runSession(connection.client, path, wires);
  } finally {
    terminal?.restore();
  }
}

/** `coracle exec`: as kubectl exec; ends with the exit code of the command. */
export const execCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('exec'))
    .description('run a command in a container (as kubectl exec)')
    .argument('<pod>', 'POD or TYPE/NAME')
    .argument('[command...]', 'after --')
    .option('-c, --container <name>', 'the container')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'standard input is a terminal')
    .option('-q, --quiet', 'only what the command prints')
    .action(async (target: string, command: readonly string[], flags: SessionFlags) => {
      if (command.length === 0) throw new KubectlError('you must specify at least one command for the container');
      const connection = await connect(flags, streams);
      try {
        const pod = await podOf(connection, target);
        if (hasEnded(pod)) {
          throw new KubectlError(
            `cannot exec into a container in a completed pod; current phase is ${pod.status?.phase}`,
          );
        }
        const container = containerOf(pod, flags, streams);
        const { stdin = false, tty = false, quiet = false } = flags;
        const code = await converse(
          connection,
          { pod, subresource: 'exec', container, command, stdin, tty },
          quiet,
          streams,
        );
        if (code !== 0) complain(streams, `command terminated with exit code ${code}`);
        exit(code);
      } finally {
        connection.client.close();
      }
    });
};

/** `coracle attach`: as kubectl attach. */
export const attachCommand: CommandBuilder = (program, streams, exit) => {
  withConnection(program.command('attach'))
    .description('attach to the process of a running container (as kubectl attach)')
    .argument('<pod>', 'POD or TYPE/NAME')
    .option('-c, --container <name>', 'the container')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'standard input is a terminal')
    .option('-q, --quiet', 'only what the container prints')
    .action(async (target: string, flags: SessionFlags) => {
      const connection = await connect(flags, streams);
      try {
        const pod = await podOf(connection, target);
        if (hasEnded(pod))
          throw new KubectlError(`cannot attach a container in a completed pod; current phase is ${pod.status?.phase}`);
        const container = containerOf(pod, flags, streams);
        const hasTty = pod.spec?.containers.find((one) => one.name === container)?.tty === true;
        if (flags.tty && !hasTty && !flags.quiet)
          complain(streams, `error: Unable to use a TTY - container ${container} did not allocate one`);
        if (!flags.quiet) complain(streams, "If you don't see a command prompt, try pressing enter.");
        const session = { pod, subresource: 'attach', container, command: [], stdin: flags.stdin ?? false } as const;
        exit(await converse(connection, { ...session, tty: hasTty }, flags.quiet ?? false, streams));
      } finally {
        connection.client.close();
      }
    });
};
