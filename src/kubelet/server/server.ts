import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { V1Node, V1Pod } from '../../api/generated/types.ts';
import type { UserInfo } from '../../api/handler.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import { CriError, type StreamOptions } from '../../runtime/cri.ts';
import type { KubeletContext } from '../context.ts';
import { errorMessage } from '../go-format.ts';
import type { PodSet } from '../pod-set.ts';
import { containerSpec, findContainer } from '../pods/observed.ts';
import type { PodWorker } from '../pods/pod-worker-contract.ts';
import { cadvisorMetrics } from './cadvisor-metrics.ts';
import { logContainerId, logOptions, PlainError } from './container-logs.ts';
import { readLog } from './log-reader.ts';
import { forwardPorts } from './port-forward.ts';
import { type RemoteStreams, serveSession } from './remote-streams.ts';
import { acceptSpdy, refuse, spdyRemoteStreams } from './spdy-streams.ts';
import { kubeletMetrics, resourceMetrics, statsReader, statsSummary } from './stats.ts';
import {
  acceptWebSocket,
  tunnelProtocol,
  websocketDuplex,
  websocketPorts,
  websocketRemoteStreams,
} from './websocket-streams.ts';

/** Who may use the server. Both are asked for each request. */
export interface KubeletAuth {
  /** Undefined = not authenticated. */
  authenticate(request: IncomingMessage): Promise<UserInfo | undefined>;
  /** `subresource` of nodes: proxy, stats, metrics, log, pods, healthz, configz. */
  authorize(user: UserInfo, verb: string, subresource: string): Promise<boolean>;
}

export interface KubeletServerOptions {
  readonly context: KubeletContext;
  readonly pods: PodSet;
  readonly auth: KubeletAuth | undefined;
  readonly lifetime: Lifetime;
  readonly node: () => V1Node | undefined;
  readonly startedAt: number;
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const subresourceOf = (path: string): string => {
  for (const [prefix, name] of [
    ['/stats', 'stats'],
    ['/metrics', 'metrics'],
    ['/logs', 'log'],
    ['/checkpoint', 'checkpoint'],
    ['/configz', 'configz'],
    ['/healthz', 'healthz'],
    ['/pods', 'pods'],
    ['/runningpods', 'pods'],
  ] as const)
    if (path === prefix || path.startsWith(`${prefix}/`)) return name;
  return 'proxy';
};

const json = (response: ServerResponse, value: unknown): void => {
  const body = JSON.stringify(value);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(body);
};
const text = (response: ServerResponse, code: number, body: string, type = 'text/plain; charset=utf-8'): void => {
  response.writeHead(code, { 'Content-Type': type });
  response.end(body);
};

const reasonPhrase: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
};

