import type { Clock } from '../../base/clock.ts';
import type { RuntimeCondition, RuntimeService } from '../../runtime/cri.ts';

/** What the runtime says of itself, and since when it has said nothing. */
export interface RuntimeHealth {
  /** Asks the runtime; never rejects. */
  check(): Promise<void>;
  /** Why the node is not ready: texts of upstream's runtimeState, first runtime, then network. */
  errors(): readonly string[];
  networkError(): string | undefined;
  handlers(): readonly string[];
  /** True when the last question went unanswered. */
  silent(): boolean;
}

/** The runtime may be silent for this long, milliseconds. Upstream: maxWaitForContainerRuntime. */
const silence = 30_000;

const show = (condition: RuntimeCondition | undefined): string =>
  condition ? `${condition.type}=${condition.status} reason:${condition.reason} message:${condition.message}` : '<nil>';

export function runtimeHealth(runtime: RuntimeService, clock: Clock): RuntimeHealth {
  let lastSync: number | undefined;
  let runtimeError: string | undefined;
  let networkError: string | undefined = 'network state unknown';
  let handlers: readonly string[] = [];
  let unanswered = false;
  return {
    async check() {
      let answer: Awaited<ReturnType<RuntimeService['status']>>;
      try {
        answer = await runtime.status();
        unanswered = false;
      } catch {
        unanswered = true;
        // Silence is what errors() reports, once it has lasted.
        return;
      }
      const network = answer.conditions.find((it) => it.type === 'NetworkReady');
      const own = answer.conditions.find((it) => it.type === 'RuntimeReady');
      networkError = network?.status ? undefined : `container runtime network not ready: ${show(network)}`;
      runtimeError = own?.status ? undefined : `container runtime not ready: ${show(own)}`;
      handlers = answer.runtimeHandlers;
      if (!runtimeError) lastSync = clock.now();
    },
    errors() {
      const silent =
        lastSync === undefined
          ? 'container runtime status check may not have completed yet'
          : clock.now() - lastSync >= silence
            ? 'container runtime is down'
            : undefined;
      return [silent, runtimeError, networkError].filter((it) => it !== undefined);
    },
    networkError: () => networkError,
    handlers: () => handlers,
    silent: () => unanswered,
  };
}
