import type { V1Container, V1Pod, V1Secret } from '../../api/generated/types.ts';
import type { PodSandboxConfig } from '../../runtime/cri.ts';
import { type KubeletContext, podEvent, podSpan } from '../context.ts';
import { errorMessage, runtimeErrorText } from '../go-format.ts';
import { StartFailure } from '../images/image-manager.ts';
import type { MountedVolume } from '../volumes/volume-manager.ts';
import { crashLoop } from './crash-loop.ts';
import type { DownwardFacts } from './downward.ts';
import { killContainer, killPod } from './kill.ts';
import {
  containerFieldPath,
  ephemeralAsContainer,
  formatPod,
  hashContainer,
  isHostNetwork,
  isSidecar,
  type ObservedPod,
} from './observed.ts';
import type { PodPlan } from './plan.ts';
import { ensurePodGroup } from './pod-groups.ts';
import { linuxResources } from './resources.ts';
import { sandboxConfig } from './sandbox-config.ts';
import { startContainer } from './start-container.ts';

export interface PlanRun {
  readonly pod: V1Pod;
  readonly plan: PodPlan;
  readonly observed: ObservedPod;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly secrets: readonly V1Secret[];
  readonly facts: () => DownwardFacts;
  /** The sandbox is up: look at it, and tell the world its address. */
  readonly onSandboxReady: () => Promise<ObservedPod>;
  readonly onStarted: (name: string, id: string) => void;
}

export interface PlanResult {
  readonly started: readonly string[];
  /** By container name. */
  readonly failures: ReadonlyMap<string, StartFailure>;
  /** What stopped the run as a whole. */
  readonly error?: string;
  readonly resizeError?: string;
}

/** Dead containers and sandboxes of the pod that nothing needs any more: all but the last of each name. */
async function prune(context: KubeletContext, observed: ObservedPod): Promise<void> {
  const seen = new Map<string, number>();
  const kept = new Set<string>();
  for (const container of observed.containers) {
    const count = container.state === 'exited' ? (seen.get(container.name) ?? 0) : 0;
    if (container.state === 'exited') seen.set(container.name, count + 1);
    if (count >= 1) await context.node.runtime.removeContainer(container.id);
    else kept.add(container.sandboxId);
  }
  for (const sandbox of observed.sandboxes.slice(1))
    if (!sandbox.ready && !kept.has(sandbox.id)) await context.node.runtime.removePodSandbox(sandbox.id);
}

