import { boundedQueue } from '../../base/bounded-queue.ts';
import type { Clock } from '../../base/clock.ts';
import { type ContainerEvent, CriError } from '../cri.ts';
import { decodeTask, type Service } from './channel.ts';

interface Envelope {
  readonly topic: string;
  readonly event: { readonly value: Buffer } | null;
}

const topics: Readonly<Record<string, ContainerEvent['type']>> = {
  '/tasks/create': 'CREATED',
  '/tasks/start': 'STARTED',
  '/tasks/exit': 'STOPPED',
  '/tasks/delete': 'DELETED',
};
const backlog = 10_000;

/** Finds whose container an event is about; undefined when the runtime no longer knows it. */
export type FindOwner = (
  containerId: string,
) => Promise<{ readonly podSandboxId: string; readonly podUid: string } | undefined>;

/**
 * Container events from containerd's own event service. An exit counts when the container's first process ends, not one
 * that was exec'd. Throws `Unavailable` when the daemon goes away: the consumer relists and subscribes again.
 */
export async function* containerEvents(
  service: Service,
  findOwner: FindOwner,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<ContainerEvent> {
  const queue = boundedQueue<Envelope>(backlog);
  const stream = service.subscribe<Envelope>(
    'Subscribe',
    { filters: ['topic~=^/tasks/'] },
    { 'containerd-namespace': 'k8s.io' },
  );
  const stop = (): void => {
    stream.cancel();
    queue.close();
  };
  signal.addEventListener('abort', stop, { once: true });
  stream.on('data', (envelope: Envelope) => {
    if (!queue.push(envelope)) {
      queue.close(new CriError('Unavailable', 'container events come faster than they are read'));
      stream.cancel();
    }
  });
  stream.on('error', (error: Error) =>
    queue.close(signal.aborted ? undefined : new CriError('Unavailable', error.message)),
  );
  stream.on('end', () =>
    queue.close(signal.aborted ? undefined : new CriError('Unavailable', 'the event stream ended')),
  );
  try {
    for await (const { topic, event } of queue) {
      const type = topics[topic];
      if (!type || !event) continue;
      const { containerId, id } = decodeTask(event.value);
      if (id !== undefined && topic === '/tasks/exit' && id !== containerId) continue;
      const owner = await findOwner(containerId);
      if (!owner) continue;
      const sandbox = owner.podSandboxId === containerId;
      yield {
        type: sandbox ? 'SANDBOX' : type,
        containerId: sandbox ? '' : containerId,
        podSandboxId: owner.podSandboxId,
        podUid: owner.podUid,
        at: clock.now(),
      };
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
  }
}
