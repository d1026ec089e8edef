import type { V1Container, V1LifecycleHandler, V1Pod } from '../../api/generated/types.ts';
import { sleep } from '../../base/clock.ts';
import { type KubeletContext, podEvent } from '../context.ts';
import { errorMessage, goList, runtimeErrorText } from '../go-format.ts';
import { httpGet, httpTarget, targetUrl } from '../probes/http-request.ts';
import { formatPod } from './observed.ts';

/** The connection and answer time of an HTTP hook, milliseconds; upstream's client has no other limit than this transport's. */
const httpHookLimit = 30_000;

async function runHttp(
  context: KubeletContext,
  pod: V1Pod,
  container: V1Container,
  handler: V1LifecycleHandler,
  podIp: string,
): Promise<void> {
  if (!handler.httpGet) return;
  const target = httpTarget(handler.httpGet, container, podIp, 'lifecycle');
  const controller = new AbortController();
  const timer = context.clock.after(httpHookLimit, () => controller.abort(), { background: true });
  try {
    await httpGet(context.node.dialer, target, controller.signal);
  } catch (error) {
    if (!errorMessage(error).includes('server gave HTTP response to HTTPS client'))
      throw new Error(`Get ${JSON.stringify(targetUrl(target))}: ${errorMessage(error)}`);
    await httpGet(context.node.dialer, { ...target, scheme: 'http' }, controller.signal);
    podEvent(
      context,
      pod,
      'Warning',
      'LifecycleHTTPFallback',
      `request to HTTPS lifecycle hook ${target.host}:${target.port} got HTTP response, retry with HTTP succeeded`,
    );
  } finally {
    timer.cancel();
  }
}

/** Runs a postStart or preStop handler. Undefined when it went well, else upstream's text (pkg/kubelet/lifecycle/handlers.go). */
export async function runHook(
  context: KubeletContext,
  pod: V1Pod,
  container: V1Container,
  containerId: string,
  handler: V1LifecycleHandler,
  podIp: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const where = `for Container ${JSON.stringify(container.name)} in Pod ${JSON.stringify(formatPod(pod))} failed - error: `;
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    let output = '';
    try {
      const done = await context.node.runtime.execSync(containerId, command, 0);
      if (done.exitCode === 0) return undefined;
      output = Buffer.concat([done.stdout, done.stderr]).toString('utf8');
      throw new Error(`command '${command.join(' ')}' exited with ${done.exitCode}: ${done.stderr.toString('utf8')}`);
    } catch (error) {
      return `Exec lifecycle hook (${goList(command)}) ${where}${runtimeErrorText(error)}, message: ${JSON.stringify(output)}`;
    }
  }
  if (handler.httpGet) {
    try {
      await runHttp(context, pod, container, handler, podIp);
      return undefined;
    } catch (error) {
      return `HTTP lifecycle hook (${handler.httpGet.path ?? ''}) ${where}${errorMessage(error)}`;
    }
  }
  if (handler.sleep) {
    try {
      await sleep(context.clock, handler.sleep.seconds * 1000, signal);
      return undefined;
    } catch {
      return `Sleep lifecycle hook (${handler.sleep.seconds}) ${where}container terminated before sleep hook finished`;
    }
  }
  return 'Cannot run handler: invalid handler';
}
