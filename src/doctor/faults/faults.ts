import { parseAllDocuments } from 'yaml';
import { allResources, namespaces } from '../../api/generated/resources.ts';
import type { KubeObject, Resource } from '../../api/resource.ts';
import { StatusError } from '../../api/status.ts';
import { defined } from '../../base/assert.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Fault, Rule } from '../rule.ts';
import { allRules } from '../rules/index.ts';
import { nearestOne } from '../text/nearest.ts';

/** A rule that can be provoked. */
export type FaultyRule = Rule & { readonly fault: Fault };

/** The label by which a fault's objects are found again. */
export const faultLabel = 'coracle.dev/fault';
/** Everything that a fault makes lives in a namespace of its own, where it can. */
export const faultNamespace = (rule: string): string => `fault-${rule}`.slice(0, 63);
/** How long a namespace may take to be emptied, milliseconds. */
const goneWithinMs = 90_000;

/** The fault's name is not known; the message names the nearest. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

export const faults: readonly FaultyRule[] = allRules.filter((it): it is FaultyRule => it.fault !== undefined);

/** Finds a fault by the name of its rule. Throws `FaultError`. */
export function faultNamed(name: string): FaultyRule {
  const found = faults.find((it) => it.id === name);
  if (found) return found;
  const guess = nearestOne(
    name,
    faults.map((it) => it.id),
  );
  throw new FaultError(
    `there is no fault "${name}"${guess ? ` (did you mean ${guess}?)` : ''}; coracle fault list shows all`,
  );
}

/** The objects of a manifest, put into the fault's namespace and labelled. Those of cluster-wide kinds keep their names. */
export function faultObjects(
  rule: string,
  manifest: string,
): readonly { readonly resource: Resource; readonly object: KubeObject }[] {
  return parseAllDocuments(manifest).flatMap((document) => {
    const object = document.toJS() as KubeObject | null;
    if (!object?.kind) return [];
    const resource = defined(
      allResources.find(
        (it) => it.kind === object.kind && (it.group ? `${it.group}/${it.version}` : it.version) === object.apiVersion,
      ),
      `the fault ${rule} holds ${object.apiVersion} ${object.kind}, which is not known`,
    );
    const metadata = {
      ...object.metadata,
      ...(resource.namespaced && { namespace: object.metadata?.namespace ?? faultNamespace(rule) }),
      labels: { ...object.metadata?.labels, [faultLabel]: rule },
    };
    return [{ resource, object: { ...object, metadata } }];
  });
}

/** Provokes the fault: its namespace, then its objects. Throws `StatusError` when the server refuses. */
export async function startFault(client: Client, clock: Clock, { id, fault }: FaultyRule): Promise<string> {
  const namespace = faultNamespace(id);
  await ensure(client, namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { [faultLabel]: id } },
  });
  for (const { resource, object } of faultObjects(id, fault.manifest))
    await createSoon(client, clock, resource, object);
  if (fault.then !== undefined)
    for (const { resource, object } of faultObjects(id, fault.then)) await ensure(client, resource, object);
  return namespace;
}

/** A new namespace has no ServiceAccount yet, without which pods are refused: tried again for a while. */
async function createSoon(client: Client, clock: Clock, resource: Resource, object: KubeObject): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ensure(client, resource, object);
      return;
    } catch (error) {
      const early =
        error instanceof StatusError && error.code === 403 && /serviceaccount|service account/i.test(error.message);
      if (!early || tries >= 40) throw error;
      await sleep(clock, 250);
    }
  }
}

/** Creates the object, or changes it to this where it is there. */
async function ensure(client: Client, resource: Resource, object: KubeObject): Promise<void> {
  try {
    await client.create(resource, object, { fieldManager: 'coracle-fault' });
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'AlreadyExists') throw error;
    await client.patch(resource, object.metadata?.name ?? '', object, {
      ...(object.metadata?.namespace && { namespace: object.metadata.namespace }),
      type: 'application/apply-patch+yaml',
      fieldManager: 'coracle-fault',
      force: true,
    });
  }
}

/** Which faults run: their namespaces tell. */
export async function runningFaults(client: Client): Promise<ReadonlySet<string>> {
  const { items } = await client.list(namespaces, { labelSelector: faultLabel });
  return new Set(
    items.filter((it) => !it.metadata.deletionTimestamp).map((it) => it.metadata.labels?.[faultLabel] ?? ''),
  );
}

/** Removes all that the fault made, and waits until it is gone. */
export async function stopFault(client: Client, clock: Clock, { id, fault }: FaultyRule): Promise<void> {
  const namespace = faultNamespace(id);
  const made = [fault.manifest, fault.then ?? ''].flatMap((text) => faultObjects(id, text));
  for (const { resource, object } of [...made].reverse()) {
    if (object.metadata?.namespace === namespace) continue;
    await quietly(
      client.delete(resource, object.metadata?.name ?? '', {
        ...(object.metadata?.namespace && { namespace: object.metadata.namespace }),
      }),
    );
  }
  await quietly(client.delete(namespaces, namespace));
  const end = clock.monotonic() + goneWithinMs;
  while (await there(client, namespace)) {
    if (clock.monotonic() > end)
      throw new FaultError(`namespace ${namespace} is still there after ${goneWithinMs / 1000} s`);
    await sleep(clock, 250);
  }
}

/** Not being there any more is what a deletion wants. */
async function quietly(deletion: Promise<void>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  }
}

async function there(client: Client, namespace: string): Promise<boolean> {
  try {
    await client.get(namespaces, namespace);
    return true;
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return false;
    throw error;
  }
}
