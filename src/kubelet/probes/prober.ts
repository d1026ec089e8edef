import type { V1Container, V1Pod, V1Probe } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import { CriError, type RuntimeService } from '../../runtime/cri.ts';
import type { NodeDialer } from '../../runtime/node-runtime.ts';
import { dialErrorText, errorMessage, goDuration, runtimeErrorText } from '../go-format.ts';
import { expand } from '../pods/expansion.ts';
import { formatPod } from '../pods/observed.ts';
import { grpcHealth } from './grpc-health.ts';
import { type HttpTarget, httpGet, httpTarget, resolvePort, targetUrl } from './http-request.ts';

/** What one attempt found. `errored` = the probe itself could not be made. */
export type ProbeOutcome =
  | { readonly kind: 'success' | 'warning' | 'failure'; readonly output: string }
  | { readonly kind: 'errored'; readonly output: string };

export interface ProbeRequest {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly probe: V1Probe;
}

export interface Prober {
  run(request: ProbeRequest): Promise<ProbeOutcome>;
}

const maxOutput = 10 * 1024;
const maxRedirects = 10;
const attempts = 3;

/** Upstream: pkg/kubelet/prober/prober.go with pkg/probe/*. */
export function prober(options: {
  readonly runtime: RuntimeService;
  readonly dialer: NodeDialer;
  readonly clock: Clock;
}): Prober {
  const { runtime, dialer, clock } = options;

  const limited = async <T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const controller = new AbortController();
    const timer = clock.after(ms, () => controller.abort(new Error('context deadline exceeded')), { background: true });
    try {
      return await work(controller.signal);
    } finally {
      timer.cancel();
    }
  };

  const exec = async (request: ProbeRequest, command: readonly string[], timeout: number): Promise<ProbeOutcome> => {
    const fixed = new Map((request.container.env ?? []).map((it) => [it.name, it.value ?? '']));
    const argv = command.map((it) => expand(it, (name) => fixed.get(name)));
    try {
      const done = await runtime.execSync(request.containerId, argv, timeout);
      const output = Buffer.concat([done.stdout, done.stderr]).subarray(0, maxOutput).toString('utf8');
      return { kind: done.exitCode === 0 ? 'success' : 'failure', output };
    } catch (error) {
      if (error instanceof CriError && error.code === 'DeadlineExceeded')
        return {
          kind: 'failure',
          output: `command timed out: ${JSON.stringify(argv.join(' '))} timed out after ${goDuration(timeout * 1000)}`,
        };
      return { kind: 'errored', output: runtimeErrorText(error) };
    }
  };

  const http = async (target: HttpTarget, signal: AbortSignal): Promise<ProbeOutcome> => {
    let at = target;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      let answer: Awaited<ReturnType<typeof httpGet>>;
      try {
        answer = await httpGet(dialer, at, signal);
      } catch (error) {
        return { kind: 'failure', output: `Get ${JSON.stringify(targetUrl(at))}: ${errorMessage(error)}` };
      }
      if (answer.status >= 200 && answer.status < 300) return { kind: 'success', output: answer.body };
      const location = answer.headers.location;
      if (answer.status >= 300 && answer.status < 400) {
        if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.status))
          return { kind: 'warning', output: `Probe terminated redirects, Response body: ${answer.body}` };
        const next = new URL(location, targetUrl(at));
        const bare = next.hostname.replace(/^\[|\]$/g, '');
        if (bare !== target.host)
          return { kind: 'warning', output: `Probe terminated redirects, Response body: ${answer.body}` };
        const scheme = next.protocol === 'https:' ? 'https' : 'http';
        at = {
          ...at,
          scheme,
          port: next.port === '' ? (scheme === 'https' ? 443 : 80) : Number(next.port),
          path: `${next.pathname}${next.search}`,
        };
        continue;
      }
      return { kind: 'failure', output: `HTTP probe failed with statuscode: ${answer.status}` };
    }
    return { kind: 'failure', output: `Get ${JSON.stringify(targetUrl(at))}: stopped after 10 redirects` };
  };

  const once = async (request: ProbeRequest): Promise<ProbeOutcome> => {
    const { probe, container, podIp } = request;
    const seconds = probe.timeoutSeconds ?? 1;
    const ms = seconds * 1000;
    try {
      if (probe.exec) return await exec(request, probe.exec.command ?? [], seconds);
      if (probe.httpGet) {
        const target = httpTarget(probe.httpGet, container, podIp, 'probe');
        return await limited(ms, (signal) => http(target, signal));
      }
      if (probe.tcpSocket) {
        const port = resolvePort(probe.tcpSocket.port, container);
        const host = probe.tcpSocket.host || podIp;
        return await limited(ms, async (signal) => {
          try {
            (await dialer.connect(host, port, signal)).destroy();
            return { kind: 'success', output: '' };
          } catch (error) {
            const text = signal.aborted
              ? dialErrorText(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }), host, port)
              : dialErrorText(error, host, port);
            return { kind: 'failure', output: text };
          }
        });
      }
      if (probe.grpc) {
        const { port, service } = probe.grpc;
        const failure = await limited(ms, (signal) => grpcHealth(dialer, podIp, port, service ?? '', ms, signal));
        return failure === undefined
          ? { kind: 'success', output: 'service healthy' }
          : { kind: 'failure', output: failure };
      }
      return { kind: 'errored', output: `missing probe handler for ${formatPod(request.pod)}:${container.name}` };
    } catch (error) {
      return { kind: 'errored', output: errorMessage(error) };
    }
  };

  return {
    async run(request) {
      let outcome = await once(request);
      for (let i = 1; i < attempts && outcome.kind === 'errored'; i++) outcome = await once(request);
      return outcome;
    },
  };
}
