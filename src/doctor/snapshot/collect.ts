import * as resources from '../../api/generated/resources.ts';
import type { V1Secret } from '../../api/generated/types.ts';
import type { KubeObject, ObjectList, Resource } from '../../api/resource.ts';
import { StatusError } from '../../api/status.ts';
import type { Client } from '../../client/client.ts';
import type { Unseen } from '../finding.ts';
import { collectLogs, type LogReader } from './collect-logs.ts';
import { type SecretShape, secretShape } from './secret-shape.ts';
import { slim } from './slim.ts';
import { createSnapshot, resourceKey, type Snapshot, type SnapshotParts } from './snapshot.ts';

/** What the rules look at, the most important first. Reading them is all the rights that `why` needs. */
export const watchedResources: readonly Resource[] = [
  resources.pods,
  resources.nodes,
  resources.events,
  resources.namespaces,
  resources.configmaps,
  resources.secrets,
  resources.services,
  resources.endpointslices,
  resources.persistentvolumeclaims,
  resources.persistentvolumes,
  resources.storageclasses,
  resources.serviceaccounts,
  resources.resourcequotas,
  resources.limitranges,
  resources.deployments,
  resources.replicasets,
  resources.statefulsets,
  resources.daemonsets,
  resources.jobs,
  resources.cronjobs,
  resources.horizontalpodautoscalers,
  resources.poddisruptionbudgets,
  resources.networkpolicies,
  resources.ingresses,
  resources.ingressclasses,
  resources.priorityclasses,
  resources.runtimeclasses,
  resources.leases,
  resources.csinodes,
  resources.csidrivers,
  resources.volumeattachments,
  resources.validatingwebhookconfigurations,
  resources.mutatingwebhookconfigurations,
  resources.apiservices,
  resources.roles,
  resources.rolebindings,
  resources.clusterroles,
  resources.clusterrolebindings,
  resources.customresourcedefinitions,
];

const pageSize = 500;
/** Objects of one kind beyond this many are not read (all namespaces together); it is told. */
const mostObjects = 50_000;
const atOnce = 6;

export interface CollectOptions {
  readonly client: Client;
  /** Absent: logs are not read. */
  readonly logs?: LogReader;
  /** Read when the whole cluster is denied. */
  readonly namespace: string;
  readonly now: number;
  readonly serverVersion?: string;
  readonly signal?: AbortSignal;
}

interface Read {
  readonly resource: Resource;
  readonly items: readonly KubeObject[];
  /** Only this namespace could be read. */
  readonly narrowed?: string;
  readonly unseen?: Unseen;
  readonly blind?: boolean;
}

/**
 * Takes the picture: one paged list for each kind, then the logs of a sample of what fails. Never writes. What is denied or not served is told
 * in `unseen`. Throws only when the server cannot be reached at all.
 */
export async function collectSnapshot(options: CollectOptions): Promise<Snapshot> {
  const secrets: SecretShape[] = [];
  const objects = new Map<string, readonly KubeObject[]>();
  const unseen: Unseen[] = [];
  const blind = new Set<string>();
  const narrowed = new Map<string, string>();
  const queue = [...watchedResources];
  const worker = async (): Promise<void> => {
    for (let resource = queue.shift(); resource; resource = queue.shift()) {
      const read = await readAll(options, resource, secrets);
      if (read.items.length > 0) objects.set(resourceKey(resource), read.items);
      if (read.narrowed !== undefined) narrowed.set(resourceKey(resource), read.narrowed);
      if (read.blind) blind.add(resourceKey(resource));
      if (read.unseen) unseen.push(read.unseen);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  unseen.sort((a, b) => (a.what < b.what ? -1 : 1));
  const parts: SnapshotParts = {
    now: options.now,
    stage: 'live',
    ...(options.serverVersion && { serverVersion: options.serverVersion }),
    objects,
    secrets,
    logs: new Map(),
    blind,
    narrowed,
    unseen,
  };
  const bare = createSnapshot(parts);
  if (!options.logs) return bare;
  const { logs, unseen: unread } = await collectLogs(bare, options.logs, atOnce);
  return createSnapshot({ ...parts, logs, unseen: [...unseen, ...unread] });
}

async function readAll(options: CollectOptions, resource: Resource, secrets: SecretShape[]): Promise<Read> {
  try {
    return { resource, ...(await readPages(options, resource, undefined, secrets)) };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (error.code === 403 && resource.namespaced) {
      try {
        const { items } = await readPages(options, resource, options.namespace, secrets);
        const what = `${resource.plural} outside namespace ${options.namespace}`;
        return {
          resource,
          items,
          narrowed: options.namespace,
          unseen: { what, why: 'denied', message: error.message },
        };
      } catch (again) {
        if (!(again instanceof StatusError)) throw again;
      }
    }
    const why = error.code === 403 || error.code === 401 ? 'denied' : error.code === 404 ? 'not served' : 'failed';
    return { resource, items: [], blind: true, unseen: { what: resource.plural, why, message: error.message } };
  }
}

async function readPages(
  { client, signal }: CollectOptions,
  resource: Resource,
  namespace: string | undefined,
  secrets: SecretShape[],
): Promise<Pick<Read, 'items' | 'unseen'>> {
  const items: KubeObject[] = [];
  let more: string | undefined;
  do {
    const page: ObjectList = await client.list(resource, {
      limit: pageSize,
      ...(namespace && { namespace }),
      ...(more && { continue: more }),
      ...(signal && { signal }),
    });
    // Secrets are reduced at once: no value outlives its page.
    if (resource === resources.secrets) secrets.push(...page.items.map((it) => secretShape(it as V1Secret)));
    else for (const it of page.items) items.push(slim(it));
    more = page.metadata.continue;
    if (items.length >= mostObjects && more) {
      const message = `only the first ${items.length} were read`;
      return { items, unseen: { what: `further ${resource.plural}`, why: 'failed', message } };
    }
  } while (more);
  return { items };
}
