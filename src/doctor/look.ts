import { pods } from '../api/generated/resources.ts';
import type { Clock } from '../base/clock.ts';
import { type HttpsClient, pathOf } from '../client/https-client.ts';
import { concerning, diagnose } from './engine.ts';
import type { Diagnosis } from './finding.ts';
import type { Reference } from './reference.ts';
import { allRules } from './rules/index.ts';
import { collectSnapshot } from './snapshot/collect.ts';
import type { LogReader } from './snapshot/collect-logs.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

export interface LookOptions {
  readonly client: HttpsClient;
  readonly clock: Clock;
  /** Where to look when the whole cluster may not be read. */
  readonly namespace: string;
  /** Absent: everything. */
  readonly target?: Reference;
  readonly signal?: AbortSignal;
}

export interface Look {
  readonly diagnosis: Diagnosis;
  readonly snapshot: Snapshot;
}

/** Reads a container's log through the API server. */
export function logReader(client: HttpsClient): LogReader {
  return ({ namespace, pod, container, previous, tailLines, limitBytes }) => {
    const query = new URLSearchParams({
      container,
      tailLines: String(tailLines),
      limitBytes: String(limitBytes),
      ...(previous && { previous: 'true' }),
    });
    return client.text({ path: `${pathOf(pods, namespace, pod, 'log')}?${query}` });
  };
}

/** Looks at a cluster once: takes the picture and judges it. Throws when the server cannot be reached. */
export async function look({ client, clock, namespace, target, signal }: LookOptions): Promise<Look> {
  const { gitVersion } = (await client.json({ path: '/version' })) as { gitVersion?: string };
  const snapshot = await collectSnapshot({
    client,
    logs: logReader(client),
    namespace,
    now: clock.now(),
    ...(gitVersion && { serverVersion: gitVersion }),
    ...(signal && { signal }),
  });
  const whole = diagnose(snapshot, allRules);
  return { snapshot, diagnosis: target ? concerning(whole, snapshot, target) : whole };
}
