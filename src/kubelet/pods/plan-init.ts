import { findContainer, hashContainer, isSidecar, type ObservedContainer } from './observed.ts';
import type { PlanDraft, PlanInput } from './plan.ts';
import { exitRestarts } from './restart-rules.ts';

/**
 * Plans the init containers into the draft: which one is next, and which sidecars run again. True when the pod is initialized.
 * Goes backwards, since earlier containers may have been removed from the runtime. Upstream: computeInitContainerActions.
 */
export function planInitContainers(input: PlanInput, draft: PlanDraft): boolean {
  const { pod, observed, probes } = input;
  const inits = pod.spec?.initContainers ?? [];
  if (inits.length === 0) return true;
  const policy = pod.spec?.restartPolicy;
  let initialized = (pod.spec?.containers ?? []).some((container) => {
    const state = findContainer(observed, container.name)?.state;
    return state === 'created' || state === 'running';
  });
  let previously = initialized;
  const start: number[] = [];
  const restart = (
    container: ObservedContainer,
    index: number,
    message: string,
    reason: 'StartupProbe' | 'LivenessProbe' | 'Unknown',
  ): void => {
    draft.toKill.push({ container, message, reason });
    start.push(index);
  };
  const fail = (): boolean => {
    draft.killPod = true;
    draft.initToStart = [];
    return false;
  };
  for (let i = inits.length - 1; i >= 0; i--) {
    const spec = inits[i];
    if (!spec) continue;
    const sidecar = isSidecar(spec);
    const container = findContainer(observed, spec.name);
    if (!container) {
      if (previously && sidecar) start.push(i);
      continue;
    }
    if (previously && !sidecar) continue;
    const last = i === inits.length - 1;
    switch (container.state) {
      case 'created':
        start.push(i);
        break;
      case 'running': {
        if (!sidecar) {
          if (input.resize(spec, container) === 'update') draft.toUpdate.push({ spec, container });
          break;
        }
        if (spec.startupProbe) {
          const startup = probes.startup(container.id);
          if (startup === 'failure')
            restart(container, i, `Init container ${spec.name} failed startup probe`, 'StartupProbe');
          if (startup !== 'success') break;
        }
        if (last) initialized = true;
        else if (!previously) start.push(i + 1);
        if (container.hash !== hashContainer(spec)) {
          restart(container, i, `Init container ${spec.name} definition changed`, 'Unknown');
          break;
        }
        if (spec.livenessProbe && probes.liveness(container.id) === 'failure') {
          restart(container, i, `Init container ${spec.name} failed liveness probe`, 'LivenessProbe');
          break;
        }
        const verdict = input.resize(spec, container);
        if (verdict === 'restart') restart(container, i, `Container ${spec.name} resize requires restart`, 'Unknown');
        else if (verdict === 'update') draft.toUpdate.push({ spec, container });
        break;
      }
      case 'exited':
        if (sidecar) {
          start.push(i);
        } else if (container.exitCode !== 0) {
          if (pod.metadata?.deletionTimestamp || !exitRestarts(spec, policy, container.exitCode)) return fail();
          start.push(i);
        } else if (last) initialized = true;
        else start.push(i + 1);
        break;
      case 'unknown': {
        const again = sidecar || (spec.restartPolicy ?? policy) !== 'Never';
        if (!again) return fail();
        restart(container, i, 'Init container is in "unknown" state, try killing it before restart', 'Unknown');
        break;
      }
    }
    previously = true;
  }
  if (!previously) start.push(0);
  draft.initToStart = start.reverse();
  return initialized;
}
