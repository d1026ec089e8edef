import type { V1Pod } from '../../api/generated/types.ts';
import type { KubeletContext } from '../context.ts';
import { goDuration } from '../go-format.ts';
import { StartFailure } from '../images/image-manager.ts';
import { formatPod, type ObservedPod } from './observed.ts';

/** The back-off of a container that keeps ending, as a failure to start it; undefined = start it now. Upstream: doBackOff. */
export function crashLoop(
  context: KubeletContext,
  pod: V1Pod,
  name: string,
  hash: string,
  observed: ObservedPod,
): StartFailure | undefined {
  const last = observed.containers.find((it) => it.name === name && it.state === 'exited');
  if (!last) return undefined;
  const key = `${pod.metadata?.uid}/${name}/${hash}`;
  const delay = context.crashes.waiting(key, last.finishedAt);
  if (delay === undefined) {
    context.crashes.next(key, last.finishedAt);
    return undefined;
  }
  return new StartFailure(
    'CrashLoopBackOff',
    `back-off ${goDuration(delay)} restarting failed container=${name} pod=${formatPod(pod)}`,
    last.finishedAt + delay,
  );
}