/** Carries a plan out, in order. Never rejects for what a pod's owner can cause. Upstream: kuberuntime SyncPod. */
export async function runPlan(context: KubeletContext, run: PlanRun): Promise<PlanResult> {
  const { pod, plan } = run;
  const { runtime } = context.node;
  let { observed } = run;
  const started: string[] = [];
  const failures = new Map<string, StartFailure>();
  const fail = (error: string): PlanResult => ({ started, failures, error });
  const podIp = observed.ips[0] ?? '';

  if (plan.createSandbox && plan.sandboxId !== '')
    podEvent(context, pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
  if (plan.killPod) {
    await killPod(context, pod, observed);
    if (plan.createSandbox)
      for (const init of pod.spec?.initContainers ?? [])
        for (const container of observed.containers.filter((it) => it.name === init.name))
          await runtime.removeContainer(container.id);
  } else {
    for (const { container, message, reason } of plan.toKill)
      await killContainer(context, pod, { container, message, reason, podIp });
    for (const { container, kill } of plan.toReset) {
      if (kill)
        await killContainer(context, pod, {
          container,
          message: 'killing',
          reason: 'RestartAllContainers',
          podIp,
          grace: 0,
        });
      await runtime.removeContainer(container.id);
    }
  }
  await prune(context, observed);

  let sandboxId = plan.sandboxId;
  let sandbox: PodSandboxConfig;
  if (plan.createSandbox) {
    const begun = context.clock.now();
    try {
      sandbox = await sandboxConfig(context, pod, plan.attempt);
      await context.node.files.mkdir(sandbox.logDirectory, 0o755);
      const handler = await context.runtimeHandler(pod.spec?.runtimeClassName);
      await ensurePodGroup(context, pod);
      sandboxId = await runtime.runPodSandbox(sandbox, handler);
    } catch (error) {
      podEvent(
        context,
        pod,
        'Warning',
        'FailedCreatePodSandBox',
        `Failed to create pod sandbox: ${runtimeErrorText(error)}`,
      );
      podSpan(context, pod, 'runtime', 'create sandbox', begun, { error: errorMessage(error) });
      return fail(`Failed to create sandbox for pod ${JSON.stringify(formatPod(pod))}: ${runtimeErrorText(error)}`);
    }
    podSpan(context, pod, 'runtime', 'create sandbox', begun);
    const before = observed;
    observed = await run.onSandboxReady();
    podSpan(
      context,
      pod,
      'network',
      isHostNetwork(pod) ? 'use the network of the node' : 'give the pod its address',
      begun,
      {
        attributes: { ips: (isHostNetwork(pod) ? context.hostIps : observed.ips).join(',') },
      },
    );
    // Containers of an earlier sandbox still count for restart numbers and back-off.
    if (observed.containers.length === 0) observed = { ...observed, containers: before.containers };
  } else if (plan.initToStart.length + plan.toStart.length + plan.ephemeralToStart.length > 0) {
    sandbox = await sandboxConfig(context, pod, plan.attempt);
  } else {
    const resizeError = await resizeAll(context, run, started);
    return { started, failures, ...(resizeError !== undefined && { resizeError }) };
  }

  const imageVolumes = new Map<string, { readonly ref: string } | StartFailure>();
  for (const volume of pod.spec?.volumes ?? []) {
    if (!volume.image) continue;
    try {
      const ref = await context.images.ensure({
        pod,
        image: volume.image.reference ?? '',
        policy: volume.image.pullPolicy,
        secrets: run.secrets,
        sandbox,
        event: (type, reason, message) => podEvent(context, pod, type, reason, message),
      });
      imageVolumes.set(volume.name, { ref });
    } catch (error) {
      imageVolumes.set(
        volume.name,
        error instanceof StartFailure ? error : new StartFailure('ErrImagePull', errorMessage(error)),
      );
    }
  }

  const start = async (container: V1Container, targetName?: string): Promise<boolean> => {
    const loop = crashLoop(context, pod, container.name, hashContainer(container), observed);
    if (loop) {
      podEvent(
        context,
        pod,
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${container.name} in pod ${formatPod(pod)}`,
        containerFieldPath(pod, container.name),
      );
      failures.set(container.name, loop);
      return false;
    }
    try {
      const id = await startContainer(context, {
        pod,
        container,
        observed,
        sandboxId,
        sandbox,
        podIps: isHostNetwork(pod) ? context.hostIps : observed.ips,
        volumes: run.volumes,
        secrets: run.secrets,
        imageVolumes,
        facts: run.facts(),
        ...(targetName !== undefined && { targetName }),
      });
      started.push(container.name);
      run.onStarted(container.name, id);
      return true;
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      failures.set(container.name, error);
      return false;
    }
  };

  for (const index of plan.ephemeralToStart) {
    const container = pod.spec?.ephemeralContainers?.[index];
    if (container) await start(ephemeralAsContainer(container), container.targetContainerName || undefined);
  }
  for (const index of plan.initToStart) {
    const container = pod.spec?.initContainers?.[index];
    if (!container || (await start(container))) continue;
    if (!isSidecar(container)) return { started, failures };
  }
  const resizeError = await resizeAll(context, run, started);
  for (const index of plan.toStart) {
    const container = pod.spec?.containers?.[index];
    if (container) await start(container);
  }
  return { started, failures, ...(resizeError !== undefined && { resizeError }) };
}

async function resizeAll(context: KubeletContext, run: PlanRun, started: string[]): Promise<string | undefined> {
  if (run.plan.toUpdate.length > 0) await ensurePodGroup(context, run.pod);
  for (const { spec, container } of run.plan.toUpdate) {
    try {
      await context.node.runtime.updateContainerResources(
        container.id,
        linuxResources(run.pod, spec, context.machine.memoryBytes),
      );
      run.onStarted(spec.name, container.id);
      started.push(spec.name);
    } catch (error) {
      return runtimeErrorText(error);
    }
  }
  return undefined;
}