/** The kubelet's HTTP server: logs, exec, attach, port-forward, pods, stats and metrics. Upstream: pkg/kubelet/server. */
export function kubeletServer(options: KubeletServerOptions): Server {
  const { context, pods, auth } = options;
  const { runtime, files } = context.node;
  const reader = statsReader(context, pods);

  const workerOf = (namespace: string, name: string): PodWorker => {
    const pod = pods.byName(namespace, name);
    const worker = pod && pods.worker(pod.metadata?.uid ?? '');
    if (!worker) throw new PlainError(404, `pod ${JSON.stringify(name)} does not exist`);
    return worker;
  };

  const runningId = (worker: PodWorker, container: string): string => {
    const it = findContainer(worker.observed(), container);
    if (it?.state !== 'running') throw new PlainError(404, `container not found (${JSON.stringify(container)})`);
    return it.id;
  };

  const serveLogs = async (
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    parts: readonly string[],
  ): Promise<void> => {
    const [namespace = '', name = '', container = ''] = parts;
    if (name === '' || container === '') throw new PlainError(400, '{"message": "Missing container name."}');
    const wanted = logOptions(url.searchParams, context.clock.now());
    const worker = workerOf(namespace, name);
    const pod = worker.pod();
    if (!containerSpec(pod, container))
      throw new PlainError(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(name)}`);
    const id = logContainerId(pod, context.status.get(worker.uid) ?? pod.status ?? {}, container, wanted.previous);
    let path: string;
    try {
      path = (await runtime.containerStatus(id)).logPath;
    } catch {
      throw new PlainError(400, `unable to retrieve container logs for ${context.runtimeName}://${id}`);
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const stop = (): void => gone.abort();
    options.lifetime.signal.addEventListener('abort', stop, { once: true });
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.flushHeaders();
    try {
      await readLog(
        {
          files,
          path,
          running: async () => {
            const status = await runtime.containerStatus(id).catch(() => undefined);
            return status?.state === 'RUNNING' || status?.state === 'CREATED';
          },
          onChange: (listener) => watchContainer(listener),
        },
        wanted,
        (chunk) =>
          new Promise((resolve) => {
            if (response.write(chunk) || response.destroyed) return resolve();
            const done = (): void => {
              response.off('drain', done);
              response.off('close', done);
              resolve();
            };
            response.once('drain', done);
            response.once('close', done);
          }),
        gone.signal,
      );
    } catch (error) {
      response.write(errorMessage(error));
    } finally {
      options.lifetime.signal.removeEventListener('abort', stop);
    }
    response.end();
    void request;
  };

  // Followers of logs look whether their container has ended; one slow tick for all of them, only while there are any.
  const followers = new Set<() => void>();
  const tick = (): void => {
    for (const listener of followers) listener();
    if (followers.size > 0) context.clock.after(1_000, tick, { background: true });
  };
  const watchContainer = (listener: () => void): (() => void) => {
    if (followers.size === 0) context.clock.after(1_000, tick, { background: true });
    followers.add(listener);
    return () => followers.delete(listener);
  };

  const podList = (items: readonly V1Pod[]): object => ({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: {},
    items: items.map((pod) => {
      const status = context.status.get(pod.metadata?.uid ?? '');
      return status ? { ...pod, status } : pod;
    }),
  });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://kubelet');
    const parts = url.pathname
      .split('/')
      .filter((it) => it !== '')
      .map(decodeURIComponent);
    switch (parts[0]) {
      case 'healthz':
        return text(response, 200, 'ok');
      case 'pods':
        return json(response, podList(pods.workers().map((it) => it.pod())));
      case 'runningpods':
        return json(
          response,
          podList(
            pods
              .workers()
              .filter((it) => it.observed().containers.some((c) => c.state === 'running'))
              .map((it) => it.pod()),
          ),
        );
      case 'containerLogs':
        return serveLogs(request, response, url, parts.slice(1));
      case 'stats':
        if (parts[1] === 'summary') return json(response, await statsSummary(context, reader, options.startedAt));
        break;
      case 'metrics':
        if (parts[1] === 'resource')
          return text(response, 200, await resourceMetrics(reader), 'text/plain; version=0.0.4; charset=utf-8');
        if (parts[1] === undefined)
          return text(response, 200, kubeletMetrics(context, pods), 'text/plain; version=0.0.4; charset=utf-8');
        if (parts[1] === 'cadvisor')
          return text(
            response,
            200,
            await cadvisorMetrics(context, reader, pods),
            'text/plain; version=0.0.4; charset=utf-8',
          );
        if (parts[1] === 'probes')
          return text(response, 200, context.probes.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
        break;
      case 'configz':
        return json(response, {
          kubeletconfig: {
            kind: 'KubeletConfiguration',
            apiVersion: 'kubelet.config.k8s.io/v1beta1',
            clusterDomain: context.clusterDomain,
            clusterDNS: context.clusterDns,
            maxPods: Number(options.node()?.status?.capacity?.['pods'] ?? 110),
            serializeImagePulls: true,
            nodeStatusUpdateFrequency: '10s',
            nodeStatusReportFrequency: '5m0s',
            nodeLeaseDurationSeconds: 40,
            imageGCHighThresholdPercent: 85,
            imageGCLowThresholdPercent: 80,
            containerLogMaxSize: '10Mi',
            containerLogMaxFiles: 5,
          },
        });
      case 'exec':
      case 'attach':
      case 'portForward':
        throw new PlainError(400, 'Upgrade request required');
      default:
        break;
    }
    throw new PlainError(404, '404 page not found\n');
  };

  /** Throws where the request may not go on. */
  const admit = async (request: IncomingMessage): Promise<void> => {
    // What is no socket of the network was made in this process, by the API server itself.
    if (!auth || !(request.socket instanceof Socket)) return;
    const user = await auth.authenticate(request);
    if (!user) throw new PlainError(401, 'Unauthorized');
    const path = new URL(request.url ?? '/', 'http://kubelet').pathname;
    const verb = verbs[request.method ?? 'GET'] ?? 'get';
    const subresource = subresourceOf(path);
    if (!(await auth.authorize(user, verb, subresource)))
      throw new PlainError(
        403,
        `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresource}])`,
      );
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://kubelet');
    const [action = '', namespace = '', name = '', third = '', fourth] = url.pathname
      .split('/')
      .filter((it) => it !== '')
      .map(decodeURIComponent);
    const query = url.searchParams;
    const websocket = /websocket/i.test(String(request.headers.upgrade ?? ''));
    const flag = (...names: readonly string[]): boolean =>
      names.some((it) => ['1', 'true'].includes(query.get(it) ?? ''));
    const worker = workerOf(namespace, name);
    // A SPDY client may speak before it is answered: what came with the request belongs to the stream.
    if (!websocket && head.length > 0) socket.unshift(head);
    if (action === 'portForward') {
      const sandbox = worker.observed().sandboxes[0];
      if (!sandbox?.ready) throw new PlainError(404, `pod not found (${JSON.stringify(`${name}_${namespace}`)})`);
      const how = {
        clock: context.clock,
        connect: (port: number) => runtime.portForward(sandbox.id, port),
        failure: (port: number, error: unknown) =>
          `error forwarding port ${port} to pod ${sandbox.id}, uid : ${errorMessage(error)}`,
      };
      if (!websocket) {
        if (acceptSpdy(request, socket, ['portforward.k8s.io']) !== undefined) await forwardPorts(socket, how);
        return;
      }
      const offers = String(request.headers['sec-websocket-protocol'] ?? '');
      if (offers.includes(tunnelProtocol)) {
        const accepted = await acceptWebSocket(request, socket, head, [tunnelProtocol]);
        if (accepted) await forwardPorts(websocketDuplex(accepted.socket), how);
        return;
      }
      const ports = [...query.getAll('port'), ...query.getAll('ports')].flatMap((it) => it.split(',')).map(Number);
      if (ports.length === 0 || ports.some((it) => !Number.isInteger(it) || it < 1 || it > 65_535))
        throw new PlainError(400, 'query parameter "port" is required');
      await websocketPorts(request, socket, head, ports, how.connect, how.failure);
      return;
    }
    if (action !== 'exec' && action !== 'attach') throw new PlainError(404, '404 page not found\n');
    const container = fourth ?? third;
    const streams: StreamOptions = {
      stdin: flag('input', 'stdin'),
      stdout: flag('output', 'stdout'),
      stderr: flag('error', 'stderr') && !flag('tty'),
      tty: flag('tty'),
    };
    if (!streams.stdin && !streams.stdout && !streams.stderr)
      throw new PlainError(400, 'you must specify at least 1 of stdin, stdout, stderr');
    const id = runningId(worker, container);
    const client: RemoteStreams | undefined = websocket
      ? await websocketRemoteStreams(request, socket, head, streams)
      : await spdyRemoteStreams(request, socket, streams, context.clock);
    if (!client) return;
    if (action === 'exec')
      await serveSession(
        () => runtime.exec(id, query.getAll('command'), streams),
        streams,
        client,
        'executing command in',
      );
    else await serveSession(() => runtime.attach(id, streams), streams, client, 'attaching to');
  };

  const codeOf = (error: unknown): number =>
    error instanceof PlainError ? error.code : error instanceof CriError && error.code === 'NotFound' ? 404 : 500;

  const server = createServer((request, response) => {
    void admit(request)
      .then(() => answer(request, response))
      .catch((error: unknown) => {
        if (!(error instanceof PlainError))
          context.log.warn('a request to the kubelet failed', { url: request.url, error });
        if (response.headersSent) response.end();
        else text(response, codeOf(error), errorMessage(error));
      });
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    void admit(request)
      .then(() => upgrade(request, socket, head))
      .catch((error: unknown) => {
        const code = codeOf(error);
        if (!(error instanceof PlainError))
          context.log.warn('an upgrade of the kubelet failed', { url: request.url, error });
        if (!socket.destroyed) refuse(socket, `${code} ${reasonPhrase[code] ?? 'Error'}`, errorMessage(error));
      });
  });
  options.lifetime.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}
