import { createServer, type Server, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { pods, services } from '../../api/generated/resources.ts';
import type { V1Pod } from '../../api/generated/types.ts';
import { formatSelector, requirementsOfMap } from '../../api/label-selector.ts';
import type { Live } from '../../api/resource.ts';
import { pathOf } from '../../client/https-client.ts';
import type { CommandBuilder } from '../main.ts';
import { complain, type Streams, say } from '../output.ts';
import { type ConnectFlags, type Connection, connect, withConnection } from './connect.ts';
import { KubectlError } from './errors.ts';
import { podOf } from './pod-of.ts';
import { openSocket } from './session.ts';

interface ForwardFlags extends ConnectFlags {
  readonly address: string;
}

interface PortPair {
  /** 0: any free port. */
  readonly local: number;
  readonly remote: string;
}

/** `8080`, `8080:80`, `:80`, `8080:http`. */
export function parsePortPair(text: string): PortPair {
  const [first = '', second, ...rest] = text.split(':');
  const remote = second ?? first;
  const local = second === undefined ? first : first === '' ? '0' : first;
  const isPort = (value: string): boolean => /^\d+$/.test(value) && Number(value) <= 65535;
  const isName = second !== undefined || !isPort(first) ? /^[a-z0-9-]+$/.test(remote) : true;
  if (rest.length > 0 || remote === '' || !isName || (second !== undefined && !isPort(local)))
    throw new KubectlError(`invalid port format '${text}'`);
  return { local: isPort(local) ? Number(local) : 0, remote };
}

/** The number of a named port of the pod. */
function containerPort(pod: V1Pod, name: string): number {
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  const found = ports.find((port) => port.name === name);
  if (!found) throw new KubectlError(`Pod '${pod.metadata?.name}' does not have a named port '${name}'`);
  return found.containerPort;
}

interface Forward {
  readonly local: number;
  readonly remote: number;
}

/** The pod behind a target, and what the ports that were named mean on it (a Service's ports are those of its targets). */
async function resolve(
  connection: Connection,
  target: string,
  pairs: readonly PortPair[],
): Promise<{ readonly pod: Live<V1Pod>; readonly forwards: readonly Forward[] }> {
  const own = (pod: V1Pod, remote: string): number =>
    /^\d+$/.test(remote) ? Number(remote) : containerPort(pod, remote);
  const chosen = (pair: PortPair, remote: number): Forward => ({
    local: pair.local === 0 && pair.remote !== String(pair.local) && !/^\d+$/.test(pair.remote) ? remote : pair.local,
    remote,
  });
  const service = /^(?:svc|service|services)\/(.+)$/.exec(target)?.[1];
  if (!service) {
    const pod = await podOf(connection, target);
    return { pod, forwards: pairs.map((pair) => chosen(pair, own(pod, pair.remote))) };
  }
  const { client, namespace } = connection;
  const { spec } = await client.get(services, service, { namespace });
  if (!spec?.selector) throw new KubectlError(`invalid service '${service}': Service is defined without a selector`);
  const labelSelector = formatSelector(requirementsOfMap(spec.selector));
  const { items } = await client.list(pods, { namespace, labelSelector });
  const pod = items.find((one) => one.status?.phase === 'Running') ?? items[0];
  if (!pod) throw new KubectlError(`timed out waiting for the condition`);
  const forwards = pairs.map((pair) => {
    const port = spec.ports?.find((one) => String(one.port) === pair.remote || one.name === pair.remote);
    if (!port) throw new KubectlError(`Service ${service} does not have a service port ${pair.remote}`);
    const remote = spec.clusterIP === 'None' ? port.port : own(pod, String(port.targetPort ?? port.port));
    return { local: pair.local === 0 && !/^\d+$/.test(pair.remote) ? port.port : pair.local, remote };
  });
  return { pod, forwards };
}

/** Carries one connection: channel 0 is data, channel 1 an error; each begins with the port's number, which is passed over. */
async function carry(
  connection: Connection,
  pod: Live<V1Pod>,
  port: number,
  local: Socket,
  streams: Streams,
): Promise<void> {
  const path = `${pathOf(pods, pod.metadata.namespace, pod.metadata.name, 'portforward')}?ports=${port}`;
  const remote = await openSocket(connection.client, path, ['v4.channel.k8s.io']);
  const announced = new Set<number>();
  remote.on('message', (data: Buffer) => {
    const channel = data[0] ?? 0;
    const body = data.subarray(1);
    if (!announced.has(channel)) {
      announced.add(channel);
      if (body.length <= 2) return;
    }
    if (channel === 1) complain(streams, `error: an error occurred forwarding ${port}: ${body.toString().trim()}`);
    else if (!local.write(body)) {
      remote.pause();
      local.once('drain', () => remote.resume());
    }
  });
  remote.on('close', () => local.end());
  remote.on('error', () => local.destroy());
  local.on('data', (chunk: Buffer) => {
    remote.send(Buffer.concat([Buffer.from([0]), chunk]), () => {
      if (remote.bufferedAmount < 1024 * 1024) local.resume();
    });
    if (remote.bufferedAmount >= 1024 * 1024) local.pause();
  });
  local.on('close', () => remote.close());
  if (local.destroyed || remote.readyState !== WebSocket.OPEN) remote.close();
}

async function listen(
  connection: Connection,
  pod: Live<V1Pod>,
  forward: Forward,
  address: string,
  streams: Streams,
): Promise<Server> {
  const server = createServer((socket) => {
    const port = (server.address() as { port: number }).port;
    say(streams, `Handling connection for ${port}`);
    socket.on('error', () => socket.destroy());
    carry(connection, pod, forward.remote, socket, streams).catch((error: unknown) => {
      complain(
        streams,
        `error: an error occurred forwarding ${port} -> ${forward.remote}: ${(error as Error).message}`,
      );
      socket.destroy();
    });
  });
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(new KubectlError(`unable to listen on port ${forward.local}: ${error.message}`)),
    );
    server.listen(forward.local, address, done);
  });
  const { port } = server.address() as { port: number };
  say(streams, `Forwarding from ${address.includes(':') ? `[${address}]` : address}:${port} -> ${forward.remote}`);
  return server;
}

/** `coracle port-forward`: as kubectl port-forward, until Ctrl-C. */
export const portForwardCommand: CommandBuilder = (program, streams) => {
  withConnection(program.command('port-forward'))
    .description('forward local ports to a pod (as kubectl port-forward)')
    .argument('<target>', 'POD, TYPE/NAME or svc/NAME')
    .argument('<ports...>', '[LOCAL:]REMOTE')
    .option('--address <address>', 'where to listen', '127.0.0.1')
    .action(async (target: string, ports: readonly string[], flags: ForwardFlags) => {
      const connection = await connect(flags, streams);
      const servers: Server[] = [];
      try {
        const { pod, forwards } = await resolve(connection, target, ports.map(parsePortPair));
        if (pod.status?.phase !== 'Running') {
          throw new KubectlError(
            `unable to forward port because pod is not running. Current status=${pod.status?.phase ?? ''}`,
          );
        }
        for (const forward of forwards) servers.push(await listen(connection, pod, forward, flags.address, streams));
        await new Promise<void>((stop) => {
          process.once('SIGINT', stop);
          process.once('SIGTERM', stop);
        });
      } finally {
        for (const server of servers) server.close();
        connection.client.close();
      }
    });
};
