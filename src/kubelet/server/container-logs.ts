import type { V1ContainerStatus, V1Pod, V1PodStatus } from '../../api/generated/types.ts';
import type { LogOptions } from './log-reader.ts';

/** A refusal with an HTTP code and a plain text. */
export class PlainError extends Error {
  override readonly name = 'PlainError';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const natural = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value)) throw new PlainError(400, '{"message": "Unable to decode query."}');
  return value;
};

/** The query of a log request; upstream's names and refusals. */
export function logOptions(query: URLSearchParams, now: number): LogOptions & { readonly previous: boolean } {
  const flag = (name: string): boolean => ['true', '1', ''].includes(query.get(name) ?? 'false');
  const sinceSeconds = natural(query, 'sinceSeconds');
  const sinceTime = query.get('sinceTime');
  const legacyTail = query.get('tail');
  const tailLines = legacyTail && legacyTail !== 'all' ? natural(query, 'tail') : natural(query, 'tailLines');
  const limitBytes = natural(query, 'limitBytes');
  const stream = query.get('stream') || 'All';
  const invalid = (): PlainError => new PlainError(422, '{"message": "Invalid request."}');
  if ((tailLines ?? 0) < 0 || (limitBytes ?? 1) < 1 || (sinceSeconds ?? 1) < 1) throw invalid();
  if (sinceSeconds !== undefined && sinceTime) throw invalid();
  if (stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr') throw invalid();
  if (stream !== 'All' && tailLines !== undefined) throw invalid();
  const since = sinceTime ? Date.parse(sinceTime) : sinceSeconds !== undefined ? now - sinceSeconds * 1000 : undefined;
  if (Number.isNaN(since)) throw new PlainError(400, '{"message": "Unable to decode query."}');
  return {
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    stream,
    ...(since !== undefined && { since }),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
  };
}

const bare = (id: string): string => id.replace(/^[^:]+:\/\//, '');

/** The container whose log is asked for, without its scheme. Throws upstream's text where there is none (validateContainerLogStatus). */
export function logContainerId(pod: V1Pod, status: V1PodStatus, name: string, previous: boolean): string {
  const podName = pod.metadata?.name ?? '';
  const all: readonly V1ContainerStatus[] = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const fail = (what: string): PlainError => new PlainError(400, what);
  const it = all.find((container) => container.name === name);
  if (!it) throw fail(`container ${JSON.stringify(name)} in pod ${JSON.stringify(podName)} is not available`);
  const last = it.lastState?.terminated?.containerID;
  const called = `container ${JSON.stringify(name)} in pod ${JSON.stringify(podName)}`;
  if (previous) {
    if (!last) throw fail(`previous terminated ${called} not found`);
    return bare(last);
  }
  if (it.state?.running) return bare(it.containerID ?? '');
  if (it.state?.terminated) {
    const own = it.state.terminated.containerID || last;
    if (!own) throw fail(`${called} is terminated`);
    return bare(own);
  }
  if (it.lastState?.terminated) {
    if (!last) throw fail(`${called} is terminated`);
    return bare(last);
  }
  const reason = it.state?.waiting?.reason;
  switch (reason) {
    case undefined:
      throw fail(`${called} is waiting to start - no logs yet`);
    case 'ErrImagePull':
      throw fail(`${called} is waiting to start: image can't be pulled`);
    case 'ImagePullBackOff':
      throw fail(`${called} is waiting to start: trying and failing to pull image`);
    default:
      throw fail(`${called} is waiting to start: ${reason}`);
  }
}
