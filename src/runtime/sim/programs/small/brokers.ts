import { SysError, strerror } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { accept, listen } from '../../net/sockets.ts';
import { formatTime } from '../system/time.ts';

/** Takes connections and ends them: the port is open, the protocol is not spoken. */
async function doors(
  p: Process,
  ports: readonly number[],
  refused: (port: number, why: string) => Promise<void>,
): Promise<void> {
  for (const port of ports) {
    let listener: ReturnType<typeof listen>;
    try {
      listener = listen(p, port);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await refused(port, strerror(error));
      await p.exit(1);
      return;
    }
    void (async () => {
      for (;;) {
        const { fd } = await accept(p, listener);
        // The peer speaks first in these protocols; what it says cannot be answered here.
        void p.read(fd).then(
          () => p.close(fd),
          () => p.close(fd),
        );
      }
    })();
  }
}

/** mongod: listens and says that it is ready; it does not answer queries. */
export async function mongod(p: Process): Promise<number> {
  const port = Number(p.argv[p.argv.indexOf('--port') + 1] ?? 0) || 27_017;
  const log = (severity: string, component: string, id: number, text: string, attr?: object): Promise<void> =>
    p.print(
      `${JSON.stringify({ t: { $date: new Date(p.workload.clock.now()).toISOString().replace('Z', '+00:00') }, s: severity, c: component, id, ctx: 'initandlisten', msg: text, ...(attr ? { attr } : {}) })}\n`,
    );
  await log('I', 'CONTROL', 4_615_611, 'MongoDB starting', {
    pid: p.pid,
    port,
    dbPath: '/data/db',
    architecture: '64-bit',
    host: p.workload.hostname,
  });
  await doors(p, [port], (_port, why) =>
    log('E', 'CONTROL', 20_568, 'Error setting up listener', {
      error: { code: 9001, codeName: 'SocketException', errmsg: why },
    }),
  );
  await log('I', 'NETWORK', 23_015, 'Listening on', { address: '0.0.0.0' });
  await log('I', 'NETWORK', 23_016, 'Waiting for connections', { port, ssl: 'off' });
  for (const signal of ['TERM', 'INT'] as const)
    p.handle(
      signal,
      () =>
        void log('I', 'CONTROL', 23_377, 'Received signal', { signal: signal === 'TERM' ? 15 : 2, error: 'Terminated' })
          .then(() => log('I', 'CONTROL', 23_138, 'Shutting down', { exitCode: 0 }))
          .then(() => p.exit(0)),
    );
  return p.block(() => undefined).then(() => 0);
}

/** rabbitmq-server: listens and says that it is ready; it does not speak AMQP. */
export async function rabbitmq(p: Process): Promise<number> {
  const note = (level: string, text: string): Promise<void> => {
    const now = p.workload.clock.now();
    return p.print(
      `${formatTime('%Y-%m-%d %H:%M:%S', now)}.${String(Math.floor((now % 1000) * 1000)).padStart(6, '0')}+00:00 [${level}] <0.254.0> ${text}\n`,
    );
  };
  await note('info', ` Starting RabbitMQ on Erlang [jit]`.trim());
  await doors(p, [5672, 15_672], (port, why) =>
    note('error', `Failed to start Ranch listener on [::]:${port}: ${why}`),
  );
  await note('info', 'started TCP listener on [::]:5672');
  await p.print('  Starting broker... completed with 4 plugins.\n');
  await note('info', 'Server startup complete; 4 plugins started.');
  p.handle('TERM', () => void note('info', 'SIGTERM received - shutting down').then(() => p.exit(0)));
  return p.block(() => undefined).then(() => 0);
}
