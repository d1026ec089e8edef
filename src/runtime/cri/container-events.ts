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

/** What the events need to know of containers. */
export interface EventSource {
  /** Whose container an event is about; undefined when the runtime no longer knows it. */
  ownerOf(containerId: string): Promise<{ readonly podSandboxId: string; readonly podUid: string } | undefined>;
  /** Resolves when the runtime's own status shows that the container has ended, which is a moment after the event of its exit. */
  settled(containerId: string): Promise<void>;
}

/**
 * Container events from containerd's own event service. An exit counts when the container's first process ends, not one that was
 * exec'd, and is told when the container's status shows it. Throws `Unavailable` when the daemon goes away: the consumer relists and
 * subscribes again.
 */
export async function* containerEvents(
  service: Service,
  source: EventSource,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<ContainerEvent> {
  const queue = boundedQueue<ContainerEvent>(backlog);
  const stream = service.subscribe<Envelope>(
    'Subscribe',
    { filters: ['topic~=^/tasks/'] },
    { 'containerd-namespace': 'k8s.io' },
  );
  const stop = (): void => {
    stream.cancel();
    queue.close();
  };
  const fail = (message: string): void => {
    queue.close(signal.aborted ? undefined : new CriError('Unavailable', message));
    stream.cancel();
  };
  const take = async ({ topic, event }: Envelope): Promise<void> => {
    const type = topics[topic];
    if (!type || !event) return;
    const { containerId, id } = decodeTask(event.value);
    if (id !== undefined && topic === '/tasks/exit' && id !== containerId) return;
    const owner = await source.ownerOf(containerId);
    if (!owner) return;
    const sandbox = owner.podSandboxId === containerId;
    if (type === 'STOPPED' && !sandbox) await source.settled(containerId);
    const told = queue.push({
      type: sandbox ? 'SANDBOX' : type,
      containerId: sandbox ? '' : containerId,
      podSandboxId: owner.podSandboxId,
      podUid: owner.podUid,
      at: clock.now(),
    });
    if (!told && !queue.closed) fail('container events come faster than they are read');
  };
  signal.addEventListener('abort', stop, { once: true });
  stream.on('data', (envelope: Envelope) => {
    take(envelope).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
  });
  stream.on('error', (error: Error) => fail(error.message));
  stream.on('end', () => fail('the event stream ended'));
  try {
    yield* queue;
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
  }
}
