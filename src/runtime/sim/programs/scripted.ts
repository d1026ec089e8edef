import { SysError } from '../errno.ts';
import { type ContainerScript, containerScript, quietScript } from '../images/script-annotations.ts';
import type { Process } from '../kernel/process.ts';
import { accept, bind, listen, receive } from '../net/sockets.ts';
import { resolve } from '../vfs/mount-space.ts';
import { type HttpResponse, serveHttp } from './http/server.ts';

/** What a container whose pod's annotations script it does, instead of its image's command. */
export async function scripted(p: Process): Promise<number> {
  const result = containerScript(p.workload.annotations, p.workload.name);
  if (result.kind === 'invalid') {
    for (const error of result.errors) await p.complain(`simulated runtime: ${error}\n`);
    return 1;
  }
  return play(p, result.kind === 'script' ? result.script : quietScript);
}

/** Runs a script. */
export async function play(p: Process, script: ContainerScript): Promise<number> {
  const after = (ms: number, act: () => void): void => {
    p.workload.clock.after(ms, () => p.alive && act(), { background: true });
  };
  const end = async (code: number): Promise<void> => {
    await lastWords(p, script);
    await p.exit(code);
  };
  const { stopAfterMs } = script;
  for (const signal of ['TERM', 'INT', 'QUIT'] as const)
    p.handle(signal, stopAfterMs === undefined ? 'ignore' : () => after(stopAfterMs, () => void end(0)));
  for (const line of script.log) await p.print(`${line}\n`);
  for (const line of script.errorLog) await p.complain(`${line}\n`);
  if (script.exitAfterMs !== undefined) after(script.exitAfterMs, () => void end(script.exitCode));
  // A segmentation fault: what a crash looks like from outside (exit code 139).
  if (script.crashAfterMs !== undefined)
    after(script.crashAfterMs, () => void lastWords(p, script).then(() => p.terminate('SEGV')));
  if (script.cpu > 0) p.spin(script.cpu);
  const more = script.memoryBytes - p.rss;
  if (more > 0) await p.allocate(more);
  if (script.memoryGrowth > 0) void grow(p, script.memoryGrowth);
  if (script.logEvery) void chatter(p, script.logEvery);
  if (script.ports.length > 0) {
    if (script.readyAfterMs > 0) await p.sleep(script.readyAfterMs);
    await serve(p, script);
  }
  return p.block(() => undefined).then(() => 0);
}

async function lastWords(p: Process, { terminationMessage }: ContainerScript): Promise<void> {
  if (terminationMessage === undefined) return;
  try {
    if (!resolve(p.view, '/dev/termination-log').inode) return;
    const fd = p.open('/dev/termination-log', { write: true, truncate: true });
    await p.write(fd, terminationMessage);
    p.close(fd);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    await p.complain(`simulated runtime: /dev/termination-log: ${error.message}\n`);
  }
}

async function grow(p: Process, perSecond: number): Promise<void> {
  for (;;) {
    await p.sleep(250);
    await p.allocate(perSecond / 4);
  }
}

async function chatter(p: Process, { ms, line }: { readonly ms: number; readonly line: string }): Promise<void> {
  for (;;) {
    await p.sleep(ms);
    await p.print(`${line}\n`);
  }
}

/** Listens on the script's ports; a port that is taken ends the container as it would a server. */
async function serve(p: Process, script: ContainerScript): Promise<void> {
  const numbers = new Set(script.ports.map(({ protocol, port }) => `${protocol === 'udp' ? 'udp' : 'tcp'}:${port}`));
  for (const key of numbers) {
    const port = Number(key.slice(4));
    const here = script.ports.filter((one) => one.port === port && (one.protocol === 'udp') === key.startsWith('udp'));
    try {
      if (key.startsWith('udp')) void echo(p, bind(p, port));
      else if (here.every(({ protocol }) => protocol === 'tcp')) void hold(p, listen(p, port), here[0]?.latencyMs ?? 0);
      else
        void serveHttp(p, listen(p, port), async ({ path }): Promise<HttpResponse> => {
          const http = here.filter(({ protocol }) => protocol === 'http');
          const answer = http.find((one) => one.path === path) ?? http.find((one) => one.path === '/');
          if (!answer) return { status: 404, headers: [['Content-Type', 'text/plain']], body: 'not found\n' };
          if (answer.latencyMs > 0) await p.sleep(answer.latencyMs);
          return { status: answer.status, headers: [['Content-Type', 'text/plain']], body: script.httpBody };
        });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      await p.complain(`listen ${key}: bind: address already in use\n`);
      await p.exit(1);
    }
  }
}

async function echo(p: Process, held: ReturnType<typeof bind>): Promise<void> {
  for (;;) {
    const datagram = await receive(p, held.socket, Number.POSITIVE_INFINITY);
    if (datagram) held.socket.send(datagram.from, datagram.data);
  }
}

/** Takes connections and sends back what comes in. */
async function hold(p: Process, listener: ReturnType<typeof listen>, latencyMs: number): Promise<void> {
  p.handle('PIPE', 'ignore');
  const mirror = async (fd: number): Promise<void> => {
    try {
      if (latencyMs > 0) await p.sleep(latencyMs);
      for (let part = await p.read(fd); part !== null; part = await p.read(fd)) await p.write(fd, part);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
    p.close(fd);
  };
  for (;;) void mirror((await accept(p, listener)).fd);
}
