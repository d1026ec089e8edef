import { systemClock } from '../base/clock.ts';
import { UsageError } from '../cluster/options.ts';
import { FaultError, faultNamed, faults, runningFaults, startFault, stopFault } from '../doctor/faults/faults.ts';
import { type ConnectFlags, connect, withConnection } from './kube/connect.ts';
import type { CommandBuilder } from './main.ts';
import { type Streams, say } from './output.ts';

interface FaultFlags extends ConnectFlags {
  readonly output: string;
}

/** `coracle fault list|start|stop`: provokes the catalogue's failures on a running cluster, and cleans up. */
export const faultCommand: CommandBuilder = (program, streams) => {
  const fault = program
    .command('fault')
    .description('provoke a failure of the catalogue on a cluster, to see it diagnosed');
  withConnection(fault.command('list'))
    .description('all faults, and which of them run')
    .option('-o, --output <format>', 'text or json', 'text')
    .action((flags: FaultFlags) => list(flags, streams));
  withConnection(fault.command('start'))
    .description('provoke one')
    .argument('<name>', 'as the list shows it')
    .action((name: string, flags: FaultFlags) => start(name, flags, streams));
  withConnection(fault.command('stop'))
    .description('remove all that it made')
    .argument('<name>', 'as the list shows it')
    .action((name: string, flags: FaultFlags) => stop(name, flags, streams));
};

const known = (name: string): ReturnType<typeof faultNamed> => {
  try {
    return faultNamed(name);
  } catch (error) {
    if (error instanceof FaultError) throw new UsageError(error.message);
    throw error;
  }
};

async function list(flags: FaultFlags, streams: Streams): Promise<void> {
  const { client } = await connect(flags, streams);
  try {
    const running = await runningFaults(client);
    const rows = faults.map(({ id, title, codes, phase, fault }) => ({
      name: id,
      phase,
      codes,
      title,
      runtimes: fault.runtimes,
      fixable: fault.fixable,
      running: running.has(id),
    }));
    if (flags.output === 'json') {
      say(streams, JSON.stringify(rows, null, 2));
      return;
    }
    const width = Math.max(...rows.map((it) => it.name.length));
    for (const it of rows)
      say(streams, `${it.running ? '*' : ' '} ${it.name.padEnd(width)}  ${it.phase.padEnd(10)}  ${it.title}`);
  } finally {
    client.close();
  }
}

async function start(name: string, flags: FaultFlags, streams: Streams): Promise<void> {
  const fault = known(name);
  const { client } = await connect(flags, streams);
  try {
    const namespace = await startFault(client, systemClock, fault);
    say(streams, `started ${name} in namespace ${namespace}: ${fault.title}`);
    say(streams, `  coracle why -n ${namespace}      coracle fault stop ${name}`);
  } finally {
    client.close();
  }
}

async function stop(name: string, flags: FaultFlags, streams: Streams): Promise<void> {
  const fault = known(name);
  const { client } = await connect(flags, streams);
  try {
    await stopFault(client, systemClock, fault);
    say(streams, `stopped ${name}`);
  } finally {
    client.close();
  }
}
