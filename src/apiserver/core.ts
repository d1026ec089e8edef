import { copyJson } from '../api/draft.ts';
import type { ResourceRequest } from '../api/handler.ts';
import type { Live } from '../api/resource.ts';
import { apiVersionOf } from '../api/resource.ts';
import type { SpanSink } from '../api/trace.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Draft, KindDefinition, StrategyContext } from '../kinds/kind.ts';
import type { AdmissionPlugin } from './contracts.ts';
import type { ServedKinds } from './kind-registry.ts';
import type { Storage, StoredResource } from './storage/storage.ts';
import type { Timeline } from './storage/timeline.ts';
import { share, versionOf } from './storage/wire.ts';

/** What every verb works with. */
export interface Core {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly spans: SpanSink;
  readonly storage: Storage;
  /** Which revision was the newest at a moment. */
  readonly timeline: Timeline;
  readonly kinds: ServedKinds;
  /** Set once the context they are made from exists. */
  readonly admission: () => readonly AdmissionPlugin[];
}

/** A request with what it is about, found once. */
export interface Operation {
  readonly core: Core;
  readonly request: ResourceRequest;
  /** The definition of the version asked for. */
  readonly kind: KindDefinition;
  /** Where its objects are, and the definition of the version they are stored in. */
  readonly stored: StoredResource;
  /** '' for cluster-scoped. */
  readonly namespace: string;
  readonly strategy: StrategyContext;
  /** Monotonic milliseconds when it began. */
  readonly startedAt: number;
  /** False for the server's own writes, which nobody admits. */
  readonly admitted: boolean;
}

const noWarning = (): void => undefined;

export function operationOf(
  core: Core,
  request: ResourceRequest,
  kind: KindDefinition,
  stored: StoredResource,
  admitted = true,
): Operation {
  const warn = request.warn ?? noWarning;
  return {
    core,
    request,
    kind,
    stored,
    namespace: kind.resource.namespaced ? (request.namespace ?? '') : '',
    strategy: { clock: core.clock, random: core.random, user: request.user, warn },
    startedAt: core.clock.monotonic(),
    admitted,
  };
}

/** A stored object in the version of `kind`. Converted once, then shared. */
export function toVersion(kind: KindDefinition, stored: StoredResource, object: Live): Live {
  const { storage } = kind;
  if (kind === stored.kind || !storage) return object;
  return versionOf(object, apiVersionOf(kind.resource), (it) => {
    const converted = storage.fromStorage(copyJson(it) as unknown as Draft);
    return share(labelled(kind, converted) as unknown as Live);
  });
}

/** A draft in the version of `kind` as a draft in storage version. */
export function toStorage(kind: KindDefinition, stored: StoredResource, draft: Draft): Draft {
  if (kind === stored.kind || !kind.storage) return draft;
  const converted = labelled(stored.kind, kind.storage.toStorage(draft));
  stored.kind.defaults?.(converted);
  return converted;
}

const labelled = (kind: KindDefinition, draft: Draft): Draft => {
  draft['kind'] = kind.resource.kind;
  draft['apiVersion'] = apiVersionOf(kind.resource);
  return draft;
};
