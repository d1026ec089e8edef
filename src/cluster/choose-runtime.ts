import { type ContainerdParts, detectContainerd } from '../runtime/cri/detect-containerd.ts';
import { type ClusterOptions, UsageError } from './options.ts';

/** What runs the pods, and why it was chosen, in a sentence. */
export type RuntimeChoice =
  | { readonly kind: 'none' | 'sim'; readonly reason: string }
  | { readonly kind: 'containerd'; readonly reason: string; readonly parts: ContainerdParts };

/** Takes what was asked for; of its own accord containerd where it can be used, and simulated containers elsewhere. */
export async function chooseRuntime(
  { runtime, nodes }: Pick<ClusterOptions, 'runtime' | 'nodes'>,
  env: NodeJS.ProcessEnv,
  detect: typeof detectContainerd = detectContainerd,
): Promise<RuntimeChoice> {
  if (nodes === 0) return { kind: 'none', reason: 'control plane only, as asked' };
  if (runtime === 'sim') return { kind: 'sim', reason: 'simulated containers, as asked' };
  if (nodes > 1) {
    if (runtime === 'containerd')
      throw new UsageError('--nodes: containerd makes this machine one node; use --runtime sim');
    return { kind: 'sim', reason: `simulated containers: there are to be ${nodes} nodes, and this is one machine` };
  }
  const detection = await detect(env);
  if (detection.usable)
    return {
      kind: 'containerd',
      reason: 'containerd: this is Linux, we are root, and all parts are installed',
      parts: detection.parts,
    };
  if (runtime === 'containerd') throw new UsageError(`containerd cannot be used here: ${detection.why}`);
  return { kind: 'sim', reason: `simulated containers, since containerd cannot be used here: ${detection.why}` };
}
